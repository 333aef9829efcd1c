// `--output yaml`: block style with sorted keys, byte for byte what libyaml's emitter writes: which scalars are quoted
// and how, where long ones fold, and anchors for a list or dictionary that occurs more than once.

import { Float, formatFloat } from '../python.ts';
import { formatJson } from './json.ts';
import { type Dictionary, isDictionary, isList, isScalar, sortedKeys } from './value.ts';

/** The YAML of a value; a bare scalar is written as JSON, which has no end marker. */
export function formatYaml(value: unknown): string {
  return isScalar(value) ? formatJson(value) : new Emitter(value).document(value);
}

const foldColumn = 80;
/** Longer keys, in bytes of UTF-8, are written as `? key`. */
const longestSimpleKey = 128;

class Emitter {
  readonly #anchors: ReadonlyMap<object, string>;
  readonly #written = new Set<object>();
  #text = '';
  #column = 0;
  /** The last thing written was white space; was indentation or an indicator that counts as such. */
  #afterBlank = true;
  #indented = true;

  constructor(root: unknown) {
    this.#anchors = findRepeated(root);
  }

  document(root: unknown): string {
    this.#node(root, 0, false);
    return this.#text.endsWith('\n') ? this.#text : `${this.#text}\n`;
  }

  /** `indent` is that of the lines of a collection, `inMapping` whether the node is a mapping's value. */
  #node(value: unknown, indent: number, inMapping: boolean): void {
    if (!isList(value) && !isDictionary(value)) this.#scalar(value, indent, false);
    else if (this.#written.has(value)) this.#indicator(`*${this.#anchors.get(value)}`, true);
    else this.#collection(value, indent, inMapping);
  }

  #collection(value: unknown[] | Dictionary, indent: number, inMapping: boolean): void {
    const anchor = this.#anchors.get(value);
    if (anchor !== undefined) {
      this.#indicator(`&${anchor}`, true);
      this.#written.add(value);
    }
    if (Object.keys(value).length === 0) this.#indicator(isList(value) ? '[]' : '{}', true);
    else if (isList(value)) this.#list(value, indent, inMapping);
    else this.#dictionary(value, indent);
  }

  #list(list: readonly unknown[], indent: number, inMapping: boolean): void {
    // The dashes of a list in a mapping stand below its key.
    const own = inMapping && !this.#indented && indent >= 2 ? indent - 2 : indent;
    for (const item of list) {
      this.#newLine(own);
      this.#indicator('-', true, true);
      this.#node(item, own + 2, false);
    }
  }

  #dictionary(value: Dictionary, indent: number): void {
    for (const key of sortedKeys(value)) {
      this.#newLine(indent);
      if (isSimpleKey(key)) {
        this.#scalar(key, indent, true);
        this.#indicator(':', false);
      } else {
        this.#indicator('?', true, true);
        this.#scalar(key, indent + 2, false);
        this.#newLine(indent);
        this.#indicator(':', true, true);
      }
      this.#node(value[key], indent + 2, true);
    }
  }

  #scalar(value: unknown, indent: number, isKey: boolean): void {
    const text = scalarText(value);
    const facts = analyze(text);
    const style = typeof value === 'string' ? chooseStyle(text, facts, isKey) : 'plain';
    if (style === 'double') this.#doubleQuoted(text, indent, !isKey);
    else this.#flow(text, indent, !isKey, style === 'single' ? "'" : '');
  }

  /** Plain and single-quoted scalars: a single space past the fold column becomes a line break. */
  #flow(text: string, indent: number, mayFold: boolean, quote: "'" | ''): void {
    this.#indicator(quote, true);
    const characters = [...text];
    let afterSpace = false;
    let afterBreak = false;
    characters.forEach((character, at) => {
      const inner = quote === '' || (at > 0 && at < characters.length - 1);
      if (character === ' ') {
        const folds = mayFold && inner && !afterSpace && this.#column > foldColumn && characters[at + 1] !== ' ';
        if (folds) this.#newLine(indent);
        else this.#put(' ');
        afterSpace = true;
        return;
      }
      if (isBreak(character)) {
        if (!afterBreak && character === '\n') this.#break('\n');
        this.#break(character);
        this.#indented = true;
        afterBreak = true;
        return;
      }
      if (afterBreak) this.#newLine(indent);
      this.#put(character === quote ? "''" : character);
      this.#indented = false;
      afterSpace = false;
      afterBreak = false;
    });
    if (afterBreak && quote !== '') this.#newLine(indent);
    this.#put(quote);
    this.#afterBlank = false;
    this.#indented = false;
  }

  #doubleQuoted(text: string, indent: number, mayFold: boolean): void {
    this.#indicator('"', true);
    const characters = [...text];
    let afterSpace = false;
    characters.forEach((character, at) => {
      if (needsEscape(character)) {
        this.#put(escaped(character));
        afterSpace = false;
      } else if (character === ' ') {
        const inner = at > 0 && at < characters.length - 1;
        if (mayFold && inner && !afterSpace && this.#column > foldColumn) {
          this.#newLine(indent);
          if (characters[at + 1] === ' ') this.#put('\\');
        } else this.#put(' ');
        afterSpace = true;
      } else {
        this.#put(character);
        afterSpace = false;
      }
    });
    this.#put('"');
    this.#afterBlank = false;
    this.#indented = false;
  }

  #indicator(text: string, needsBlank: boolean, indents = false): void {
    if (needsBlank && !this.#afterBlank) this.#put(' ');
    this.#put(text);
    this.#afterBlank = false;
    this.#indented = this.#indented && indents;
  }

  #newLine(indent: number): void {
    const stays = this.#indented && (this.#column < indent || (this.#column === indent && this.#afterBlank));
    if (!stays) this.#break('\n');
    while (this.#column < indent) this.#put(' ');
    this.#afterBlank = true;
    this.#indented = true;
  }

  #break(character: string): void {
    this.#text += character;
    this.#column = 0;
  }

  #put(text: string): void {
    this.#text += text;
    this.#column += [...text].length;
  }
}

/** Lists and dictionaries that occur more than once, named in the order in which the second occurrence is met. */
function findRepeated(root: unknown): Map<object, string> {
  const seen = new Set<object>();
  const repeated = new Map<object, string>();
  const visit = (value: unknown): void => {
    if (!isList(value) && !isDictionary(value)) return;
    if (seen.has(value)) {
      if (!repeated.has(value)) repeated.set(value, `id${String(repeated.size + 1).padStart(3, '0')}`);
      return;
    }
    seen.add(value);
    const children = isList(value) ? value : sortedKeys(value).map((key) => value[key]);
    children.forEach(visit);
  };
  visit(root);
  return repeated;
}

function scalarText(value: unknown): string {
  if (value instanceof Float) return floatText(value.value);
  return value === null || value === undefined ? 'null' : String(value);
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return formatFloat(value);
}

interface Facts {
  plainAllowed: boolean;
  singleAllowed: boolean;
  multiline: boolean;
}

const isBreak = (character: string): boolean => /[\n\r\u0085\u2028\u2029]/.test(character);

/** Printable as libyaml has it: characters outside the basic plane are not, tabs neither. */
const isPrintable = (character: string): boolean =>
  /^[\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/u.test(character);

const needsEscape = (character: string): boolean =>
  !isPrintable(character) || isBreak(character) || /["\\]/.test(character);

/** Which styles can hold a text so that it reads back the same. */
function analyze(text: string): Facts {
  const characters = [...text];
  const multiline = characters.some(isBreak);
  const special = !characters.every(isPrintable);
  const edges = /^[ \n\r\u0085\u2028\u2029]|[ \n\r\u0085\u2028\u2029]$/.test(text);
  const breakThenSpace = /[\n\r\u0085\u2028\u2029] /.test(text);
  const spaceThenBreak = / [\n\r\u0085\u2028\u2029]/.test(text);
  const singleAllowed = !special && !breakThenSpace && !spaceThenBreak;
  return { plainAllowed: singleAllowed && !multiline && !edges && !hasIndicators(text), singleAllowed, multiline };
}

/** Characters that would mean something else in block context. */
const hasIndicators = (text: string): boolean =>
  /^(---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[-?]([ \n\u2028\u2029]|$)|:([ \n\u2028\u2029]|$)|[ \n\u2028\u2029]#/.test(text);

function chooseStyle(text: string, facts: Facts, isKey: boolean): 'plain' | 'single' | 'double' {
  if (isKey && facts.multiline) return 'double';
  if (facts.plainAllowed && !readsAsOther(text)) return 'plain';
  return facts.singleAllowed ? 'single' : 'double';
}

const otherThanText: readonly RegExp[] = [
  /^(?:true|True|TRUE|false|False|FALSE)$/,
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+)$/,
  /^(?:[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  /^(?:[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+)$/,
  /^(?:<<|~|null|Null|NULL||=)$/,
  /^\d{4}-\d\d-\d\d$/,
  /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/,
];

/** A plain scalar that YAML 1.2 would take for a number, a truth value, null or a time; `_1` begins like none of them. */
const readsAsOther = (text: string): boolean =>
  !text.startsWith('_') && otherThanText.some((pattern) => pattern.test(text));

const isSimpleKey = (key: string): boolean => Buffer.byteLength(key) <= longestSimpleKey && ![...key].some(isBreak);

const shortEscapes: Record<string, string> = {
  '\0': '0',
  '\u0007': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\u001b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u00a0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

function escaped(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return `\\${short}`;
  const code = character.codePointAt(0)!.toString(16).toUpperCase();
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
}
