import { describe, expect, it } from 'vitest';
import { parseSps, sliceType, sliceTypes } from './index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Made by libx264 of Debian 12; sizes, rate and interlacing are what ffprobe says of them. */
const encoded = [
  [
    'baseline',
    '6742c01ed900a02ff970110000030001000003003c0f162e48',
    { profileIdc: 66, constraintFlags: 0xc0, width: 640, height: 360, maxReorderFrames: 0 },
  ],
  [
    'main with B-frames, cropped',
    '674d401feca02802dfd60220000003002000000781e30632c0',
    { profileIdc: 77, levelIdc: 31, width: 1280, height: 718, maxReorderFrames: 2 },
  ],
  [
    'high, cropped on both sides',
    '6764001eacd940a02fea4c0440000003004000000f03c58b6580',
    { profileIdc: 100, width: 638, height: 362 },
  ],
  [
    'high 4:2:2',
    '677a000dbcd9415087888fc044000003000400000300f03c50a658',
    { profileIdc: 122, chromaFormatIdc: 2, width: 322, height: 242 },
  ],
  [
    'high 4:4:4, odd in both directions',
    '67f4000d919b282a10f084218088000003000800000301e078a14cb0',
    { profileIdc: 244, chromaFormatIdc: 3, width: 321, height: 241 },
  ],
  [
    'high, monochrome',
    '67640028f36501e0089f89c05b20000003002000000781e30632c0',
    { chromaFormatIdc: 0, width: 1920, height: 1080 },
  ],
  [
    'high, interlaced, with HRD parameters',
    '6764001eacd940b424fd602200000300020000030064c08001e848003d09498601f1429960',
    { frameMbsOnly: false, width: 720, height: 572, framesPerSecond: 25, maxReorderFrames: 2 },
  ],
] as const;

describe('parseSps (H.264 7.3.2.1.1)', () => {
  it.each(encoded)('%s', (_, hex, expected) => {
    expect(parseSps(bytes(hex))).toMatchObject({ id: 0, bitDepthLuma: 8, framesPerSecond: 30, ...expected });
  });

  it('with scaling matrices', () => {
    const sps = new Bits().u(8, 100).u(8, 0).u(8, 31).ue(3).ue(1).ue(2).ue(2).u(1, 0).u(1, 1);
    // A flat list of 16 by its deltas, one that falls back at once, none for the other six.
    sps.u(1, 1).se(8);
    for (let index = 1; index < 16; index++) sps.se(0);
    sps.u(1, 1).se(-8).u(6, 0);
    sps.ue(0).ue(0).ue(0).ue(4).u(1, 0).ue(39).ue(29).u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(1, 1);
    expect(parseSps(sps.nal(0x67))).toMatchObject({
      id: 3,
      bitDepthLuma: 10,
      width: 640,
      height: 480,
      framesPerSecond: 0,
    });
  });

  it('with picture order count of type 1', () => {
    const sps = baseline().ue(0).ue(1).u(1, 0).se(-3).se(2).ue(2).se(1).se(-1).ue(1).u(1, 0);
    sps.ue(9).ue(9).u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(1, 1);
    expect(parseSps(sps.nal(0x67))).toMatchObject({ width: 160, height: 160, maxReorderFrames: -1 });
  });

  it('keeps its size when the VUI behind it is cut', () => {
    const whole = bytes(encoded[0][1]);
    expect(parseSps(whole.subarray(0, -4))).toMatchObject({
      width: 640,
      height: 360,
      framesPerSecond: 0,
      maxReorderFrames: -1,
    });
  });

  it.each([
    ['nothing', ''],
    ['a PPS', '68ebe3cb'],
    ['its first byte alone', '67'],
    ['an SPS cut in its size', '6742c01ed900'],
    ['zeros', '67000000000000000000000000000000'],
  ])('refuses %s', (_, hex) => {
    expect(parseSps(bytes(hex))).toBeUndefined();
  });

  const sized = (columns: number, rows: number) => {
    const sps = baseline()
      .ue(0)
      .ue(2)
      .ue(1)
      .u(1, 0)
      .ue(columns - 1)
      .ue(rows - 1);
    return parseSps(sps.u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(1, 1).nal(0x67));
  };

  it('refuses a side of more macroblocks than any level allows', () => {
    expect(sized(1055, 1)).toMatchObject({ width: 16_880, height: 16 });
    expect(sized(1056, 1)).toBeUndefined();
    expect(sized(1, 1056)).toBeUndefined();
  });

  it('refuses a picture that is cropped to nothing', () => {
    const cropped = (right: number) => {
      const sps = baseline().ue(0).ue(2).ue(1).u(1, 0).ue(0).ue(0).u(1, 1).u(1, 1).u(1, 1);
      return parseSps(sps.ue(0).ue(right).ue(0).ue(0).u(1, 0).u(1, 1).nal(0x67));
    };
    expect(cropped(7)).toMatchObject({ width: 2 });
    expect(cropped(8)).toBeUndefined();
    expect(cropped(2 ** 20)).toBeUndefined();
  });
});

describe('sliceType (H.264 7.3.3)', () => {
  it.each([
    ['41 9a', sliceTypes.p],
    ['01 9e', sliceTypes.b],
    ['65 88', sliceTypes.i],
    ['01 a8', sliceTypes.b],
    ['06 05', -1],
    ['43 9e', -1],
    ['41', -1],
    ['41 00', -1],
    ['41 00000000000000000000', -1],
    ['', -1],
  ])('of "%s" is %i', (hex, type) => {
    expect(sliceType(bytes(hex), 0, bytes(hex).length)).toBe(type);
  });

  it('looks past emulation prevention bytes', () => {
    // first_mb_in_slice has 22 leading zeros, so that the slice header begins with 00 00 02.
    const slice = new Bits()
      .ue(2 ** 22 - 1)
      .ue(1)
      .u(1, 1)
      .nal(0x41);
    expect(slice.toString('hex'), 'has them').toContain('000003');
    expect(sliceType(slice, 0, slice.length)).toBe(sliceTypes.b);
  });

  it('stays within offset and end', () => {
    const slice = bytes('00 41 9e');
    expect(sliceType(slice, 1, 3)).toBe(sliceTypes.b);
    expect(sliceType(slice, 1, 2)).toBe(-1);
    expect(sliceType(slice, 1, 4)).toBe(-1);
  });
});

const baseline = () => new Bits().u(8, 66).u(8, 0).u(8, 30).ue(0);

/** Writes the syntax elements of H.264 7.2. */
class Bits {
  private text = '';

  u(count: number, value: number): this {
    if (count > 0) this.text += value.toString(2).padStart(count, '0');
    return this;
  }

  ue(value: number): this {
    const code = (value + 1).toString(2);
    this.text += '0'.repeat(code.length - 1) + code;
    return this;
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** A NAL unit with emulation prevention bytes. */
  nal(header: number): Buffer {
    const padded = this.text.padEnd(Math.ceil(this.text.length / 8) * 8, '0');
    const unit = [header];
    for (let at = 0; at < padded.length; at += 8) {
      const byte = Number.parseInt(padded.slice(at, at + 8), 2);
      if (byte <= 3 && unit.length > 2 && unit.at(-1) === 0 && unit.at(-2) === 0) unit.push(3);
      unit.push(byte);
    }
    return Buffer.from(unit);
  }
}
