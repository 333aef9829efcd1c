// The AWS CLI's shorthand for structures, lists and maps: `name=x,storage=[A,B],nested={k=v}`.
//
//   parameter = keyval *("," keyval)
//   keyval    = key "=" values
//   key       = *(letter / digit / "-" / "_" / "." / "#" / "/" / ":")
//   values    = list / hash / value *("," value)      ; a word that an "=" follows is the next key, not a value
//   list      = "[" [explicit *("," explicit)] "]"
//   hash      = "{" [key "=" explicit *("," key "=" explicit)] "}"
//   explicit  = list / hash / value
//   value     = 'single quoted' / "double quoted" / bare word, in which "\," is a comma

/** What shorthand can say before the model gives types to it. */
export type Shorthand = string | Shorthand[] | { [key: string]: Shorthand };

/** Says what was expected where, with a caret under the place. */
export class ShorthandError extends Error {
  constructor(message: string, input: string, index: number, hint = '') {
    super(`${message} for input:\n${pointAt(input, index)}${hint}`);
  }
}

/** The input with a caret line below the line that holds `index`. */
function pointAt(input: string, index: number): string {
  const lineStart = input.lastIndexOf('\n', index - 1) + 1;
  const lineEnd = input.indexOf('\n', index);
  const caret = `${' '.repeat(index - lineStart)}^`;
  if (lineEnd < 0) return `${input}\n${caret}`;
  return `${input.slice(0, lineEnd)}\n${caret}${input.slice(lineEnd)}`;
}

/** Parses one word of shorthand; throws ShorthandError. */
export function parseShorthand(input: string): { [key: string]: Shorthand } {
  return new Parser(input).parameter();
}

type Quote = "'" | '"';

const quotedWord = { "'": /'(?:\\\\|\\'|[^'])*'/y, '"': /"(?:\\\\|\\"|[^"])*"/y } as const;
const quotedName = { "'": 'singled quoted', '"': 'double quoted' } as const;
/** The first value after `=`; it may hold `=` itself. */
const firstWord = /(?:\\,|[^\s\p{Cc}"',=[{])(?:\\,|[^\p{Cc}"',\]}]|\s)*/uy;
/** A further value: without `=`, so that `a=b,c=d` is two keys. */
const furtherWord = /(?:\\,|[^\s\p{Cc}"',=[{])(?:\\,|[^\p{Cc}"',=]|\s)*/uy;
const keyWord = /[A-Za-z0-9\-_.#/:]*/y;
const blank = /\s*/y;

class Parser {
  readonly #input: string;
  #index = 0;

  constructor(input: string) {
    this.#input = input;
  }

  parameter(): { [key: string]: Shorthand } {
    const entries = new Map<string, Shorthand>();
    for (let start = 0; ; start = this.#index) {
      const [key, value] = this.#keyValue();
      if (entries.has(key)) throw this.#duplicate(key, start);
      entries.set(key, value);
      if (this.#atEnd()) return Object.fromEntries(entries);
      this.#expect(',');
    }
  }

  #duplicate(key: string, index: number): ShorthandError {
    const hint = '\nThis is often because there is a preceding "," instead of a space.';
    return new ShorthandError(`Second instance of key "${key}" encountered`, this.#input, index, hint);
  }

  #keyValue(): [string, Shorthand] {
    const key = this.#take(keyWord) ?? '';
    this.#expect('=');
    return [key, this.#values()];
  }

  #values(): Shorthand {
    if (this.#current() === '[') return this.#list();
    if (this.#current() === '{') return this.#hash();
    const values = [this.#value()];
    while (this.#skipBlank() === ',') {
      const comma = this.#index;
      const further = this.#furtherValue();
      if (further === undefined) {
        this.#index = comma;
        break;
      }
      values.push(further);
    }
    return values.length === 1 ? values[0]! : values;
  }

  /** The value after a comma, or undefined when that word is the next key. */
  #furtherValue(): string | undefined {
    this.#expect(',');
    const quote = this.#quote();
    const value = quote ? this.#quoted(quote) : this.#bare(furtherWord);
    if (value === undefined && this.#atEnd()) throw this.#expected('<second>', '<none>');
    const next = this.#skipBlank();
    return value !== undefined && (next === ',' || next === undefined) ? value : undefined;
  }

  #list(): Shorthand[] {
    const values: Shorthand[] = [];
    this.#expect('[');
    while (this.#current() !== ']') {
      values.push(this.#explicit());
      this.#separator(']');
    }
    this.#expectHere(']');
    return values;
  }

  #hash(): Shorthand {
    const entries = new Map<string, Shorthand>();
    this.#expect('{');
    while (this.#current() !== '}') {
      const key = this.#take(keyWord) ?? '';
      this.#expect('=');
      entries.set(key, this.#explicit());
      this.#separator('}');
    }
    this.#expectHere('}');
    return Object.fromEntries(entries);
  }

  #separator(close: string): void {
    if (this.#skipBlank() === close) return;
    this.#expectHere(',');
    this.#skipBlank();
  }

  #explicit(): Shorthand {
    if (this.#current() === '[') return this.#list();
    if (this.#current() === '{') return this.#hash();
    return this.#value();
  }

  #value(): string {
    const quote = this.#quote();
    if (quote === undefined) return this.#bare(firstWord) ?? '';
    const value = this.#quoted(quote);
    if (value === undefined) throw this.#expected(`<${quotedName[quote]}>`, '<none>');
    return value;
  }

  #bare(word: RegExp): string | undefined {
    return this.#take(word)?.replaceAll('\\,', ',').trimEnd();
  }

  #quote(): Quote | undefined {
    const character = this.#current();
    return character === "'" || character === '"' ? character : undefined;
  }

  /** The text between quotes; undefined when they are not closed. */
  #quoted(quote: Quote): string | undefined {
    return this.#take(quotedWord[quote])?.slice(1, -1).replaceAll(`\\${quote}`, quote).replaceAll('\\\\', '\\');
  }

  #expect(character: string): void {
    this.#skipBlank();
    this.#expectHere(character);
    this.#skipBlank();
  }

  #expectHere(character: string): void {
    const found = this.#current();
    if (found !== character) throw this.#expected(character, found ?? 'EOF');
    this.#index += 1;
  }

  #expected(what: string, found: string): ShorthandError {
    return new ShorthandError(`Expected: '${what}', received: '${found}'`, this.#input, this.#index);
  }

  #take(word: RegExp): string | undefined {
    word.lastIndex = this.#index;
    const found = word.exec(this.#input)?.[0];
    this.#index += found?.length ?? 0;
    return found;
  }

  #skipBlank(): string | undefined {
    this.#take(blank);
    return this.#current();
  }

  #current(): string | undefined {
    return this.#input[this.#index];
  }

  #atEnd(): boolean {
    return this.#index >= this.#input.length;
  }
}
