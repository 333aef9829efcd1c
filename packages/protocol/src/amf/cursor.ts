import { type AmfValue, limits } from './value.ts';

/** Why bytes are no AMF; caught by `read`, never seen outside. */
export class AmfError extends Error {}

/** Reads big-endian values one after another, and keeps count of what they cost. Throws `AmfError`. */
export class Cursor {
  private readonly bytes: Buffer;
  private at = 0;
  private spent = 0;
  private depth = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Values counted so far. */
  get count(): number {
    return this.spent;
  }

  uint8(): number {
    return this.bytes[this.take(1)]!;
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.take(2));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.take(4));
  }

  double(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  /** UTF-8; bytes that are not come out as U+FFFD. */
  text(length: number): string {
    const start = this.take(length);
    return this.bytes.toString('utf8', start, start + length);
  }

  /** A copy. */
  copy(length: number): Buffer {
    const start = this.take(length);
    return Buffer.from(this.bytes.subarray(start, start + length));
  }

  /** True, and past it, when the next bytes are these three: an empty name and the object end marker. */
  objectEnd(): boolean {
    const { bytes, at } = this;
    if (at + 3 > bytes.length || bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 9) return false;
    this.at += 3;
    return true;
  }

  /** Refuses an element count that what is left cannot hold, before anything is made for it. */
  expect(count: number, bytesEach: number): void {
    if (count * bytesEach > this.bytes.length - this.at) throw new AmfError('ends too early');
  }

  /** Counts values. */
  spend(count: number): void {
    this.spent += count;
    if (this.spent > limits.values) throw new AmfError(`more than ${limits.values} values`);
  }

  /** Reads what is inside an object. */
  nested<T extends AmfValue>(read: () => T): T {
    if (this.depth >= limits.depth) throw new AmfError(`nested deeper than ${limits.depth}`);
    this.depth++;
    const value = read();
    this.depth--;
    return value;
  }

  private take(length: number): number {
    const start = this.at;
    if (start + length > this.bytes.length) throw new AmfError('ends too early');
    this.at = start + length;
    return start;
  }
}

/** Objects that later ones refer to, by their number; each knows how many values it holds. */
export class References {
  private readonly cursor: Cursor;
  private readonly entries: { value: AmfValue; cost: number }[] = [];

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** Reads an object that gets the next number. It can be referred to once it is complete: a circle is refused. */
  define<T extends AmfValue>(value: T, fill: (value: T) => T): T {
    const entry = { value: value as AmfValue, cost: -1 };
    this.entries.push(entry);
    const before = this.cursor.count;
    const filled = this.cursor.nested(() => fill(value));
    entry.value = filled;
    entry.cost = this.cursor.count - before;
    return filled;
  }

  get(index: number): AmfValue {
    const entry = this.entries[index];
    if (entry === undefined) throw new AmfError(`reference ${index} to nothing`);
    if (entry.cost < 0) throw new AmfError(`reference ${index} to an object around it`);
    this.cursor.spend(entry.cost);
    return entry.value;
  }
}
