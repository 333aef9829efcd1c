import { describe, expect, it } from 'vitest';
import { emptyFacts, inspect } from '../video/index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const inspected = (hex: string) => {
  const facts = emptyFacts();
  inspect('VP8', facts, bytes(hex), 0, bytes(hex).length);
  return facts;
};

/** A key frame's header of 640 x 360 with both scales set (RFC 6386 9.1). */
const KEY_FRAME = '50 07 00 9d 01 2a 80 42 68 81 00';

describe('the payload descriptor (RFC 7741 4.2)', () => {
  it('in its one-byte form', () => {
    expect(inspected('30 01')).toEqual({
      ...emptyFacts(),
      valid: true,
      startsFrame: true,
      discardable: true,
      payloadOffset: 1,
    });
    expect(inspected('32 00').startsFrame, 'the start of another partition').toBe(false);
  });

  it('with every optional field and a 15-bit picture id', () => {
    expect(inspected('90 f0 9234 07 6b 01')).toEqual({
      ...emptyFacts(),
      valid: true,
      startsFrame: true,
      pictureId: 0x1234,
      pictureIdBits: 15,
      pictureIdOffset: 2,
      tl0PicIdx: 7,
      tl0PicIdxOffset: 4,
      temporalLayerOffset: 5,
      temporalLayer: 1,
      switchingPoint: true,
      payloadOffset: 6,
    });
  });

  it('with a 7-bit picture id', () => {
    expect(inspected('80 80 34 00')).toMatchObject({ pictureId: 0x34, pictureIdBits: 7, payloadOffset: 3 });
  });

  it('with KEYIDX alone, whose TID and Y mean nothing', () => {
    expect(inspected('80 10 ff 00')).toMatchObject({ temporalLayer: 0, switchingPoint: true, payloadOffset: 3 });
  });

  it.each([
    ['00', 0, true],
    ['40', 1, false],
    ['60', 1, true],
    ['80', 2, false],
    ['a0', 2, true],
  ])('with TID and Y %s of the patterns L1T2 and L1T3', (byte, temporalLayer, switchingPoint) => {
    expect(inspected(`90 e0 8001 05 ${byte} 01`)).toMatchObject({ temporalLayer, switchingPoint });
  });

  it.each(['', '80', '80 80', '80 80 80', '80 40', '80 20', '90 f0 9234', '90 f0 9234 07'])('cut: "%s"', (hex) => {
    expect(inspected(hex).valid).toBe(false);
  });

  it.each([0, 1, 2])('reads nothing behind its end (%i bytes)', (length) => {
    const facts = emptyFacts();
    inspect('VP8', facts, bytes('90 e0 9234 07 40 00'), 0, length);
    expect(facts.valid).toBe(false);
  });
});

describe('a key frame (RFC 7741 4.3, RFC 6386 9.1)', () => {
  it('tells its size without the scale', () => {
    expect(inspected(`90 80 8001 ${KEY_FRAME}`)).toMatchObject({ keyFrame: true, width: 640, height: 360 });
  });

  it('is one without a size when the header is cut or has no start code', () => {
    expect(inspected('10 50 07 00 9d 01 2a 80 42 68')).toMatchObject({ keyFrame: true, width: 0, height: 0 });
    expect(inspected('10 50 07 00 9d 01 2b 80 42 68 81')).toMatchObject({ keyFrame: true, width: 0, height: 0 });
  });

  it.each([
    ['10 00', true],
    ['90 80 8001 00', true],
    ['10 01', false],
    ['00 00', false],
    ['11 00', false],
    ['10', false],
    ['', false],
  ])('"%s": %s', (hex, expected) => {
    expect(inspected(hex).keyFrame).toBe(expected);
  });
});
