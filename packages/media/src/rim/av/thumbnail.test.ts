import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { lumaOf, makeVideo, run, type VideoStream } from './picture.testing.ts';
import { thumbnail } from './thumbnail.ts';
import { MAX_VIDEO_ACCESS_UNIT } from './video-to-h264.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let video: VideoStream;
beforeAll(() => {
  video = makeVideo({
    codec: 'h264',
    width: 640,
    height: 360,
    frames: 25,
    rate: 30,
    options: ['-g', '10', '-bf', '2'],
  });
});

const keyFrames = () => video.units.filter(({ keyFrame }) => keyFrame);

/** Mean brightness of a JPEG by the system's ffmpeg, from 0 to 255. */
function brightness(jpeg: Buffer): number {
  const raw = run('ffmpeg', ['-v', 'error', '-f', 'mjpeg', '-i', '-', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], jpeg);
  return raw.reduce((sum, value) => sum + value, 0) / raw.length;
}

/** Video's 16 to 235 is a JPEG's 0 to 255. */
const fullRange = (luma: number) => ((luma - 16) * 255) / 219;

describe('a thumbnail', () => {
  it('is the key frame that it was given', () => {
    const times = keyFrames().map(({ timestamp }) => Math.round(timestamp / 3_000));
    expect(times.length).toBeGreaterThanOrEqual(3);
    for (const { data, timestamp } of keyFrames()) {
      const found = thumbnail(data, { codec: 'h264', configuration: video.configuration });
      expect(found).toMatchObject({ width: 640, height: 360 });
      const expected = fullRange(lumaOf(Math.round(timestamp / 3_000)));
      expect(Math.abs(brightness(found?.jpeg ?? Buffer.alloc(0)) - expected)).toBeLessThan(4);
    }
  });

  it('is as small as it is asked for', () => {
    const { data } = video.units[0] ?? { data: Buffer.alloc(0) };
    const options = { codec: 'h264', configuration: video.configuration } as const;
    const found = thumbnail(data, { ...options, maxPicture: { width: 160, height: 160 } });
    expect(found).toMatchObject({ width: 160, height: 90 });
    // A JPEG says its height and width in its frame header (ITU-T T.81 section B.2.2).
    const header = found?.jpeg.indexOf(Buffer.from([0xff, 0xc0])) ?? 0;
    expect([found?.jpeg.readUInt16BE(header + 5), found?.jpeg.readUInt16BE(header + 7)]).toEqual([90, 160]);
  });

  it('is none of what is no key frame', () => {
    const options = { codec: 'h264', configuration: video.configuration } as const;
    const { data } = video.units[0] ?? { data: Buffer.alloc(0) };
    expect(thumbnail(Buffer.alloc(0), options)).toBeUndefined();
    expect(thumbnail(Buffer.alloc(2_000, 0x3c), options)).toBeUndefined();
    expect(thumbnail(Buffer.alloc(MAX_VIDEO_ACCESS_UNIT + 1), options)).toBeUndefined();
    expect(thumbnail(data, { codec: 'h264', configuration: Buffer.alloc(30, 0xee) })).toBeUndefined();
    expect(thumbnail(data, { codec: 'vp8' })).toBeUndefined();
  });

  it('leaves nothing behind', async () => {
    const { data } = video.units[0] ?? { data: Buffer.alloc(0) };
    const round = async () => {
      thumbnail(data, { codec: 'h264', configuration: video.configuration, maxPicture: { width: 320, height: 180 } });
      await setImmediate();
    };
    for (let i = 0; i < 40; i++) await round();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) await round();
    expect(process.memoryUsage.rss() - before).toBeLessThan(20e6);
  });
});
