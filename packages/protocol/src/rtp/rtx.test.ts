import { expect, it } from 'vitest';
import { parse } from './packet.ts';
import { originalSequenceNumber, restore, write } from './rtx.ts';

const original = Buffer.from('80e01234000000020000000301020304', 'hex');
const header = { marker: true, payloadType: 97, sequenceNumber: 7, timestamp: 2, ssrc: 9 };

it('writes the OSN before the payload and restores the packet from it (RFC 4588 4)', () => {
  const target = Buffer.alloc(64);
  const length = write(target, header, 0x1234, original, 12, 16);
  expect(target.toString('hex', 0, length)).toBe('80e100070000000200000009123401020304');
  const packet = parse(target.subarray(0, length))!;
  expect(originalSequenceNumber(packet)).toBe(0x1234);
  expect(restore(packet, { payloadType: 96, ssrc: 3 })).toBe(true);
  expect(packet).toMatchObject({ sequenceNumber: 0x1234, payloadType: 96, ssrc: 3, payloadOffset: 14, payloadEnd: 18 });
});

it('knows a padding-only probe', () => {
  const probe = parse(Buffer.from('a06100070000000200000009000003', 'hex'))!;
  expect(originalSequenceNumber(probe)).toBeUndefined();
  expect(restore(probe, { payloadType: 96, ssrc: 3 })).toBe(false);
  expect(probe.payloadType).toBe(97);
});
