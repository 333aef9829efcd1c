/** What AMF0 and AMF3 can carry. Vectors come out as arrays, dictionaries as arrays of `[key, value]`. */
export type AmfValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | Date
  | Uint8Array
  | AmfXml
  | AmfObject
  | AmfValue[];

/** An object, or an array whose members have names (ECMA array), in the order of the wire. */
export interface AmfObject {
  kind: 'object' | 'ecma-array';
  /** Empty for an anonymous object. */
  className: string;
  members: Map<string, AmfValue>;
}

/** An XML document, unparsed. */
export interface AmfXml {
  kind: 'xml';
  text: string;
}

/** What one message may cost: AMF nests without end, and a reference repeats what it points to for two bytes. */
export const limits = {
  /** Objects within objects. */
  depth: 32,
  /** Values in one message; what a reference points to counts again. */
  values: 10_000,
} as const;

/** An anonymous object with these members. */
export function object(members: Record<string, AmfValue>): AmfObject {
  return { kind: 'object', className: '', members: new Map(Object.entries(members)) };
}

/** An ECMA array with these members, as encoders send their metadata. */
export function ecmaArray(members: Record<string, AmfValue>): AmfObject {
  return { ...object(members), kind: 'ecma-array' };
}

/** True for an object or an ECMA array. */
export function isObject(value: AmfValue): value is AmfObject {
  return typeof value === 'object' && value !== null && 'members' in value;
}

/** A member that is a string; undefined when there is none, or it is something else. */
export function textOf(value: AmfValue, name: string): string | undefined {
  const member = isObject(value) ? value.members.get(name) : undefined;
  return typeof member === 'string' ? member : undefined;
}

/** A member that is a number; undefined when there is none, or it is something else. */
export function numberOf(value: AmfValue, name: string): number | undefined {
  const member = isObject(value) ? value.members.get(name) : undefined;
  return typeof member === 'number' ? member : undefined;
}
