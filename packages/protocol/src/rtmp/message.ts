/** Message type ids (RTMP 1.0, 5.4 and 7.1). */
export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowSize: 5,
  peerBandwidth: 6,
  audio: 8,
  video: 9,
  data3: 15,
  command3: 17,
  data0: 18,
  command0: 20,
  aggregate: 22,
} as const;

/** User control event types (RTMP 1.0, 7.1.7). */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  setBufferLength: 3,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** Chunk stream ids by use: 2 is the protocol's (RTMP 1.0, 5.3), the others are custom. */
export const CHUNK_STREAM = { control: 2, command: 3, audio: 4, data: 5, video: 6 } as const;

/** One RTMP message (RTMP 1.0, 6.1). */
export interface Message {
  type: number;
  /** Message stream id; 0 for what concerns the connection. */
  streamId: number;
  /** Milliseconds, 32 bits. */
  timestamp: number;
  body: Buffer;
}

/** What a peer can make us keep and wait for. */
export const limits = {
  /** Bytes of a chunk, of either direction (5.4.1); a larger announced one means the same. */
  minChunkSize: 1,
  maxChunkSize: 0xffffff,
  /** Bytes of an audio, video or aggregate message: a second of 32 Mbit/s. */
  mediaBytes: 4 * 1024 * 1024,
  /** Bytes of any other message. */
  otherBytes: 256 * 1024,
  /** Bytes of all messages that are not yet whole, before anything is published and then. */
  unpublishedBytes: 512 * 1024,
  pendingBytes: 8 * 1024 * 1024,
  /** Chunk stream ids of one connection. */
  chunkStreams: 64,
} as const;

/** Bytes that a message of this type may have. */
export function maxBytes(type: number): number {
  const media = type === MESSAGE.audio || type === MESSAGE.video || type === MESSAGE.aggregate;
  return media ? limits.mediaBytes : limits.otherBytes;
}
