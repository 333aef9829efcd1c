import { describe, expect, it } from 'vitest';
import { fitPicture, MAX_PICTURE } from './picture-size.ts';

const fit = (width: number, height: number, aspect = 1) => {
  const size = fitPicture({ width, height }, aspect);
  return [size.width, size.height];
};

describe('the size of a picture', () => {
  it('is kept up to 1280 by 720, lying or standing', () => {
    for (const [width, height] of [
      [1280, 720],
      [720, 1280],
      [640, 360],
      [160, 120],
      [720, 720],
      [2, 2],
    ] as const)
      expect(fit(width, height)).toEqual([width, height]);
  });

  it('shrinks with its shape', () => {
    expect(fit(1920, 1080)).toEqual([1280, 720]);
    expect(fit(1080, 1920)).toEqual([720, 1280]);
    expect(fit(3840, 2160)).toEqual([1280, 720]);
    expect(fit(1600, 1200)).toEqual([960, 720]);
    expect(fit(1000, 1000)).toEqual([720, 720]);
    expect(fit(2560, 1080)).toEqual([1280, 540]);
    expect(fit(1282, 720)).toEqual([1280, 718]);
  });

  it('has square pixels and even sides', () => {
    // 4:3 DV of PAL.
    expect(fit(720, 576, 16 / 15)).toEqual([720, 540]);
    expect(fit(1440, 1080, 4 / 3)).toEqual([1280, 720]);
    expect(fit(641, 361)).toEqual([642, 362]);
    expect(fit(640, 360, 1_000)).toEqual([640, 360]);
  });

  it('never exceeds the limits, whatever comes', () => {
    for (let i = 1; i < 3_000; i++) {
      const size = fitPicture({ width: (i * 7_919) % 8_192 || 1, height: (i * 104_729) % 8_192 || 1 }, (i % 50) / 10);
      const [long, short] = [Math.max(size.width, size.height), Math.min(size.width, size.height)];
      expect(long).toBeLessThanOrEqual(MAX_PICTURE.width);
      expect(short).toBeLessThanOrEqual(MAX_PICTURE.height);
      expect((size.width % 2) + (size.height % 2)).toBe(0);
      expect(short).toBeGreaterThanOrEqual(2);
    }
  });
});
