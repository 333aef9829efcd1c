import { MESSAGE, type Message } from './message.ts';

/** Whether the limit of Set Peer Bandwidth is hard, soft or dynamic (RTMP 1.0, 5.4.5). */
const DYNAMIC = 2;

function control(type: number, body: Buffer): Message {
  return { type, streamId: 0, timestamp: 0, body };
}

function uint32(value: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(value >>> 0);
  return body;
}

/** Bytes of this side's chunks from here on (RTMP 1.0, 5.4.1). */
export const setChunkSize = (size: number) => control(MESSAGE.setChunkSize, uint32(size));

/** Bytes received so far, modulo 2^32 (5.4.3). */
export const acknowledgement = (received: number) => control(MESSAGE.acknowledgement, uint32(received % 2 ** 32));

/** Bytes after which this side waits for an acknowledgement (5.4.4). */
export const windowSize = (size: number) => control(MESSAGE.windowSize, uint32(size));

/** The window that the peer may use, which it then says itself (5.4.5). */
export const peerBandwidth = (size: number) =>
  control(MESSAGE.peerBandwidth, Buffer.concat([uint32(size), Buffer.of(DYNAMIC)]));

/** `| event type (16) | event data (32) |` (7.1.7). */
export function userControl(event: number, data: number): Message {
  return control(MESSAGE.userControl, Buffer.concat([Buffer.of(event >> 8, event), uint32(data)]));
}
