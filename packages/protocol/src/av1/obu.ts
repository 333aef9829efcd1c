import { leb128, leb128Length } from './leb128.ts';

/** Types of an OBU (AV1 6.2.2). */
export const obuType = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
  tileList: 8,
  padding: 15,
} as const;

/** Bits of an OBU's first byte, `|F| type (4) |X|S|-|` (AV1 5.3.2). */
export const OBU_EXTENSION = 0x04;
export const OBU_HAS_SIZE = 0x02;

export const typeOf = (header: number) => (header >> 3) & 0x0f;

/** Most OBUs of one temporal unit: more than any encoder makes, little memory when an attacker does. */
export const MAX_OBUS = 4_096;

/** An OBU in a buffer: its one or two bytes of header at `start`, its payload from `payload` to `end`. */
export interface ObuRange {
  type: number;
  start: number;
  /** temporal_id and spatial_id as they lie in the extension byte; -1 without one. */
  layers: number;
  payload: number;
  end: number;
}

/**
 * The OBUs of a temporal unit in the low-overhead format (AV1 5.2): each has a size, which the last one may leave out. Undefined when
 * they do not fit or are more than MAX_OBUS.
 */
export function splitTemporalUnit(buffer: Buffer): ObuRange[] | undefined {
  const obus: ObuRange[] = [];
  for (let at = 0; at < buffer.length; ) {
    const obu = readObuRange(buffer, at);
    if (obu === undefined || obus.push(obu) > MAX_OBUS) return undefined;
    at = obu.end;
  }
  return obus;
}

function readObuRange(buffer: Buffer, start: number): ObuRange | undefined {
  const header = buffer[start]!;
  const extended = (header & OBU_EXTENSION) !== 0;
  const headerEnd = start + (extended ? 2 : 1);
  if (headerEnd > buffer.length) return undefined;
  const layers = extended ? buffer[start + 1]! & 0xf8 : -1;
  const type = typeOf(header);
  if ((header & OBU_HAS_SIZE) === 0) return { type, start, layers, payload: headerEnd, end: buffer.length };
  const sizeLength = leb128Length(buffer, headerEnd, buffer.length);
  const payload = headerEnd + sizeLength;
  const end = payload + leb128(buffer, headerEnd, sizeLength);
  return sizeLength > 0 && end <= buffer.length ? { type, start, layers, payload, end } : undefined;
}
