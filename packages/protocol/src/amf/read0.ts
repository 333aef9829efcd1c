import { AmfError, type Cursor, References } from './cursor.ts';
import { Reader3 } from './read3.ts';
import type { AmfObject, AmfValue } from './value.ts';

/** Type markers of AMF0 (AMF 0 specification 2.1). */
export const MARKER0 = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  reference: 0x07,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xml: 0x0f,
  typedObject: 0x10,
  amf3: 0x11,
} as const;

/** Reads AMF0 values; throws `AmfError`. */
export class Reader0 {
  private readonly cursor: Cursor;
  private readonly references: References;
  private readonly amf3: Reader3;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
    this.references = new References(cursor);
    this.amf3 = new Reader3(cursor);
  }

  value(): AmfValue {
    const { cursor } = this;
    cursor.spend(1);
    const marker = cursor.uint8();
    switch (marker) {
      case MARKER0.number:
        return cursor.double();
      case MARKER0.boolean:
        return cursor.uint8() !== 0;
      case MARKER0.string:
        return cursor.text(cursor.uint16());
      case MARKER0.longString:
        return cursor.text(cursor.uint32());
      case MARKER0.xml:
        return { kind: 'xml', text: cursor.text(cursor.uint32()) };
      case MARKER0.null:
        return null;
      case MARKER0.undefined:
      case MARKER0.unsupported:
        return undefined;
      case MARKER0.date:
        return this.date();
      case MARKER0.reference:
        return this.references.get(cursor.uint16());
      case MARKER0.amf3:
        return this.amf3.value();
      default:
        return this.compound(marker);
    }
  }

  private compound(marker: number): AmfValue {
    switch (marker) {
      case MARKER0.object:
        return this.object('object', '', Number.POSITIVE_INFINITY);
      case MARKER0.typedObject:
        return this.object('object', this.name(), Number.POSITIVE_INFINITY);
      case MARKER0.ecmaArray:
        return this.object('ecma-array', '', this.cursor.uint32());
      case MARKER0.strictArray:
        return this.strictArray();
      default:
        throw new AmfError(`AMF0 marker ${marker}`);
    }
  }

  /** Milliseconds since 1970 and a time zone that is to be ignored (2.13). */
  private date(): Date {
    const time = this.cursor.double();
    this.cursor.uint16();
    return new Date(time);
  }

  /** `| name | value |` to the end marker; some encoders let an ECMA array end with the message when it is complete. */
  private object(kind: AmfObject['kind'], className: string, complete: number): AmfValue {
    const empty: AmfObject = { kind, className, members: new Map() };
    return this.references.define(empty, (object) => {
      while (!this.cursor.objectEnd()) {
        if (this.cursor.done && object.members.size >= complete) break;
        object.members.set(this.name(), this.value());
      }
      return object;
    });
  }

  private strictArray(): AmfValue {
    const count = this.cursor.uint32();
    this.cursor.expect(count, 1);
    return this.references.define([] as AmfValue[], (array) => {
      for (let i = 0; i < count; i++) array.push(this.value());
      return array;
    });
  }

  private name(): string {
    return this.cursor.text(this.cursor.uint16());
  }
}
