import type { PayloadFacts } from './facts.ts';

/** Where PictureID and TL0PICIDX lie. */
export type PictureIdPlace = Pick<PayloadFacts, 'pictureIdBits' | 'pictureIdOffset' | 'tl0PicIdx' | 'tl0PicIdxOffset'>;

/**
 * Reads the picture id at `at`, alike in VP8 and VP9 (RFC 7741 4.2, RFC 9628 4.2): `|M| PictureID |`, M: another byte follows.
 * Returns the offset behind it, or -1 when it does not fit.
 */
export function readPictureId(facts: PayloadFacts, buffer: Buffer, at: number, end: number): number {
  if (at >= end) return -1;
  const byte = buffer[at]!;
  facts.pictureIdOffset = at;
  if (byte < 0x80) {
    facts.pictureIdBits = 7;
    facts.pictureId = byte;
    return at + 1;
  }
  if (at + 1 >= end) return -1;
  facts.pictureIdBits = 15;
  facts.pictureId = ((byte & 0x7f) << 8) | buffer[at + 1]!;
  return at + 2;
}

/**
 * Overwrites PictureID and TL0PICIDX of VP8 or VP9 in place where the facts have them, each cut to its width. `shift` is the
 * distance from the position that the facts were read at to that in `target`.
 */
export function rewritePictureId(
  target: Buffer,
  facts: PictureIdPlace,
  pictureId: number,
  tl0PicIdx: number,
  shift = 0,
): void {
  const at = facts.pictureIdOffset + shift;
  if (facts.pictureIdBits === 7) target[at] = pictureId & 0x7f;
  else if (facts.pictureIdBits === 15) {
    target[at] = 0x80 | ((pictureId >>> 8) & 0x7f);
    target[at + 1] = pictureId;
  }
  if (facts.tl0PicIdx >= 0) target[facts.tl0PicIdxOffset + shift] = tl0PicIdx;
}
