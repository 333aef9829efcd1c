/** Appends big-endian integers and bytes to a buffer that grows as needed. */
export class ByteWriter {
  private buffer = Buffer.alloc(256);
  private end = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.end;
  }

  /** The low 8 bits of `value`. */
  uint8(value: number): void {
    this.reserve(1);
    this.buffer[this.end++] = value;
  }

  /** The low 16 bits of `value`; negative values come out as two's complement. */
  uint16(value: number): void {
    this.reserve(2);
    this.end = this.buffer.writeUInt16BE(value & 0xffff, this.end);
  }

  /** The low 24 bits of `value`. */
  uint24(value: number): void {
    this.uint8(value >> 16);
    this.uint16(value);
  }

  /** The low 32 bits of `value`. */
  uint32(value: number): void {
    this.reserve(4);
    this.end = this.buffer.writeUInt32BE(value >>> 0, this.end);
  }

  /** All bytes of `value`. */
  bytes(value: Uint8Array): void {
    this.reserve(value.length);
    this.buffer.set(value, this.end);
    this.end += value.length;
  }

  /** Overwrites 8 bits that are already written. */
  patchUint8(at: number, value: number): void {
    this.buffer[at] = value;
  }

  /** Overwrites 16 bits that are already written. */
  patchUint16(at: number, value: number): void {
    this.buffer.writeUInt16BE(value, at);
  }

  /** What has been written. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  private reserve(count: number): void {
    if (this.end + count <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.buffer.length * 2, this.end + count));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}
