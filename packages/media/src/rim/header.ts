import type { Destination } from './transport.ts';

/** Writes a destination's fields over a header without CSRC list and extension (RFC 3550 section 5.1). */
export function patchHeader(packet: Buffer, fields: Destination): void {
  const { sequenceNumber, timestamp, ssrc } = fields;
  packet[0] = 0x80;
  packet[1] = ((packet[1] ?? 0) & 0x80) | fields.payloadType;
  packet[2] = sequenceNumber >>> 8;
  packet[3] = sequenceNumber;
  packet[4] = timestamp >>> 24;
  packet[5] = timestamp >>> 16;
  packet[6] = timestamp >>> 8;
  packet[7] = timestamp;
  packet[8] = ssrc >>> 24;
  packet[9] = ssrc >>> 16;
  packet[10] = ssrc >>> 8;
  packet[11] = ssrc;
}
