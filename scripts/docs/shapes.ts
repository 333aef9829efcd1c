// Names of shapes, and what is said of a member: its type's name, its default, its description.
import * as model from '@footlights/model';
import { type Shape, type StructureShape, shapeOf, type TSchema } from '@footlights/model';

/** One member of a structure. */
export interface Member {
  name: string;
  shape: Shape;
  required: boolean;
  /** Without the half sentence about the default. */
  description: string;
  /** In words, as the model says it. */
  default: string | undefined;
}

interface Named {
  name: string;
  shape: Shape;
}

/** Members copy the shape that they are of; its members or its values stay the same object, and tell it. */
function identityOf(shape: Shape): object | undefined {
  if (shape.kind === 'structure') return shape.properties;
  return shape.kind === 'string' ? shape.enum : undefined;
}

function isSchema(value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

const named: readonly Named[] = Object.entries(model)
  .flatMap(([name, value]) => (isSchema(value) ? [{ name, shape: shapeOf(value) }] : []))
  .filter(({ name, shape }) => identityOf(shape) && !/(Request|Response)$/.test(name))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

const names = new Map(named.map(({ name, shape }) => [identityOf(shape), name]));

/** Every structure that is not the input or output of an operation, by name. */
export const structures = named.filter((entry): entry is Named & { shape: StructureShape } => {
  return entry.shape.kind === 'structure';
});

/** Every string of fixed values, by name. */
export const enumerations = named.flatMap(({ name, shape }) =>
  shape.kind === 'string' && shape.enum ? [{ name, values: shape.enum }] : [],
);

/** The name of a structure or enumeration; undefined for shapes that are told in place. */
export function nameOf(shape: Shape): string | undefined {
  const identity = identityOf(shape);
  return identity && names.get(identity);
}

/** The members of a structure, in the model's order. */
export function membersOf(shape: StructureShape): Member[] {
  return Object.entries(shape.properties).map(([name, schema]) => {
    const member = shapeOf(schema);
    const required = shape.required?.includes(name) ?? false;
    return { name, shape: member, required, ...splitDefault(member.description ?? '') };
  });
}

/** "Most stages in one page; 50 when not given." says a default behind its last semicolon. */
function splitDefault(text: string): Pick<Member, 'description' | 'default'> {
  const [, description, value, rest = ''] = /^(.*); ([^;,]+) when not given(,.*)?\.$/.exec(text) ?? [];
  if (description === undefined) return { description: text, default: undefined };
  return { description: `${description}${rest}.`, default: value };
}

/** The default as a JSON value, when the model's words are one. */
export function defaultValue({ shape, default: text }: Member): unknown {
  if (text === undefined) return undefined;
  return asValue(shape, text);
}

function asValue(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'integer':
    case 'float':
      return /^\d+$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return { true: true, false: false }[text];
    case 'string':
      return shape.enum?.includes(text) ? text : undefined;
    case 'list': {
      const value = asValue(shapeOf(shape.items), text);
      return value === undefined ? undefined : [value];
    }
    default:
      return undefined;
  }
}
