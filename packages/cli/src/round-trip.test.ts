// Whatever way a value is given, the request holds it unchanged.

import { encodeRequest, type Operation, operations, type Shape, type StructureShape, shapeOf } from '@footlights/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildInput, kebab, parseCommandLine } from './arguments.ts';
import { inputSkeleton, yamlInputSkeleton } from './skeleton.ts';
import { parseInputYaml } from './yaml-input.ts';

const all: readonly Operation[] = Object.values(operations);
/** Text in which shells, shorthand, JSON, YAML and UTF-8 each have their own traps. */
const text = fc.string({ unit: fc.constantFrom(...'aZ09 -_.~!*\'"\\/%+&=?#;,:{}[]@|>\n\téä日😀'), maxLength: 12 });
const mapKey = fc.string({ unit: fc.constantFrom(...'abcXYZ059-_.#/:'), minLength: 1, maxLength: 8 });

function anyOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'structure':
      return structureOf(shape);
    case 'list':
      return fc.array(anyOf(shapeOf(shape.items)), { maxLength: 3 });
    case 'map':
      return fc.dictionary(mapKey, anyOf(shapeOf(shape.additionalProperties)), { maxKeys: 3, noNullPrototype: true });
    case 'string':
      return shape.enum ? fc.constantFrom(...shape.enum) : text.map((value) => value || 'x');
    case 'timestamp':
      return fc.constant('2024-01-02T03:04:05Z');
    case 'integer':
      return fc.integer({ min: -1000, max: 1_000_000 });
    case 'float':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number));
    case 'boolean':
      return fc.boolean();
  }
}

function structureOf(shape: StructureShape): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(shape.properties).map(([name, member]) => [name, anyOf(shapeOf(member))] as const);
  return fc.record(Object.fromEntries(members), {
    // A token that is not given is made up, another one each time.
    requiredKeys: [...(shape.required ?? []), ...members.map(([name]) => name).filter((name) => /Token$/.test(name))],
    noNullPrototype: true,
  });
}

const inputOf = (operation: Operation) => structureOf(shapeOf(operation.input) as StructureShape);

const read = (operation: Operation, argv: readonly string[]): Record<string, unknown> =>
  buildInput(operation, parseCommandLine(operation, argv), parseInputYaml);

/** What the operation's request holds when the words are its command line. */
const requested = (operation: Operation, argv: readonly string[]): unknown =>
  requestOf(operation, read(operation, argv));

const requestOf = (operation: Operation, input: object): unknown => {
  const { body, ...line } = encodeRequest(operation, input as Record<string, unknown>);
  return { ...line, body: body === undefined ? undefined : JSON.parse(body) };
};

const typeText = (value: unknown): string => (typeof value === 'string' ? value : String(value));

type Spell = (shape: Shape, value: unknown) => string;

/** Each member as an option of its own. */
function optionsOf(operation: Operation, input: Record<string, unknown>, spell: Spell): string[] {
  return Object.entries(input).flatMap(([member, value]) => {
    const option = `--${kebab(member)}`;
    const shape = shapeOf(operation.input.properties[member]!);
    if (shape.kind === 'boolean') return [value ? option : `--no-${kebab(member)}`];
    if (shape.kind === 'structure' || shape.kind === 'map' || shape.kind === 'list') {
      return [`${option}=${spell(shape, value)}`];
    }
    return [`${option}=${typeText(value)}`];
  });
}

const asJson: Spell = (_, value) => JSON.stringify(value);

/** Shorthand with every scalar between quotes. */
const asShorthand: Spell = (shape, value) => {
  if (shape.kind === 'list') return JSON.stringify(value);
  return entries(shape, value as Record<string, unknown>);
};

const entries = (shape: Shape, value: Record<string, unknown>): string =>
  Object.entries(value)
    .map(([key, item]) => `${key}=${explicit(memberShape(shape, key), item)}`)
    .join(',');

function memberShape(shape: Shape, key: string): Shape {
  return shapeOf(shape.kind === 'map' ? shape.additionalProperties : (shape as StructureShape).properties[key]!);
}

function explicit(shape: Shape, value: unknown): string {
  if (shape.kind === 'list') {
    return `[${(value as unknown[]).map((item) => explicit(shapeOf(shape.items), item)).join(',')}]`;
  }
  if (shape.kind === 'structure' || shape.kind === 'map')
    return `{${entries(shape, value as Record<string, unknown>)}}`;
  return `"${typeText(value).replace(/["\\]/g, '\\$&')}"`;
}

/** Shorthand has no form for a map or structure without members. */
const hasShorthand = (input: Record<string, unknown>): boolean =>
  Object.values(input).every((value) => Array.isArray(value) || JSON.stringify(value) !== '{}');

const isFilePath = (input: unknown): boolean => JSON.stringify(input).includes('file');

describe.each(all.map((operation) => [kebab(operation.name), operation] as const))('%s', (_, operation) => {
  const inputs = inputOf(operation).filter((input) => !isFilePath(input));
  const check = (argvOf: (input: Record<string, unknown>) => string[]): void => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(requested(operation, argvOf(input))).toEqual(requestOf(operation, input));
      }),
      { numRuns: 40 },
    );
  };

  it('sends what options hold as JSON', () => check((input) => optionsOf(operation, input, asJson)));

  it('sends what options hold as shorthand', () => {
    check((input) => optionsOf(operation, input, hasShorthand(input) ? asShorthand : asJson));
  });

  it('sends what a document holds', () => {
    check((input) => ['--cli-input-json', JSON.stringify(input)]);
    check((input) => ['--cli-input-yaml', JSON.stringify(input)]);
  });

  it('reads its skeletons as they are', () => {
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    const skeleton = plain(inputSkeleton(operation));
    expect(plain(read(operation, ['--cli-input-json', JSON.stringify(skeleton)]))).toEqual(skeleton);
    expect(plain(read(operation, ['--cli-input-yaml', yamlInputSkeleton(operation)]))).toEqual(skeleton);
  });
});
