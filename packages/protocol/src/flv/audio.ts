import { EX_HEADER, LEGACY_AAC, soundFormatName } from './codecs.ts';
import { readExHeader, readTracks } from './ex-header.ts';

/** One track's part of an audio message (FLV specification 10.1, E.4.2; Enhanced RTMP v2, Enhanced Audio). */
export interface AudioPacket {
  /** 0 unless the message is a multitrack one. */
  track: number;
  /** A FourCC (`mp4a`, `Opus`, `.mp3`), or a word for what has none (`speex`, `g711-alaw`). */
  codec: string;
  /** What `data` is: the decoder's configuration, coded audio, the end of the sequence (empty), or a channel order. */
  type: 'config' | 'frame' | 'end' | 'channels';
  /** Nanoseconds, 0 to 999,999, to add to the message's timestamp. */
  nanoOffset: number;
  /** A view into the message. */
  data: Buffer;
}

/** AudioPacketType. */
export const AUDIO_PACKET = { sequenceStart: 0, codedFrames: 1, sequenceEnd: 2, channels: 4, multitrack: 5 } as const;

const TYPES: Record<number, AudioPacket['type']> = {
  [AUDIO_PACKET.sequenceStart]: 'config',
  [AUDIO_PACKET.codedFrames]: 'frame',
  [AUDIO_PACKET.sequenceEnd]: 'end',
  [AUDIO_PACKET.channels]: 'channels',
};

/**
 * Parses the body of an audio message. Empty for one that says silence (no bytes) or has a packet type that is not known; a string
 * says what is wrong. Nothing is copied.
 */
export function parseAudio(message: Buffer): AudioPacket[] | string {
  if (message.length === 0) return [];
  const format = message[0]! >> 4;
  if (format === EX_HEADER) return parseExAudio(message);
  const codec = soundFormatName(format);
  if (format !== LEGACY_AAC) return [{ track: 0, codec, type: 'frame', nanoOffset: 0, data: message.subarray(1) }];
  // | format, rate, size, type (8) | AACPacketType (8) | data |
  if (message.length < 2) return 'AAC ends in its header';
  const type = message[1] === 0 ? 'config' : 'frame';
  return [{ track: 0, codec, type, nanoOffset: 0, data: message.subarray(2) }];
}

function parseExAudio(message: Buffer): AudioPacket[] | string {
  const header = readExHeader(message);
  if (typeof header === 'string') return header;
  const tracks = readTracks(message, header, AUDIO_PACKET.multitrack);
  if (typeof tracks === 'string') return tracks;
  const packets: AudioPacket[] = [];
  for (const { packetType, track, fourCc, nanoOffset, start, end } of tracks) {
    const type = TYPES[packetType];
    if (type === undefined) continue;
    packets.push({ track, codec: fourCc, type, nanoOffset, data: message.subarray(start, end) });
  }
  return packets;
}
