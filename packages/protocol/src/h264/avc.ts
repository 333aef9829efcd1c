import { parseSps } from './sps.ts';

/** Most NAL units of one access unit or configuration: more than any encoder makes, little memory when an attacker does. */
export const MAX_NAL_UNITS = 4_096;

/** By lengthSizeMinusOne; there is none of 3 bytes. */
const lengthSizes = [1, 2, undefined, 4] as const;
const START_CODE = Buffer.from([0, 0, 1]);
/** `|version|profile|constraints|level|-, lengthSizeMinusOne|-, number of SPS|` */
const CONFIGURATION_HEADER_LENGTH = 6;

/** AVCDecoderConfigurationRecord, "avcC" (ISO/IEC 14496-15 5.3.3.1). */
export interface AvcDecoderConfiguration {
  profileIdc: number;
  /** constraint_set0_flag is bit 7. */
  constraintFlags: number;
  levelIdc: number;
  /** Bytes of the size before each NAL unit: 1, 2 or 4. */
  lengthSize: 1 | 2 | 4;
  /** NAL units, views of the input. */
  sps: Buffer[];
  pps: Buffer[];
}

/** Undefined when the record is of another version, cut, or wrong. What follows the PPS (high profiles) is not needed. */
export function parseAvcDecoderConfiguration(buffer: Buffer): AvcDecoderConfiguration | undefined {
  if (buffer.length <= CONFIGURATION_HEADER_LENGTH || buffer[0] !== 1) return undefined;
  const lengthSize = lengthSizes[buffer[4]! & 0x03];
  if (lengthSize === undefined) return undefined;
  const sps: Buffer[] = [];
  const pps: Buffer[] = [];
  const behindSps = readParameterSets(sps, buffer, CONFIGURATION_HEADER_LENGTH, buffer[5]! & 0x1f);
  if (behindSps < 0 || behindSps >= buffer.length) return undefined;
  if (readParameterSets(pps, buffer, behindSps + 1, buffer[behindSps]!) < 0) return undefined;
  return { profileIdc: buffer[1]!, constraintFlags: buffer[2]!, levelIdc: buffer[3]!, lengthSize, sps, pps };
}

/** `| size (16) | NAL unit |`, `count` times; returns the offset behind them, or -1. */
function readParameterSets(sets: Buffer[], buffer: Buffer, offset: number, count: number): number {
  let at = offset;
  for (let index = 0; index < count; index++) {
    if (at + 2 > buffer.length) return -1;
    const next = at + 2 + buffer.readUInt16BE(at);
    if (next === at + 2 || next > buffer.length) return -1;
    sets.push(buffer.subarray(at + 2, next));
    at = next;
  }
  return at;
}

/**
 * The NAL units of `| size | NAL unit |` repeated (ISO/IEC 14496-15 4.3.3), views of the input; empty ones are left out.
 * Undefined when a size points outside or there are more than MAX_NAL_UNITS.
 */
export function splitAvcc(buffer: Buffer, lengthSize: 1 | 2 | 4): Buffer[] | undefined {
  const units: Buffer[] = [];
  let at = 0;
  while (at < buffer.length) {
    if (at + lengthSize > buffer.length) return undefined;
    const start = at + lengthSize;
    at = start + buffer.readUIntBE(at, lengthSize);
    if (at > buffer.length) return undefined;
    if (at > start && units.push(buffer.subarray(start, at)) > MAX_NAL_UNITS) return undefined;
  }
  return units;
}

/**
 * The NAL units of a byte stream with start codes (H.264 annex B), views of the input. Undefined when it does not begin with a
 * start code or there are more than MAX_NAL_UNITS.
 */
export function splitAnnexB(buffer: Buffer): Buffer[] | undefined {
  const units: Buffer[] = [];
  let code = buffer.indexOf(START_CODE);
  if (code < 0 || !isZero(buffer, 0, code)) return buffer.length === 0 ? units : undefined;
  while (code >= 0) {
    const start = code + START_CODE.length;
    code = buffer.indexOf(START_CODE, start);
    const end = withoutZeros(buffer, start, code < 0 ? buffer.length : code);
    if (end > start && units.push(buffer.subarray(start, end)) > MAX_NAL_UNITS) return undefined;
  }
  return units;
}

function isZero(buffer: Buffer, offset: number, end: number): boolean {
  for (let at = offset; at < end; at++) if (buffer[at] !== 0) return false;
  return true;
}

/** A NAL unit never ends with a zero: those before the next start code are filling (trailing_zero_8bits). */
function withoutZeros(buffer: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && buffer[at - 1] === 0) at--;
  return at;
}

/** Profiles whose record goes on behind the PPS (ISO/IEC 14496-15 5.3.3.1.2). */
const EXTENDED_PROFILES = new Set([100, 110, 122, 144]);

/** The record of one SPS and one PPS, with sizes of 4 bytes; undefined when the SPS is wrong or one of them is too long. */
export function writeAvcDecoderConfiguration(sps: Buffer, pps: Buffer): Buffer | undefined {
  const parsed = sps.length > 3 ? parseSps(sps) : undefined;
  if (!parsed || pps.length === 0 || sps.length > 0xffff || pps.length > 0xffff) return undefined;
  const { profileIdc, levelIdc, chromaFormatIdc, bitDepthLuma } = parsed;
  const size = (set: Buffer) => Buffer.from([set.length >> 8, set.length & 0xff]);
  const depth = 0xf8 | (bitDepthLuma - 8);
  const extension = EXTENDED_PROFILES.has(profileIdc) ? [0xfc | chromaFormatIdc, depth, depth, 0] : [];
  return Buffer.concat([
    Buffer.from([1, profileIdc, sps[2]!, levelIdc, 0xff, 0xe1]),
    size(sps),
    sps,
    Buffer.from([1]),
    size(pps),
    pps,
    Buffer.from(extension),
  ]);
}

/** `| size (32) | NAL unit |` for each: an access unit as MP4 has it. */
export function writeAvcc(units: readonly Buffer[]): Buffer {
  return prefixed(units, (unit) => {
    const size = Buffer.allocUnsafe(4);
    size.writeUInt32BE(unit.length);
    return size;
  });
}

const LONG_START_CODE = Buffer.from([0, 0, 0, 1]);

/** The units behind start codes (H.264 annex B): an access unit as a byte stream has it. */
export function writeAnnexB(units: readonly Buffer[]): Buffer {
  return prefixed(units, () => LONG_START_CODE);
}

function prefixed(units: readonly Buffer[], prefix: (unit: Buffer) => Buffer): Buffer {
  return Buffer.concat(units.flatMap((unit) => [prefix(unit), unit]));
}
