import { AmfError, type Cursor, References } from './cursor.ts';
import type { AmfObject, AmfValue } from './value.ts';

/** Type markers of AMF3 (AMF 3 specification 3.1). */
export const MARKER3 = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;

/** The members that every object of a class has (3.12). */
interface Traits {
  className: string;
  names: string[];
  dynamic: boolean;
}

/** A string that is referred to costs as many values as it has pieces of this length. */
const STRING_COST = 64;

/** Reads AMF3 values; throws `AmfError`. Its tables of references last as long as it does: one message. */
export class Reader3 {
  private readonly cursor: Cursor;
  private readonly strings: string[] = [];
  private readonly traits: Traits[] = [];
  private readonly references: References;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
    this.references = new References(cursor);
  }

  value(): AmfValue {
    this.cursor.spend(1);
    const marker = this.cursor.uint8();
    switch (marker) {
      case MARKER3.undefined:
        return undefined;
      case MARKER3.null:
        return null;
      case MARKER3.false:
        return false;
      case MARKER3.true:
        return true;
      case MARKER3.integer:
        return (this.uint29() << 3) >> 3;
      case MARKER3.double:
        return this.cursor.double();
      case MARKER3.string:
        return this.string();
      default:
        return this.complex(marker);
    }
  }

  /** `| U29: count or reference |`: the low bit is 0 in a reference to an earlier one of these (3.8 to 3.15). */
  private complex(marker: number): AmfValue {
    if (marker < MARKER3.xmlDocument || marker > MARKER3.dictionary) throw new AmfError(`AMF3 marker ${marker}`);
    const head = this.uint29();
    if ((head & 1) === 0) return this.references.get(head >> 1);
    if (marker === MARKER3.object) return this.object(head);
    return this.inline(marker, head >> 1);
  }

  private inline(marker: number, count: number): AmfValue {
    const { cursor } = this;
    switch (marker) {
      case MARKER3.xmlDocument:
      case MARKER3.xml:
        return this.leaf(() => ({ kind: 'xml', text: cursor.text(count) }));
      case MARKER3.date:
        return this.leaf(() => new Date(cursor.double()));
      case MARKER3.byteArray:
        return this.leaf(() => cursor.copy(count));
      case MARKER3.array:
        return this.array(count);
      case MARKER3.dictionary:
        return this.dictionary(count);
      default:
        return this.vector(marker, count);
    }
  }

  private leaf(read: () => AmfValue): AmfValue {
    return this.references.define(undefined as AmfValue, read);
  }

  /** One to four bytes; the high bit of the first three says that another follows (1.3.1). */
  private uint29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.cursor.uint8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.cursor.uint8();
  }

  /** The empty string is never referred to (1.3.2). */
  private string(): string {
    const head = this.uint29();
    if ((head & 1) === 0) return this.knownString(head >> 1);
    const text = this.cursor.text(head >> 1);
    if (text !== '') this.strings.push(text);
    return text;
  }

  private knownString(index: number): string {
    const text = this.strings[index];
    if (text === undefined) throw new AmfError(`string reference ${index} to nothing`);
    this.cursor.spend(Math.floor(text.length / STRING_COST));
    return text;
  }

  /** Named members up to an empty name, then `count` without names; a plain array when none has a name (3.11). */
  private array(count: number): AmfValue {
    return this.references.define(undefined as AmfValue, () => {
      const members = new Map<string, AmfValue>();
      for (let name = this.string(); name !== ''; name = this.string()) members.set(name, this.value());
      const dense = this.values(count);
      if (members.size === 0) return dense;
      dense.forEach((value, index) => {
        members.set(String(index), value);
      });
      return { kind: 'ecma-array', className: '', members };
    });
  }

  private values(count: number): AmfValue[] {
    this.cursor.expect(count, 1);
    const values: AmfValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value());
    return values;
  }

  private object(head: number): AmfValue {
    return this.references.define(undefined as AmfValue, () => {
      const { className, names, dynamic } = this.traitsOf(head);
      const object: AmfObject = { kind: 'object', className, members: new Map() };
      for (const name of names) object.members.set(name, this.value());
      if (!dynamic) return object;
      for (let name = this.string(); name !== ''; name = this.string()) object.members.set(name, this.value());
      return object;
    });
  }

  /** `| count of names | dynamic | externalizable | traits follow | object follows |`, low bits last (3.12). */
  private traitsOf(head: number): Traits {
    if ((head & 2) === 0) return this.knownTraits(head >> 2);
    if ((head & 4) !== 0) throw new AmfError('an object that only its class can read');
    const count = head >> 4;
    const className = this.string();
    this.cursor.expect(count, 1);
    this.cursor.spend(count);
    const names: string[] = [];
    for (let i = 0; i < count; i++) names.push(this.string());
    const traits = { className, names, dynamic: (head & 8) !== 0 };
    this.traits.push(traits);
    return traits;
  }

  private knownTraits(index: number): Traits {
    const traits = this.traits[index];
    if (traits === undefined) throw new AmfError(`traits reference ${index} to nothing`);
    return traits;
  }

  /** `| fixed length |` and, of objects, `| class |`, then the elements (3.15). */
  private vector(marker: number, count: number): AmfValue {
    const { cursor } = this;
    cursor.uint8();
    return this.references.define(undefined as AmfValue, () => {
      if (marker === MARKER3.vectorObject) {
        this.string();
        return this.values(count);
      }
      cursor.expect(count, marker === MARKER3.vectorDouble ? 8 : 4);
      cursor.spend(count);
      if (marker === MARKER3.vectorInt) return Array.from({ length: count }, () => cursor.int32());
      if (marker === MARKER3.vectorUint) return Array.from({ length: count }, () => cursor.uint32());
      return Array.from({ length: count }, () => cursor.double());
    });
  }

  /** `| weak keys |`, then keys and values in turn (3.16). */
  private dictionary(count: number): AmfValue {
    this.cursor.uint8();
    return this.references.define(undefined as AmfValue, () => {
      this.cursor.expect(count, 2);
      const entries: AmfValue[] = [];
      for (let i = 0; i < count; i++) {
        this.cursor.spend(1);
        entries.push([this.value(), this.value()]);
      }
      return entries;
    });
  }
}
