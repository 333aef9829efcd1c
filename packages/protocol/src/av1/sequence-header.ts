import { BitReader } from '../bits.ts';

/** What a sequence header says (AV1 5.5.1). */
export interface SequenceHeader {
  profile: number;
  /** Largest width and height of the sequence's frames in pixels. */
  width: number;
  height: number;
}

const reader = new BitReader();

/** Reads a sequence header OBU's payload from `offset` to `end` into `header`; false when it does not fit. */
export function readSequenceHeader(header: SequenceHeader, buffer: Buffer, offset: number, end: number): boolean {
  reader.reset(buffer, offset, end);
  header.profile = reader.bits(3);
  reader.bits(1);
  const reduced = reader.flag();
  if (reduced) reader.bits(5);
  else skipOperatingPoints();
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  header.width = reader.bits(widthBits) + 1;
  header.height = reader.bits(heightBits) + 1;
  return !reader.overrun;
}

/** Timing, decoder model and operating points (AV1 5.5.1, 5.5.3 to 5.5.5). */
function skipOperatingPoints(): void {
  /** Bits of the two delays of an operating point; 0 without a decoder model. */
  const delayBits = reader.flag() ? skipTiming() : 0;
  const displayDelay = reader.flag();
  const count = reader.bits(5) + 1;
  for (let index = 0; index < count && !reader.overrun; index++) {
    reader.bits(12);
    // seq_level_idx, and seq_tier for the levels that have tiers
    if (reader.bits(5) > 7) reader.bits(1);
    if (delayBits > 0 && reader.flag()) {
      reader.bits(delayBits);
      reader.bits(delayBits);
      reader.bits(1);
    }
    if (displayDelay && reader.flag()) reader.bits(4);
  }
}

/** timing_info and decoder_model_info; returns the bits of a buffer delay, 0 without a decoder model. */
function skipTiming(): number {
  reader.bits(32);
  reader.bits(32);
  if (reader.flag()) skipUvlc();
  if (!reader.flag()) return 0;
  const delayBits = reader.bits(5) + 1;
  reader.bits(32);
  reader.bits(10);
  return delayBits;
}

/** uvlc (AV1 4.10.3). */
function skipUvlc(): void {
  let zeros = 0;
  while (!reader.flag()) {
    if (reader.overrun) return;
    zeros++;
  }
  if (zeros < 32) reader.bits(zeros);
}
