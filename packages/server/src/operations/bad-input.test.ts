import {
  type ListShape,
  type MapShape,
  type Operation,
  type OperationName,
  operations,
  type Shape,
  type StringShape,
  type StructureShape,
  shapeOf,
  type TSchema,
  validate,
} from '@footlights/model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';
import { sampleInputs } from './sample-inputs.ts';

// Everything that can be wrong with one member of an input, worked out from the model: each must be refused by its name.

type Json = unknown;
type Path = readonly (string | number)[];

/** One wrong value of one member. */
interface Wrong {
  path: Path;
  what: string;
  /** Absent: the member is left out. */
  value?: Json;
}

/** A text that fits, the same at every run. */
function textOf(shape: StringShape): string {
  if (shape.enum) return shape.enum[0] ?? '';
  const { pattern = '', minLength = 0 } = shape;
  const texts = pattern
    ? fc.sample(fc.stringMatching(new RegExp(`^(?:${pattern})$`)), { seed: 1, numRuns: 200 })
    : ['a'.repeat(Math.max(1, minLength)), pattern];
  const found = texts.find((text) => validate(shape as unknown as TSchema, text).length === 0);
  return found ?? fitted(shape, texts);
}

/** Fixed lengths are hit by chance too seldom. */
const fitted = ({ maxLength = 0 }: StringShape, texts: readonly string[]) =>
  (texts.toSorted((a, b) => b.length - a.length)[0] ?? '').padEnd(maxLength, 'a').slice(0, maxLength);

/** A value that fits, with every member and one of each list and map. */
function sampleOf(schema: TSchema): Json {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(Object.entries(shape.properties).map(([name, member]) => [name, sampleOf(member)]));
    case 'list':
      return [sampleOf(shape.items)];
    case 'map':
      return { [textOf(shapeOf(shape.propertyNames) as StringShape)]: sampleOf(shape.additionalProperties) };
    case 'string':
      return textOf(shape);
    case 'boolean':
      return true;
    case 'timestamp':
      return '2026-01-01T00:00:00Z';
    default:
      return shape.minimum ?? 1;
  }
}

const isText = ({ kind }: Shape) => kind === 'string' || kind === 'timestamp';
const isNumber = ({ kind }: Shape) => kind === 'integer' || kind === 'float';

/** Values of every other type. */
function wrongTypes(shape: Shape): Record<string, Json> {
  return {
    ...(!isText(shape) && { text: 'text' }),
    ...(!isNumber(shape) && { number: 7 }),
    ...(shape.kind === 'integer' && { fraction: 1.5, 'more than 32 bits': 2 ** 31 }),
    ...(shape.kind !== 'boolean' && { boolean: true }),
    ...(shape.kind !== 'list' && { list: [], 'huge list': Array.from({ length: 100_000 }, () => 0) }),
    ...(shape.kind !== 'structure' && shape.kind !== 'map' && { object: {} }),
  };
}

function wrongTexts({ minLength = 0, maxLength, pattern, enum: values }: StringShape): Record<string, Json> {
  return {
    ...(minLength > 0 && { 'too short': 'a'.repeat(minLength - 1) }),
    ...(maxLength !== undefined && { 'too long': 'a'.repeat(maxLength + 1) }),
    ...((pattern ?? values) && { 'not of the pattern': '\u0000 ü' }),
    ...(values && { 'no value of the enum': 'NONE_OF_THESE', 'of another case': values[0]?.toLowerCase() }),
    'half a surrogate pair': 'a\ud83d',
  };
}

function wrongMaps(shape: MapShape): Record<string, Json> {
  const { propertyNames, additionalProperties, maxProperties, maxTotalBytes } = shape;
  const keys = wrongTexts(shapeOf(propertyNames) as StringShape);
  const value = sampleOf(additionalProperties);
  const withKeys = Object.entries(keys).map(([what, key]) => [`a key that is ${what}`, { [String(key)]: value }]);
  return {
    ...Object.fromEntries(withKeys),
    ...(maxProperties !== undefined && {
      'too many entries': Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, i) => [`k${i}`, value])),
    }),
    ...(maxTotalBytes !== undefined && { 'too many bytes': { k: 'x'.repeat(maxTotalBytes) } }),
  };
}

function wrongLists({ items, minItems = 0, maxItems }: ListShape): Record<string, Json> {
  const some = (count: number) => Array.from({ length: count }, () => sampleOf(items));
  return {
    ...(minItems > 0 && { 'too few items': some(minItems - 1) }),
    ...(maxItems !== undefined && { 'too many items': some(maxItems + 1) }),
    'lists in lists': [JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`)],
  };
}

function wrongValues(shape: Shape): Record<string, Json> {
  if (shape.kind === 'string') return wrongTexts(shape);
  if (shape.kind === 'map') return wrongMaps(shape);
  if (shape.kind === 'list') return wrongLists(shape);
  if (shape.kind !== 'integer' && shape.kind !== 'float') return {};
  const { minimum, maximum } = shape;
  return {
    ...(minimum !== undefined && { 'below the minimum': minimum - 1 }),
    ...(maximum !== undefined && { 'above the maximum': maximum + 1 }),
  };
}

/** What a URL can carry: text alone, at least one character of it in the path, and no half surrogate pairs. */
function wrongInUrl(shape: Shape): Record<string, Json> {
  const { 'lists in lists': _lists, 'half a surrogate pair': _half, ...values } = wrongValues(shape);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}

/** Everything that can be wrong at a path and below it. */
function wrongsOf(schema: TSchema, path: Path): Wrong[] {
  const shape = shapeOf(schema);
  const inBody = shape.location === undefined;
  const values = inBody ? { ...wrongTypes(shape), ...wrongValues(shape) } : wrongInUrl(shape);
  const own = Object.entries(values).map(([what, value]) => ({ path, what, value }));
  if (shape.kind === 'structure') return [...own, ...wrongMembers(shape, path)];
  if (shape.kind === 'list' && inBody) return [...own, ...wrongsOf(shape.items, [...path, 0])];
  if (shape.kind !== 'map') return own;
  const key = textOf(shapeOf(shape.propertyNames) as StringShape);
  return [
    ...own,
    { path: [...path, key], what: 'null', value: null },
    ...wrongsOf(shape.additionalProperties, [...path, key]),
  ];
}

function wrongMembers({ properties, required = [] }: StructureShape, path: Path): Wrong[] {
  return Object.entries(properties).flatMap(([name, member]) => {
    const at = [...path, name];
    const { location } = shapeOf(member);
    const absent: Wrong[] = [
      { path: at, what: 'missing' },
      { path: at, what: 'null', value: null },
    ];
    return [...(required.includes(name) && location === undefined ? absent : []), ...wrongsOf(member, at)];
  });
}

/** The input with another value at the path. */
function replaced(input: Json, [head, ...rest]: Path, wrong: Wrong): Json {
  if (head === undefined) return wrong.value;
  if (Array.isArray(input)) return input.map((item, i) => (i === head ? replaced(item, rest, wrong) : item));
  const members = { ...(input as Record<string, Json>) };
  if (rest.length === 0 && !('value' in wrong)) delete members[head];
  else members[head] = replaced(members[head], rest, wrong);
  return members;
}

/** As the messages write a path. */
const written = (path: Path) =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}.${part + 1}.member` : text ? `${text}.${part}` : part),
    '',
  );

let api: Harness;
beforeAll(async () => {
  api = await Harness.open({ auth: false });
});
afterAll(() => api.close());

describe.each(Object.keys(operations) as OperationName[])('%s', (name) => {
  const operation: Operation = operations[name];
  const whole = { ...(sampleOf(operation.input) as Record<string, Json>), ...fixedMembers(name) };
  const wrongs = wrongsOf(operation.input, []).filter(({ path }) => path.length > 0);

  it('is sampled whole and right', () => {
    expect(validate(operation.input, whole)).toEqual([]);
    expect(validate(operation.input, sampleInputs[name])).toEqual([]);
  });

  it(`names what is wrong, in each of ${wrongs.length} ways`, async () => {
    for (const wrong of wrongs) {
      const input = replaced(whole, wrong.path, wrong) as Record<string, Json>;
      const { status, error, message } = await api.call(name, input, { sign: false });
      const told = { ...{ path: written(wrong.path), what: wrong.what }, status, error, message };
      expect(told).toMatchObject({
        ...{ status: 400, error: 'ValidationException' },
        message: expect.stringContaining(`'${written(wrong.path)}`),
      });
      expect(message.length).toBeLessThan(20_000);
    }
  }, 30_000);

  it('takes no notice of members that it does not know, however deep', async () => {
    const input = sampleInputs[name];
    const { status } = await api.call(name, input, { sign: false });
    const unknown = { __proto__x: 1, constructor: 'x', toString: null, unknownMember: whole };
    const other = await api.call(name, { ...input, ...unknown }, { sign: false });
    expect([200, 404]).toContain(status);
    if (status === 404) expect(other.status).toBe(404);
    if (operation.http.method !== 'POST') return;
    const deep = `{"unknownMember":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
    expect([200, 400, 404]).toContain((await sendBody(operation, deep)).status);
  });

  const members = Object.keys(operation.input.properties).filter(
    (name) => shapeOf(operation.input.properties[name]!).location === undefined,
  );
  it.runIf(members.length > 0)('takes the last of two members with one name', async () => {
    const good = JSON.stringify(whole).slice(1, -1);
    for (const member of members) {
      const bad = shapeOf(operation.input.properties[member]!).kind === 'structure' ? '[]' : '{"of":["no type"]}';
      const { status, message } = await sendBody(operation, `{${good},"${member}":${bad}}`);
      expect({ member, status, message }).toMatchObject({
        status: 400,
        message: expect.stringContaining(`'${member}`),
      });
      const other = await sendBody(operation, `{"${member}":${bad},${good}}`);
      expect(other.message).not.toContain('validation error');
    }
  });
});

/** What a sampled text cannot say of itself. */
function fixedMembers(name: OperationName): Record<string, Json> {
  return name === 'ImportPublicKey' ? { publicKeyMaterial: sampleInputs.ImportPublicKey.publicKeyMaterial } : {};
}

function sendBody({ http, name }: Operation, body: string) {
  const arn = encodeURIComponent(String(sampleInputs[name].resourceArn));
  const parts = {
    method: http.method,
    rawPath: http.path.replace('{resourceArn}', arn),
    rawQuery: '',
    headers: { host: 'localhost', 'content-type': 'application/json' },
    body: Buffer.from(body),
  };
  return api.send(parts, { sign: false });
}
