import { MAX_NAL_UNITS } from './avc.ts';
import { FU_END, FU_START, nalType, TYPE } from './nal.ts';

/** Longest access unit that is put together, in bytes: a key frame of 8.5 Mbit/s has no tenth of it. */
export const MAX_ACCESS_UNIT = 8 * 1_024 * 1_024;

/**
 * Puts the NAL units of one access unit together from RTP payloads in order (RFC 6184 5.6 to 5.8). What does not fit together makes
 * the unit damaged. Takes any bytes, never throws.
 */
export class NalAssembler {
  #units: Buffer[] = [];
  #fragments: Buffer[] = [];
  #bytes = 0;
  #damaged = false;

  /** Copies what it keeps of the payload, which is `buffer` from `offset` to `end`. */
  push(buffer: Buffer, offset: number, end: number): void {
    if (offset >= end || end > buffer.length) return;
    const type = buffer[offset]! & TYPE;
    if (type === nalType.stapA) this.#aggregate(buffer, offset + 1, end);
    else if (type === nalType.fuA) this.#fragment(buffer, offset, end);
    else if (type < nalType.stapA && type > 0) this.#add(Buffer.from(buffer.subarray(offset, end)));
    else this.#damaged = true;
  }

  /** The NAL units since the last call, in order; undefined when one of them is not whole. */
  take(): Buffer[] | undefined {
    const taken = this.#damaged || this.#fragments.length > 0 ? undefined : this.#units;
    this.#units = [];
    this.#fragments = [];
    this.#bytes = 0;
    this.#damaged = false;
    return taken;
  }

  #aggregate(buffer: Buffer, offset: number, end: number): void {
    let at = offset;
    while (at + 2 < end) {
      const next = at + 2 + buffer.readUInt16BE(at);
      if (next > end || next === at + 2) break;
      this.#add(Buffer.from(buffer.subarray(at + 2, next)));
      at = next;
    }
    if (at !== end) this.#damaged = true;
  }

  #fragment(buffer: Buffer, offset: number, end: number): void {
    if (offset + 2 >= end) {
      this.#damaged = true;
      return;
    }
    const header = buffer[offset + 1]!;
    const begins = (header & FU_START) !== 0;
    if (begins === this.#fragments.length > 0) this.#damaged = true;
    if (begins) this.#fragments = [Buffer.from([(buffer[offset]! & ~TYPE) | (header & TYPE)])];
    this.#bytes += end - offset;
    if (this.#bytes > MAX_ACCESS_UNIT) this.#damaged = true;
    if (!this.#damaged) this.#fragments.push(Buffer.from(buffer.subarray(offset + 2, end)));
    if ((header & FU_END) === 0) return;
    const unit = Buffer.concat(this.#fragments);
    this.#fragments = [];
    if (!this.#damaged) this.#units.push(unit);
  }

  #add(unit: Buffer): void {
    this.#bytes += unit.length;
    if (this.#fragments.length > 0 || this.#bytes > MAX_ACCESS_UNIT || this.#units.length >= MAX_NAL_UNITS)
      this.#damaged = true;
    if (!this.#damaged) this.#units.push(unit);
  }
}
