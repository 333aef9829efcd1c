const EMPTY = Buffer.alloc(0);
/** Longest run of leading zeros in an Exp-Golomb code of 32 bits (H.264 9.1). */
const MAX_LEADING_ZEROS = 31;

/**
 * Reads bits, the most significant first, from a range of a buffer. Behind the end there are zeros, and `overrun` says that
 * they were read. Made to be reused: `reset` starts it anew, nothing is allocated or copied.
 */
export class BitReader {
  /** More was read than there is, or a code was too long: what was read is not to be trusted. */
  overrun = false;
  private buffer: Buffer = EMPTY;
  private at = 0;
  private end = 0;
  private escaped = false;
  private zeros = 0;
  private current = 0;
  private left = 0;

  /** Starts at the first bit of `buffer[offset]`. With `escaped`, emulation prevention bytes are left out (H.264 7.3.1). */
  reset(buffer: Buffer, offset: number, end: number, escaped = false): void {
    this.buffer = buffer;
    this.at = offset;
    this.end = Math.min(end, buffer.length);
    this.escaped = escaped;
    this.zeros = 0;
    this.left = 0;
    this.overrun = false;
  }

  /** An unsigned number of 0 to 32 bits. */
  bits(count: number): number {
    let value = 0;
    let missing = count;
    while (missing > 0) {
      if (this.left === 0) this.load();
      const take = Math.min(missing, this.left);
      this.left -= take;
      missing -= take;
      value = (value << take) | ((this.current >> this.left) & ((1 << take) - 1));
    }
    return value >>> 0;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v), an unsigned Exp-Golomb code (H.264 9.1). */
  ue(): number {
    let zeros = 0;
    while (this.bits(1) === 0) {
      if (this.overrun || ++zeros > MAX_LEADING_ZEROS) {
        this.overrun = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v), a signed Exp-Golomb code (H.264 9.1.1). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  private load(): void {
    this.left = 8;
    this.current = this.next();
    if (!this.escaped) return;
    // 00 00 03: the third byte only keeps a start code from appearing (H.264 7.4.1).
    if (this.zeros >= 2 && this.current === 3) {
      this.zeros = 0;
      this.current = this.next();
    }
    this.zeros = this.current === 0 ? this.zeros + 1 : 0;
  }

  private next(): number {
    if (this.at < this.end) return this.buffer[this.at++]!;
    this.overrun = true;
    return 0;
  }
}
