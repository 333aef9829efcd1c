/** The payload descriptor of VP8 (RFC 7741 4.2). Offsets point into the buffer it was read from. */
export interface Descriptor {
  /** N: the frame can be dropped without harm to others. */
  nonReference: boolean;
  /** S: the payload starts a partition. */
  startOfPartition: boolean;
  /** PID. */
  partition: number;
  /** 7 or 15 bits. */
  pictureId?: number;
  /** 0 without a picture id. */
  pictureIdBits: 0 | 7 | 15;
  /** 0 without a picture id. */
  pictureIdOffset: number;
  /** Index of temporal layer 0's frames, 8 bits. */
  tl0PicIdx?: number;
  /** 0 without a TL0PICIDX. */
  tl0PicIdxOffset: number;
  /** TID. */
  temporalLayer?: number;
  /** Y: depends on layer 0 alone. */
  layerSync?: boolean;
  keyIndex?: number;
  /** First byte of the VP8 payload header. */
  payloadOffset: number;
}

/**
 * Parses the descriptor at `offset` (RFC 7741 4.2); undefined when it does not fit before `end`.
 *
 *        0 1 2 3 4 5 6 7
 *       |X|R|N|S|R| PID |
 *     X:|I|L|T|K|  RSV  |
 *     I:|M| PictureID   |   M: another byte follows
 *     L:|   TL0PICIDX   |
 *   T/K:|TID|Y| KEYIDX  |
 */
export function parseDescriptor(buffer: Buffer, offset: number, end: number): Descriptor | undefined {
  if (offset >= end || end > buffer.length) return undefined;
  const first = buffer[offset]!;
  const descriptor: Descriptor = {
    nonReference: (first & 0x20) !== 0,
    startOfPartition: (first & 0x10) !== 0,
    partition: first & 0x07,
    pictureIdBits: 0,
    pictureIdOffset: 0,
    tl0PicIdxOffset: 0,
    payloadOffset: offset + 1,
  };
  if (first & 0x80 && !parseExtension(descriptor, buffer, end)) return undefined;
  return descriptor;
}

function parseExtension(descriptor: Descriptor, buffer: Buffer, end: number): boolean {
  let at = descriptor.payloadOffset;
  if (at >= end) return false;
  const flags = buffer[at++]!;
  if (flags & 0x80) {
    if (at >= end) return false;
    at = parsePictureId(descriptor, buffer, at);
    if (at > end) return false;
  }
  if (flags & 0x40) {
    if (at >= end) return false;
    descriptor.tl0PicIdxOffset = at;
    descriptor.tl0PicIdx = buffer[at++]!;
  }
  if (flags & 0x30) {
    if (at >= end) return false;
    const byte = buffer[at++]!;
    if (flags & 0x20) {
      descriptor.temporalLayer = byte >> 6;
      descriptor.layerSync = (byte & 0x20) !== 0;
    }
    if (flags & 0x10) descriptor.keyIndex = byte & 0x1f;
  }
  descriptor.payloadOffset = at;
  return true;
}

/** Returns the offset behind the picture id, which may lie past the payload's end. */
function parsePictureId(descriptor: Descriptor, buffer: Buffer, at: number): number {
  const byte = buffer[at]!;
  const long = (byte & 0x80) !== 0;
  descriptor.pictureIdOffset = at;
  descriptor.pictureIdBits = long ? 15 : 7;
  descriptor.pictureId = long ? ((byte & 0x7f) << 8) | (buffer[at + 1] ?? 0) : byte;
  return at + (long ? 2 : 1);
}

/** True when an RTP payload holds the start of a key frame: the first partition, P bit 0 (RFC 7741 4.3). */
export function isKeyFrame(buffer: Buffer, offset: number, end: number): boolean {
  const descriptor = parseDescriptor(buffer, offset, end);
  if (descriptor === undefined || !descriptor.startOfPartition || descriptor.partition !== 0) return false;
  return descriptor.payloadOffset < end && (buffer[descriptor.payloadOffset]! & 0x01) === 0;
}

/**
 * Overwrites PictureID and TL0PICIDX in place where the descriptor has them, each cut to its width. `shift` is the
 * distance from the buffer that the descriptor was read from to `target`.
 */
export function rewritePictureId(
  target: Buffer,
  descriptor: Descriptor,
  values: { pictureId: number; tl0PicIdx: number },
  shift = 0,
): void {
  const at = descriptor.pictureIdOffset + shift;
  if (descriptor.pictureIdBits === 7) target[at] = values.pictureId & 0x7f;
  else if (descriptor.pictureIdBits === 15) {
    target[at] = 0x80 | ((values.pictureId >>> 8) & 0x7f);
    target[at + 1] = values.pictureId;
  }
  if (descriptor.tl0PicIdx !== undefined) target[descriptor.tl0PicIdxOffset + shift] = values.tl0PicIdx;
}
