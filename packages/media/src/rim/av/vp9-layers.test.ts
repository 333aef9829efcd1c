import { readFileSync } from 'node:fs';
import { rtp, video } from '@footlights/protocol';
import { expect, it } from 'vitest';
import { decodeH264 } from './picture.testing.ts';
import { thumbnail } from './thumbnail.ts';
import { VideoToH264 } from './video-to-h264.ts';

interface Unit {
  data: Buffer;
  timestamp: number;
}

/** The pictures of one of the protocol's recordings of a Chromium, each with all its spatial layers. */
function readPictures(name: string): Unit[] {
  const bytes = readFileSync(new URL(`../../../../protocol/src/video/testdata/${name}.rtp`, import.meta.url));
  const frames = new video.FrameAssembler('VP9');
  const units: Unit[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    const { buffer, payloadOffset, payloadEnd, timestamp, marker } = rtp.parse(bytes.subarray(at + 2, end))!;
    frames.push(buffer, payloadOffset, payloadEnd);
    const data = marker ? frames.take() : undefined;
    if (data) units.push({ data, timestamp });
    at = end;
  }
  return units;
}

const encoderOptions = { codec: 'vp9', bitrate: 1_000_000 } as const;

it.each(['chromium-vp9-l3t3', 'chromium-vp9-l3t3-key'])('%s: one picture of each, of its highest layer', (name) => {
  const units = readPictures(name);
  const outputs: { unit: Buffer; timestamp: number; keyFrame: boolean }[] = [];
  const encoder = new VideoToH264(encoderOptions, (unit, timestamp, keyFrame) =>
    outputs.push({ unit, timestamp, keyFrame }),
  );
  for (const { data, timestamp } of units) encoder.push(data, timestamp);
  encoder.finish();
  expect(encoder.failed).toBe(0);
  expect(outputs.map(({ timestamp }) => timestamp)).toEqual(units.map(({ timestamp }) => timestamp));
  const widths = decodeH264(outputs).map(({ width }) => width);
  expect(new Set(widths)).toEqual(new Set([480]));
});

it('a thumbnail is of the highest layer', () => {
  const [first] = readPictures('chromium-vp9-l3t3-key');
  expect(thumbnail(first!.data, { codec: 'vp9' })).toMatchObject({ width: 480, height: 270 });
});
