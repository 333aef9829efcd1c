import type { PayloadFacts } from '../video/facts.ts';
import { readPictureId } from '../video/picture-id.ts';
import { readFrameHeader } from './frame-header.ts';
import { readScalabilityStructure } from './scalability-structure.ts';

/** Bits of the first byte (RFC 9628 4.2). */
const I = 0x80;
const P = 0x40;
const L = 0x20;
const F = 0x10;
const B = 0x08;
const V = 0x02;

/** Most reference indices of a picture in flexible mode. */
const MAX_REFERENCES = 3;

/**
 * Reads the payload descriptor (RFC 9628 4.2) and the frame header behind it into cleared `facts`; false when it does not fit.
 *
 *        0 1 2 3 4 5 6 7
 *       |I|P|L|F|B|E|V|Z|
 *     I:|M| PICTURE ID  |   M: another byte follows
 *     L:| TID |U| SID |D|
 *       |   TL0PICIDX   |   not in flexible mode
 *   P,F:|   P_DIFF    |N|   flexible mode; N: another follows
 *     V:|      SS       |
 */
export function inspect(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  const flags = buffer[offset]!;
  let at = offset + 1;
  if (flags & I) at = readPictureId(facts, buffer, at, end);
  if (at >= 0 && flags & L) at = readLayers(facts, buffer, at, end, (flags & F) !== 0);
  if (at >= 0 && (flags & (F | P)) === (F | P)) at = skipReferences(buffer, at, end);
  if (at >= 0 && flags & V) at = readScalabilityStructure(facts, buffer, at, end);
  if (at < 0) return false;
  facts.payloadOffset = at;
  facts.startsFrame = (flags & B) !== 0 && facts.spatialLayer === 0;
  if (facts.startsFrame && (flags & P) === 0) {
    const key = readFrameHeader(facts, buffer, at, end);
    // Senders of the bare descriptor (FFmpeg) leave P 0 in every frame; others may have encrypted what is behind it.
    facts.keyFrame = key || (flags & (I | L)) !== 0;
  }
  return true;
}

/** Returns the offset behind layer indices and TL0PICIDX, or -1. */
function readLayers(facts: PayloadFacts, buffer: Buffer, at: number, end: number, flexible: boolean): number {
  const next = flexible ? at + 1 : at + 2;
  if (next > end) return -1;
  const byte = buffer[at]!;
  facts.temporalLayer = byte >> 5;
  facts.switchingPoint = byte >> 5 === 0 || (byte & 0x10) !== 0;
  facts.spatialLayer = (byte >> 1) & 0x07;
  if (!flexible) {
    facts.tl0PicIdxOffset = at + 1;
    facts.tl0PicIdx = buffer[at + 1]!;
  }
  return next;
}

/** Returns the offset behind the reference indices, or -1. */
function skipReferences(buffer: Buffer, offset: number, end: number): number {
  for (let at = offset; at < end && at < offset + MAX_REFERENCES; at++) {
    if ((buffer[at]! & 0x01) === 0) return at + 1;
  }
  return -1;
}
