import type { PayloadFacts } from '../video/facts.ts';
import { readPictureId } from '../video/picture-id.ts';

/** Bytes of a key frame's header up to its size: frame tag, start code, width, height (RFC 6386 9.1). */
const KEY_FRAME_HEADER_LENGTH = 10;

/**
 * Reads the payload descriptor (RFC 7741 4.2) and the frame header behind it into cleared `facts`; false when it does not fit.
 *
 *        0 1 2 3 4 5 6 7
 *       |X|R|N|S|R| PID |
 *     X:|I|L|T|K|  RSV  |
 *     I:|M| PictureID   |   M: another byte follows
 *     L:|   TL0PICIDX   |
 *   T/K:|TID|Y| KEYIDX  |
 */
export function inspect(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  const first = buffer[offset]!;
  const payload = (first & 0x80) === 0 ? offset + 1 : readExtension(facts, buffer, offset + 1, end);
  if (payload < 0) return false;
  facts.payloadOffset = payload;
  facts.discardable = (first & 0x20) !== 0;
  facts.startsFrame = (first & 0x17) === 0x10;
  if (facts.startsFrame && payload < end && (buffer[payload]! & 0x01) === 0) {
    facts.keyFrame = true;
    readSize(facts, buffer, payload, end);
  }
  return true;
}

/** Returns the offset behind the descriptor, or -1. */
function readExtension(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): number {
  if (offset >= end) return -1;
  const flags = buffer[offset]!;
  let at = offset + 1;
  if (flags & 0x80) at = readPictureId(facts, buffer, at, end);
  if (at < 0) return -1;
  if (flags & 0x40) {
    if (at >= end) return -1;
    facts.tl0PicIdxOffset = at;
    facts.tl0PicIdx = buffer[at++]!;
  }
  if ((flags & 0x30) === 0) return at;
  if (at >= end) return -1;
  const byte = buffer[at++]!;
  if (flags & 0x20) {
    facts.temporalLayerOffset = at - 1;
    facts.temporalLayer = byte >> 6;
    facts.switchingPoint = byte >> 6 === 0 || (byte & 0x20) !== 0;
  }
  return at;
}

/** RFC 6386 9.1: frame tag (3 bytes), 9d 01 2a, then width and height, 14 bits each below 2 bits of scale, little-endian. */
function readSize(facts: PayloadFacts, buffer: Buffer, at: number, end: number): void {
  if (at + KEY_FRAME_HEADER_LENGTH > end) return;
  if (buffer[at + 3] !== 0x9d || buffer[at + 4] !== 0x01 || buffer[at + 5] !== 0x2a) return;
  const width = buffer[at + 6]! | ((buffer[at + 7]! & 0x3f) << 8);
  const height = buffer[at + 8]! | ((buffer[at + 9]! & 0x3f) << 8);
  if (width === 0 || height === 0) return;
  facts.width = width;
  facts.height = height;
}
