import { rtp } from '@footlights/protocol';
import { type Destination, HEADROOM, type OutgoingPacket } from './transport.ts';

const ONE_BYTE_PROFILE = 0xbede;
const WITHOUT_EXTENSION = HEADROOM - rtp.HEADER_LENGTH;

/**
 * Writes a destination's fields in front of the payload (RFC 3550 section 5.1, RFC 8285 section 4.2) and into it; returns where
 * in the buffer its packet begins.
 */
export function writeFields(packet: OutgoingPacket, fields: Destination): number {
  const { buffer } = packet;
  const start = fields.extensionId === 0 ? WITHOUT_EXTENSION : 0;
  const { sequenceNumber, timestamp, ssrc } = fields;
  buffer[start] = start === 0 ? 0x90 : 0x80;
  buffer[start + 1] = (packet.marker ? 0x80 : 0) | fields.payloadType;
  buffer[start + 2] = sequenceNumber >>> 8;
  buffer[start + 3] = sequenceNumber;
  buffer[start + 4] = timestamp >>> 24;
  buffer[start + 5] = timestamp >>> 16;
  buffer[start + 6] = timestamp >>> 8;
  buffer[start + 7] = timestamp;
  buffer[start + 8] = ssrc >>> 24;
  buffer[start + 9] = ssrc >>> 16;
  buffer[start + 10] = ssrc >>> 8;
  buffer[start + 11] = ssrc;
  if (start === 0) writeExtension(buffer, fields);
  if (packet.pictureIdBits !== 0 || packet.tl0PicIdxOffset !== 0) writePictureId(packet, fields);
  return start;
}

/** One element in one word: `| ID | length - 1 | value | padding |`. */
function writeExtension(buffer: Buffer, { extensionId, extensionBytes, extensionValue }: Destination): void {
  buffer[12] = ONE_BYTE_PROFILE >>> 8;
  buffer[13] = ONE_BYTE_PROFILE & 0xff;
  buffer[14] = 0;
  buffer[15] = 1;
  buffer[16] = (extensionId << 4) | (extensionBytes - 1);
  const value = extensionBytes === 2 ? extensionValue << 8 : extensionValue;
  buffer[17] = value >>> 16;
  buffer[18] = value >>> 8;
  buffer[19] = value;
}

function writePictureId(
  { buffer, pictureIdBits, pictureIdOffset, tl0PicIdxOffset, flatLayerOffset }: OutgoingPacket,
  fields: Destination,
) {
  const { pictureId } = fields;
  if (pictureIdBits === 7) buffer[pictureIdOffset] = pictureId & 0x7f;
  else if (pictureIdBits === 15) {
    buffer[pictureIdOffset] = 0x80 | (pictureId >>> 8);
    buffer[pictureIdOffset + 1] = pictureId;
  }
  if (tl0PicIdxOffset !== 0) buffer[tl0PicIdxOffset] = fields.tl0PicIdx;
  if (flatLayerOffset !== 0) buffer[flatLayerOffset]! &= 0x3f;
}
