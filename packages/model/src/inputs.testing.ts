// Values that fit a shape, for property tests.
import type { TSchema } from '@sinclair/typebox';
import fc from 'fast-check';
import { type MapShape, type StringShape, type StructureShape, shapeOf } from './schema.ts';
import { validate } from './validate.ts';

/** Characters that JSON, URLs and UTF-8 each treat in their own way. */
const awkward = fc.constantFrom(...'aZ09 -_.~!*\'()"\\/%+&=?#;,:\n\t\0é日😀');

/** Any UTF-16 text, halves of surrogate pairs too. */
export const anyText: fc.Arbitrary<string> = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

function stringOf(shape: StringShape): fc.Arbitrary<string> {
  if (shape.enum) return fc.constantFrom(...shape.enum);
  if (shape.pattern === 'st-[a-zA-Z0-9]+') return fc.stringMatching(/^st-[a-zA-Z0-9]{13}$/);
  const { minLength = 0, maxLength = 40 } = shape;
  const text = shape.pattern
    ? fc.stringMatching(new RegExp(`^(?:${shape.pattern})$`))
    : fc.string({ unit: awkward, minLength, maxLength: Math.min(maxLength, 40) });
  return text.filter((value) => validate(shape as unknown as TSchema, value).length === 0);
}

function mapOf(shape: MapShape): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .dictionary(inputOf(shape.propertyNames) as fc.Arbitrary<string>, inputOf(shape.additionalProperties), {
      maxKeys: 4,
    })
    .filter((value) => validate(shape as unknown as TSchema, value).length === 0);
}

function structureOf(shape: StructureShape): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(shape.properties).map(([name, member]) => [name, inputOf(member)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: [...(shape.required ?? [])], noNullPrototype: true });
}

/** Any value that the schema allows. */
export function inputOf(schema: TSchema): fc.Arbitrary<unknown> {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'structure':
      return structureOf(shape);
    case 'list':
      return fc.array(inputOf(shape.items), {
        minLength: shape.minItems ?? 0,
        maxLength: Math.min(shape.maxItems ?? 4, 4),
      });
    case 'map':
      return mapOf(shape);
    case 'string':
      return stringOf(shape);
    case 'timestamp':
      return fc
        .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
        .map((time) => time.toISOString());
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: shape.minimum ?? -1000, max: shape.maximum ?? 100_000 });
    default:
      return fc
        .double({ min: shape.minimum ?? -1e9, max: shape.maximum ?? 1e9, noNaN: true })
        .map((value) => (Object.is(value, -0) ? 0 : value));
  }
}
