// What is checked before a request leaves, in the AWS CLI's words: presence, names, types and lower limits. Upper
// limits, patterns and fixed values are the service's to judge.

import { type Operation, type Shape, shapeOf } from '@footlights/model';
import { CliError, exitCodes } from './errors.ts';
import { Float, repr, str, typeName } from './python.ts';

/** Throws one error that lists every finding. */
export const validateInput = (operation: Operation, input: Record<string, unknown>): void =>
  validateValue(shapeOf(operation.input), input);

/** The same for a value of any shape. */
export function validateValue(shape: Shape, value: unknown): void {
  const findings = check(shape, value, '');
  if (findings.length > 0) {
    throw new CliError(exitCodes.usage, `Parameter validation failed:\n${findings.join('\n')}`);
  }
}

type Kind = Shape['kind'];

const isObject = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Float);

const fits: Record<Kind, (value: unknown) => boolean> = {
  structure: isObject,
  map: isObject,
  list: Array.isArray,
  string: (value) => typeof value === 'string',
  timestamp: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value) || typeof value === 'boolean',
  float: (value) => typeof value === 'number' || typeof value === 'boolean' || value instanceof Float,
  boolean: (value) => typeof value === 'boolean',
};

const classes: Record<Kind, readonly string[]> = {
  structure: ['dict'],
  map: ['dict'],
  list: ['list', 'tuple'],
  string: ['str'],
  timestamp: ['str'],
  integer: ['int'],
  float: ['float', 'decimal.Decimal', 'int'],
  boolean: ['bool'],
};

function check(shape: Shape, value: unknown, path: string): string[] {
  const name = path.replace(/^\./, '');
  if (!fits[shape.kind](value)) {
    const valid = classes[shape.kind].map((className) => `<class '${className}'>`).join(', ');
    return [
      `Invalid type for parameter ${name || 'input'}, value: ${str(value)}, type: ${typeName(value)}, valid types: ${valid}`,
    ];
  }
  switch (shape.kind) {
    case 'structure':
      return checkStructure(shape, value as Record<string, unknown>, path);
    case 'map':
      return checkMap(shape, value as Record<string, unknown>, path);
    case 'list':
      return checkList(shape, value as unknown[], path);
    case 'string':
      return tooShort(name, [...(value as string)].length, shape.minLength);
    case 'integer':
    case 'float':
      return tooSmall(name, value as number | boolean | Float, shape.minimum);
    default:
      return [];
  }
}

function checkStructure(
  shape: Extract<Shape, { kind: 'structure' }>,
  value: Record<string, unknown>,
  path: string,
): string[] {
  const name = path.replace(/^\./, '') || 'input';
  const known = Object.keys(shape.properties);
  const given = Object.keys(value);
  const missing = (shape.required ?? []).filter((member) => !Object.hasOwn(value, member));
  return [
    ...missing.map((member) => `Missing required parameter in ${name}: "${member}"`),
    ...given
      .filter((member) => !known.includes(member))
      .map((member) => `Unknown parameter in ${name}: "${member}", must be one of: ${known.join(', ')}`),
    ...given
      .filter((member) => known.includes(member))
      .flatMap((member) => check(shapeOf(shape.properties[member]!), value[member], `${path}.${member}`)),
  ];
}

function checkMap(shape: Extract<Shape, { kind: 'map' }>, value: Record<string, unknown>, path: string): string[] {
  return Object.entries(value).flatMap(([key, item]) => [
    ...check(shapeOf(shape.propertyNames), key, `${path} (key: ${key})`),
    ...check(shapeOf(shape.additionalProperties), item, `${path}.${key}`),
  ]);
}

function checkList(shape: Extract<Shape, { kind: 'list' }>, value: unknown[], path: string): string[] {
  return [
    ...tooShort(path.replace(/^\./, ''), value.length, shape.minItems),
    ...value.flatMap((item, index) => check(shapeOf(shape.items), item, `${path}[${index}]`)),
  ];
}

const tooShort = (name: string, length: number, minimum = 0): string[] =>
  length < minimum ? [`Invalid length for parameter ${name}, value: ${length}, valid min length: ${minimum}`] : [];

const tooSmall = (name: string, value: number | boolean | Float, minimum = Number.NEGATIVE_INFINITY): string[] =>
  Number(value instanceof Float ? value.value : value) < minimum
    ? [`Invalid value for parameter ${name}, value: ${repr(value)}, valid min value: ${minimum}`]
    : [];
