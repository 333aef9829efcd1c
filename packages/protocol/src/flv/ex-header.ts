import { readFourCc } from './codecs.ts';

/** Where the parse of an enhanced tag (Enhanced RTMP v2) stands once its modifiers are read. */
export interface ExHeader {
  packetType: number;
  /** Nanoseconds, 0 to 999,999, to add to the message's timestamp. */
  nanoOffset: number;
  /** First byte behind the header. */
  at: number;
}

/** One track's part of an enhanced tag. */
export interface ExTrack {
  packetType: number;
  track: number;
  /** Empty when the message says none. */
  fourCc: string;
  nanoOffset: number;
  start: number;
  end: number;
}

/** Modifiers in a row that are read; the specification has one kind. */
export const MAX_MODIFIERS = 8;
/** Tracks of one message. */
export const MAX_TRACKS = 32;

const MOD_EX = 7;
const MAX_NANO_OFFSET = 999_999;

/** AvMultitrackType. */
const MULTITRACK = { oneTrack: 0, manyTracks: 1, manyTracksManyCodecs: 2 } as const;

/**
 * `| packet type, low 4 bits |`, or, in its place, modifiers: `| data size - 1 (8), 255: 16 more bits | data | modifier (4) | packet type (4) |`.
 * A string says what is wrong.
 */
export function readExHeader(bytes: Buffer): ExHeader | string {
  let packetType = bytes[0]! & 0x0f;
  let nanoOffset = 0;
  let at = 1;
  for (let count = 0; packetType === MOD_EX; count++) {
    if (count === MAX_MODIFIERS) return `more than ${MAX_MODIFIERS} modifiers`;
    if (at + 3 > bytes.length) return 'ends in a modifier';
    let size = bytes[at]! + 1;
    at += 1;
    if (size === 256) {
      size = bytes.readUInt16BE(at) + 1;
      at += 2;
    }
    const next = bytes[at + size];
    if (next === undefined) return 'ends in a modifier';
    if (next >> 4 === 0 && size >= 3) nanoOffset = Math.min(bytes.readUIntBE(at, 3), MAX_NANO_OFFSET);
    packetType = next & 0x0f;
    at += size + 1;
  }
  return { packetType, nanoOffset, at };
}

/**
 * The tracks behind a header: one, or those of a multitrack message,
 * `| multitrack type (4) | packet type (4) | FourCC unless each has its own |`, then of each track
 * `| FourCC if each has its own | track id (8) | size (24) unless it is the only one | data |`. A string says what is wrong.
 */
export function readTracks(bytes: Buffer, header: ExHeader, multitrackType: number): ExTrack[] | string {
  const { packetType, nanoOffset, at } = header;
  if (packetType !== multitrackType) {
    if (at + 4 > bytes.length) return 'ends in its FourCC';
    const fourCc = readFourCc(bytes, at);
    return [{ packetType, track: 0, fourCc, nanoOffset, start: at + 4, end: bytes.length }];
  }
  if (at >= bytes.length) return 'ends in its multitrack type';
  const inner = { packetType: bytes[at]! & 0x0f, nanoOffset, at: at + 1 };
  if (inner.packetType === multitrackType) return 'multitrack within multitrack';
  return readManyTracks(bytes, inner, bytes[at]! >> 4);
}

function readManyTracks(bytes: Buffer, header: ExHeader, kind: number): ExTrack[] | string {
  const { packetType, nanoOffset } = header;
  if (kind > MULTITRACK.manyTracksManyCodecs) return `multitrack type ${kind}`;
  let at = header.at;
  let fourCc = '';
  if (kind !== MULTITRACK.manyTracksManyCodecs) {
    fourCc = readFourCc(bytes, at);
    at += 4;
  }
  const tracks: ExTrack[] = [];
  do {
    if (tracks.length === MAX_TRACKS) return `more than ${MAX_TRACKS} tracks`;
    if (kind === MULTITRACK.manyTracksManyCodecs) {
      fourCc = readFourCc(bytes, at);
      at += 4;
    }
    const start = at + (kind === MULTITRACK.oneTrack ? 1 : 4);
    if (start > bytes.length) return 'ends in a track header';
    const end = kind === MULTITRACK.oneTrack ? bytes.length : start + bytes.readUIntBE(at + 1, 3);
    if (end > bytes.length) return 'a track runs past the end';
    tracks.push({ packetType, track: bytes[at]!, fourCc, nanoOffset, start, end });
    at = end;
  } while (at < bytes.length);
  return tracks;
}
