/** Frames that one superframe holds at most (VP9 Annex B.3: frames_in_superframe_minus_1 has 3 bits). */
export const MAX_SUPERFRAME_FRAMES = 8;
const MARKER = 0xc0;
/** Sizes are written with four bytes each. */
const SIZE_BYTES = 4;

/** Frames of one picture, one for each spatial layer, as decoders take them: with an index of their sizes behind them (VP9 Annex B). What is more than 8 is left out. */
export function writeSuperframe(frames: readonly Buffer[]): Buffer {
  const kept = frames.slice(0, MAX_SUPERFRAME_FRAMES);
  const index = Buffer.alloc(2 + SIZE_BYTES * kept.length);
  index[0] = MARKER | ((SIZE_BYTES - 1) << 3) | (kept.length - 1);
  for (const [at, { length }] of kept.entries()) index.writeUInt32LE(length, 1 + SIZE_BYTES * at);
  index[index.length - 1] = index[0];
  return Buffer.concat([...kept, index]);
}
