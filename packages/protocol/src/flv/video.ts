import { hasCompositionTime, laidOutAsAvc, videoCodecName } from './codecs.ts';
import { type ExTrack, readExHeader, readTracks } from './ex-header.ts';

/** One track's part of a video message (FLV specification 10.1, E.4.3; Enhanced RTMP v2, Enhanced Video). */
export interface VideoPacket {
  /** 0 unless the message is a multitrack one. */
  track: number;
  /** A FourCC (`avc1`, `hvc1`, `av01`, `vp09`), or a word for what has none (`sorenson-h263`). */
  codec: string;
  /**
   * What `data` is: the decoder's configuration record, a coded frame, the end of the sequence (empty), an MPEG-2 TS
   * descriptor, or AMF0 pairs such as `colorInfo`.
   */
  type: 'config' | 'frame' | 'end' | 'descriptor' | 'metadata';
  /** As the encoder says; a frame of another track of the same message has the same flag. */
  keyFrame: boolean;
  /** Milliseconds from decoding to presentation; not 0 where there are B-frames. */
  compositionTimeMs: number;
  /** Nanoseconds, 0 to 999,999, to add to the message's timestamp. */
  nanoOffset: number;
  /** A view into the message; frames of `avc1` and `hvc1` are NAL units behind their lengths. */
  data: Buffer;
}

/** VideoPacketType. */
export const VIDEO_PACKET = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  codedFramesX: 3,
  metadata: 4,
  descriptor: 5,
  multitrack: 6,
} as const;

/** VideoFrameType. */
export const FRAME_TYPE = { key: 1, inter: 2, generatedKey: 4, command: 5 } as const;

const TYPES: Record<number, VideoPacket['type']> = {
  [VIDEO_PACKET.sequenceStart]: 'config',
  [VIDEO_PACKET.codedFrames]: 'frame',
  [VIDEO_PACKET.sequenceEnd]: 'end',
  [VIDEO_PACKET.codedFramesX]: 'frame',
  [VIDEO_PACKET.metadata]: 'metadata',
  [VIDEO_PACKET.descriptor]: 'descriptor',
};

/** AVCPacketType. */
const AVC_TYPES: Record<number, VideoPacket['type']> = { 0: 'config', 1: 'frame', 2: 'end' };

const isKey = (frameType: number) => frameType === FRAME_TYPE.key || frameType === FRAME_TYPE.generatedKey;

/**
 * Parses the body of a video message. Empty for a command to a player, an empty message, and a packet type that is not known; a
 * string says what is wrong. Nothing is copied.
 */
export function parseVideo(message: Buffer): VideoPacket[] | string {
  if (message.length === 0) return [];
  const first = message[0]!;
  if (first & 0x80) return parseExVideo(message, (first >> 4) & 0x07);
  if (first >> 4 === FRAME_TYPE.command) return [];
  return parseLegacyVideo(message, isKey(first >> 4), first & 0x0f);
}

/** `| frame type (4) | CodecID (4) |`, and of AVC `| AVCPacketType (8) | composition time (s24) |`, then the data. */
function parseLegacyVideo(message: Buffer, keyFrame: boolean, id: number): VideoPacket[] | string {
  const codec = videoCodecName(id);
  const base = { track: 0, codec, keyFrame, nanoOffset: 0 };
  if (!laidOutAsAvc(id)) return [{ ...base, type: 'frame', compositionTimeMs: 0, data: message.subarray(1) }];
  if (message.length < 5) return `${codec} ends in its header`;
  const type = AVC_TYPES[message[1]!];
  if (type === undefined) return [];
  const compositionTimeMs = type === 'frame' ? message.readIntBE(2, 3) : 0;
  return [{ ...base, type, compositionTimeMs, data: message.subarray(5) }];
}

function parseExVideo(message: Buffer, frameType: number): VideoPacket[] | string {
  const header = readExHeader(message);
  if (typeof header === 'string') return header;
  if (frameType === FRAME_TYPE.command && header.packetType !== VIDEO_PACKET.metadata) return [];
  const tracks = readTracks(message, header, VIDEO_PACKET.multitrack);
  if (typeof tracks === 'string') return tracks;
  const packets: VideoPacket[] = [];
  for (const track of tracks) {
    const packet = exVideoPacket(message, track, isKey(frameType));
    if (typeof packet === 'string') return packet;
    if (packet !== undefined) packets.push(packet);
  }
  return packets;
}

function exVideoPacket(message: Buffer, from: ExTrack, keyFrame: boolean): VideoPacket | string | undefined {
  const { packetType, track, fourCc: codec, nanoOffset, end } = from;
  const type = TYPES[packetType];
  if (type === undefined) return undefined;
  let { start } = from;
  let compositionTimeMs = 0;
  if (packetType === VIDEO_PACKET.codedFrames && hasCompositionTime(codec)) {
    if (start + 3 > end) return `${codec} ends in its composition time`;
    compositionTimeMs = message.readIntBE(start, 3);
    start += 3;
  }
  return { track, codec, type, keyFrame, compositionTimeMs, nanoOffset, data: message.subarray(start, end) };
}
