import { HEADER_LENGTH, type Packet } from './packet.ts';

/** URIs under which the header extensions of WebRTC are negotiated (RFC 8285 5). */
export const extensionUris = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  transportSequenceNumber: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  audioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  videoOrientation: 'urn:3gpp:video-orientation',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  dependencyDescriptor: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
} as const;

/** Where an extension element's value lies in the packet's buffer. */
export interface ExtensionRange {
  offset: number;
  length: number;
}

/** An element to write: local identifier 1 to 255, value 0 to 255 bytes. */
export interface ExtensionElement {
  id: number;
  value: Uint8Array;
}

const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;
const isTwoByte = (profile: number) => (profile & 0xfff0) === TWO_BYTE_PROFILE;

/** Finds an extension element in its one- or two-byte form (RFC 8285 4.2, 4.3). */
export function readExtension(packet: Packet, id: number): ExtensionRange | undefined {
  const header = findElement(packet, id);
  return header < 0 ? undefined : { offset: valueOffset(packet, header), length: valueLength(packet, header) };
}

/** A two-byte extension value, such as the transport-wide sequence number; allocates nothing. */
export function readExtensionUint16(packet: Packet, id: number): number | undefined {
  const header = findElement(packet, id);
  if (header < 0 || valueLength(packet, header) !== 2) return undefined;
  const at = valueOffset(packet, header);
  return (packet.buffer[at]! << 8) | packet.buffer[at + 1]!;
}

/** A three-byte extension value, such as abs-send-time: 6.18 bits of seconds; allocates nothing. */
export function readExtensionUint24(packet: Packet, id: number): number | undefined {
  const header = findElement(packet, id);
  if (header < 0 || valueLength(packet, header) !== 3) return undefined;
  const at = valueOffset(packet, header);
  return (packet.buffer[at]! << 16) | (packet.buffer[at + 1]! << 8) | packet.buffer[at + 2]!;
}

/**
 * The byte of a client-to-mixer audio level (RFC 6464 section 3): loudness in -dBov, 0 to 127, in its low 7 bits, voice activity in the
 * highest; -1 without. Allocates nothing.
 */
export function readAudioLevel(packet: Packet, id: number): number {
  const header = findElement(packet, id);
  return header < 0 || valueLength(packet, header) < 1 ? -1 : packet.buffer[valueOffset(packet, header)]!;
}

/** A text extension value, such as MID or RID (RFC 8843 15, RFC 8852 3). */
export function readExtensionText(packet: Packet, id: number): string | undefined {
  const range = readExtension(packet, id);
  return range && packet.buffer.toString('latin1', range.offset, range.offset + range.length);
}

const isOneByte = (packet: Packet) => packet.extensionProfile === ONE_BYTE_PROFILE;
const valueOffset = (packet: Packet, header: number) => header + (isOneByte(packet) ? 1 : 2);
const valueLength = ({ buffer, extensionProfile }: Packet, header: number) =>
  extensionProfile === ONE_BYTE_PROFILE ? (buffer[header]! & 0x0f) + 1 : buffer[header + 1]!;

/** Offset of the element's header byte, or -1. */
function findElement(packet: Packet, id: number): number {
  if (id < 1 || packet.extensionEnd === packet.extensionOffset) return -1;
  if (isOneByte(packet)) return findOneByte(packet, id);
  return isTwoByte(packet.extensionProfile) ? findTwoByte(packet, id) : -1;
}

/** RFC 8285 4.2: `|  ID   | len-1 |  value ...`, a zero byte is padding. */
function findOneByte({ buffer, extensionOffset, extensionEnd }: Packet, id: number): number {
  let at = extensionOffset;
  while (at < extensionEnd) {
    const byte = buffer[at]!;
    const element = byte >> 4;
    // ID 15 ends the list, and so does ID 0 with a length: only a byte of zero is padding.
    if (element === 15 || (element === 0 && byte !== 0)) return -1;
    const next = element === 0 ? at + 1 : at + 2 + (byte & 0x0f);
    if (element === id) return next <= extensionEnd ? at : -1;
    at = next;
  }
  return -1;
}

/** RFC 8285 4.3: `|      ID       |     length    |  value ...`, a zero ID is one byte of padding. */
function findTwoByte({ buffer, extensionOffset, extensionEnd }: Packet, id: number): number {
  let at = extensionOffset;
  while (at + 1 < extensionEnd) {
    const element = buffer[at]!;
    const next = element === 0 ? at + 1 : at + 2 + buffer[at + 1]!;
    if (element === id) return next <= extensionEnd ? at : -1;
    at = next;
  }
  return -1;
}

const fitsOneByte = ({ id, value }: ExtensionElement) => id < 15 && value.length >= 1 && value.length <= 16;

/**
 * Writes a header extension behind the 12-byte header in `target` and sets its X bit; returns the payload's offset.
 * The one-byte form is used when every element fits it (RFC 8285 4.2), else the two-byte form.
 */
export function writeExtensions(target: Buffer, elements: readonly ExtensionElement[]): number {
  const oneByte = elements.every(fitsOneByte);
  let at = HEADER_LENGTH + 4;
  for (const { id, value } of elements) {
    if (oneByte) target[at++] = (id << 4) | (value.length - 1);
    else {
      target[at++] = id;
      target[at++] = value.length;
    }
    target.set(value, at);
    at += value.length;
  }
  while (at % 4 !== 0) target[at++] = 0;
  target[0] = target[0]! | 0x10;
  target.writeUInt16BE(oneByte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE, HEADER_LENGTH);
  target.writeUInt16BE((at - HEADER_LENGTH - 4) / 4, HEADER_LENGTH + 2);
  return at;
}
