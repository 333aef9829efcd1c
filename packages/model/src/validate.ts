// Holds input against its shape and says everything that is wrong with it, in AWS's words.
import type { TSchema } from '@sinclair/typebox';
import { ApiError } from './errors.ts';
import { codePointLength, isJsonObject, mapBytes, ownValue } from './json.ts';
import type { Operation } from './operations.ts';
import {
  type ListShape,
  type MapShape,
  type NumberShape,
  type StringShape,
  type StructureShape,
  shapeOf,
} from './schema.ts';

/** Most findings that one validation reports. */
export const MAX_FINDINGS = 20;
/** Most characters of a value, or of a map key in a path, that a finding repeats. */
export const MAX_ECHO_LENGTH = 256;

const MAX_INTEGER = 2_147_483_647;
const MIN_INTEGER = -2_147_483_648;
const NUMBER_WORDS = { integer: 'a 32-bit integer', float: 'a number' };

const compiled = new Map<string, RegExp>();

/** AWS's pattern as an expression over the whole string, compiled when it is first needed. */
function wholeMatch(pattern: string): RegExp {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(`^(?:${pattern})$`);
    compiled.set(pattern, expression);
  }
  return expression;
}

function cut(text: string): string {
  return text.length <= MAX_ECHO_LENGTH ? text : `${text.slice(0, MAX_ECHO_LENGTH)}…`;
}

/** Gathers findings up to the bound; lists, maps and secrets are named but not repeated. */
class Findings {
  readonly texts: string[] = [];

  get full(): boolean {
    return this.texts.length >= MAX_FINDINGS;
  }

  add(path: string, value: unknown, constraint: string): void {
    if (this.full) return;
    const shown = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    const subject = shown ? `Value '${cut(String(value))}'` : 'Value';
    this.texts.push(`${subject} at '${path || 'input'}' failed to satisfy constraint: ${constraint}`);
  }
}

/** What is wrong with a string, shortest test first. */
function stringConstraints(shape: StringShape, text: string): string[] {
  const broken: string[] = [];
  const { minLength = 0, maxLength } = shape;
  // A string of n UTF-16 units holds n/2 to n code points: most lengths are settled without counting.
  if (maxLength !== undefined && text.length > maxLength) {
    if (text.length > 2 * maxLength || codePointLength(text) > maxLength)
      broken.push(`Member must have length less than or equal to ${maxLength}`);
  }
  if (text.length < 2 * minLength && codePointLength(text) < minLength)
    broken.push(`Member must have length greater than or equal to ${minLength}`);
  if (shape.pattern !== undefined && !wholeMatch(shape.pattern).test(text))
    broken.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
  if (shape.enum !== undefined && !shape.enum.includes(text))
    broken.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  if (/\p{Surrogate}/u.test(text)) broken.push('Member must be well-formed Unicode');
  return broken;
}

function checkString(shape: StringShape, value: unknown, path: string, findings: Findings): void {
  const broken = typeof value === 'string' ? stringConstraints(shape, value) : ['Member must be a string'];
  for (const constraint of broken) findings.add(path, shape.sensitive ? undefined : value, constraint);
}

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;

function checkTimestamp(value: unknown, path: string, findings: Findings): void {
  if (typeof value === 'string' && ISO_8601.test(value) && !Number.isNaN(Date.parse(value))) return;
  findings.add(path, value, 'Member must be an ISO 8601 time');
}

function numberConstraints({ kind, minimum, maximum }: NumberShape, value: unknown): string[] {
  if (typeof value !== 'number' || !Number.isFinite(value)) return [`Member must be ${NUMBER_WORDS[kind]}`];
  if (kind === 'integer' && !(Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER))
    return [`Member must be ${NUMBER_WORDS[kind]}`];
  if (maximum !== undefined && value > maximum) return [`Member must have value less than or equal to ${maximum}`];
  if (minimum !== undefined && value < minimum) return [`Member must have value greater than or equal to ${minimum}`];
  return [];
}

function checkNumber(shape: NumberShape, value: unknown, path: string, findings: Findings): void {
  for (const constraint of numberConstraints(shape, value)) findings.add(path, value, constraint);
}

/** The size that a list or map breaks, if it does. */
function sizeConstraint(size: number, min = 0, max = Number.POSITIVE_INFINITY): string | undefined {
  if (size > max) return `Member must have length less than or equal to ${max}`;
  if (size < min) return `Member must have length greater than or equal to ${min}`;
  return undefined;
}

function checkList(shape: ListShape, value: unknown, path: string, findings: Findings): void {
  const broken = Array.isArray(value)
    ? sizeConstraint(value.length, shape.minItems, shape.maxItems)
    : 'Member must be a list';
  if (broken !== undefined) findings.add(path, value, broken);
  else if (Array.isArray(value)) {
    for (let i = 0; i < value.length && !findings.full; i += 1)
      check(shape.items, value[i], `${path}.${i + 1}.member`, findings);
  }
}

function mapConstraint(shape: MapShape, value: unknown): string | undefined {
  if (!isJsonObject(value)) return 'Member must be a map';
  const { maxTotalBytes = Number.POSITIVE_INFINITY } = shape;
  if (mapBytes(value) > maxTotalBytes) return `Member must have a total size of at most ${maxTotalBytes} bytes`;
  return sizeConstraint(Object.keys(value).length, shape.minProperties, shape.maxProperties);
}

function checkMap(shape: MapShape, value: unknown, path: string, findings: Findings): void {
  const broken = mapConstraint(shape, value);
  if (broken !== undefined) findings.add(path, value, broken);
  else if (isJsonObject(value)) checkEntries(shape, value, path, findings);
}

function checkEntries(shape: MapShape, map: Record<string, unknown>, path: string, findings: Findings): void {
  const keyShape = shapeOf(shape.propertyNames);
  for (const [key, value] of Object.entries(map)) {
    if (findings.full) return;
    const broken = keyShape.kind === 'string' ? stringConstraints(keyShape, key) : [];
    if (broken.length > 0) findings.add(path, key, `Map keys must satisfy constraint: [${broken.join(', ')}]`);
    check(shape.additionalProperties, value, `${path}.${cut(key)}.member`, findings);
  }
}

function checkStructure(shape: StructureShape, value: unknown, path: string, findings: Findings): void {
  if (!isJsonObject(value)) {
    findings.add(path, value, 'Member must be a structure');
    return;
  }
  for (const [name, member] of Object.entries(shape.properties)) {
    const memberValue = ownValue(value, name);
    const memberPath = path === '' ? name : `${path}.${name}`;
    if (memberValue !== undefined) check(member, memberValue, memberPath, findings);
    else if (shape.required?.includes(name)) findings.add(memberPath, undefined, 'Member must not be null');
  }
}

function check(schema: TSchema, value: unknown, path: string, findings: Findings): void {
  const shape = shapeOf(schema);
  if (value === null || value === undefined) findings.add(path, undefined, 'Member must not be null');
  else if (shape.kind === 'structure') checkStructure(shape, value, path, findings);
  else if (shape.kind === 'list') checkList(shape, value, path, findings);
  else if (shape.kind === 'map') checkMap(shape, value, path, findings);
  else if (shape.kind === 'string') checkString(shape, value, path, findings);
  else if (shape.kind === 'timestamp') checkTimestamp(value, path, findings);
  else if (shape.kind !== 'boolean') checkNumber(shape, value, path, findings);
  else if (typeof value !== 'boolean') findings.add(path, value, 'Member must be a boolean');
}

/** Everything that is wrong with the value, at most 20 findings; members that the shape does not know are ignored. */
export function validate(schema: TSchema, value: unknown): string[] {
  const findings = new Findings();
  check(schema, value, '', findings);
  return findings.texts;
}

/** Throws one ValidationException with all findings when the input of an operation is wrong. */
export function assertValid(operation: Operation, input: unknown): void {
  const findings = validate(operation.input, input);
  if (findings.length === 0) return;
  const count = findings.length === 1 ? '1 validation error' : `${findings.length} validation errors`;
  throw new ApiError('ValidationException', `${count} detected: ${findings.join('; ')}`);
}
