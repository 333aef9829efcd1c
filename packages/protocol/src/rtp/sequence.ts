/** Signed distance a - b of two 16-bit sequence numbers, -32768 to 32767 (RFC 1982 serial arithmetic). */
export function sequenceDelta(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/**
 * Extends 16-bit sequence numbers past their wrap. Starts at the first number; a late packet keeps its own, smaller
 * value, which is negative when it came before a start near 0.
 */
export class SequenceUnwrapper {
  private highest: number | undefined;

  /** The extended number; the reference moves only forward, so late packets cannot pull it back. */
  unwrap(sequenceNumber: number): number {
    if (this.highest === undefined) {
      this.highest = sequenceNumber;
      return sequenceNumber;
    }
    const extended = this.highest + sequenceDelta(sequenceNumber, this.highest & 0xffff);
    if (extended > this.highest) this.highest = extended;
    return extended;
  }
}
