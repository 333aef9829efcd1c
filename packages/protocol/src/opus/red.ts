/** Bits of a block header's first byte: another block follows; its payload type. */
const F = 0x80;
const PAYLOAD_TYPE = 0x7f;
const BLOCK_HEADER_LENGTH = 4;

/**
 * Offset of the primary encoding in a payload of redundant audio (RFC 2198 3), which goes on to `end`; -1 when headers or blocks do not
 * fit or nothing is left for it. Allocates nothing.
 *
 *       |1| block PT (7) | timestamp offset (14) | block length (10) |   for each redundant block, the oldest first
 *       |0| block PT (7) |                                               of the primary encoding
 *       the blocks in the same order
 */
export function primary(buffer: Buffer, offset: number, end: number): number {
  if (end > buffer.length) return -1;
  let at = offset;
  let redundant = 0;
  while (at < end && (buffer[at]! & F) !== 0) {
    if (at + BLOCK_HEADER_LENGTH >= end) return -1;
    redundant += ((buffer[at + 2]! & 0x03) << 8) | buffer[at + 3]!;
    at += BLOCK_HEADER_LENGTH;
  }
  const start = at + 1 + redundant;
  return start < end ? start : -1;
}

/** The payload type of the primary encoding; -1 when the payload is wrong. */
export function primaryPayloadType(buffer: Buffer, offset: number, end: number): number {
  if (primary(buffer, offset, end) < 0) return -1;
  let at = offset;
  while ((buffer[at]! & F) !== 0) at += BLOCK_HEADER_LENGTH;
  return buffer[at]! & PAYLOAD_TYPE;
}

/** True when every block fits and a primary encoding is there. */
export function isValid(buffer: Buffer, offset: number, end: number): boolean {
  return primary(buffer, offset, end) >= 0;
}
