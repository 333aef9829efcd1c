/** A tag of an FLV file or of an RTMP aggregate message (FLV specification 10.1, E.4.1). */
export interface Tag {
  /** 8 audio, 9 video, 18 script data. */
  type: number;
  timestamp: number;
  /** A view. */
  data: Buffer;
}

/** `| type (8) | data size (24) | timestamp (24) | its high byte (8) | stream id (24) |`. */
const TAG_HEADER = 11;
/** The size of the tag before, again. */
const BACK_POINTER = 4;
const FLV_HEADER_END = 9;

/** All tags from `at` on; a string says what is wrong. The back pointer of the last one may be missing. */
export function parseTags(bytes: Buffer, from = 0): Tag[] | string {
  const tags: Tag[] = [];
  for (let at = from; at < bytes.length; ) {
    if (at + TAG_HEADER > bytes.length) return 'ends in a tag header';
    const end = at + TAG_HEADER + bytes.readUIntBE(at + 1, 3);
    if (end > bytes.length) return 'a tag runs past the end';
    const timestamp = bytes.readUIntBE(at + 4, 3) + bytes[at + 7]! * 0x1000000;
    tags.push({ type: bytes[at]! & 0x1f, timestamp, data: bytes.subarray(at + TAG_HEADER, end) });
    at = end + BACK_POINTER;
  }
  return tags;
}

/** The tags of a whole FLV file (FLV specification 10.1, E.2); a string says what is wrong. */
export function parseFile(bytes: Buffer): Tag[] | string {
  if (bytes.length < FLV_HEADER_END || bytes.toString('latin1', 0, 3) !== 'FLV') return 'not an FLV file';
  return parseTags(bytes, bytes.readUInt32BE(5) + BACK_POINTER);
}

/** Tags one after another, each with its back pointer, as an aggregate message has them. */
export function writeTags(tags: readonly Tag[]): Buffer {
  return Buffer.concat(
    tags.map(({ type, timestamp, data }) => {
      const tag = Buffer.alloc(TAG_HEADER + data.length + BACK_POINTER);
      tag.writeUIntBE(type * 0x1000000 + data.length, 0, 4);
      tag.writeUIntBE(timestamp % 0x1000000, 4, 3);
      tag[7] = Math.floor(timestamp / 0x1000000);
      data.copy(tag, TAG_HEADER);
      tag.writeUInt32BE(TAG_HEADER + data.length, TAG_HEADER + data.length);
      return tag;
    }),
  );
}
