import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeyFrame, parseDescriptor, rewritePictureId } from './index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const parse = (hex: string) => parseDescriptor(bytes(hex), 0, bytes(hex).length);

describe('parseDescriptor (RFC 7741 4.2)', () => {
  it('reads the one-byte form', () => {
    expect(parse('32 00')).toEqual({
      nonReference: true,
      startOfPartition: true,
      partition: 2,
      pictureIdBits: 0,
      pictureIdOffset: 0,
      tl0PicIdxOffset: 0,
      payloadOffset: 1,
    });
  });

  it('reads every optional field with a 15-bit picture id', () => {
    expect(parse('90 f0 9234 07 6b 00')).toMatchObject({
      startOfPartition: true,
      pictureId: 0x1234,
      pictureIdBits: 15,
      pictureIdOffset: 2,
      tl0PicIdx: 7,
      tl0PicIdxOffset: 4,
      temporalLayer: 1,
      layerSync: true,
      keyIndex: 11,
      payloadOffset: 6,
    });
  });

  it('reads a 7-bit picture id', () => {
    expect(parse('80 80 34 00')).toMatchObject({ pictureId: 0x34, pictureIdBits: 7, payloadOffset: 3 });
  });

  it('leaves out the half of T/K that is not there', () => {
    const descriptor = parse('80 10 ff 00');
    expect(descriptor).toMatchObject({ keyIndex: 31, payloadOffset: 3 });
    expect(descriptor?.temporalLayer).toBeUndefined();
  });

  it.each(['', '80', '80 80', '80 80 80', '80 40', '80 20', '90 f0 9234', '90 f0 9234 07'])(
    'refuses the cut descriptor "%s"',
    (hex) => {
      expect(parse(hex)).toBeUndefined();
    },
  );
});

describe('isKeyFrame (RFC 7741 4.3)', () => {
  it.each([
    ['10 00', true],
    ['90 80 8001 00', true],
    ['10 01', false],
    ['00 00', false],
    ['11 00', false],
    ['10', false],
    ['', false],
  ])('of "%s" is %s', (hex, expected) => {
    expect(isKeyFrame(bytes(hex), 0, bytes(hex).length)).toBe(expected);
  });
});

describe('rewritePictureId', () => {
  it('overwrites in place, also in a copy that lies elsewhere', () => {
    const source = bytes('90 e0 9234 07 40 00');
    const descriptor = parseDescriptor(source, 0, source.length)!;
    rewritePictureId(source, descriptor, { pictureId: 0x7fff, tl0PicIdx: 0x101 });
    expect(source.toString('hex')).toBe('90e0ffff014000');
    const copy = Buffer.concat([Buffer.alloc(12), source]);
    rewritePictureId(copy, descriptor, { pictureId: 0x8001, tl0PicIdx: 9 }, 12);
    expect(copy.toString('hex', 12)).toBe('90e08001094000');
  });

  it('keeps a 7-bit picture id at 7 bits and touches nothing that is not there', () => {
    const short = bytes('90 80 34 00');
    rewritePictureId(short, parseDescriptor(short, 0, 4)!, { pictureId: 0x1ff, tl0PicIdx: 1 });
    expect(short.toString('hex')).toBe('90807f00');
    const none = bytes('10 00');
    rewritePictureId(none, parseDescriptor(none, 0, 2)!, { pictureId: 1, tl0PicIdx: 1 });
    expect(none.toString('hex')).toBe('1000');
  });

  it('is read back', () => {
    const values = fc.record({ pictureId: fc.nat(0x7fff), tl0PicIdx: fc.nat(0xff) });
    fc.assert(
      fc.property(values, (expected) => {
        const payload = bytes('90 e0 8000 00 40 00');
        rewritePictureId(payload, parseDescriptor(payload, 0, payload.length)!, expected);
        expect(parseDescriptor(payload, 0, payload.length)).toMatchObject(expected);
      }),
    );
  });
});
