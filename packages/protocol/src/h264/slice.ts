import { BitReader } from '../bits.ts';
import { isSlice, TYPE } from './nal.ts';

/** slice_type modulo 5 (H.264 table 7-6). */
export const sliceTypes = { p: 0, b: 1, i: 2, sp: 3, si: 4 } as const;

/** first_mb_in_slice and slice_type take at most this many bytes of a NAL unit behind its first. */
const SLICE_HEADER_LENGTH = 12;

const reader = new BitReader();

/** slice_type modulo 5 of the NAL unit whose first byte lies at `offset`; -1 when it is no slice or does not tell (H.264 7.3.3). */
export function sliceType(buffer: Buffer, offset: number, end: number): number {
  if (offset >= end || end > buffer.length) return -1;
  const type = buffer[offset]! & TYPE;
  // Partitions B and C begin with a slice id instead.
  if (!isSlice(type) || type === 3 || type === 4) return -1;
  return readSliceType(buffer, offset + 1, end);
}

/** slice_type modulo 5 of the slice header at `offset`, behind the NAL unit's first byte; -1 when it is cut or wrong. */
export function readSliceType(buffer: Buffer, offset: number, end: number): number {
  reader.reset(buffer, offset, Math.min(end, offset + SLICE_HEADER_LENGTH), true);
  reader.ue();
  const type = reader.ue();
  return reader.overrun || type > 9 ? -1 : type % 5;
}
