import { type Arrival, emptyArrival } from '../layer.ts';

/**
 * What workers tell each other over a stream of bytes: `| length (32) | type (8) | body |`, the length without itself. A watch is
 * one publication that one worker receives of another; its number is the receiver's.
 */

/** Largest frame: a packet of any size that UDP carries, and its facts. */
export const MAX_FRAME_BYTES = 0x10000 + 64;

const type = { hello: 1, watch: 2, unwatch: 3, keyFrame: 4, packet: 5, clock: 6, stopped: 7, ended: 8 } as const;

/** From who receives a publication. */
export type ToSource =
  | { type: 'hello'; secret: string }
  | { type: 'watch'; watch: number; connectionId: string }
  | { type: 'unwatch'; watch: number }
  | { type: 'keyFrame'; watch: number; track: number; layer: number };

/** From where it is published. Packets come apart from these: they are read without an object of their own. */
export type FromSource =
  | { type: 'clock'; watch: number; track: number; layer: number; localMs: number; timestamp: number }
  | { type: 'stopped'; watch: number; stopped: boolean }
  | { type: 'ended'; watch: number };

/** A packet and where it belongs. The object is reused. */
export interface RelayedPacket extends Arrival {
  watch: number;
  track: number;
  layer: number;
}

export function emptyRelayedPacket(): RelayedPacket {
  return { ...emptyArrival(), watch: 0, track: 0, layer: 0 };
}

const MARKER = 1;
const REDUNDANT = 2;

/** Bytes of a packet's frame before its payload. */
const PACKET_HEADER = 4 + 1 + 4 + 1 + 1 + 1 + 6 + 4;

/** Room that a packet needs in `writePacket`. */
export const packetBytes = ({ payloadOffset, payloadEnd }: Arrival): number =>
  PACKET_HEADER + payloadEnd - payloadOffset;

/** Writes a packet's frame at `at`, where there must be room for it; returns where it ends. */
export function writePacket(
  target: Buffer,
  at: number,
  place: { watch: number; track: number; layer: number },
  arrival: Arrival,
): number {
  const { buffer, payloadOffset, payloadEnd, number, timestamp, marker, redundant } = arrival;
  target.writeUInt32BE(packetBytes(arrival) - 4, at);
  target[at + 4] = type.packet;
  target.writeUInt32BE(place.watch, at + 5);
  target[at + 9] = place.track;
  target[at + 10] = place.layer;
  target[at + 11] = (marker ? MARKER : 0) | (redundant ? REDUNDANT : 0);
  target.writeUIntBE(number, at + 12, 6);
  target.writeUInt32BE(timestamp, at + 18);
  buffer.copy(target, at + PACKET_HEADER, payloadOffset, payloadEnd);
  return at + packetBytes(arrival);
}

/** One frame of another kind. */
export function writeMessage(message: ToSource | FromSource): Buffer {
  const body = bodyOf(message);
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame.writeUInt32BE(1 + body.length, 0);
  frame[4] = type[message.type];
  body.copy(frame, 5);
  return frame;
}

function bodyOf(message: ToSource | FromSource): Buffer {
  if (message.type === 'hello') return Buffer.from(message.secret, 'latin1');
  const body = Buffer.alloc(message.type === 'clock' ? 18 : 6);
  body.writeUInt32BE(message.watch, 0);
  switch (message.type) {
    case 'watch':
      return Buffer.concat([body.subarray(0, 4), Buffer.from(message.connectionId, 'latin1')]);
    case 'clock':
      body.writeDoubleBE(message.localMs, 6);
      body.writeUInt32BE(message.timestamp, 14);
      break;
    case 'stopped':
      body[4] = message.stopped ? 1 : 0;
      break;
  }
  if ('track' in message) {
    body[4] = message.track;
    body[5] = message.layer;
  }
  return body;
}

/** Reads one frame without its length; undefined when it is none of these. */
export function readMessage(frame: Buffer): ToSource | FromSource | undefined {
  const body = frame.subarray(1);
  if (frame[0] === type.hello) return { type: 'hello', secret: body.toString('latin1') };
  if (body.length < 4) return undefined;
  const watch = body.readUInt32BE(0);
  if (frame[0] === type.watch) return { type: 'watch', watch, connectionId: body.toString('latin1', 4) };
  if (body.length < 6) return undefined;
  const [track = 0, layer = 0] = body.subarray(4);
  switch (frame[0]) {
    case type.unwatch:
      return { type: 'unwatch', watch };
    case type.ended:
      return { type: 'ended', watch };
    case type.stopped:
      return { type: 'stopped', watch, stopped: track === 1 };
    case type.keyFrame:
      return { type: 'keyFrame', watch, track, layer };
    case type.clock:
      if (body.length < 18) return undefined;
      return { type: 'clock', watch, track, layer, localMs: body.readDoubleBE(6), timestamp: body.readUInt32BE(14) };
    default:
      return undefined;
  }
}

export const isPacket = (frame: Buffer): boolean => frame[0] === type.packet;

/** Reads a packet's frame, without its length, into `packet`, whose payload stays in the frame; false when it is too short. */
export function readPacket(frame: Buffer, packet: RelayedPacket): boolean {
  const payloadOffset = PACKET_HEADER - 4;
  if (frame.length < payloadOffset) return false;
  packet.watch = frame.readUInt32BE(1);
  packet.track = frame[5] ?? 0;
  packet.layer = frame[6] ?? 0;
  packet.marker = ((frame[7] ?? 0) & MARKER) !== 0;
  packet.redundant = ((frame[7] ?? 0) & REDUNDANT) !== 0;
  packet.number = frame.readUIntBE(8, 6);
  packet.timestamp = frame.readUInt32BE(14);
  packet.buffer = frame;
  packet.payloadOffset = payloadOffset;
  packet.payloadEnd = frame.length;
  return true;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #pending: Buffer | undefined;

  /** Calls `each` for every whole frame, without its length; the frame is good until it returns. False when the bytes are no frames. */
  read(chunk: Buffer, each: (frame: Buffer) => void): boolean {
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at);
      if (length === 0 || length > MAX_FRAME_BYTES) return false;
      if (bytes.length - at - 4 < length) break;
      each(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#pending = at < bytes.length ? bytes.subarray(at) : undefined;
    return true;
  }
}
