import type { PayloadFacts } from '../video/facts.ts';

/**
 * Reads the scalability structure (RFC 9628 4.2.1) for the size of its largest layer; returns the offset behind it, or -1.
 *
 *       | N_S |Y|G|-|-|-|
 *     Y:| WIDTH | HEIGHT|   16 bits each, N_S + 1 times
 *     G:|      N_G      |
 *       | TID |U| R |-|-|   N_G times, each followed by
 *       |    P_DIFF     |   R of these
 */
export function readScalabilityStructure(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): number {
  if (offset >= end) return -1;
  const first = buffer[offset]!;
  let at = offset + 1;
  if (first & 0x10) {
    const behind = at + 4 * ((first >> 5) + 1);
    if (behind > end) return -1;
    for (; at < behind; at += 4) readLayerSize(facts, buffer, at);
  }
  return first & 0x08 ? skipPictureGroup(buffer, at, end) : at;
}

function readLayerSize(facts: PayloadFacts, buffer: Buffer, at: number): void {
  const width = (buffer[at]! << 8) | buffer[at + 1]!;
  const height = (buffer[at + 2]! << 8) | buffer[at + 3]!;
  if (width * height <= facts.width * facts.height) return;
  facts.width = width;
  facts.height = height;
}

function skipPictureGroup(buffer: Buffer, offset: number, end: number): number {
  if (offset >= end) return -1;
  let at = offset + 1;
  for (let pictures = buffer[offset]!; pictures > 0; pictures--) {
    if (at >= end) return -1;
    at += 1 + ((buffer[at]! >> 2) & 0x03);
  }
  return at <= end ? at : -1;
}
