import * as sdk from '@aws-sdk/client-ivs-realtime';
import type { TSchema } from '@sinclair/typebox';
import { describe, expect, expectTypeOf, test } from 'vitest';
import * as model from './index.ts';
import { errors, type Input, type Operation, type Output, operations, type StructureShape, shapeOf } from './index.ts';

// AWS's SDK for JavaScript carries its own copy of the service model. What it knows must be what we say.

type Static = [3 | -3, string, string, unknown, string[], unknown[], number?];
const sdkExports = sdk as unknown as Record<string, unknown>;

function resolve(schema: unknown): unknown {
  return typeof schema === 'function' ? resolve(schema()) : schema;
}

/** A member's schema and traits in the SDK's compact form: `[schema, traits]` or `schema` alone. */
function sdkMember(entry: unknown): { schema: unknown; traits: unknown } {
  const value = resolve(entry);
  if (!Array.isArray(value) || value.length !== 2) return { schema: value, traits: 0 };
  return { schema: resolve(value[0]), traits: value[1] };
}

const SIMPLE: Record<number, string> = { 0: 'string', 1: 'number', 2: 'boolean', 5: 'timestamp' };

/** One line for each member: path, kind, traits. Required members come first in each structure, as the SDK has them. */
function sdkLines(schema: unknown, path: string): string[] {
  if (typeof schema === 'number') {
    if (schema & 0x40) return [`${path}: list`, ...sdkLines(schema & ~0x40, `${path}[]`)];
    if (schema & 0x80) return [`${path}: map`, ...sdkLines(schema & ~0x80, `${path}{}`)];
    return [`${path}: ${SIMPLE[schema]}`];
  }
  const node = schema as unknown[];
  if (node[0] === 0) return sdkLines(resolve(node[4]), `${path}${sensitiveMark(node[3])}`);
  if (node[0] === 1) return [`${path}: list`, ...sdkLines(sdkMember(node[4]).schema, `${path}[]`)];
  if (node[0] === 2) return [`${path}: map`, ...sdkLines(sdkMember(node[5]).schema, `${path}{}`)];
  const [, , , , names, schemas, required = 0] = node as unknown as Static;
  return [
    `${path}: structure`,
    ...names.flatMap((name, i) => {
      const { schema: member, traits } = sdkMember(schemas[i]);
      return sdkLines(member, `${path}.${name}${i < required ? '!' : ''}${traitMark(traits)}`);
    }),
  ];
}

function sensitiveMark(traits: unknown): string {
  return traits === 8 ? ' sensitive' : '';
}

function traitMark(traits: unknown): string {
  if (traits === 1) return ' uri';
  if (traits === 4) return ' idempotencyToken';
  if (typeof traits !== 'object' || traits === null) return '';
  const { httpHeader, httpQuery } = traits as { httpHeader?: string; httpQuery?: string };
  return httpHeader ? ` header ${httpHeader}` : ` querystring ${httpQuery}`;
}

function ourLines(schema: TSchema, path: string): string[] {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'structure':
      return [`${path}: structure`, ...structureLines(shape, path)];
    case 'list':
      return [`${path}: list`, ...ourLines(shape.items, `${path}[]`)];
    case 'map':
      return [`${path}: map`, ...ourLines(shape.additionalProperties, `${path}{}`)];
    case 'string':
      return [`${path}${shape.sensitive ? ' sensitive' : ''}: string`];
    case 'integer':
    case 'float':
      return [`${path}: number`];
    default:
      return [`${path}: ${shape.kind}`];
  }
}

function structureLines(shape: StructureShape, path: string): string[] {
  const members = Object.entries(shape.properties);
  const isRequired = (name: string) => shape.required?.includes(name) ?? false;
  const ordered = [...members.filter(([name]) => isRequired(name)), ...members.filter(([name]) => !isRequired(name))];
  return ordered.flatMap(([name, member]) => {
    const { location, locationName = name, idempotencyToken } = shapeOf(member);
    const where = location === undefined ? '' : location === 'uri' ? ' uri' : ` ${location} ${locationName}`;
    return ourLines(
      member,
      `${path}.${name}${isRequired(name) ? '!' : ''}${where}${idempotencyToken ? ' idempotencyToken' : ''}`,
    );
  });
}

const all: Operation[] = Object.values(operations);

describe('the operations are those of AWS', () => {
  test('by name', () => {
    const theirs = Object.entries(sdkExports).flatMap(([name, value]) =>
      Array.isArray(value) && value[0] === 9 ? [name.slice(0, -1)] : [],
    );
    expect(Object.keys(operations).sort()).toEqual(theirs.sort());
    expect(all).toHaveLength(39);
    for (const [name, operation] of Object.entries(operations)) expect(operation.name).toBe(name);
  });

  test.each(all.map((operation) => [operation.name, operation] as const))(
    '%s: binding and members',
    (name, operation) => {
      const [, , , traits, input, output] = sdkExports[`${name}$`] as unknown[];
      expect([operation.http.method, operation.http.path, 200]).toEqual((traits as { http: unknown }).http);
      expect(ourLines(operation.input, name)).toEqual(sdkLines(resolve(input), name));
      expect(ourLines(operation.output, name)).toEqual(sdkLines(resolve(output), name));
    },
  );

  test('enumerations hold the same values', () => {
    const compared = Object.entries(model as Record<string, unknown>).flatMap(([name, schema]) => {
      const values = (schema as { enum?: string[] } | undefined)?.enum;
      if (values === undefined) return [];
      const theirs = Object.values(sdkExports[name] as Record<string, string>);
      expect(theirs.sort(), name).toEqual([...values].sort());
      return [name];
    });
    expect(compared).toHaveLength(21);
  });

  test('modelled errors have the same status', () => {
    const modelled = new Set(all.flatMap((operation) => operation.errors));
    for (const name of modelled) {
      const [, , , traits] = sdkExports[`${name}$`] as unknown[];
      expect(errors[name].status, name).toBe((traits as { httpError: number }).httpError);
    }
    expect(modelled.size).toBe(7);
  });
});

describe('the operations as data', () => {
  test('only three page by themselves, over a list of their output', () => {
    const paging = all.filter(({ paginator }) => paginator !== undefined);
    expect(paging.map(({ name }) => name)).toEqual([
      'ListIngestConfigurations',
      'ListParticipantReplicas',
      'ListPublicKeys',
    ]);
    for (const { output, paginator } of paging) expect(output.properties).toHaveProperty(paginator?.resultKey ?? '');
  });

  test('every operation and member is described in one sentence', () => {
    const described = (schema: TSchema): string[] => {
      const shape = shapeOf(schema);
      if (shape.kind === 'list') return described(shape.items);
      if (shape.kind !== 'structure') return [];
      return Object.values(shape.properties).flatMap((member) => [
        shapeOf(member).description ?? '',
        ...described(member),
      ]);
    };
    const texts = all.flatMap((o) => [o.description, ...described(o.input), ...described(o.output)]);
    for (const text of texts) expect(text).toMatch(/^[A-Z].*[^.]\.$/);
  });

  test('types are as exact as the model', () => {
    expectTypeOf<Input<'GetStage'>>().toEqualTypeOf<{ arn: string }>();
    expectTypeOf<Input<'CreateStage'>['name']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Input<'CreateParticipantToken'>['capabilities']>().toEqualTypeOf<
      ('PUBLISH' | 'SUBSCRIBE')[] | undefined
    >();
    expectTypeOf<Output<'ListTagsForResource'>>().toEqualTypeOf<{ tags: Record<string, string> }>();
    expectTypeOf<NonNullable<Output<'GetStage'>['stage']>['arn']>().toEqualTypeOf<string>();
    expectTypeOf<NonNullable<Output<'GetParticipant'>['participant']>['firstJoinTime']>().toEqualTypeOf<
      string | undefined
    >();
  });
});
