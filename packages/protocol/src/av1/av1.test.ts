import { describe, expect, it } from 'vitest';
import { emptyFacts, inspect } from '../video/index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const inspected = (hex: string) => {
  const facts = emptyFacts();
  inspect('AV1', facts, bytes(hex), 0, bytes(hex).length);
  return facts;
};

/** A sequence header OBU as SVT-AV1 writes it for 640 x 360, without size field. */
const SEQUENCE = '08 00 00 00 0c c4 ff 67 3e fe 40 10';

describe('the aggregation header (RTP Payload Format For AV1, 4.4)', () => {
  it('before one OBU', () => {
    expect(inspected('10 30 10 00')).toEqual({ ...emptyFacts(), valid: true, startsFrame: true, payloadOffset: 1 });
  });

  it('before OBUs with their sizes', () => {
    expect(inspected(`00 02 30 10 03 20 00 00`)).toMatchObject({ valid: true, startsFrame: true });
    expect(inspected(`20 02 30 10 20 00 00`)).toMatchObject({ valid: true, startsFrame: true });
  });

  it.each([
    ['nothing behind it', '10'],
    ['a size past the end', '00 04 30 10 00'],
    ['a size that does not end', '00 80'],
    ['a size of nine bytes', '00 80 80 80 80 80 80 80 80 00'],
    ['fewer elements than it says', '30 02 30 10 02 20 00'],
    ['an element that is said to follow and does not', '20 03 30 10 00'],
  ])('with %s', (_, hex) => {
    expect(inspected(hex).valid).toBe(false);
  });

  it.each([
    ['the middle of an OBU', 'd0 12 34 56'],
    ['the end of an OBU', '90 0a 34 56'],
  ])('of %s tells neither layers nor frames, whatever its bytes', (_, hex) => {
    expect(inspected(hex)).toMatchObject({
      valid: true,
      startsFrame: false,
      keyFrame: false,
      temporalLayer: -1,
      spatialLayer: -1,
      switchingPoint: false,
    });
  });

  it('of the end of one OBU and the start of the next tells the layers of the second', () => {
    expect(inspected('a0 02 ff ff 24 48 00')).toMatchObject({ startsFrame: false, temporalLayer: 2, spatialLayer: 1 });
  });
});

describe('layers (AV1 5.3.3)', () => {
  it.each([
    ['34 00 10', 0, 0, true],
    ['34 20 10', 1, 0, true],
    ['34 48 10', 2, 1, false],
    ['24 40 10', 2, 0, false],
  ])('of the OBU %s', (obu, temporalLayer, spatialLayer, startsFrame) => {
    expect(inspected(`10 ${obu}`)).toMatchObject({
      temporalLayer,
      spatialLayer,
      startsFrame,
      switchingPoint: temporalLayer === 0,
    });
  });

  it('are not told by headers, padding, or an extension that is cut off', () => {
    expect(inspected('20 01 10 34 40 10')).toMatchObject({ temporalLayer: 2, startsFrame: true });
    expect(inspected('50 34')).toMatchObject({ valid: true, temporalLayer: 0, startsFrame: true });
    expect(inspected('10 78 00')).toMatchObject({ valid: true, temporalLayer: -1, startsFrame: false });
  });
});

describe('a key frame', () => {
  it('is told by N and by the sequence header, which has the size', () => {
    expect(inspected(`28 0c ${SEQUENCE} 30 10 00`)).toMatchObject({
      valid: true,
      startsFrame: true,
      keyFrame: true,
      temporalLayer: 0,
      width: 640,
      height: 360,
    });
    expect(inspected(`20 0c ${SEQUENCE} 30 10 00`).keyFrame, 'without N').toBe(true);
    expect(inspected('18 30 10 00'), 'N alone').toMatchObject({ keyFrame: true, width: 0 });
    expect(inspected('98 30 10 00').keyFrame, 'N in the middle of an OBU').toBe(false);
  });

  it('has its size also where the sequence header is written with size field and extension', () => {
    const payload = SEQUENCE.slice(3);
    expect(inspected(`10 0e 00 0b ${payload}`)).toMatchObject({ keyFrame: true, width: 640, height: 360 });
  });

  it('has no size where the sequence header is cut', () => {
    expect(inspected(`58 ${SEQUENCE.slice(0, 20)}`)).toMatchObject({
      valid: true,
      keyFrame: true,
      width: 0,
      height: 0,
    });
  });
});
