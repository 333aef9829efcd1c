import { BitReader } from '../bits.ts';
import { nalType, TYPE } from './nal.ts';
import { readVui } from './vui.ts';

/** A sequence parameter set (H.264 7.3.2.1.1). */
export interface Sps {
  profileIdc: number;
  /** constraint_set0_flag is bit 7, constraint_set5_flag bit 2. */
  constraintFlags: number;
  /** Ten times the level, as 31 for 3.1. */
  levelIdc: number;
  /** 0 to 31. */
  id: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  chromaFormatIdc: number;
  bitDepthLuma: number;
  /** False when fields or macroblock pairs of fields may come: interlaced. */
  frameMbsOnly: boolean;
  /** Size of the picture in pixels, cropping applied. */
  width: number;
  height: number;
  /** Frames a second by the VUI's timing; 0 when it has none. */
  framesPerSecond: number;
  /** Frames that can come before a frame that is shown earlier: above 0 with B-frames; -1 when the VUI does not tell. */
  maxReorderFrames: number;
}

/** Profiles whose parameter sets have chroma format, bit depth and scaling matrices. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** Widest and highest picture in macroblocks: the square root of eight times level 6.2's MaxFS (H.264 A.3.1). */
const MAX_SIDE = 1055;
const MAX_SPS_ID = 31;

const reader = new BitReader();

/** An SPS to be filled by `readSps`. */
export function emptySps(): Sps {
  return {
    profileIdc: 0,
    constraintFlags: 0,
    levelIdc: 0,
    id: 0,
    chromaFormatIdc: 1,
    bitDepthLuma: 8,
    frameMbsOnly: true,
    width: 0,
    height: 0,
    framesPerSecond: 0,
    maxReorderFrames: -1,
  };
}

/** The SPS of a NAL unit, its first byte included; undefined when it is none or is wrong. */
export function parseSps(nal: Buffer): Sps | undefined {
  const sps = emptySps();
  return nal.length > 0 && (nal[0]! & TYPE) === nalType.sps && readSps(sps, nal, 1, nal.length) ? sps : undefined;
}

/** Reads the SPS at `offset`, behind the NAL unit's first byte, into `sps`; false when it is wrong. Allocates nothing. */
export function readSps(sps: Sps, buffer: Buffer, offset: number, end: number): boolean {
  reader.reset(buffer, offset, end, true);
  sps.profileIdc = reader.bits(8);
  sps.constraintFlags = reader.bits(8);
  sps.levelIdc = reader.bits(8);
  sps.id = reader.ue();
  if (sps.id > MAX_SPS_ID) return false;
  const separatePlanes = readChroma(sps);
  // log2_max_frame_num_minus4
  reader.ue();
  skipPictureOrder();
  // max_num_ref_frames, gaps_in_frame_num_value_allowed_flag
  reader.ue();
  reader.bits(1);
  if (!readSize(sps, separatePlanes)) return false;
  sps.framesPerSecond = 0;
  sps.maxReorderFrames = -1;
  if (reader.flag() && !reader.overrun) readVui(sps, reader);
  return true;
}

/** Chroma format, bit depth and scaling matrices of the high profiles; true when the colour planes are coded apart. */
function readChroma(sps: Sps): boolean {
  sps.chromaFormatIdc = 1;
  sps.bitDepthLuma = 8;
  if (!HIGH_PROFILES.has(sps.profileIdc)) return false;
  sps.chromaFormatIdc = reader.ue();
  const separatePlanes = sps.chromaFormatIdc === 3 && reader.flag();
  sps.bitDepthLuma = reader.ue() + 8;
  // bit_depth_chroma_minus8, qpprime_y_zero_transform_bypass_flag
  reader.ue();
  reader.bits(1);
  if (reader.flag()) skipScalingMatrices(sps.chromaFormatIdc === 3 ? 12 : 8);
  return separatePlanes;
}

/** Six lists of 4 x 4, then those of 8 x 8. */
function skipScalingMatrices(count: number): void {
  for (let index = 0; index < count; index++) {
    if (reader.flag()) skipScalingList(index < 6 ? 16 : 64);
  }
}

/** scaling_list (H.264 7.3.2.1.1.1): a scale of 0 ends the list early. */
function skipScalingList(size: number): void {
  let scale = 8;
  for (let index = 0; index < size; index++) {
    scale = (scale + reader.se()) & 0xff;
    if (scale === 0 || reader.overrun) return;
  }
}

function skipPictureOrder(): void {
  const type = reader.ue();
  // log2_max_pic_order_cnt_lsb_minus4
  if (type === 0) reader.ue();
  if (type !== 1) return;
  reader.bits(1);
  reader.se();
  reader.se();
  const count = reader.ue();
  for (let index = 0; index < count && !reader.overrun; index++) reader.se();
}

/** Size in macroblocks, less the cropping (H.264 7.4.2.1.1). */
function readSize(sps: Sps, separatePlanes: boolean): boolean {
  const columns = reader.ue() + 1;
  const mapUnits = reader.ue() + 1;
  sps.frameMbsOnly = reader.flag();
  if (!sps.frameMbsOnly) reader.bits(1);
  // direct_8x8_inference_flag
  reader.bits(1);
  const fields = sps.frameMbsOnly ? 1 : 2;
  const rows = mapUnits * fields;
  if (reader.overrun || columns > MAX_SIDE || rows > MAX_SIDE || sps.chromaFormatIdc > 3) return false;
  sps.width = columns * 16;
  sps.height = rows * 16;
  if (reader.flag()) crop(sps, separatePlanes ? 0 : sps.chromaFormatIdc, fields);
  return !reader.overrun && sps.width > 0 && sps.height > 0;
}

function crop(sps: Sps, chromaArrayType: number, fields: number): void {
  const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
  const unitY = (chromaArrayType === 1 ? 2 : 1) * fields;
  sps.width -= unitX * (reader.ue() + reader.ue());
  sps.height -= unitY * (reader.ue() + reader.ue());
}
