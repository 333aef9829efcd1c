import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyRelayedPacket,
  FrameReader,
  type FromSource,
  isPacket,
  MAX_FRAME_BYTES,
  packetBytes,
  readMessage,
  readPacket,
  type ToSource,
  writeMessage,
  writePacket,
} from './wire.ts';

const messages: (ToSource | FromSource)[] = [
  { type: 'hello', secret: '0123456789abcdef' },
  { type: 'watch', watch: 7, connectionId: 'AbCdEf123456' },
  { type: 'unwatch', watch: 0xffffffff },
  { type: 'keyFrame', watch: 1, track: 1, layer: 2 },
  { type: 'clock', watch: 1, track: 0, layer: 3, localMs: 1_800_000_000_000.25, timestamp: 0xfffffffe },
  { type: 'stopped', watch: 1, stopped: true },
  { type: 'stopped', watch: 1, stopped: false },
  { type: 'ended', watch: 2 },
];

/** The frames of some bytes that come in pieces of this size. */
function framesOf(bytes: Buffer, pieceBytes: number): Buffer[] {
  const reader = new FrameReader();
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    expect(reader.read(bytes.subarray(at, at + pieceBytes), (frame) => frames.push(Buffer.from(frame)))).toBe(true);
  }
  return frames;
}

describe('a relayed message', () => {
  it.each(messages)('is read as it was written: $type', (message) => {
    expect(readMessage(writeMessage(message).subarray(4))).toEqual(message);
  });

  it('comes whole out of pieces of any size', () => {
    const bytes = Buffer.concat(messages.map(writeMessage));
    for (const size of [1, 3, 7, 1_000]) expect(framesOf(bytes, size).map(readMessage)).toEqual(messages);
  });
});

describe('a relayed packet', () => {
  it('keeps its payload, its number beyond 32 bits and its place', () => {
    const place = { watch: 9, track: 1, layer: 2 };
    const buffer = Buffer.from('..payload..');
    const arrival = {
      buffer,
      payloadOffset: 2,
      payloadEnd: 9,
      number: 2 ** 40 + 3,
      timestamp: 0xfffffff0,
      marker: true,
      redundant: true,
    };
    const bytes = Buffer.alloc(5 + packetBytes(arrival));
    expect(writePacket(bytes, 5, place, arrival)).toBe(bytes.length);
    const [frame] = framesOf(bytes.subarray(5), 4);
    const packet = emptyRelayedPacket();
    expect(isPacket(frame!) && readPacket(frame!, packet)).toBe(true);
    const { payloadOffset, payloadEnd } = packet;
    expect(packet).toMatchObject({
      ...place,
      number: 2 ** 40 + 3,
      timestamp: 0xfffffff0,
      marker: true,
      redundant: true,
    });
    expect(packet.buffer.toString('latin1', payloadOffset, payloadEnd)).toBe('payload');
  });
});

describe('bytes of somebody else', () => {
  it('are no frames when they announce none, or more than there can be', () => {
    for (const length of [0, MAX_FRAME_BYTES + 1]) {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(length);
      expect(new FrameReader().read(bytes, () => expect.fail('a frame'))).toBe(false);
    }
  });

  it('never throw', () => {
    const packet = emptyRelayedPacket();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        const frame = Buffer.from(bytes);
        if (isPacket(frame)) readPacket(frame, packet);
        else readMessage(frame);
        new FrameReader().read(frame, (inner) => readMessage(inner));
      }),
      { numRuns: 2_000 },
    );
  });
});
