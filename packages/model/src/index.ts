export type { Static, TObject, TSchema } from '@sinclair/typebox';
export * from './errors.ts';
export * from './examples.ts';
export * from './http.ts';
export * from './ids.ts';
export * from './operations.ts';
export * from './rest-json.ts';
export {
  type BooleanShape,
  type ListShape,
  type MapShape,
  type NumberShape,
  type Shape,
  type StringShape,
  type StructureShape,
  shapeOf,
  type TimestampShape,
} from './schema.ts';
export * from './shapes/common.ts';
export * from './shapes/composition.ts';
export * from './shapes/encoder.ts';
export * from './shapes/event.ts';
export * from './shapes/ingest.ts';
export * from './shapes/participant.ts';
export * from './shapes/public-key.ts';
export * from './shapes/session.ts';
export * from './shapes/stage.ts';
export * from './shapes/storage.ts';
export * from './shapes/tags.ts';
export * from './shapes/token.ts';
export * from './signal.ts';
export * from './sigv4.ts';
export * from './tokens.ts';
export * from './validate.ts';
