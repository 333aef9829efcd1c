// JMESPath's functions (2015 specification), each with the types that it takes.

import { Float, formatFloat, parsePythonFloat } from '../python.ts';
import { EvaluationError, wrongArity, wrongType } from './errors.ts';
import {
  classOf,
  compare,
  type Dictionary,
  Expression,
  isDictionary,
  isNumber,
  looselyEqual,
  toNumber,
  typeOf,
} from './values.ts';

/** A parameter's types; none means any. `array-number` is an array of numbers alone. */
type Parameter = readonly string[];

interface Definition {
  parameters: readonly Parameter[];
  /** The last parameter may be given more than once. */
  variadic?: boolean;
  // Arguments are checked against the parameters first: the bodies may rely on them.
  apply(...given: never[]): unknown;
}

type Numeric = number | Float;

const any: Parameter = [];
const number: Parameter = ['number'];
const string: Parameter = ['string'];
const array: Parameter = ['array'];
const object: Parameter = ['object'];
const expression: Parameter = ['expref'];
const numbers: Parameter = ['array-number'];

const functions: Readonly<Record<string, Definition>> = {
  abs: { parameters: [number], apply: (value: Numeric) => alike(value, Math.abs(toNumber(value))) },
  avg: { parameters: [numbers], apply: (list: Numeric[]) => (list.length === 0 ? null : average(list)) },
  ceil: { parameters: [number], apply: (value: Numeric) => Math.ceil(toNumber(value)) },
  contains: { parameters: [['array', 'string'], any], apply: contains },
  ends_with: { parameters: [string, string], apply: (text: string, end: string) => text.endsWith(end) },
  floor: { parameters: [number], apply: (value: Numeric) => Math.floor(toNumber(value)) },
  join: { parameters: [string, ['array-string']], apply: (glue: string, list: string[]) => list.join(glue) },
  keys: { parameters: [object], apply: (value: Dictionary) => Object.keys(value) },
  length: { parameters: [['string', 'array', 'object']], apply: lengthOf },
  map: { parameters: [expression, array], apply: ({ evaluate }: Expression, list: unknown[]) => list.map(evaluate) },
  max: { parameters: [['array-number', 'array-string']], apply: (list: unknown[]) => extreme(list, list, 1) },
  max_by: {
    parameters: [array, expression],
    apply: (list: unknown[], by: Expression) => extremeBy('max_by', list, by, 1),
  },
  merge: { parameters: [object], variadic: true, apply: merge },
  min: { parameters: [['array-number', 'array-string']], apply: (list: unknown[]) => extreme(list, list, -1) },
  min_by: {
    parameters: [array, expression],
    apply: (list: unknown[], by: Expression) => extremeBy('min_by', list, by, -1),
  },
  not_null: {
    parameters: [any],
    variadic: true,
    apply: (...values: unknown[]) => values.find((value) => value !== null) ?? null,
  },
  reverse: { parameters: [['array', 'string']], apply: reverse },
  sort: {
    parameters: [['array-string', 'array-number']],
    apply: (list: unknown[]) => [...list].sort((a, b) => compare(a, b)),
  },
  sort_by: { parameters: [array, expression], apply: sortBy },
  starts_with: { parameters: [string, string], apply: (text: string, start: string) => text.startsWith(start) },
  sum: { parameters: [numbers], apply: sum },
  to_array: { parameters: [any], apply: (value: unknown) => (Array.isArray(value) ? value : [value]) },
  to_number: { parameters: [any], apply: convertToNumber },
  to_string: { parameters: [any], apply: (value: unknown) => (typeof value === 'string' ? value : compactJson(value)) },
  type: { parameters: [any], apply: (value: unknown) => (value instanceof Expression ? null : typeOf(value)) },
  values: { parameters: [object], apply: (value: Dictionary) => Object.values(value) },
};

/** Calls a function; throws EvaluationError when it is unknown or its arguments do not fit. */
export function callFunction(name: string, given: readonly unknown[]): unknown {
  const definition = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!definition) throw new EvaluationError(`Unknown function: ${name}()`);
  const { parameters, variadic = false } = definition;
  const fits = variadic ? given.length >= parameters.length : given.length === parameters.length;
  if (!fits) throw wrongArity(name, parameters.length, given.length, variadic);
  parameters.forEach((types, index) => {
    if (types.length > 0) checkType(name, given[index], types);
  });
  return definition.apply(...(given as never[]));
}

function checkType(name: string, value: unknown, types: Parameter): void {
  const outer = types.map((type) => type.split('-')[0]!);
  if (!outer.includes(typeOf(value))) throw wrongType(name, value, types, typeOf(value));
  const inner = types.flatMap((type) => type.split('-').slice(1));
  if (inner.length > 0) checkElements(name, value as unknown[], inner, types);
}

/** Elements are of one type: the one that the first of them has, when there is a choice. */
function checkElements(name: string, list: readonly unknown[], allowed: readonly string[], types: Parameter): void {
  const type = allowed.length === 1 ? allowed[0] : allowed.find((candidate) => candidate === typeOf(list[0]));
  const stranger = list.findIndex((element) => typeOf(element) !== type);
  if (stranger >= 0) throw wrongType(name, list[stranger], types, classOf(list[stranger]));
}

/** A result of the same kind, whole or fractional, as the operand. */
const alike = (operand: Numeric, result: number): Numeric => (operand instanceof Float ? new Float(result) : result);

const total = (list: readonly Numeric[]): number => list.reduce((sofar: number, item) => sofar + toNumber(item), 0);

const average = (list: readonly Numeric[]): Float => new Float(total(list) / list.length);

function sum(list: Numeric[]): Numeric {
  return alike(list.find((item) => item instanceof Float) ?? 0, total(list));
}

function contains(subject: string | unknown[], search: unknown): boolean {
  if (Array.isArray(subject)) return subject.some((item) => looselyEqual(item, search));
  if (typeof search === 'string') return subject.includes(search);
  throw new EvaluationError(`'in <string>' requires string as left operand, not ${classOf(search)}`);
}

function lengthOf(value: string | unknown[] | Dictionary): number {
  if (typeof value === 'string') return [...value].length;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function reverse(value: string | unknown[]): unknown {
  return typeof value === 'string' ? [...value].reverse().join('') : [...value].reverse();
}

function merge(...objects: unknown[]): Dictionary {
  const stranger = objects.find((value) => !isDictionary(value));
  if (stranger !== undefined) throw wrongType('merge', stranger, object, typeOf(stranger));
  return Object.assign({}, ...(objects as Dictionary[]));
}

/** The first element whose key is largest (`direction` 1) or smallest (-1); null when there is none. */
function extreme(list: readonly unknown[], keys: readonly unknown[], direction: number): unknown {
  let best = 0;
  for (let at = 1; at < keys.length; at += 1) {
    const [a, b, operator] = direction > 0 ? [keys[at], keys[best], '>'] : [keys[at], keys[best], '<'];
    if (compare(a, b, operator as string) * direction > 0) best = at;
  }
  return list[best] ?? null;
}

function extremeBy(name: string, list: unknown[], by: Expression, direction: number): unknown {
  return extreme(list, keysOf(name, list, by, ['number', 'string']), direction);
}

function keysOf(name: string, list: readonly unknown[], by: Expression, allowed: readonly string[]): unknown[] {
  return list.map((item) => {
    const key = by.evaluate(item);
    if (!allowed.includes(typeOf(key))) throw wrongType(name, key, allowed, typeOf(key));
    return key;
  });
}

function sortBy(list: unknown[], by: Expression): unknown[] {
  if (list.length === 0) return list;
  const type = typeOf(by.evaluate(list[0]));
  if (type !== 'number' && type !== 'string') throw wrongType('sort_by', list[0], ['string', 'number'], type);
  const keys = keysOf('sort_by', list, by, [type]);
  return list
    .map((item, index) => ({ item, key: keys[index] }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ item }) => item);
}

function convertToNumber(value: unknown): Numeric | null {
  if (isNumber(value)) return value;
  if (typeof value !== 'string') return null;
  if (/^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) return Number(value.trim().replaceAll('_', ''));
  const float = parsePythonFloat(value);
  return float === undefined ? null : new Float(float);
}

/** JSON without blanks, ASCII alone: what Python's json.dumps writes with compact separators. */
function compactJson(value: unknown): string {
  if (value instanceof Float) return formatFloat(value.value);
  if (Array.isArray(value)) return `[${value.map(compactJson).join(',')}]`;
  if (isDictionary(value)) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${compactJson(key)}:${compactJson(item)}`)
      .join(',')}}`;
  }
  const text = JSON.stringify(value ?? null);
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
