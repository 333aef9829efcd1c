/** Longest packet (RFC 6716 3.4, R5). */
const MAX_DURATION_MS = 120;
/** libopus sends no more than this for silence: a TOC byte and at most one of its frame. */
const MAX_DTX_LENGTH = 2;

/** Milliseconds of a frame by the two low bits of the configuration (RFC 6716 table 2). */
const SILK = [10, 20, 40, 60] as const;
const HYBRID = [10, 20, 10, 20] as const;
const CELT = [2.5, 5, 10, 20] as const;
const FIRST_HYBRID = 12;
const FIRST_CELT = 16;

/**
 * Milliseconds of sound in an Opus packet (RFC 6716 3.1); 0 when it is empty, has no frames, or is longer than 120 ms.
 *
 *       | config (5) |s| c (2) |   c: one frame, two of one size, two, or a count behind it
 *       |v|p|   M (6)          |   M: that count
 */
export function durationMs(buffer: Buffer, offset: number, end: number): number {
  if (offset >= end || end > buffer.length) return 0;
  const duration = frameMs(buffer[offset]! >> 3) * frameCount(buffer, offset, end);
  return duration <= MAX_DURATION_MS ? duration : 0;
}

function frameMs(config: number): number {
  const durations = config < FIRST_HYBRID ? SILK : config < FIRST_CELT ? HYBRID : CELT;
  return durations[config & 0x03]!;
}

function frameCount(buffer: Buffer, offset: number, end: number): number {
  const code = buffer[offset]! & 0x03;
  if (code < 3) return code === 0 ? 1 : 2;
  return offset + 1 < end ? buffer[offset + 1]! & 0x3f : 0;
}

/** True when the packet's frames have two channels (RFC 6716 3.1). */
export function isStereo(buffer: Buffer, offset: number, end: number): boolean {
  return offset < end && end <= buffer.length && (buffer[offset]! & 0x04) !== 0;
}

/** True for a packet of discontinuous transmission: it keeps the stream alive in silence. */
export function isDtx(offset: number, end: number): boolean {
  return end > offset && end - offset <= MAX_DTX_LENGTH;
}
