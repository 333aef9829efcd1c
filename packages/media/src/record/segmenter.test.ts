import { h264 } from '@footlights/protocol';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { makeVideo, type VideoStream } from '../rim/av/picture.testing.ts';
import { type AacStream, CLICKS, makeAac } from '../rim/av/sound.testing.ts';
import { MAX_SEGMENT_MS, VIDEO_GONE_MS, VIDEO_WAIT_MS } from './limits.ts';
import { type FinishedSegment, type Format, Segmenter } from './segmenter.ts';

vi.setConfig({ hookTimeout: 60_000 });

/** Now, as good as any. */
const ORIGIN = 1_700_000_000_000;
const FRAME_MS = 40;
const AAC_MS = 1_024 / 48;
let small: VideoStream;
let large: VideoStream;
let sound: AacStream;
beforeAll(() => {
  const source = { codec: 'h264', frames: 25, rate: 25, options: ['-bf', '0', '-g', '25'] } as const;
  small = makeVideo({ ...source, options: [...source.options], width: 160, height: 90 });
  large = makeVideo({ ...source, options: [...source.options], width: 320, height: 180 });
  sound = makeAac(CLICKS, 1, 48_000, 2);
});

function openSegmenter(has: { audio: boolean; video: boolean }) {
  const [formats, segments]: [Format[], FinishedSegment[]] = [[], []];
  const segmenter = new Segmenter({
    targetMs: 2_000,
    video: has.video,
    ...(has.audio && { audio: sound.audioSpecificConfig }),
    onFormat: (format) => formats.push(format),
    onSegment: (segment) => segments.push(segment),
  });
  return { segmenter, formats, segments };
}

/** Frames of `stream` from second to second after the origin, a key frame every `keyEvery` seconds. */
function pushVideo(segmenter: Segmenter, stream: VideoStream, from: number, to: number, keyEvery = 1): void {
  const { sps, pps } = h264.parseAvcDecoderConfiguration(stream.configuration) ?? { sps: [], pps: [] };
  for (let at = from * 1_000; at < to * 1_000; at += FRAME_MS) {
    const index = ((at - from * 1_000) % (keyEvery * 1_000)) / FRAME_MS;
    // Which picture it is does not matter here, only whether it is a key frame.
    const unit = stream.units[index === 0 ? 0 : 1 + (index % 24)];
    if (!unit) throw new Error('no such frame');
    segmenter.pushVideo({
      unit: unit.data,
      keyFrame: index === 0,
      timeMs: ORIGIN + at,
      sps: sps[0] ?? Buffer.alloc(0),
      pps: pps[0] ?? Buffer.alloc(0),
    });
  }
}

function pushAudio(segmenter: Segmenter, from: number, to: number): void {
  for (let at = from * 1_000, i = 0; at < to * 1_000; at += AAC_MS, i++)
    segmenter.pushAudio({ unit: sound.units[i % sound.units.length] ?? Buffer.alloc(0), timeMs: ORIGIN + at });
}

const seconds = (segments: FinishedSegment[]) =>
  segments.map(({ startedAtMs, durationMs }) => [(startedAtMs - ORIGIN) / 1_000, durationMs / 1_000]);

describe('segments of a recording', () => {
  it('are cut at the first key frame past the target', () => {
    const { segmenter, formats, segments } = openSegmenter({ audio: false, video: true });
    pushVideo(segmenter, small, 0, 6, 1.48);
    segmenter.finish();
    expect(formats.map(({ width, height }) => [width, height])).toEqual([[160, 90]]);
    expect(seconds(segments)).toEqual([
      [0, 2.96],
      [2.96, 2.96],
      [5.92, 0.08],
    ]);
  });

  it.each([
    ['a frame', 1_960, [1.96, 1.96, 1.96]],
    ['more than a frame', 1_920, [3.84]],
  ])('are cut at a key frame that comes %s before the target', (_, keyEveryMs, expected) => {
    const { segmenter, segments } = openSegmenter({ audio: false, video: true });
    pushVideo(segmenter, small, 0, 6, keyEveryMs / 1_000);
    segmenter.advance(ORIGIN + 5_950);
    expect(segments.map(({ durationMs }) => durationMs / 1_000)).toEqual(expected);
  });

  it('leave no time between them, and hold sound and pictures of one time', () => {
    const { segmenter, formats, segments } = openSegmenter({ audio: true, video: true });
    pushAudio(segmenter, 0, 6);
    pushVideo(segmenter, small, 0, 6);
    segmenter.advance(ORIGIN + 5_000);
    expect(segments).toHaveLength(2);
    expect(segmenter.keyFrameDueMs).toBe(ORIGIN + 6_000);
    segmenter.finish();
    expect(formats).toHaveLength(1);
    expect(formats[0]?.codecs[0]).toMatch(/^avc1\.[0-9a-f]{6}$/i);
    expect(formats[0]?.codecs[1]).toBe('mp4a.40.2');
    for (const [index, { startedAtMs, durationMs }] of segments.slice(0, -1).entries())
      expect(segments[index + 1]?.startedAtMs).toBe(startedAtMs + durationMs);
  });

  it('begin with the first key frame: pictures before it are left out', () => {
    const { segmenter, segments } = openSegmenter({ audio: false, video: true });
    const { units } = small;
    const { sps, pps } = h264.parseAvcDecoderConfiguration(small.configuration) ?? { sps: [], pps: [] };
    const sets = { sps: sps[0] ?? Buffer.alloc(0), pps: pps[0] ?? Buffer.alloc(0) };
    for (let i = 1; i < 5; i++)
      segmenter.pushVideo({ ...sets, unit: units[i]?.data ?? Buffer.alloc(0), keyFrame: false, timeMs: ORIGIN + i });
    pushVideo(segmenter, small, 1, 2);
    segmenter.finish();
    expect(seconds(segments)).toEqual([[1, 1]]);
  });

  it('of sound alone are cut at the target', () => {
    const { segmenter, formats, segments } = openSegmenter({ audio: true, video: false });
    pushAudio(segmenter, 0, 5);
    segmenter.finish();
    expect(formats.map(({ codecs, width }) => [codecs, width])).toEqual([[['mp4a.40.2'], undefined]]);
    expect(segments).toHaveLength(3);
    for (const { durationMs } of segments.slice(0, 2)) expect(Math.abs(durationMs - 2_000)).toBeLessThan(AAC_MS + 1);
    const whole = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
    expect(Math.abs(whole - 5_000)).toBeLessThan(AAC_MS + 1);
  });

  it('have another format when the size of the picture changes', () => {
    const { segmenter, formats, segments } = openSegmenter({ audio: false, video: true });
    pushVideo(segmenter, small, 0, 1);
    pushVideo(segmenter, large, 1, 2);
    segmenter.finish();
    expect(formats.map(({ width, height }) => [width, height])).toEqual([
      [160, 90],
      [320, 180],
    ]);
    expect(seconds(segments)).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it(`wait ${VIDEO_WAIT_MS} ms for the first picture, then are of sound alone until it comes`, () => {
    const { segmenter, formats } = openSegmenter({ audio: true, video: true });
    pushAudio(segmenter, 0, (VIDEO_WAIT_MS - 100) / 1_000);
    segmenter.advance(ORIGIN + VIDEO_WAIT_MS);
    expect(formats).toEqual([]);
    pushAudio(segmenter, VIDEO_WAIT_MS / 1_000, 6);
    segmenter.advance(ORIGIN + 5_500);
    expect(formats.map(({ codecs }) => codecs)).toEqual([['mp4a.40.2']]);
    pushVideo(segmenter, small, 6, 7);
    pushAudio(segmenter, 6, 7);
    segmenter.finish();
    expect(formats.map(({ codecs }) => codecs.length)).toEqual([1, 2]);
  });

  it('go on with sound alone when no pictures come any more', () => {
    const { segmenter, formats, segments } = openSegmenter({ audio: true, video: true });
    pushVideo(segmenter, small, 0, 1);
    pushAudio(segmenter, 0, 12);
    segmenter.finish();
    expect(formats.map(({ codecs }) => codecs.length)).toEqual([2, 1]);
    expect(Math.abs((segments[0]?.durationMs ?? 0) - 2_000 - VIDEO_GONE_MS)).toBeLessThan(AAC_MS + 1);
  });

  it(`with sound end after ${MAX_SEGMENT_MS} ms though no key frame comes`, () => {
    const { segmenter, segments } = openSegmenter({ audio: true, video: true });
    pushVideo(segmenter, small, 0, 40, 60);
    pushAudio(segmenter, 0, 40);
    segmenter.finish();
    expect(segments).toHaveLength(2);
    expect(Math.abs((segments[0]?.durationMs ?? 0) - MAX_SEGMENT_MS)).toBeLessThan(AAC_MS + 1);
  });
});
