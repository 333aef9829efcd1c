import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyPacket, HEADER_LENGTH, isRtcp, parse, parseInto, writeHeader } from './packet.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('parse', () => {
  it('reads the fixed header', () => {
    expect(parse(hex('80 e0 1234 89abcdef fedcba98 0102'))).toEqual({
      buffer: hex('80 e0 1234 89abcdef fedcba98 0102'),
      marker: true,
      payloadType: 96,
      sequenceNumber: 0x1234,
      timestamp: 0x89abcdef,
      ssrc: 0xfedcba98,
      payloadOffset: 12,
      payloadEnd: 14,
      extensionOffset: 12,
      extensionEnd: 12,
      extensionProfile: 0,
    });
  });

  it('skips CSRCs, finds the extension and takes padding off', () => {
    const packet = parse(hex('b2 60 0001 00000002 00000003 0000000a 0000000b bede0001 10ff0000 aabb 0002'));
    expect(packet).toMatchObject({ extensionOffset: 24, extensionEnd: 28, payloadOffset: 28, payloadEnd: 30 });
    expect(packet?.extensionProfile).toBe(0xbede);
  });

  it('accepts a packet of padding alone', () => {
    expect(parse(hex('a0 60 0001 00000002 00000003 00000004'))).toMatchObject({ payloadOffset: 12, payloadEnd: 12 });
  });

  it.each([
    ['shorter than a header', '80 60 0001 00000002 000000'],
    ['version 1', '40 60 0001 00000002 00000003'],
    ['CSRCs past the end', '81 60 0001 00000002 00000003'],
    ['no room for the extension header', '90 60 0001 00000002 00000003 bede'],
    ['extension past the end', '90 60 0001 00000002 00000003 bede0001'],
    ['padding count 0', 'a0 60 0001 00000002 00000003 00'],
    ['padding larger than the payload', 'a0 60 0001 00000002 00000003 000004'],
    ['padding flag without payload', 'a0 60 0001 00000002 00000003'],
  ])('refuses %s', (_, bytes) => {
    expect(parse(hex(bytes))).toBeUndefined();
  });

  it('reuses an object', () => {
    const packet = emptyPacket();
    expect(parseInto(packet, hex('80 60 0001 00000002 00000003'))).toBe(true);
    expect(packet.sequenceNumber).toBe(1);
    expect(parseInto(packet, hex('00'))).toBe(false);
  });

  it('reads back what writeHeader wrote', () => {
    const fields = fc.record({
      marker: fc.boolean(),
      payloadType: fc.nat(127),
      sequenceNumber: fc.nat(0xffff),
      timestamp: fc.nat(0xffffffff),
      ssrc: fc.nat(0xffffffff),
    });
    fc.assert(
      fc.property(fields, (header) => {
        const target = Buffer.alloc(HEADER_LENGTH);
        expect(writeHeader(target, header)).toBe(12);
        expect(parse(target)).toMatchObject(header);
      }),
    );
  });
});

describe('isRtcp', () => {
  it.each([
    [63, false],
    [64, true],
    [72, true],
    [95, true],
    [96, false],
  ])('says for the 7 low bits %i: %s', (type, expected) => {
    expect(isRtcp(Buffer.from([0x80, 0x80 | type]))).toBe(expected);
    expect(isRtcp(Buffer.from([0x80, type]))).toBe(expected);
  });

  it('is false for less than two bytes', () => {
    expect(isRtcp(Buffer.from([0x80]))).toBe(false);
  });
});
