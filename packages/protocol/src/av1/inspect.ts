import type { PayloadFacts } from '../video/facts.ts';
import { leb128, leb128Length } from './leb128.ts';
import { OBU_EXTENSION, OBU_HAS_SIZE, obuType, typeOf } from './obu.ts';
import { readSequenceHeader, type SequenceHeader } from './sequence-header.ts';

/** Bits of the aggregation header. */
const Z = 0x80;
const N = 0x08;

const sequence: SequenceHeader = { profile: 0, width: 0, height: 0 };

/**
 * Reads the aggregation header and the OBUs that begin in this packet (RTP Payload Format For AV1, 4.4 and 4.5) into cleared
 * `facts`; false when an element does not fit.
 *
 *       |Z|Y| W |N|-|-|-|   Z: goes on from the last packet; Y: goes on in the next; W: number of elements; N: new sequence
 *       | size (leb128) |   of each element; not of the last one when W is not 0
 *       |  OBU element  |
 */
export function inspect(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  const aggregation = buffer[offset]!;
  const count = (aggregation >> 4) & 0x03;
  const continued = (aggregation & Z) !== 0;
  facts.payloadOffset = offset + 1;
  facts.keyFrame = (aggregation & N) !== 0 && !continued;
  facts.temporalLayer = -1;
  facts.spatialLayer = -1;
  let at = offset + 1;
  let index = 0;
  for (; at < end; index++) {
    const last = index + 1 === count;
    const sizeLength = last ? 0 : leb128Length(buffer, at, end);
    if (!last && sizeLength === 0) return false;
    const start = at + sizeLength;
    at = last ? end : start + leb128(buffer, at, sizeLength);
    if (at > end) return false;
    if (at > start && (index > 0 || !continued)) readObu(facts, buffer, start, at);
  }
  settleLayers(facts, continued);
  return index > 0 && (count === 0 || index === count);
}

function readObu(facts: PayloadFacts, buffer: Buffer, start: number, end: number): void {
  const type = typeOf(buffer[start]!);
  if (type === obuType.sequenceHeader) {
    facts.startsFrame = true;
    readSequence(facts, buffer, start, end);
  } else if (type === obuType.temporalDelimiter) facts.startsFrame = true;
  else {
    if (type === obuType.frame || type === obuType.frameHeader) facts.startsFrame = true;
    if (type !== obuType.padding) readLayers(facts, buffer, start, end);
  }
}

/** `|temporal_id (3)|spatial_id (2)|-|-|-|` behind the OBU's first byte (AV1 5.3.3). The first OBU of a frame tells. */
function readLayers(facts: PayloadFacts, buffer: Buffer, start: number, end: number): void {
  if (facts.temporalLayer >= 0) return;
  const extended = (buffer[start]! & OBU_EXTENSION) !== 0;
  if (extended && start + 1 >= end) return;
  facts.temporalLayer = extended ? buffer[start + 1]! >> 5 : 0;
  facts.spatialLayer = extended ? (buffer[start + 1]! >> 3) & 0x03 : 0;
}

/** A sequence header comes with a key frame, and has its size unless it is cut by the packet's end. */
function readSequence(facts: PayloadFacts, buffer: Buffer, start: number, end: number): void {
  facts.keyFrame = true;
  const header = buffer[start]!;
  let at = start + (header & OBU_EXTENSION ? 2 : 1);
  if (header & OBU_HAS_SIZE) at += leb128Length(buffer, at, end);
  if (at >= end || !readSequenceHeader(sequence, buffer, at, end)) return;
  facts.width = sequence.width;
  facts.height = sequence.height;
}

/** Headers without a frame behind them in this packet go before a frame of the lowest layers. */
function settleLayers(facts: PayloadFacts, continued: boolean): void {
  if (facts.startsFrame && facts.temporalLayer < 0) {
    facts.temporalLayer = 0;
    facts.spatialLayer = 0;
  }
  facts.startsFrame = facts.startsFrame && facts.spatialLayer === 0 && !continued;
  facts.switchingPoint = facts.temporalLayer === 0;
}
