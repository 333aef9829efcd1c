import { describe, expect, it } from 'vitest';
import { MAX_NAL_UNITS, parseAvcDecoderConfiguration, splitAnnexB, splitAvcc } from './index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (units: readonly Buffer[] | undefined) => units?.map((unit) => unit.toString('hex'));

describe('parseAvcDecoderConfiguration (ISO/IEC 14496-15 5.3.3.1)', () => {
  /** As FFmpeg writes it for a stream of profile High, its extension of chroma and bit depth included. */
  const record = '01 64 00 1e ff e1 0006 6764001eacd9 01 0004 68ebe3cb fdf8f800';

  it('reads profile, level and parameter sets', () => {
    const configuration = parseAvcDecoderConfiguration(bytes(record))!;
    expect(configuration).toMatchObject({ profileIdc: 100, constraintFlags: 0, levelIdc: 30, lengthSize: 4 });
    expect(hexOf(configuration.sps)).toEqual(['6764001eacd9']);
    expect(hexOf(configuration.pps)).toEqual(['68ebe3cb']);
  });

  it.each([
    ['fc', 1],
    ['fd', 2],
    ['ff', 4],
  ])('with lengthSizeMinusOne %s', (byte, lengthSize) => {
    expect(parseAvcDecoderConfiguration(bytes(`01 42 c0 1e ${byte} e0 00`))?.lengthSize).toBe(lengthSize);
  });

  it.each([
    ['nothing', ''],
    ['another version', '02 64 00 1e ff e0 00'],
    ['sizes of 3 bytes', '01 64 00 1e fe e0 00'],
    ['its number of PPS cut', '01 64 00 1e ff e0'],
    ['its SPS cut', '01 64 00 1e ff e1 0006 6764001eac'],
    ['its PPS cut', '01 64 00 1e ff e1 0002 6764 01 0004 68ebe3'],
    ['an empty SPS', '01 64 00 1e ff e1 0000 00'],
    ['a size cut', '01 64 00 1e ff e0 01 00'],
  ])('refuses %s', (_, hex) => {
    expect(parseAvcDecoderConfiguration(bytes(hex))).toBeUndefined();
  });
});

describe('splitAvcc (ISO/IEC 14496-15 4.3.3)', () => {
  it.each([
    [1, '02 6588 01 09'],
    [2, '0002 6588 0001 09'],
    [4, '00000002 6588 00000000 00000001 09'],
  ] as const)('with sizes of %i bytes', (lengthSize, hex) => {
    expect(hexOf(splitAvcc(bytes(hex), lengthSize))).toEqual(['6588', '09']);
  });

  it('gives nothing of nothing', () => {
    expect(splitAvcc(bytes(''), 4)).toEqual([]);
  });

  it.each(['00', '000000', '00000003 6588', 'ffffffff 6588'])('refuses "%s"', (hex) => {
    expect(splitAvcc(bytes(hex), 4)).toBeUndefined();
  });

  it('takes as many NAL units as there may be, and no more', () => {
    expect(splitAvcc(bytes('0109'.repeat(MAX_NAL_UNITS)), 1)).toHaveLength(MAX_NAL_UNITS);
    expect(splitAvcc(bytes('0109'.repeat(MAX_NAL_UNITS + 1)), 1)).toBeUndefined();
  });
});

describe('splitAnnexB (H.264 annex B)', () => {
  it('knows start codes of three and four bytes, and filling', () => {
    expect(hexOf(splitAnnexB(bytes('00000001 6742 000001 68ce 000000000001 6588 0000')))).toEqual([
      '6742',
      '68ce',
      '6588',
    ]);
  });

  it('gives nothing of nothing and of start codes alone', () => {
    expect(splitAnnexB(bytes(''))).toEqual([]);
    expect(splitAnnexB(bytes('000001 000001'))).toEqual([]);
  });

  it.each(['67', '6742 000001 68', '0000', '000002 6742'])('refuses "%s"', (hex) => {
    expect(splitAnnexB(bytes(hex))).toBeUndefined();
  });

  it('takes as many NAL units as there may be, and no more', () => {
    expect(splitAnnexB(bytes('00000109'.repeat(MAX_NAL_UNITS)))).toHaveLength(MAX_NAL_UNITS);
    expect(splitAnnexB(bytes('00000109'.repeat(MAX_NAL_UNITS + 1)))).toBeUndefined();
  });
});
