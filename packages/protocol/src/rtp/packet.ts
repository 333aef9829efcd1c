/** A parsed RTP packet (RFC 3550 5.1). Nothing is copied: every offset points into `buffer`. */
export interface Packet {
  buffer: Buffer;
  marker: boolean;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
  /** First payload byte, behind the CSRC list and the header extension. */
  payloadOffset: number;
  /** One past the last payload byte; padding is already taken off. */
  payloadEnd: number;
  /** First byte of the header extension's data, behind its 4-byte header. */
  extensionOffset: number;
  /** One past the extension's data; equal to `extensionOffset` when there is none. */
  extensionEnd: number;
  /** 0 without an extension, 0xbede one-byte form, 0x100X two-byte form (RFC 8285 4.2, 4.3). */
  extensionProfile: number;
}

/** The header fields that a sender chooses. */
export interface HeaderFields {
  marker: boolean;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
}

/** Bytes of a header without CSRC list and extension. */
export const HEADER_LENGTH = 12 as const;

const EMPTY = Buffer.alloc(0);

/** A blank packet for `parseInto`. */
export function emptyPacket(): Packet {
  return {
    buffer: EMPTY,
    marker: false,
    payloadType: 0,
    sequenceNumber: 0,
    timestamp: 0,
    ssrc: 0,
    payloadOffset: 0,
    payloadEnd: 0,
    extensionOffset: 0,
    extensionEnd: 0,
    extensionProfile: 0,
  };
}

/** Parses one RTP packet (RFC 3550 5.1); undefined when its bytes contradict themselves. */
export function parse(buffer: Buffer): Packet | undefined {
  const packet = emptyPacket();
  return parseInto(packet, buffer) ? packet : undefined;
}

/**
 * `parse` into an object that the caller reuses. False leaves the object in an undefined state.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     |V=2|P|X|  CC   |M|     PT      |        sequence number        |
 *     |                           timestamp                           |
 *     |                             SSRC                              |
 *     |                       CSRC, CC times                          |
 *     |      extension profile        |   length in 32-bit words      |  when X
 */
export function parseInto(packet: Packet, buffer: Buffer): boolean {
  const length = buffer.length;
  if (length < HEADER_LENGTH) return false;
  const first = buffer[0]!;
  if (first >> 6 !== 2) return false;
  let offset = HEADER_LENGTH + (first & 0x0f) * 4;
  let extensionOffset = offset;
  let profile = 0;
  if (first & 0x10) {
    if (offset + 4 > length) return false;
    profile = (buffer[offset]! << 8) | buffer[offset + 1]!;
    extensionOffset = offset + 4;
    offset = extensionOffset + ((buffer[offset + 2]! << 8) | buffer[offset + 3]!) * 4;
  }
  if (offset > length) return false;
  let end = length;
  if (first & 0x20) {
    const padding = buffer[length - 1]!;
    if (padding === 0 || padding > length - offset) return false;
    end -= padding;
  }
  const second = buffer[1]!;
  packet.buffer = buffer;
  packet.marker = second >= 0x80;
  packet.payloadType = second & 0x7f;
  packet.sequenceNumber = (buffer[2]! << 8) | buffer[3]!;
  packet.timestamp = uint32(buffer, 4);
  packet.ssrc = uint32(buffer, 8);
  packet.payloadOffset = offset;
  packet.payloadEnd = end;
  packet.extensionOffset = extensionOffset;
  packet.extensionEnd = offset;
  packet.extensionProfile = profile;
  return true;
}

function uint32(buffer: Buffer, at: number): number {
  return ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0;
}

/** True for RTCP where RTP and RTCP share a port (RFC 5761 4). */
export function isRtcp(buffer: Buffer): boolean {
  if (buffer.length < 2) return false;
  const type = buffer[1]! & 0x7f;
  return type >= 64 && type < 96;
}

/** Writes a header without CSRC list and extension at the start of `target`; returns its length. */
export function writeHeader(target: Buffer, fields: HeaderFields): 12 {
  target[0] = 0x80;
  target[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f);
  target[2] = fields.sequenceNumber >>> 8;
  target[3] = fields.sequenceNumber;
  writeUint32(target, 4, fields.timestamp);
  writeUint32(target, 8, fields.ssrc);
  return HEADER_LENGTH;
}

function writeUint32(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}
