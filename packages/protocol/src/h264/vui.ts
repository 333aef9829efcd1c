import type { BitReader } from '../bits.ts';
import type { Sps } from './sps.ts';

const EXTENDED_SAR = 255;

/** Reads frame rate and reordering from the VUI (H.264 E.1.1); a VUI that is cut leaves both as they are. */
export function readVui(sps: Sps, reader: BitReader): void {
  skipPictureFormat(reader);
  const framesPerSecond = reader.flag() ? readTiming(reader) : 0;
  const nalHrd = reader.flag();
  if (nalHrd) skipHrd(reader);
  const vclHrd = reader.flag();
  if (vclHrd) skipHrd(reader);
  if (nalHrd || vclHrd) reader.bits(1);
  // pic_struct_present_flag
  reader.bits(1);
  const maxReorderFrames = reader.flag() ? readReordering(reader) : -1;
  if (reader.overrun) return;
  sps.framesPerSecond = framesPerSecond;
  sps.maxReorderFrames = maxReorderFrames;
}

/** Aspect ratio, overscan, colours, place of the chroma samples. */
function skipPictureFormat(reader: BitReader): void {
  if (reader.flag() && reader.bits(8) === EXTENDED_SAR) reader.bits(32);
  if (reader.flag()) reader.bits(1);
  if (reader.flag()) {
    reader.bits(4);
    if (reader.flag()) reader.bits(24);
  }
  if (reader.flag()) {
    reader.ue();
    reader.ue();
  }
}

/** A frame has two ticks, one for each field. */
function readTiming(reader: BitReader): number {
  const ticks = reader.bits(32);
  const timeScale = reader.bits(32);
  reader.bits(1);
  return ticks === 0 ? 0 : timeScale / (2 * ticks);
}

/** hrd_parameters (H.264 E.1.2). */
function skipHrd(reader: BitReader): void {
  const count = reader.ue() + 1;
  reader.bits(8);
  for (let index = 0; index < count && !reader.overrun; index++) {
    reader.ue();
    reader.ue();
    reader.bits(1);
  }
  reader.bits(20);
}

/** bitstream_restriction. */
function readReordering(reader: BitReader): number {
  reader.bits(1);
  for (let index = 0; index < 4; index++) reader.ue();
  const maxReorderFrames = reader.ue();
  // max_dec_frame_buffering
  reader.ue();
  return maxReorderFrames;
}
