import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { CodecError } from './native.ts';
import { decodeH264, makeVideo, nalUnits, pictureOf, toAnnexB, type VideoStream } from './picture.testing.ts';
import { MAX_VIDEO_ACCESS_UNIT, type VideoCodec, VideoToH264, type VideoToH264Options } from './video-to-h264.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** FUZZ_UNITS and LEAK_ROUNDS ask for more than a usual run has. */
const LONG = 3_600_000;
/** An hour into a stream. */
const ORIGIN = 3_600 * 90_000;

interface Output {
  unit: Buffer;
  timestamp: number;
  keyFrame: boolean;
}

function open(options: Partial<VideoToH264Options> & { codec: VideoCodec }): { video: VideoToH264; outputs: Output[] } {
  const outputs: Output[] = [];
  const video = new VideoToH264({ bitrate: 2_500_000, ...options }, (unit, timestamp, keyFrame) =>
    outputs.push({ unit, timestamp, keyFrame }),
  );
  return { video, outputs };
}

function transcode(stream: VideoStream, options: Partial<VideoToH264Options> & { codec: VideoCodec }): Output[] {
  const { video, outputs } = open({ configuration: stream.configuration, ...options });
  for (const { data, timestamp } of stream.units) video.push(data, ORIGIN + timestamp);
  video.finish();
  expect(video.failed).toBe(0);
  return outputs;
}

const types = ({ unit }: Output) => nalUnits(unit).map((nal) => (nal[0] ?? 0) & 0x1f);

/** Every picture is at its time, in the order of presentation, and none is missing. */
function expectPictures(outputs: readonly Output[], stream: VideoStream, size: readonly [number, number]): void {
  const expected = stream.units.map(({ timestamp }) => ORIGIN + timestamp).sort((a, b) => a - b);
  expect(outputs.map(({ timestamp }) => timestamp)).toEqual(expected);
  const pictures = decodeH264(outputs);
  expect(pictures).toHaveLength(stream.frames);
  for (const [n, { timestamp, luma, width, height }] of pictures.entries()) {
    expect([width, height]).toEqual(size);
    expect(timestamp).toBe(expected[n]);
    expect(pictureOf(luma, Math.min(stream.frames, 190))).toBe(n % 190);
  }
}

describe.each([
  ['h264', ['-bf', '3', '-x264-params', 'b-adapt=0']],
  ['hevc', ['-bf', '3']],
  ['av1', []],
  ['vp8', []],
  ['vp9', []],
] as const)('%s', (codec, options) => {
  it('becomes H.264 picture by picture', () => {
    const stream = makeVideo({ codec, width: 320, height: 180, frames: 24, rate: 30, options: [...options] });
    const reordered = stream.units.some(({ timestamp }, i) => timestamp < (stream.units[i - 1]?.timestamp ?? 0));
    expect(reordered).toBe(options.length > 0);
    expectPictures(transcode(stream, { codec }), stream, [320, 180]);
  });
});

describe('what comes out', () => {
  let stream: VideoStream;
  let outputs: Output[];
  beforeAll(() => {
    stream = makeVideo({ codec: 'h264', width: 1_920, height: 1_080, frames: 125, rate: 30, options: ['-bf', '2'] });
    outputs = transcode(stream, { codec: 'h264', preset: 'ultrafast' });
  });

  it('is at most 720p, with every picture at its time', () => expectPictures(outputs, stream, [1_280, 720]));

  it('is constrained baseline of level 3.1, without delay and without B-frames', () => {
    const sps = nalUnits(outputs[0]?.unit ?? Buffer.alloc(0)).find((nal) => ((nal[0] ?? 0) & 0x1f) === 7);
    expect(sps?.[1]).toBe(66);
    expect((sps?.[2] ?? 0) & 0x40).toBe(0x40);
    expect(sps?.[3]).toBe(31);
  });

  it('has a key frame with parameter sets every 2 s, and no other', () => {
    const keys = outputs.filter(({ keyFrame }) => keyFrame);
    expect(keys.map(({ timestamp }) => timestamp - (outputs[0]?.timestamp ?? 0))).toEqual([0, 180_000, 360_000]);
    for (const output of outputs) {
      const isKey = types(output).includes(5);
      expect(isKey).toBe(output.keyFrame);
      expect(types(output).includes(7) && types(output).includes(8)).toBe(isKey);
    }
  });

  it('has a key frame when it is asked for', () => {
    const small = makeVideo({ codec: 'h264', width: 160, height: 90, frames: 20, rate: 30 });
    const { video, outputs: got } = open({ codec: 'h264', configuration: small.configuration });
    for (const [i, { data, timestamp }] of small.units.entries()) {
      if (i === 11) video.requestKeyFrame();
      video.push(data, timestamp);
    }
    video.finish();
    const keys = got.flatMap(({ keyFrame }, i) => (keyFrame ? [i] : []));
    expect(keys).toHaveLength(2);
    // The decoder may hold pictures back, so the next one out is not later than the one that goes in.
    expect(keys[1]).toBeLessThanOrEqual(11);
    expect(keys[1]).toBeGreaterThan(5);
  });

  it('has at most 30 pictures a second', () => {
    const fast = makeVideo({ codec: 'h264', width: 160, height: 90, frames: 60, rate: 60 });
    const got = transcode(fast, { codec: 'h264' });
    expect(got).toHaveLength(30);
    expect(transcode(fast, { codec: 'h264', maxFrameRate: 60 })).toHaveLength(60);
    const rate50 = makeVideo({ codec: 'h264', width: 160, height: 90, frames: 50, rate: 50 });
    expect(Math.abs(transcode(rate50, { codec: 'h264' }).length - 30)).toBeLessThanOrEqual(1);
  });

  it('has all pictures of a source that was held up and then hurries', () => {
    const slow = makeVideo({ codec: 'vp8', width: 160, height: 90, frames: 60, rate: 20, options: [] });
    const { video, outputs } = open({ codec: 'vp8' });
    // Of ten pictures three come 90, 50 and 10 ms late.
    const late = [0, 0, 0, 90, 50, 10, 0, 0, 0, 0];
    for (const [index, { data, timestamp }] of slow.units.entries())
      video.push(data, ORIGIN + timestamp + (late[index % 10] ?? 0) * 90);
    video.finish();
    expect(outputs).toHaveLength(60);
  });

  it('keeps to its bitrate with pictures that change all over', () => {
    const noise = makeVideo({
      codec: 'h264',
      width: 320,
      height: 180,
      frames: 60,
      rate: 30,
      options: ['-vf', 'noise=alls=60:allf=t', '-crf', '20'],
    });
    const got = transcode(noise, { codec: 'h264', bitrate: 400_000 });
    const bits = got.slice(30).reduce((sum, { unit }) => sum + unit.length * 8, 0);
    expect(bits).toBeLessThan(400_000 * 1.15);
  });
});

describe('a change of size', () => {
  it('goes on with a key frame of the new size', () => {
    const first = makeVideo({ codec: 'h264', width: 320, height: 180, frames: 10, rate: 30 });
    const second = makeVideo({ codec: 'h264', width: 90, height: 160, frames: 10, rate: 30 });
    const { video, outputs } = open({ codec: 'h264' });
    for (const [n, { configuration, units }] of [first, second].entries())
      for (const [i, { data, timestamp }] of units.entries()) {
        const parameterSets = i === 0 ? annexBParameterSets(configuration) : Buffer.alloc(0);
        video.push(Buffer.concat([parameterSets, toAnnexB(data)]), timestamp + n * 90_000);
      }
    video.finish();
    const pictures = decodeH264(outputs);
    expect(pictures).toHaveLength(20);
    expect(pictures.map(({ width }) => width)).toEqual([...Array(10).fill(320), ...Array(10).fill(90)]);
    expect(outputs[10]?.keyFrame).toBe(true);
  });
});

/** The first SPS and PPS of an avcC record, with start codes (ISO/IEC 14496-15 section 5.3.3.1). */
function annexBParameterSets(avcC: Buffer): Buffer {
  const spsLength = avcC.readUInt16BE(6);
  const sps = avcC.subarray(8, 8 + spsLength);
  const ppsLength = avcC.readUInt16BE(9 + spsLength);
  const pps = avcC.subarray(11 + spsLength, 11 + spsLength + ppsLength);
  const startCode = Buffer.from([0, 0, 0, 1]);
  return Buffer.concat([startCode, sps, startCode, pps]);
}

describe('bad input', () => {
  let stream: VideoStream;
  beforeAll(() => {
    stream = makeVideo({
      codec: 'h264',
      width: 160,
      height: 90,
      frames: 30,
      rate: 30,
      options: ['-bf', '2', '-g', '5'],
    });
  });

  it('costs the units alone that are bad', () => {
    const { video, outputs } = open({ codec: 'h264', configuration: stream.configuration });
    video.push(Buffer.alloc(0), 0);
    video.push(Buffer.alloc(5_000, 0x5a), 0);
    video.push(Buffer.alloc(MAX_VIDEO_ACCESS_UNIT + 1, 1), 0);
    expect(video.failed).toBe(3);
    for (const { data, timestamp } of stream.units) video.push(data, timestamp);
    video.finish();
    video.push(stream.units[0]?.data ?? Buffer.alloc(0), 1e9);
    expect(decodeH264(outputs)).toHaveLength(30);
  });

  it('of a size that would take gigabytes is not decoded', () => {
    const huge = makeVideo({ codec: 'h264', width: 4_096, height: 2_320, frames: 1, rate: 30 });
    const { video, outputs } = open({ codec: 'h264', configuration: huge.configuration });
    for (const { data, timestamp } of huge.units) video.push(data, timestamp);
    video.finish();
    expect(outputs).toEqual([]);
    const largest = makeVideo({ codec: 'h264', width: 4_096, height: 2_304, frames: 1, rate: 30 });
    expect(transcode(largest, { codec: 'h264' })).toHaveLength(1);
  });

  it(
    'survives mutated units and configurations',
    () => {
      const rounds = Number(process.env.FUZZ_UNITS ?? 1_000);
      let seed = 7;
      const random = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed % below;
      };
      let video: VideoToH264 | undefined;
      for (let i = 0; i < rounds; i++) {
        if (i % 100 === 0) {
          video?.close();
          video = undefined;
          const configuration = Buffer.from(stream.configuration);
          if (random(2) === 0) configuration[random(configuration.length)] = random(256);
          try {
            ({ video } = open({ codec: 'h264', configuration }));
          } catch (error) {
            expect(error).toBeInstanceOf(CodecError);
          }
        }
        const unit = Buffer.from(stream.units[i % stream.units.length]?.data ?? []);
        for (let n = random(6); n > 0; n--) unit[random(unit.length)] = random(256);
        video?.push(random(20) === 0 ? unit.subarray(0, random(unit.length)) : unit, i * 3_000);
      }
      video?.close();
    },
    LONG,
  );

  it(
    'frees what it took',
    async () => {
      const rounds = Number(process.env.LEAK_ROUNDS ?? 40);
      const run = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const { video } = open({
            codec: 'h264',
            configuration: stream.configuration,
            maxPicture: { width: 80, height: 45 },
          });
          for (const { data, timestamp } of stream.units.slice(0, 8)) video.push(data, timestamp);
          video.finish();
          await setImmediate();
        }
      };
      await run(20);
      const before = process.memoryUsage.rss();
      await run(rounds);
      expect(process.memoryUsage.rss() - before).toBeLessThan(20e6);
    },
    LONG,
  );
});
