// The few words in which the API is written down: TypeBox schemas that carry the traits of AWS's model.
import {
  Array as arrayOf,
  Boolean as booleanOf,
  Integer as integerOf,
  Number as numberOf,
  OptionalKind,
  Object as objectOf,
  type Static,
  String as stringOf,
  type TArray,
  type TBoolean,
  type TInteger,
  type TNumber,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TString,
  type TUnsafe,
  Unsafe as unsafeOf,
} from '@sinclair/typebox';

/** What AWS's model says of a member beside its shape: where it travels, and how it is treated. */
export interface Traits {
  location?: 'uri' | 'querystring' | 'header';
  /** Header name; members in path and query go by their own name. */
  locationName?: string;
  idempotencyToken?: true;
}

/** Limits of a string; lengths are counted in Unicode code points, `pattern` is AWS's text and matches the whole string. */
export interface StringLimits {
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  /** Its value is never repeated in an error message. */
  sensitive?: true;
}

/** Smallest and largest number, both allowed. */
export interface NumberLimits {
  minimum?: number;
  maximum?: number;
}

/** Smallest and largest number of elements or entries, both allowed. */
export interface SizeLimits {
  min?: number;
  max?: number;
}

interface ShapeCommon extends Traits {
  description?: string;
}
/** A structure as code that walks schemas reads it; `properties` are in the order of AWS's model. */
export interface StructureShape extends ShapeCommon {
  kind: 'structure';
  properties: Readonly<Record<string, TSchema>>;
  required?: readonly string[];
}
/** A list of one kind of element. */
export interface ListShape extends ShapeCommon {
  kind: 'list';
  items: TSchema;
  minItems?: number;
  maxItems?: number;
}
/** A map from strings to one kind of value; `maxTotalBytes` bounds its keys and string values together, in UTF-8. */
export interface MapShape extends ShapeCommon {
  kind: 'map';
  propertyNames: TSchema;
  additionalProperties: TSchema;
  minProperties?: number;
  maxProperties?: number;
  maxTotalBytes?: number;
}
/** A string, free or one of `enum`. */
export interface StringShape extends ShapeCommon, StringLimits {
  kind: 'string';
  enum?: readonly string[];
}
/** An ISO 8601 time. */
export interface TimestampShape extends ShapeCommon {
  kind: 'timestamp';
}
/** A 32-bit integer or a float. */
export interface NumberShape extends ShapeCommon, NumberLimits {
  kind: 'integer' | 'float';
}
/** true or false. */
export interface BooleanShape extends ShapeCommon {
  kind: 'boolean';
}
/** Every kind of schema of this package, to switch over by `kind`. */
export type Shape = StructureShape | ListShape | MapShape | StringShape | TimestampShape | NumberShape | BooleanShape;

/** The same schema, seen as a shape. */
export function shapeOf(schema: TSchema): Shape {
  return schema as unknown as Shape;
}

/** A string shape. */
export function string(limits: StringLimits = {}): TString {
  return stringOf({ kind: 'string', ...limits });
}

/** A string shape of fixed values. */
export function enumeration<const V extends string>(...values: V[]): TUnsafe<V> {
  return unsafeOf<V>({ kind: 'string', type: 'string', enum: values });
}

/** A time, written in ISO 8601. */
export function timestamp(): TString {
  return stringOf({ kind: 'timestamp', format: 'date-time' });
}

/** A 32-bit integer shape. */
export function integer(limits: NumberLimits = {}): TInteger {
  return integerOf({ kind: 'integer', ...limits });
}

/** A floating point shape. */
export function float(limits: NumberLimits = {}): TNumber {
  return numberOf({ kind: 'float', ...limits });
}

/** A boolean shape. */
export function boolean(): TBoolean {
  return booleanOf({ kind: 'boolean' });
}

/** A list shape. */
export function list<S extends TSchema>(items: S, { min, max }: SizeLimits = {}): TArray<S> {
  return arrayOf(items, {
    kind: 'list',
    ...(min === undefined ? {} : { minItems: min }),
    ...(max === undefined ? {} : { maxItems: max }),
  });
}

/** A map shape with string keys. */
export function map<V extends TSchema>(
  key: TString,
  value: V,
  { min, max, maxTotalBytes }: SizeLimits & { maxTotalBytes?: number } = {},
): TUnsafe<Record<string, Static<V>>> {
  return unsafeOf<Record<string, Static<V>>>({
    kind: 'map',
    type: 'object',
    propertyNames: key,
    additionalProperties: value,
    ...(min === undefined ? {} : { minProperties: min }),
    ...(max === undefined ? {} : { maxProperties: max }),
    ...(maxTotalBytes === undefined ? {} : { maxTotalBytes }),
  });
}

/** A structure shape; members keep the order in which they are written. */
export function structure<M extends TProperties>(members: M): TObject<M> {
  return objectOf(members, { kind: 'structure' });
}

/** A member that must be given. */
export function required<S extends TSchema>(shape: S, description: string, traits: Traits = {}): S {
  return { ...shape, description, ...traits };
}

/** A member that may be left out. */
export function optional<S extends TSchema>(shape: S, description: string, traits: Traits = {}): TOptional<S> {
  return { ...required(shape, description, traits), [OptionalKind]: 'Optional' };
}
