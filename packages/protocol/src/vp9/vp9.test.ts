import { describe, expect, it } from 'vitest';
import { emptyFacts, inspect } from '../video/index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const inspected = (hex: string) => {
  const facts = emptyFacts();
  inspect('VP9', facts, bytes(hex), 0, bytes(hex).length);
  return facts;
};

/** The uncompressed header of a key frame of profile 0, 640 x 360 (6.2: marker 10, profile 00, 0, key 0, shown 1, 0). */
const KEY_FRAME = '82 49 83 42 00 27 f0 16 70';
/** A frame that is none. */
const INTER_FRAME = '86 00 40';

describe('the payload descriptor (RFC 9628 4.2)', () => {
  it('of one byte', () => {
    expect(inspected(`0c ${INTER_FRAME}`)).toEqual({
      ...emptyFacts(),
      valid: true,
      startsFrame: true,
      payloadOffset: 1,
    });
    expect(inspected(`04 ${INTER_FRAME}`).startsFrame, 'E alone').toBe(false);
  });

  it('with layers in non-flexible mode', () => {
    expect(inspected(`e8 9234 52 07 ${INTER_FRAME}`)).toEqual({
      ...emptyFacts(),
      valid: true,
      pictureId: 0x1234,
      pictureIdBits: 15,
      pictureIdOffset: 1,
      temporalLayer: 2,
      switchingPoint: true,
      spatialLayer: 1,
      tl0PicIdx: 7,
      tl0PicIdxOffset: 4,
      payloadOffset: 5,
    });
  });

  it('with layers and references in flexible mode', () => {
    expect(inspected(`f8 34 20 05 07 08 ${INTER_FRAME}`)).toMatchObject({
      valid: true,
      startsFrame: true,
      keyFrame: false,
      pictureId: 0x34,
      pictureIdBits: 7,
      temporalLayer: 1,
      switchingPoint: false,
      tl0PicIdx: -1,
      payloadOffset: 6,
    });
    expect(inspected('d8 34 05 07 09 02 00').valid, 'a fourth reference').toBe(false);
  });

  it.each([
    ['00', 0, true],
    ['40', 2, false],
    ['50', 2, true],
  ])('with TID and U %s', (byte, temporalLayer, switchingPoint) => {
    expect(inspected(`e8 8001 ${byte} 05 ${INTER_FRAME}`)).toMatchObject({ temporalLayer, switchingPoint });
  });

  it('with a scalability structure of three layers and a picture group', () => {
    const sizes = '0140 00b4 0280 0168 0500 02d0';
    const group = '03 04 04 54 01 28 01 02';
    expect(inspected(`aa 8001 00 05 58 ${sizes} ${group}`)).toMatchObject({
      valid: true,
      width: 1280,
      height: 720,
      payloadOffset: 26,
    });
    expect(inspected(`aa 8001 00 05 58 ${sizes} ${group.slice(0, -3)}`).valid).toBe(false);
  });

  it('with a scalability structure that has neither sizes nor pictures', () => {
    expect(inspected('aa 8001 00 05 40')).toMatchObject({ valid: true, width: 0, height: 0, payloadOffset: 6 });
  });

  it.each([
    '80',
    '80 80',
    'a0 01',
    'a0 01 00',
    'f0 01 00',
    '50',
    '50 01',
    '02',
    '02 10 0140 00',
    '02 08',
    '02 08 01',
    '02 08 01 04',
  ])('cut: "%s"', (hex) => {
    expect(inspected(hex).valid).toBe(false);
  });
});

describe('a key frame', () => {
  it('is one by its descriptor, with the size of its header', () => {
    expect(inspected(`a8 8001 00 05 ${KEY_FRAME}`)).toMatchObject({ keyFrame: true, width: 640, height: 360 });
  });

  it('has the size of the largest layer, not of the frame at hand', () => {
    const structure = '30 0280 0168 0500 02d0';
    expect(inspected(`aa 8001 00 05 ${structure} ${KEY_FRAME}`)).toMatchObject({
      keyFrame: true,
      width: 1280,
      height: 720,
    });
  });

  it('is one when its payload is encrypted', () => {
    expect(inspected('a8 8001 00 05 37 21')).toMatchObject({ keyFrame: true, width: 0, height: 0 });
  });

  it('is not begun by another packet, another layer, or a frame that refers to others', () => {
    expect(inspected(`a0 8001 00 05 ${KEY_FRAME}`).keyFrame, 'no B').toBe(false);
    expect(inspected(`a8 8001 03 05 ${INTER_FRAME}`).keyFrame, 'spatial layer 1').toBe(false);
    expect(inspected(`e8 8001 00 05 ${KEY_FRAME}`).keyFrame, 'P').toBe(false);
  });

  it('is told by the frame header where the descriptor is bare', () => {
    expect(inspected(`08 ${KEY_FRAME}`)).toMatchObject({ keyFrame: true, width: 640, height: 360 });
    expect(inspected(`08 ${INTER_FRAME}`).keyFrame).toBe(false);
    expect(inspected('08 8a').keyFrame, 'show_existing_frame').toBe(false);
  });

  it.each([
    ['profile 1, 4:4:4', 'a2 49 83 42 00 04 fe 02 ce 00'],
    ['profile 2, 10 bits', '92 49 83 42 80 13 f8 0b 38 00'],
    ['profile 3, RGB, 12 bits', 'b1 24 c1 a1 78 09 fc 05 9c'],
  ])('tells its size in %s', (_, header) => {
    expect(inspected(`08 ${header}`)).toMatchObject({ keyFrame: true, width: 640, height: 360 });
  });

  it('has no size when the header is cut', () => {
    expect(inspected('08 82 49 83 42 00 27 f0 16')).toMatchObject({ keyFrame: true, width: 0, height: 0 });
  });
});
