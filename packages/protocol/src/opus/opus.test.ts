import { describe, expect, it } from 'vitest';
import { readAudioLevel } from '../rtp/index.ts';
import { readRecording, readTruth } from '../testing.ts';
import { durationMs, isDtx, isStereo, red } from './index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const duration = (hex: string) => durationMs(bytes(hex), 0, bytes(hex).length);

describe('durationMs (RFC 6716 3.1)', () => {
  /** First bytes of packets that libopus made with this frame duration, in its three modes and at several bitrates. */
  const encoded = [
    [2.5, 'a0ae e4ae'],
    [5, '88b1 e8ad ecad'],
    [10, '00a2 7488 f4ad 90ae'],
    [20, '089c 7c88 fcb0 98b0'],
    [40, '10cd 7e3e fefd 7d88 99b0'],
    [60, '18e6 7f83 ff83 9b03'],
    [80, '1223 566b ff84 9f84 9b84'],
    [100, '0b85 9f85 ff85 9b05'],
    [120, '1a31 9f86 ff86 9b86'],
  ] as const;

  it.each(encoded)('%f ms, by libopus', (milliseconds, packets) => {
    for (const packet of packets.split(' ')) expect(duration(packet), packet).toBe(milliseconds);
  });

  it('of one frame in every configuration (table 2)', () => {
    const silk = [10, 20, 40, 60];
    const celt = [2.5, 5, 10, 20];
    const table = [...silk, ...silk, ...silk, 10, 20, 10, 20, ...celt, ...celt, ...celt, ...celt];
    const told = Array.from({ length: 32 }, (_, config) => durationMs(Buffer.from([config << 3]), 0, 1));
    expect(told).toEqual(table);
  });

  it.each([
    ['nothing', ''],
    ['a count that is cut off', '03'],
    ['no frames', '0300'],
    ['more than 120 ms', '1b03'],
    ['more than 48 frames', '8331'],
  ])('is 0 for %s', (_, hex) => {
    expect(duration(hex)).toBe(0);
  });

  it('of as many frames as there may be', () => {
    expect(duration('8330')).toBe(120);
  });

  it('stays within offset and end', () => {
    const packet = bytes('00 9b86 00');
    expect(durationMs(packet, 1, 3)).toBe(120);
    expect(durationMs(packet, 1, 2)).toBe(0);
    expect(durationMs(packet, 1, 5)).toBe(0);
  });
});

it('isStereo', () => {
  expect(isStereo(bytes('fc'), 0, 1)).toBe(true);
  expect(isStereo(bytes('f8'), 0, 1)).toBe(false);
  expect(isStereo(bytes('fc'), 1, 1)).toBe(false);
});

it('isDtx', () => {
  expect([0, 1, 2, 3].map((length) => isDtx(5, 5 + length))).toEqual([false, true, true, false]);
});

describe('red (RFC 2198 3)', () => {
  const primary = (hex: string) => red.primary(bytes(hex), 0, bytes(hex).length);

  it('finds the primary encoding behind its redundant blocks', () => {
    expect(primary('6f aabb')).toBe(1);
    expect(primary('ef 0f00 02 6f 1111 aabb')).toBe(7);
    expect(primary('ef 1e00 01 ef 0f00 02 6f 11 2222 aabb'), 'two blocks').toBe(12);
    expect(primary(`ef 0f03 ff 6f ${'11'.repeat(1023)} aa`), 'the longest block').toBe(5 + 1023);
    expect(primary('ef 0f00 00 6f aa'), 'an empty block').toBe(5);
  });

  it.each([
    ['nothing', ''],
    ['no primary header', 'ef 0f00 02'],
    ['a header cut', 'ef 0f00'],
    ['a block past the end', 'ef 0f00 02 6f 11'],
    ['nothing behind its block', 'ef 0f00 02 6f 1111'],
    ['nothing behind its header', '6f'],
  ])('refuses %s', (_, hex) => {
    expect(primary(hex)).toBe(-1);
    expect(red.isValid(bytes(hex), 0, bytes(hex).length)).toBe(false);
    expect(red.primaryPayloadType(bytes(hex), 0, bytes(hex).length)).toBe(-1);
  });

  it('tells the payload type of the primary encoding', () => {
    expect(red.primaryPayloadType(bytes('ef 0f00 02 70 1111 aabb'), 0, 9)).toBe(0x70);
  });

  it('stays within offset and end', () => {
    const payload = bytes('00 6f aa bb');
    expect(red.primary(payload, 1, 4)).toBe(2);
    expect(red.primary(payload, 1, 2)).toBe(-1);
    expect(red.primary(payload, 1, 5)).toBe(-1);
  });
});

describe('what Chromium publishes', () => {
  const packets = readRecording(new URL('testdata/chromium-red.rtp', import.meta.url));
  const { audioLevelId } = readTruth<{ audioLevelId: number }>(new URL('testdata/chromium-red.json', import.meta.url));

  it('has in its redundant block what was the primary of the packet before', () => {
    let found = 0;
    const primaries = new Map<number, Buffer>();
    for (const { buffer, timestamp, payloadOffset, payloadEnd } of packets) {
      const start = red.primary(buffer, payloadOffset, payloadEnd);
      expect(start).toBeGreaterThan(payloadOffset);
      expect(red.primaryPayloadType(buffer, payloadOffset, payloadEnd)).toBe(111);
      primaries.set(timestamp, buffer.subarray(start, payloadEnd));
      const header = buffer.readUInt32BE(payloadOffset);
      const before = header >>> 31 ? primaries.get(timestamp - ((header >>> 10) & 0x3fff)) : undefined;
      if (before === undefined) continue;
      expect(buffer.subarray(start - (header & 0x3ff), start)).toEqual(before);
      found++;
    }
    expect(found).toBeGreaterThan(packets.length / 2);
  });

  it('is 20 ms of mono sound a packet', () => {
    for (const { buffer, payloadOffset, payloadEnd } of packets) {
      const start = red.primary(buffer, payloadOffset, payloadEnd);
      expect(durationMs(buffer, start, payloadEnd)).toBe(20);
      expect(isStereo(buffer, start, payloadEnd)).toBe(false);
      expect(isDtx(start, payloadEnd)).toBe(false);
    }
  });

  it('is loud', () => {
    const levels = packets.map((packet) => readAudioLevel(packet, audioLevelId));
    expect(levels.every((level) => level >= 0)).toBe(true);
    // A sine of full scale is 3 dB below a square wave, which is 0 dBov.
    expect(levels.at(-1)! & 0x7f).toBeLessThan(10);
  });
});
