import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readAudioLevel,
  readExtension,
  readExtensionText,
  readExtensionUint16,
  readExtensionUint24,
  writeExtensions,
} from './extension.ts';
import { type Packet, parse, writeHeader } from './packet.ts';

/** A packet whose extension has this profile and data (a multiple of 4 bytes). */
function packetWith(profile: string, data: string): Packet {
  const bytes = Buffer.from(data.replaceAll(' ', ''), 'hex');
  const length = (bytes.length / 4).toString(16).padStart(4, '0');
  return parse(Buffer.concat([Buffer.from(`906000010000000200000003${profile}${length}`, 'hex'), bytes]))!;
}

describe('one-byte form (RFC 8285 4.2)', () => {
  it('finds elements behind padding', () => {
    const packet = packetWith('bede', '10 aa 00 00 21 1234 00');
    expect(readExtension(packet, 1)).toEqual({ offset: 17, length: 1 });
    expect(readExtensionUint16(packet, 2)).toBe(0x1234);
    expect(readExtension(packet, 3)).toBeUndefined();
  });

  it('reads text', () => {
    expect(readExtensionText(packetWith('bede', '42 6c6f77'), 4)).toBe('low');
    expect(readExtensionText(packetWith('bede', '42 6c6f77'), 5)).toBeUndefined();
  });

  it.each([
    ['ID 15', 'f0 aa 10 bb'],
    ['ID 0 with a length', '01 aa 10 bb'],
  ])('stops at %s', (_, data) => {
    expect(readExtension(packetWith('bede', data), 1)).toBeUndefined();
    expect(readExtension(packetWith('bede', data), 15)).toBeUndefined();
  });

  it('refuses an element that runs past the end', () => {
    expect(readExtension(packetWith('bede', '13 aabbcc'), 1)).toBeUndefined();
  });

  it('gives no 16-bit value of another length', () => {
    expect(readExtensionUint16(packetWith('bede', '10 aa 0000'), 1)).toBeUndefined();
  });
});

describe('two-byte form (RFC 8285 4.3)', () => {
  it.each(['1000', '100f'])('finds elements under profile %s', (profile) => {
    const packet = packetWith(profile, '01 00 00 c8 02 1234 00');
    expect(readExtension(packet, 1)).toEqual({ offset: 18, length: 0 });
    expect(readExtensionUint16(packet, 200)).toBe(0x1234);
  });

  it('refuses an element that runs past the end', () => {
    expect(readExtension(packetWith('1000', '01 03 aabb'), 1)).toBeUndefined();
  });
});

it('knows no elements under another profile, and none without extension', () => {
  expect(readExtension(packetWith('1234', '10 aa 0000'), 1)).toBeUndefined();
  expect(readExtension(parse(Buffer.from('806000010000000200000003', 'hex'))!, 1)).toBeUndefined();
});

describe('values', () => {
  it.each([
    ['one-byte form', 'bede', '12 abcdef 20 9c 0000'],
    ['two-byte form', '1000', '01 03 abcdef 02 01 9c'],
  ])('of 24 bits and audio levels in the %s', (_, profile, data) => {
    const packet = packetWith(profile, data);
    expect(readExtensionUint24(packet, 1)).toBe(0xabcdef);
    expect(readExtensionUint24(packet, 2), 'another length').toBeUndefined();
    expect(readExtensionUint24(packet, 3)).toBeUndefined();
    expect(readAudioLevel(packet, 2)).toBe(0x80 | 28);
    expect(readAudioLevel(packet, 3)).toBe(-1);
  });
});

describe('writeExtensions', () => {
  const header = { marker: false, payloadType: 96, sequenceNumber: 1, timestamp: 2, ssrc: 3 };

  it('writes the one-byte form', () => {
    const target = Buffer.alloc(24);
    writeHeader(target, header);
    expect(writeExtensions(target, [{ id: 4, value: Buffer.from('low') }])).toBe(20);
    expect(target.toString('hex', 12, 20)).toBe('bede0001426c6f77');
  });

  it('is read back in either form', () => {
    const element = fc.record({ id: fc.integer({ min: 1, max: 255 }), value: fc.uint8Array({ maxLength: 20 }) });
    const elements = fc.uniqueArray(element, { selector: ({ id }) => id, maxLength: 8 });
    fc.assert(
      fc.property(elements, (list) => {
        const target = Buffer.alloc(256);
        writeHeader(target, header);
        const end = writeExtensions(target, list);
        const packet = parse(target.subarray(0, end))!;
        expect(packet.payloadOffset).toBe(end);
        for (const { id, value } of list) {
          const { offset, length } = readExtension(packet, id)!;
          expect(Buffer.from(value).equals(target.subarray(offset, offset + length))).toBe(true);
        }
      }),
    );
  });
});
