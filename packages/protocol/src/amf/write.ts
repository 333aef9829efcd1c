import { ByteWriter } from '../bytes.ts';
import { MARKER0 } from './read0.ts';
import { MARKER3 } from './read3.ts';
import { type AmfObject, type AmfValue, isObject } from './value.ts';

const MAX_UINT16 = 0xffff;
const MAX_UINT29 = 0x1fffffff;
const MIN_INT29 = -0x10000000;
const MAX_INT29 = 0x0fffffff;

/**
 * Values in AMF0 (AMF 0 specification 2), one after another, without references. A byte array, which AMF0 does not know, goes as
 * AMF3 behind its marker. Throws a RangeError for a name longer than 65,535 bytes.
 */
export function write0(...values: AmfValue[]): Buffer {
  const out = new ByteWriter();
  for (const value of values) writeValue0(out, value);
  return out.finish();
}

/** Values in AMF3 (AMF 3 specification 3), one after another, without references. */
export function write3(...values: AmfValue[]): Buffer {
  const out = new ByteWriter();
  for (const value of values) writeValue3(out, value);
  return out.finish();
}

function double(out: ByteWriter, value: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  out.bytes(bytes);
}

function writeValue0(out: ByteWriter, value: AmfValue): void {
  if (typeof value === 'string') {
    writeString0(out, value);
  } else if (isObject(value)) {
    writeObject0(out, value);
  } else if (typeof value === 'number') {
    out.uint8(MARKER0.number);
    double(out, value);
  } else if (typeof value === 'boolean') {
    out.uint8(MARKER0.boolean);
    out.uint8(value ? 1 : 0);
  } else if (value === null || value === undefined) {
    out.uint8(value === null ? MARKER0.null : MARKER0.undefined);
  } else if (value instanceof Date) {
    out.uint8(MARKER0.date);
    double(out, value.getTime());
    out.uint16(0);
  } else if (Array.isArray(value)) {
    out.uint8(MARKER0.strictArray);
    out.uint32(value.length);
    for (const element of value) writeValue0(out, element);
  } else if (value instanceof Uint8Array) {
    out.uint8(MARKER0.amf3);
    writeValue3(out, value);
  } else {
    longText0(out, MARKER0.xml, Buffer.from(value.text));
  }
}

function writeString0(out: ByteWriter, text: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_UINT16) {
    longText0(out, MARKER0.longString, bytes);
  } else {
    out.uint8(MARKER0.string);
    out.uint16(bytes.length);
    out.bytes(bytes);
  }
}

function longText0(out: ByteWriter, marker: number, bytes: Buffer): void {
  out.uint8(marker);
  out.uint32(bytes.length);
  out.bytes(bytes);
}

function name0(out: ByteWriter, name: string): void {
  const bytes = Buffer.from(name);
  if (bytes.length > MAX_UINT16) throw new RangeError(`an AMF0 name is longer than ${MAX_UINT16} bytes`);
  out.uint16(bytes.length);
  out.bytes(bytes);
}

function writeObject0(out: ByteWriter, object: AmfObject): void {
  if (object.kind === 'ecma-array') {
    out.uint8(MARKER0.ecmaArray);
    out.uint32(object.members.size);
  } else if (object.className === '') {
    out.uint8(MARKER0.object);
  } else {
    out.uint8(MARKER0.typedObject);
    name0(out, object.className);
  }
  for (const [name, value] of object.members) {
    name0(out, name);
    writeValue0(out, value);
  }
  out.uint16(0);
  out.uint8(MARKER0.objectEnd);
}

function writeValue3(out: ByteWriter, value: AmfValue): void {
  if (isObject(value)) {
    writeObject3(out, value);
  } else if (typeof value === 'number') {
    writeNumber3(out, value);
  } else if (typeof value === 'string') {
    out.uint8(MARKER3.string);
    inline3(out, Buffer.from(value));
  } else if (typeof value === 'boolean') {
    out.uint8(value ? MARKER3.true : MARKER3.false);
  } else if (value === null || value === undefined) {
    out.uint8(value === null ? MARKER3.null : MARKER3.undefined);
  } else if (value instanceof Date) {
    out.uint8(MARKER3.date);
    uint29(out, 1);
    double(out, value.getTime());
  } else if (Array.isArray(value)) {
    out.uint8(MARKER3.array);
    uint29(out, (value.length << 1) | 1);
    inline3(out, Buffer.alloc(0));
    for (const element of value) writeValue3(out, element);
  } else if (value instanceof Uint8Array) {
    out.uint8(MARKER3.byteArray);
    inline3(out, value);
  } else {
    out.uint8(MARKER3.xml);
    inline3(out, Buffer.from(value.text));
  }
}

function writeNumber3(out: ByteWriter, value: number): void {
  if (Number.isInteger(value) && value >= MIN_INT29 && value <= MAX_INT29 && !Object.is(value, -0)) {
    out.uint8(MARKER3.integer);
    uint29(out, value & MAX_UINT29);
  } else {
    out.uint8(MARKER3.double);
    double(out, value);
  }
}

function uint29(out: ByteWriter, value: number): void {
  if (value > 0x1fffff) {
    out.uint8(0x80 | (value >> 22));
    out.uint8(0x80 | (value >> 15));
    out.uint8(0x80 | (value >> 8));
    out.uint8(value);
    return;
  }
  if (value > 0x3fff) out.uint8(0x80 | (value >> 14));
  if (value > 0x7f) out.uint8(0x80 | (value >> 7));
  out.uint8(value & 0x7f);
}

/** `| length << 1 or 1 | bytes |`. */
function inline3(out: ByteWriter, bytes: Uint8Array): void {
  uint29(out, (bytes.length << 1) | 1);
  out.bytes(bytes);
}

/** The names of an object are its class's, so that an empty one, which ends a list of free ones, can be among them. */
function writeObject3(out: ByteWriter, object: AmfObject): void {
  const { kind, className, members } = object;
  if (kind === 'ecma-array' && !members.has('')) {
    out.uint8(MARKER3.array);
    uint29(out, 1);
    for (const [name, value] of members) {
      inline3(out, Buffer.from(name));
      writeValue3(out, value);
    }
    inline3(out, Buffer.alloc(0));
    return;
  }
  out.uint8(MARKER3.object);
  uint29(out, (members.size << 4) | 0b0011);
  inline3(out, Buffer.from(className));
  for (const name of members.keys()) inline3(out, Buffer.from(name));
  for (const value of members.values()) writeValue3(out, value);
}
