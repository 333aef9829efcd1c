// JMESPath expressions -> a tree, by top-down operator precedence (2015 specification).

import { repr } from '../python.ts';
import { incomplete, ParseError, unexpected } from './errors.ts';
import { type Token, type TokenType, tokenize } from './lexer.ts';

export type Comparator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';

export type Node =
  | { type: 'identity' }
  | { type: 'field'; name: string }
  | { type: 'literal'; value: unknown }
  | { type: 'index'; index: number }
  | { type: 'slice'; parts: readonly (number | undefined)[] }
  /** `right` is applied to what `left` gives: sub-expressions, index expressions and pipes. */
  | { type: 'chain'; left: Node; right: Node }
  | { type: 'projection'; source: 'list' | 'values'; left: Node; right: Node; condition?: Node }
  | { type: 'flatten'; left: Node }
  | { type: 'comparator'; comparator: Comparator; left: Node; right: Node }
  | { type: 'or' | 'and'; left: Node; right: Node }
  | { type: 'not'; operand: Node }
  | { type: 'expref'; expression: Node }
  | { type: 'call'; name: string; arguments: readonly Node[] }
  | { type: 'multi-select-list'; items: readonly Node[] }
  | { type: 'multi-select-hash'; entries: readonly (readonly [string, Node])[] };

/** How strongly a token binds to what stands before it; those that are absent do not bind. */
const bindingPower: Partial<Record<TokenType, number>> = {
  pipe: 1,
  or: 2,
  and: 3,
  eq: 5,
  gt: 5,
  lt: 5,
  gte: 5,
  lte: 5,
  ne: 5,
  flatten: 9,
  star: 20,
  filter: 21,
  dot: 40,
  not: 45,
  lbrace: 50,
  lbracket: 55,
  lparen: 60,
};

/** A token that binds less ends a projection. */
const projectionStop = 10;

const identity: Node = { type: 'identity' };
const deepest = 500;

/** Parses an expression; throws ParseError. */
export function parse(expression: string): Node {
  if (expression === '') throw new ParseError('Invalid JMESPath expression: cannot be empty.');
  return new Parser(expression).parse();
}

class Parser {
  readonly #expression: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#tokens = tokenize(expression);
  }

  parse(): Node {
    const node = this.#parse(0);
    const token = this.#token();
    if (token.type !== 'eof') throw this.#unexpected(`Unexpected token: ${String(token.value)}`, token);
    return node;
  }

  #parse(power: number): Node {
    this.#depth += 1;
    if (this.#depth > deepest) throw new ParseError(`An expression may be nested ${deepest} levels deep at most.`);
    let left = this.#prefix(this.#advance());
    while (power < (bindingPower[this.#token().type] ?? 0)) left = this.#infix(left, this.#advance());
    this.#depth -= 1;
    return left;
  }

  /** What a token means where an expression begins. */
  #prefix(token: Token): Node {
    switch (token.type) {
      case 'literal':
        return { type: 'literal', value: token.value };
      case 'unquoted_identifier':
        return { type: 'field', name: String(token.value) };
      case 'quoted_identifier':
        if (this.#token().type === 'lparen') {
          throw this.#unexpected('Quoted identifier not allowed for function names.', { ...this.#token(), start: 0 });
        }
        return { type: 'field', name: String(token.value) };
      case 'star':
        return this.#valueProjection(identity, this.#token().type === 'rbracket' ? undefined : 20);
      case 'filter':
        return this.#filter(identity);
      case 'lbrace':
        return this.#multiSelectHash();
      case 'lparen':
        return this.#parenthesized();
      case 'flatten':
        return this.#flatten(identity);
      case 'not':
        return { type: 'not', operand: this.#parse(45) };
      case 'lbracket':
        return this.#bracket();
      case 'current':
        return identity;
      case 'expref':
        return { type: 'expref', expression: this.#parse(0) };
      case 'eof':
        throw incomplete(this.#expression);
      default:
        throw this.#unexpected('invalid token', token);
    }
  }

  /** What a token means behind an expression. */
  #infix(left: Node, token: Token): Node {
    switch (token.type) {
      case 'dot':
        return this.#dot(left);
      case 'pipe':
        return { type: 'chain', left, right: this.#parse(1) };
      case 'or':
        return { type: 'or', left, right: this.#parse(2) };
      case 'and':
        return { type: 'and', left, right: this.#parse(3) };
      case 'eq':
      case 'ne':
      case 'lt':
      case 'lte':
      case 'gt':
      case 'gte':
        return { type: 'comparator', comparator: token.type, left, right: this.#parse(5) };
      case 'lparen':
        return this.#call(left);
      case 'filter':
        return this.#filter(left);
      case 'flatten':
        return this.#flatten(left);
      case 'lbracket':
        return this.#index(left);
      default:
        throw this.#unexpected('invalid token', token);
    }
  }

  #parenthesized(): Node {
    const node = this.#parse(0);
    this.#match('rparen');
    return node;
  }

  #dot(left: Node): Node {
    if (this.#token().type === 'star') {
      this.#at += 1;
      return this.#valueProjection(left, 40);
    }
    return { type: 'chain', left, right: this.#afterDot(40) };
  }

  #valueProjection(left: Node, power: number | undefined): Node {
    const right = power === undefined ? identity : this.#projected(power);
    return { type: 'projection', source: 'values', left, right };
  }

  #flatten(left: Node): Node {
    return { type: 'projection', source: 'list', left: { type: 'flatten', left }, right: this.#projected(9) };
  }

  #filter(left: Node): Node {
    const condition = this.#parse(0);
    this.#match('rbracket');
    const right = this.#token().type === 'flatten' ? identity : this.#projected(21);
    return { type: 'projection', source: 'list', left, right, condition };
  }

  /** `[` at the beginning: an index, a slice, `[*]` or a list of expressions. */
  #bracket(): Node {
    const { type } = this.#token();
    if (type === 'number' || type === 'colon') return this.#indexOrSlice(identity);
    if (type === 'star' && this.#tokens[this.#at + 1]?.type === 'rbracket') {
      this.#at += 2;
      return { type: 'projection', source: 'list', left: identity, right: this.#projected(20) };
    }
    return this.#multiSelectList();
  }

  #index(left: Node): Node {
    const { type } = this.#token();
    if (type === 'number' || type === 'colon') return this.#indexOrSlice(left);
    this.#match('star');
    this.#match('rbracket');
    return { type: 'projection', source: 'list', left, right: this.#projected(20) };
  }

  #indexOrSlice(left: Node): Node {
    if (this.#token().type === 'colon' || this.#tokens[this.#at + 1]?.type === 'colon') {
      const slice: Node = { type: 'chain', left, right: this.#slice() };
      return { type: 'projection', source: 'list', left: slice, right: this.#projected(20) };
    }
    const index = Number(this.#advance().value);
    this.#match('rbracket');
    return { type: 'chain', left, right: { type: 'index', index } };
  }

  /** `[start:end:step]`, each of them optional. */
  #slice(): Node {
    const parts: (number | undefined)[] = [undefined, undefined, undefined];
    let part = 0;
    for (let token = this.#token(); token.type !== 'rbracket'; token = this.#token()) {
      if (token.type === 'number') parts[part] = Number(token.value);
      else if (token.type !== 'colon' || part === 2) throw this.#unexpected('syntax error', token);
      else part += 1;
      this.#at += 1;
    }
    this.#match('rbracket');
    return { type: 'slice', parts };
  }

  #call(left: Node): Node {
    if (left.type !== 'field') {
      const name = this.#tokens[this.#at - 2]!;
      throw this.#unexpected(`Invalid function name '${String(name.value)}'`, name);
    }
    const given: Node[] = [];
    while (this.#token().type !== 'rparen') {
      given.push(this.#parse(0));
      if (this.#token().type === 'comma') this.#at += 1;
    }
    this.#match('rparen');
    return { type: 'call', name: left.name, arguments: given };
  }

  #multiSelectList(): Node {
    const items = [this.#parse(0)];
    while (this.#token().type !== 'rbracket') {
      this.#match('comma');
      items.push(this.#parse(0));
    }
    this.#match('rbracket');
    return { type: 'multi-select-list', items };
  }

  #multiSelectHash(): Node {
    const entries: [string, Node][] = [];
    for (;;) {
      const key = this.#match('quoted_identifier', 'unquoted_identifier');
      this.#match('colon');
      entries.push([String(key.value), this.#parse(0)]);
      const { type } = this.#token();
      if (type === 'comma' || type === 'rbrace') this.#at += 1;
      if (type === 'rbrace') return { type: 'multi-select-hash', entries };
    }
  }

  /** The right side of a projection: it is applied to each element. */
  #projected(power: number): Node {
    const token = this.#token();
    if ((bindingPower[token.type] ?? 0) < projectionStop) return identity;
    if (token.type === 'lbracket' || token.type === 'filter') return this.#parse(power);
    if (token.type !== 'dot') throw this.#unexpected('syntax error', token);
    this.#at += 1;
    return this.#afterDot(power);
  }

  #afterDot(power: number): Node {
    const token = this.#token();
    switch (token.type) {
      case 'quoted_identifier':
      case 'unquoted_identifier':
      case 'star':
        return this.#parse(power);
      case 'lbracket':
        this.#at += 1;
        return this.#multiSelectList();
      case 'lbrace':
        this.#at += 1;
        return this.#multiSelectHash();
      default: {
        const allowed = repr(['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace']);
        throw this.#unexpected(`Expecting: ${allowed}, got: ${token.type}`, token);
      }
    }
  }

  #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #advance(): Token {
    const token = this.#token();
    this.#at += 1;
    return token;
  }

  #match(...types: TokenType[]): Token {
    const token = this.#token();
    if (types.includes(token.type)) return this.#advance();
    if (token.type === 'eof') throw incomplete(this.#expression);
    const expected = types.length === 1 ? types[0] : repr(types);
    throw this.#unexpected(`Expecting: ${expected}, got: ${token.type}`, token);
  }

  #unexpected(reason: string, token: Token): ParseError {
    return unexpected(reason, token, this.#expression);
  }
}
