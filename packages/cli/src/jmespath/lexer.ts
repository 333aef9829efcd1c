// JMESPath's tokens, by the 2015 specification.

import { JsonDecodeError, parsePythonJson } from '../python-json.ts';
import { lexerError } from './errors.ts';

const simple = {
  '.': 'dot',
  '*': 'star',
  ']': 'rbracket',
  ',': 'comma',
  ':': 'colon',
  '@': 'current',
  '(': 'lparen',
  ')': 'rparen',
  '{': 'lbrace',
  '}': 'rbrace',
} as const;

/** Characters that mean one thing alone and another before a second character. */
const pairs = {
  '[]': 'flatten',
  '[?': 'filter',
  '||': 'or',
  '&&': 'and',
  '<=': 'lte',
  '>=': 'gte',
  '!=': 'ne',
  '==': 'eq',
} as const;
const singles = { '[': 'lbracket', '|': 'pipe', '&': 'expref', '<': 'lt', '>': 'gt', '!': 'not' } as const;

export type TokenType =
  | (typeof simple)[keyof typeof simple]
  | (typeof pairs)[keyof typeof pairs]
  | (typeof singles)[keyof typeof singles]
  | 'unquoted_identifier'
  | 'quoted_identifier'
  | 'literal'
  | 'number'
  | 'eof';

/** `start` counts code points. */
export interface Token {
  type: TokenType;
  value: unknown;
  start: number;
}

/** All tokens of an expression, `eof` last; throws ParseError. */
export function tokenize(expression: string): Token[] {
  return new Lexer(expression).tokens();
}

const has = <Table extends object>(table: Table, key: PropertyKey): key is keyof Table => Object.hasOwn(table, key);

class Lexer {
  readonly #expression: string;
  readonly #characters: readonly string[];
  #at = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#characters = [...expression];
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    while (this.#at < this.#characters.length) {
      if (/[ \t\n\r]/.test(this.#characters[this.#at]!)) this.#at += 1;
      else tokens.push(this.#next());
    }
    return [...tokens, { type: 'eof', value: '', start: this.#characters.length }];
  }

  #next(): Token {
    const start = this.#at;
    const first = this.#characters[start]!;
    const two = first + (this.#characters[start + 1] ?? '');
    if (has(pairs, two)) return this.#fixed(pairs[two], two, start);
    if (has(simple, first)) return this.#fixed(simple[first], first, start);
    if (has(singles, first)) return this.#fixed(singles[first], first, start);
    if (/[A-Za-z_]/.test(first)) {
      return { type: 'unquoted_identifier', value: this.#while(/[A-Za-z0-9_]/), start };
    }
    if (/[-0-9]/.test(first)) return this.#number(start);
    if (first === "'") return { type: 'literal', value: this.#until("'").replaceAll("\\'", "'"), start };
    if (first === '"') return { type: 'quoted_identifier', value: this.#quotedIdentifier(start), start };
    if (first === '`') return { type: 'literal', value: this.#literal(start), start };
    throw lexerError(`Unknown token ${first === '=' ? "'='" : first}`, start, this.#expression);
  }

  #fixed(type: TokenType, value: string, start: number): Token {
    this.#at += value.length;
    return { type, value, start };
  }

  #while(pattern: RegExp): string {
    const start = this.#at;
    do this.#at += 1;
    while (pattern.test(this.#characters[this.#at] ?? ''));
    return this.#characters.slice(start, this.#at).join('');
  }

  #number(start: number): Token {
    const text = this.#while(/[0-9]/);
    if (text === '-') throw lexerError("Unknown token '-'", start, this.#expression);
    return { type: 'number', value: Number(text), start };
  }

  /** The text up to the closing delimiter; a backslash and what follows it stay as they are. */
  #until(delimiter: string): string {
    const start = this.#at;
    this.#at += 1;
    while (this.#characters[this.#at] !== delimiter) {
      if (this.#characters[this.#at] === '\\') this.#at += 1;
      if (this.#at >= this.#characters.length) {
        throw lexerError(`Unclosed ${delimiter} delimiter`, start, this.#expression);
      }
      this.#at += 1;
    }
    this.#at += 1;
    return this.#characters.slice(start + 1, this.#at - 1).join('');
  }

  #quotedIdentifier(start: number): unknown {
    try {
      return parsePythonJson(`"${this.#until('"')}"`);
    } catch (error) {
      if (error instanceof JsonDecodeError) throw lexerError(error.reason, start, this.#expression);
      throw error;
    }
  }

  /** JSON between backticks; what is no JSON is taken as a string, as the first drafts of the language had it. */
  #literal(start: number): unknown {
    const text = this.#until('`').replaceAll('\\`', '`');
    for (const document of [text, `"${text.trimStart()}"`]) {
      try {
        return parsePythonJson(document);
      } catch (error) {
        if (!(error instanceof JsonDecodeError)) throw error;
      }
    }
    throw lexerError(`Bad token ${text}`, start, this.#expression);
  }
}
