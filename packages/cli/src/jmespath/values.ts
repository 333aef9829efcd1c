// Values as expressions see them: types by name, truth, equality and order, as Python's are.

import { className, compareText, Float } from '../python.ts';
import { EvaluationError } from './errors.ts';

/** A value of `&expression`: evaluated by the function that takes it. */
export class Expression {
  readonly evaluate: (value: unknown) => unknown;

  constructor(evaluate: (value: unknown) => unknown) {
    this.evaluate = evaluate;
  }
}

export type Dictionary = Record<string, unknown>;

export const isDictionary = (value: unknown): value is Dictionary =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Float) &&
  !(value instanceof Expression);

export const isNumber = (value: unknown): value is number | Float =>
  typeof value === 'number' || value instanceof Float;

/** The number that a whole or fractional value stands for. */
export const toNumber = (value: number | Float): number => (value instanceof Float ? value.value : value);

/** Python's name of a value's class. */
export const classOf = (value: unknown): string => (value instanceof Expression ? '_Expression' : className(value));

const typeNames: Record<string, string> = {
  bool: 'boolean',
  list: 'array',
  dict: 'object',
  NoneType: 'null',
  str: 'string',
  float: 'number',
  int: 'number',
  _Expression: 'expref',
};

/** JMESPath's name of a value's type. */
export const typeOf = (value: unknown): string => typeNames[classOf(value)] ?? 'unknown';

/** Empty strings, lists and objects, null and false are false; every number is true. */
export function isFalse(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isDictionary(value) && Object.keys(value).length === 0;
}

/** Python's `==`, where 1 and true are the same within lists and objects. */
export function looselyEqual(a: unknown, b: unknown): boolean {
  if (isNumeric(a) && isNumeric(b)) return numeric(a) === numeric(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => looselyEqual(item, b[index]));
  }
  if (isDictionary(a) && isDictionary(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && looselyEqual(a[key], b[key]))
    );
  }
  return (a ?? null) === (b ?? null);
}

/** JMESPath's `==`. */
export const equal = (a: unknown, b: unknown): boolean =>
  isNumeric(a) && isNumeric(b) && isNumber(a) !== isNumber(b) ? false : looselyEqual(a, b);

const isNumeric = (value: unknown): value is number | Float | boolean => isNumber(value) || typeof value === 'boolean';
const numeric = (value: number | Float | boolean): number =>
  typeof value === 'boolean' ? Number(value) : toNumber(value);

/** Numbers by size, strings by code point: negative, zero or positive. Throws for a number beside a string. */
export function compare(a: unknown, b: unknown, operator = '<'): number {
  if (isNumber(a) && isNumber(b)) return toNumber(a) - toNumber(b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  throw new EvaluationError(`'${operator}' not supported between instances of '${classOf(a)}' and '${classOf(b)}'`);
}
