import { beforeAll, describe, expect, it, vi } from 'vitest';
import { AAC_FRAME, MAX_OPUS_PACKET, OpusToAac, WEBRTC_LOOK_AHEAD } from './opus-to-aac.ts';
import { CLICKS, clickErrors, layAac, level, makeOpus, type OpusStream } from './sound.testing.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

interface Output {
  unit: Buffer;
  timestamp: number;
}

const ORIGIN = 7_200 * 48_000;
const SECONDS = 20;
let opus: OpusStream;
beforeAll(() => {
  opus = makeOpus(CLICKS, SECONDS);
});

interface Run {
  outputs: Output[];
  pcm: Float32Array;
  codec: OpusToAac;
}

/** Pushes the packets that `keep` lets through, each at the time that `at` says. */
function convert(
  keep: (index: number) => boolean = () => true,
  at = (index: number) => ORIGIN + index * 960,
  before: (codec: OpusToAac, index: number) => void = () => {},
): Run {
  const outputs: Output[] = [];
  const listener = (unit: Buffer, timestamp: number) => outputs.push({ unit, timestamp });
  const codec = new OpusToAac({ bitrate: 128_000, lookAhead: WEBRTC_LOOK_AHEAD }, listener);
  for (const [index, packet] of opus.packets.entries()) {
    before(codec, index);
    if (keep(index)) codec.push(packet, at(index));
  }
  codec.finish(listener);
  return { outputs, codec, pcm: layAac(outputs, codec.audioSpecificConfig, ORIGIN) };
}

const worst = (values: readonly number[]) => Math.max(...values.map(Math.abs));

function expectWhole(outputs: readonly Output[]): void {
  for (const [i, { timestamp }] of outputs.entries())
    if (timestamp !== (outputs[0]?.timestamp ?? 0) + i * AAC_FRAME) throw new Error(`a hole before unit ${i}`);
}

/** The end of the last unit, in seconds after ORIGIN. */
const end = (outputs: readonly Output[]) => ((outputs.at(-1)?.timestamp ?? 0) + AAC_FRAME - ORIGIN) / 48_000;

describe('Opus from a browser as AAC', () => {
  it('is heard at its time, as loud as it was, and as long', () => {
    const { outputs, pcm, codec } = convert();
    expectWhole(outputs);
    expect(worst(clickErrors(opus.pcm, pcm, 0.5, SECONDS - 0.5))).toBeLessThanOrEqual(48);
    const ratio = level(pcm, 1, SECONDS - 1) / level(opus.pcm, 1, SECONDS - 1);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
    expect(Math.abs(end(outputs) - SECONDS)).toBeLessThan(0.05);
    expect([codec.failed, codec.late]).toEqual([0, 0]);
  });

  it('is described as AAC-LC of 48 kHz, stereo', () => {
    const { codec } = convert(() => false);
    expect(codec.audioSpecificConfig.subarray(0, 2).toString('hex')).toBe('1190');
  });

  it('has silence where packets are missing, and all else at its time', () => {
    const gaps = [
      [3, 4.6],
      [7, 7.3],
      [10, 14.7],
    ] as const;
    const lost = (i: number) => i % 50 === 13 || gaps.some(([from, to]) => i * 0.02 >= from && i * 0.02 < to);
    const { outputs, pcm } = convert((i) => !lost(i));
    expectWhole(outputs);
    expect(Math.abs(end(outputs) - SECONDS)).toBeLessThan(0.05);
    expect(level(pcm, 10.1, 14.6)).toBeLessThan(0.001);
    for (const [from, to] of [
      [0.5, 2.9],
      [5, 6.9],
      [8, 9.9],
      [15, SECONDS - 0.5],
    ] as const) {
      const errors = clickErrors(opus.pcm, pcm, from, to).map(Math.abs);
      // A click that fell into a lost packet is found nowhere.
      expect(errors.filter((samples) => samples <= 48).length).toBeGreaterThanOrEqual(errors.length - 1);
    }
  });

  it('follows a clock that is 100 ppm off', () => {
    for (const ppm of [100, -100]) {
      const { outputs, pcm } = convert(undefined, (i) => ORIGIN + i * 960 * (1 + ppm / 1e6));
      expectWhole(outputs);
      const off = clickErrors(opus.pcm, pcm, 0.5, SECONDS - 0.5).map((s, i) => s - (0.5 + i * 0.5) * 0.048 * ppm);
      expect(worst(off)).toBeLessThanOrEqual(48);
    }
  });

  it('drops what comes twice', () => {
    const { codec, pcm } = convert(undefined, undefined, (codec, i) => {
      const before = opus.packets[i - 1];
      if (i % 10 === 5 && before) codec.push(before, ORIGIN + (i - 1) * 960);
    });
    expect(codec.late).toBe(Math.floor((opus.packets.length + 4) / 10));
    const errors = clickErrors(opus.pcm, pcm, 0.5, SECONDS - 0.5).map(Math.abs);
    expect(errors.filter((samples) => samples <= 48).length).toBeGreaterThanOrEqual(errors.length - 2);
  });

  it('goes on in silence while nobody speaks, up to where it is told', () => {
    const { outputs, pcm } = convert(
      (i) => i < 100 || i > 500,
      undefined,
      (codec, i) => {
        if (i > 100 && i <= 500) codec.advance(ORIGIN + (i - 5) * 960);
      },
    );
    expectWhole(outputs);
    expect(worst(clickErrors(opus.pcm, pcm, 11, SECONDS - 0.5))).toBeLessThanOrEqual(48);
    expect(level(pcm, 2.1, 9.9)).toBeLessThan(0.001);
  });

  it('does not mind garbage', () => {
    const { codec, outputs } = convert(undefined, undefined, (codec, i) => {
      if (i % 20 === 0)
        codec.push(
          [Buffer.alloc(0), Buffer.alloc(MAX_OPUS_PACKET + 1), Buffer.from([0xff])][i % 3] ?? Buffer.alloc(0),
          ORIGIN + i * 960,
        );
    });
    expect(codec.failed).toBeGreaterThan(0);
    expectWhole(outputs);
  });
});
