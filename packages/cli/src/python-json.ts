// JSON as Python reads it: whole and fractional numbers stay apart, and errors come in the words that users of the AWS
// CLI know. JSON.parse can do neither.

import { Float } from './python.ts';

/** What is wrong and where, `Expecting value: line 1 column 2 (char 1)`. */
export class JsonDecodeError extends Error {
  /** The message without the place. */
  readonly reason: string;

  constructor(reason: string, text: string, at: number) {
    const before = [...text.slice(0, at)];
    const line = before.filter((character) => character === '\n').length + 1;
    const column = before.length - before.lastIndexOf('\n');
    super(`${reason}: line ${line} column ${column} (char ${before.length})`);
    this.reason = reason;
  }
}

/** Parses a document; numbers with a fraction or exponent become Float. Throws JsonDecodeError. */
export function parsePythonJson(text: string): unknown {
  return new Reader(text).document();
}

const blank = /[ \t\n\r]*/y;
const number = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y;
const plainRun = /[^"\\\p{Cc}]*/uy;
const constants: readonly [string, unknown][] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new Float(Number.NaN)],
  ['Infinity', new Float(Number.POSITIVE_INFINITY)],
  ['-Infinity', new Float(Number.NEGATIVE_INFINITY)],
];
const escapes: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    if (this.#text.startsWith('\ufeff')) throw this.#error('Unexpected UTF-8 BOM (decode using utf-8-sig)', 0);
    this.#take(blank);
    const value = this.#value();
    this.#take(blank);
    if (this.#at < this.#text.length) throw this.#error('Extra data');
    return value;
  }

  #value(): unknown {
    const start = this.#text[this.#at];
    if (start === '"') return this.#string();
    if (start === '{') return this.#object();
    if (start === '[') return this.#array();
    for (const [word, value] of constants) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #number(): unknown {
    number.lastIndex = this.#at;
    const match = number.exec(this.#text);
    if (!match) throw this.#error('Expecting value');
    this.#at += match[0].length;
    return match[2] === undefined && match[3] === undefined ? Number(match[0]) : new Float(Number(match[0]));
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    this.#take(blank);
    if (this.#skip(']')) return items;
    for (;;) {
      items.push(this.#value());
      this.#take(blank);
      if (this.#skip(']')) return items;
      if (!this.#skip(',')) throw this.#error("Expecting ',' delimiter");
      this.#take(blank);
    }
  }

  #object(): Record<string, unknown> {
    const members: [string, unknown][] = [];
    this.#at += 1;
    this.#take(blank);
    if (this.#skip('}')) return {};
    for (;;) {
      members.push(this.#member());
      this.#take(blank);
      if (this.#skip('}')) return Object.fromEntries(members);
      if (!this.#skip(',')) throw this.#error("Expecting ',' delimiter");
      this.#take(blank);
    }
  }

  #member(): [string, unknown] {
    if (this.#text[this.#at] !== '"') throw this.#error('Expecting property name enclosed in double quotes');
    const name = this.#string();
    this.#take(blank);
    if (!this.#skip(':')) throw this.#error("Expecting ':' delimiter");
    this.#take(blank);
    return [name, this.#value()];
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#take(plainRun);
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#error('Unterminated string starting at', start);
      if (this.#skip('"')) return value;
      if (character === '\\') value += this.#escape(start);
      else if (character < ' ') throw this.#error('Invalid control character at');
      else {
        value += character;
        this.#at += 1;
      }
    }
  }

  #escape(start: number): string {
    const letter = this.#text[this.#at + 1];
    if (letter === undefined) throw this.#error('Unterminated string starting at', start);
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('Invalid \\uXXXX escape', this.#at + 1);
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const value = escapes[letter];
    if (value === undefined) throw this.#error('Invalid \\escape');
    this.#at += 2;
    return value;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #error(reason: string, at = this.#at): JsonDecodeError {
    return new JsonDecodeError(reason, this.#text, at);
  }
}
