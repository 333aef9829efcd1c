import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { AacToOpus, MAX_AAC_ACCESS_UNIT, MAX_AUDIO_SPECIFIC_CONFIG, MAX_DIFFERENCE } from './aac-to-opus.ts';
import { CodecError } from './native.ts';
import { type AacStream, CLICKS, clickErrors, layOpus, level, makeAac } from './sound.testing.ts';

// Real sound through ffmpeg and back, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

interface Output {
  packet: Buffer;
  timestamp: number;
  marker: boolean;
}

/** An hour into a stream; nothing may depend on where its time begins. */
const ORIGIN = 3_600 * 48_000;
const SECONDS = 4;
/** FUZZ_UNITS and LEAK_ROUNDS ask for more than a usual run has. */
const LONG = 3_600_000;
const BITRATE = 96_000;

/** What an RTMP encoder says of unit `index`: whole milliseconds. */
const atMs = (aac: AacStream, index: number) =>
  Math.round((index * aac.samplesPerUnit * 1_000) / aac.sampleRate) * 48 + ORIGIN;

function open(audioSpecificConfig: Uint8Array, bitrate = BITRATE): { codec: AacToOpus; outputs: Output[] } {
  const outputs: Output[] = [];
  const codec = new AacToOpus({ audioSpecificConfig, bitrate }, (packet, timestamp, marker) =>
    outputs.push({ packet, timestamp, marker }),
  );
  return { codec, outputs };
}

function convert(aac: AacStream, at = (index: number) => atMs(aac, index)): { outputs: Output[]; codec: AacToOpus } {
  const { codec, outputs } = open(aac.audioSpecificConfig);
  for (const [index, unit] of aac.units.entries()) codec.push(unit, at(index));
  codec.close();
  return { outputs, codec };
}

const worst = (values: readonly number[]) => Math.max(...values.map(Math.abs));
const rises = (outputs: readonly Output[]) =>
  outputs.every(({ timestamp }, i) => i === 0 || timestamp >= (outputs[i - 1]?.timestamp ?? 0) + 960);

describe.each([
  [48_000, 2],
  [48_000, 1],
  [44_100, 2],
  [44_100, 1],
] as const)('AAC at %i Hz, %i channels', (rate, channels) => {
  let aac: AacStream;
  let outputs: Output[];
  beforeAll(() => {
    aac = makeAac(CLICKS, SECONDS, rate, channels);
    ({ outputs } = convert(aac));
  });

  it('is heard at its time', () => {
    const errors = clickErrors(aac.pcm, layOpus(outputs, ORIGIN), 0.5, SECONDS - 0.5);
    expect(errors).toHaveLength(6);
    // 1 ms, rounded timestamps included.
    expect(worst(errors)).toBeLessThanOrEqual(48);
  });

  it('is as loud as before', () => {
    const ratio = level(layOpus(outputs, ORIGIN), 1, SECONDS - 1) / level(aac.pcm, 1, SECONDS - 1);
    expect(ratio).toBeGreaterThan(0.97);
    expect(ratio).toBeLessThan(1.03);
  });

  it('becomes one packet of 20 ms after the other', () => {
    const seconds = (aac.units.length * 1_024) / rate;
    expect(outputs.length).toBeGreaterThanOrEqual(Math.floor(seconds * 50) - 2);
    expect(outputs.every(({ timestamp }, i) => timestamp === (outputs[0]?.timestamp ?? 0) + i * 960)).toBe(true);
    expect(outputs.some(({ marker }) => marker)).toBe(false);
    // Configuration 31 is CELT of 20 ms, full band (RFC 6716 section 3.1).
    expect(outputs.every(({ packet }) => packet.readUInt8(0) >> 3 === 31)).toBe(true);
    expect(outputs.every(({ packet }) => ((packet.readUInt8(0) >> 2) & 1) + 1 === channels)).toBe(true);
  });

  it('stays below its bitrate in every second', () => {
    for (let from = 0; from + 50 <= outputs.length; from++) {
      const bytes = outputs.slice(from, from + 50).reduce((sum, { packet }) => sum + packet.length, 0);
      expect(bytes * 8).toBeLessThanOrEqual(BITRATE * 1.05);
    }
  });
});

describe('time', () => {
  let aac: AacStream;
  beforeAll(() => {
    aac = makeAac(CLICKS, 24, 48_000, 1);
  });

  /** Lays what was heard at `at` of each unit as a recording at the unit's own time would be. */
  const heard = (outputs: Output[], from: number) => layOpus(outputs, from);

  it('follows a clock that runs fast or slow: 1,000 ppm for 24 s are an hour at 7', () => {
    for (const ppm of [1_000, -1_000]) {
      const { outputs, codec } = convert(aac, (i) => Math.round((i * 1_024 * (1 + ppm / 1e6)) / 48) * 48 + ORIGIN);
      const errors = clickErrors(aac.pcm, heard(outputs, ORIGIN), 0.5, 23);
      // A click at t seconds is due t * ppm later.
      const off = errors.map((samples, i) => samples - (0.5 + i * 0.5) * 0.048 * ppm);
      expect(worst(off)).toBeLessThan(3 * 48);
      expect(outputs.every(({ timestamp }, i) => timestamp === (outputs[0]?.timestamp ?? 0) + i * 960)).toBe(true);
      expect(codec.late).toBe(0);
    }
  });

  it('is left out where the timestamps leave it out, and the marker says so', () => {
    const gap = 2_500 * 48;
    const at = (i: number) => atMs(aac, i) + (i >= 100 ? gap : 0);
    const { outputs } = convert(aac, at);
    const marked = outputs.filter(({ marker }) => marker);
    expect(marked).toHaveLength(1);
    expect(rises(outputs)).toBe(true);
    const before = heard(outputs, ORIGIN);
    const after = heard(outputs, ORIGIN + gap);
    expect(worst(clickErrors(aac.pcm, before, 0.5, 1.9))).toBeLessThanOrEqual(48);
    expect(worst(clickErrors(aac.pcm, after, 2.5, 5))).toBeLessThanOrEqual(48);
    const resumed = marked[0]?.timestamp ?? 0;
    expect(Math.abs(resumed - at(100))).toBeLessThanOrEqual(960 + 120);
  });

  it('makes good one lost unit slowly, more than 40 ms at once', () => {
    const lose = (from: number, to: number) => {
      const { codec, outputs } = open(aac.audioSpecificConfig);
      for (const [i, unit] of aac.units.entries()) if (i < from || i >= to) codec.push(unit, atMs(aac, i));
      codec.close();
      return { marked: outputs.filter(({ marker }) => marker).length, pcm: heard(outputs, ORIGIN) };
    };
    const one = lose(100, 101);
    expect(one.marked).toBe(0);
    expect(worst(clickErrors(aac.pcm, one.pcm, 3, 4))).toBeLessThanOrEqual(1_024);
    expect(worst(clickErrors(aac.pcm, one.pcm, 14, 16))).toBeLessThanOrEqual(48);
    const two = lose(100, 102);
    expect(two.marked).toBe(1);
    expect(worst(clickErrors(aac.pcm, two.pcm, 3, 5))).toBeLessThanOrEqual(48);
  });

  it('does not go back: what is more than 40 ms behind the sound so far is dropped', () => {
    const back = (samples: number) => (i: number) => atMs(aac, i) - (i >= 100 && i < 200 ? samples : 0);
    const { outputs, codec } = convert(aac, back(48_000));
    // A second of units, less those 40 ms.
    expect(codec.late).toBeGreaterThanOrEqual(44);
    expect(codec.late).toBeLessThanOrEqual(47);
    expect(rises(outputs)).toBe(true);
    expect(worst(clickErrors(aac.pcm, heard(outputs, ORIGIN), 5, 7))).toBeLessThanOrEqual(48);
    expect(convert(aac, back(MAX_DIFFERENCE + 48)).codec.late).toBe(1);
    expect(convert(aac, back(MAX_DIFFERENCE - 48)).codec.late).toBe(0);
  });

  it('does not mind timestamps that jitter by 15 ms', () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { outputs, codec } = convert(aac, (i) => atMs(aac, i) + Math.round(random() * 30 - 15) * 48);
    expect(codec.late).toBe(0);
    expect(outputs.some(({ marker }) => marker)).toBe(false);
    // The first timestamp may be 15 ms off, and the line begins at it.
    expect(worst(clickErrors(aac.pcm, heard(outputs, ORIGIN), 14, 18))).toBeLessThan(6 * 48);
  });
});

describe('bad input', () => {
  let aac: AacStream;
  beforeAll(() => {
    aac = makeAac(CLICKS, SECONDS, 44_100, 2);
  });

  it('costs the units alone that are bad; silence takes their place', () => {
    const { codec, outputs } = open(aac.audioSpecificConfig);
    const bad = [Buffer.alloc(0), Buffer.alloc(300, 0xa5), Buffer.alloc(MAX_AAC_ACCESS_UNIT + 1)];
    for (const [i, unit] of aac.units.entries()) codec.push(bad[(i % 43) - 10] ?? unit, atMs(aac, i));
    codec.close();
    expect(codec.failed).toBeGreaterThanOrEqual(Math.floor(aac.units.length / 43) * 2);
    expect(outputs.some(({ marker }) => marker)).toBe(false);
    const clicksPerUnit = clickErrors(aac.pcm, layOpus(outputs, ORIGIN), 0.5, SECONDS - 0.5);
    const near = clicksPerUnit.filter((samples) => Math.abs(samples) <= 48);
    expect(near.length).toBeGreaterThanOrEqual(5);
  });

  it('takes the longest access unit that there can be, and no longer one', () => {
    const { codec } = open(aac.audioSpecificConfig);
    const padded = (length: number) => Buffer.concat([aac.units[10] ?? Buffer.alloc(0)], length);
    codec.push(padded(MAX_AAC_ACCESS_UNIT), ORIGIN);
    expect(codec.failed).toBe(0);
    codec.push(padded(MAX_AAC_ACCESS_UNIT + 1), ORIGIN + 1_115);
    expect(codec.failed).toBe(1);
    codec.close();
  });

  it('refuses configurations that are none', () => {
    for (const config of [Buffer.alloc(0), Buffer.alloc(MAX_AUDIO_SPECIFIC_CONFIG + 1), Buffer.from([0xff, 0xff])])
      expect(() => open(config)).toThrow(CodecError);
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
      let codec: AacToOpus | undefined;
      let opened = 0;
      for (let i = 0; i < rounds; i++) {
        if (i % 200 === 0) {
          codec?.close();
          codec = undefined;
          const config = Buffer.concat([aac.audioSpecificConfig, Buffer.alloc(random(6))]);
          if (random(2) === 0) config[random(config.length)] = random(256);
          try {
            ({ codec } = open(config));
            opened += 1;
          } catch (error) {
            expect(error).toBeInstanceOf(CodecError);
          }
        }
        codec?.push(mutate(aac.units[random(aac.units.length)] ?? Buffer.alloc(0), random), ORIGIN + i * 1_115);
      }
      codec?.close();
      expect(opened).toBeGreaterThan(rounds / 800);
    },
    LONG,
  );

  it(
    'frees what it took',
    async () => {
      const rounds = Number(process.env.LEAK_ROUNDS ?? 200);
      const run = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const { codec } = open(aac.audioSpecificConfig);
          for (let unit = 0; unit < 3; unit++) codec.push(aac.units[unit] ?? Buffer.alloc(0), atMs(aac, unit));
          codec.close();
          codec.close();
          // What JavaScript held of native objects is let go between turns of the event loop alone.
          if (i % 10 === 0) await setImmediate();
        }
      };
      await run(150);
      const before = process.memoryUsage.rss();
      await run(rounds);
      // One codec that stays open takes about a megabyte.
      expect(process.memoryUsage.rss() - before).toBeLessThan(25e6);
    },
    LONG,
  );
});

function mutate(unit: Buffer, random: (below: number) => number): Buffer {
  const kind = random(4);
  if (kind === 0) return Buffer.from(`${unit.toString('latin1')}`, 'utf8').subarray(random(100));
  if (kind === 1) return unit.subarray(0, random(unit.length + 1));
  const copy = Buffer.from(unit);
  for (let n = random(8); n >= 0 && copy.length > 0; n--) copy[random(copy.length)] = random(256);
  return copy;
}
