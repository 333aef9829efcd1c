import { type HeaderFields, type Packet, writeHeader } from './packet.ts';

/** Bytes that a retransmission adds: the original sequence number (OSN). */
export const OSN_LENGTH = 2;

/** The OSN of a retransmission (RFC 4588 4); undefined for a padding-only probe, which carries none. */
export function originalSequenceNumber(packet: Packet): number | undefined {
  const { buffer, payloadOffset, payloadEnd } = packet;
  if (payloadEnd - payloadOffset < OSN_LENGTH) return undefined;
  return (buffer[payloadOffset]! << 8) | buffer[payloadOffset + 1]!;
}

/**
 * Turns the parsed facts of a retransmission into those of the packet that it repeats; the bytes stay as they are.
 * False, and nothing is changed, when it carries no packet.
 */
export function restore(packet: Packet, original: { payloadType: number; ssrc: number }): boolean {
  const sequenceNumber = originalSequenceNumber(packet);
  if (sequenceNumber === undefined) return false;
  packet.sequenceNumber = sequenceNumber;
  packet.payloadType = original.payloadType;
  packet.ssrc = original.ssrc;
  packet.payloadOffset += OSN_LENGTH;
  return true;
}

/** Writes a retransmission without header extension (`| RTP header | OSN | payload |`); returns its length. */
export function write(
  target: Buffer,
  header: HeaderFields,
  originalSequenceNumber: number,
  source: Buffer,
  payloadOffset: number,
  payloadEnd: number,
): number {
  const at = writeHeader(target, header);
  target[at] = originalSequenceNumber >>> 8;
  target[at + 1] = originalSequenceNumber;
  source.copy(target, at + OSN_LENGTH, payloadOffset, payloadEnd);
  return at + OSN_LENGTH + payloadEnd - payloadOffset;
}
