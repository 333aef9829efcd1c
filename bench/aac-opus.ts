// AAC to Opus: processor time for a second of sound, and 50 live streams in one process: what they take of it, and for how long they hold its
// event loop. Needs the ffmpeg program, which makes the AAC. Run: npm run bench -- aac-opus.
import { spawnSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { AacToOpus } from '@footlights/media/av';

const seconds = 60;
const streams = 50;
const liveSeconds = 10;
const bitrate = 96_000;

interface Aac {
  audioSpecificConfig: Buffer;
  units: Buffer[];
  rate: number;
}

/** Noise and tones, which cost an encoder more than silence. */
function makeAac(rate: number, channels: 1 | 2): Aac {
  const expression = Array(channels).fill('0.2*sin(2*PI*t*(200+100*sin(t)))+0.1*(random(0)-0.5)').join('|');
  const done = spawnSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `aevalsrc='${expression}':s=${rate}:d=${seconds}`,
      '-c:a',
      'aac',
      '-b:a',
      '128k',
    ].concat(['-f', 'adts', '-']),
    { maxBuffer: 1 << 28 },
  );
  if (done.status !== 0) throw new Error(`ffmpeg is needed to make AAC: ${done.error?.message ?? done.stderr}`);
  const units: Buffer[] = [];
  for (let at = 0; at + 7 <= done.stdout.length; ) {
    const length = (done.stdout.readUInt32BE(at + 2) >> 5) & 0x1fff;
    units.push(done.stdout.subarray(at + 7, at + length));
    at += length;
  }
  const config = (2 << 11) | ((rate === 48_000 ? 3 : 4) << 7) | (channels << 3);
  return { audioSpecificConfig: Buffer.from([config >> 8, config & 0xff]), units, rate };
}

const timestampOf = ({ rate }: Aac, unit: number): number => Math.round((unit * 1_024_000) / rate) * 48;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Processor milliseconds a second of sound, and the longest push. */
function convertAll(aac: Aac): { cost: number; longest: number; kilobits: number } {
  let bytes = 0;
  let longest = 0;
  const codec = new AacToOpus({ audioSpecificConfig: aac.audioSpecificConfig, bitrate }, (packet) => {
    bytes += packet.length;
  });
  const before = cpuMs();
  for (const [index, unit] of aac.units.entries()) {
    const start = performance.now();
    codec.push(unit, timestampOf(aac, index));
    longest = Math.max(longest, performance.now() - start);
  }
  const cost = (cpuMs() - before) / seconds;
  codec.close();
  return { cost, longest, kilobits: (bytes * 8) / 1_000 / seconds };
}

function printCosts(): void {
  console.log(`AAC of 128 kbit/s to Opus of ${bitrate / 1_000}, ${seconds} s`);
  console.log('from                 CPU ms/s   of a core   longest push   kbit/s');
  for (const rate of [48_000, 44_100])
    for (const channels of [2, 1] as const) {
      const aac = makeAac(rate, channels);
      convertAll(aac);
      const { cost, longest, kilobits } = convertAll(aac);
      const name = `${rate / 1_000} kHz, ${channels === 2 ? 'stereo' : 'mono'}`;
      const columns = [cost.toFixed(1).padStart(8), `${(cost / 10).toFixed(2)} %`.padStart(11)];
      columns.push(`${longest.toFixed(1)} ms`.padStart(14), kilobits.toFixed(1).padStart(8));
      console.log([name.padEnd(20), ...columns].join(' '));
    }
}

/** Pushes what is due of each stream, each at a moment of its own, as messages from the network come. */
async function live(aac: Aac): Promise<void> {
  const rssBefore = process.memoryUsage.rss();
  const codecs = Array.from({ length: streams }, () => {
    return new AacToOpus({ audioSpecificConfig: aac.audioSpecificConfig, bitrate }, () => {});
  });
  const pushed = new Uint32Array(streams);
  const start = performance.now();
  const push = (stream: number): void => {
    const index = pushed[stream] ?? 0;
    const unit = aac.units[index % aac.units.length];
    if (unit) codecs[stream]?.push(unit, timestampOf(aac, index));
    pushed[stream] = index + 1;
    const due = start + ((index + 1) * 1_024_000) / aac.rate + stream * 0.4;
    setTimeout(push, Math.max(0, due - performance.now()), stream);
  };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  for (let stream = 0; stream < streams; stream++) push(stream);
  await sleep(1_000);
  delay.enable();
  const before = cpuMs();
  await sleep(liveSeconds * 1_000);
  const used = (cpuMs() - before) / (liveSeconds * 10);
  delay.disable();
  const grown = (process.memoryUsage.rss() - rssBefore) / streams / 1e6;
  const ms = (ns: number) => `${(ns / 1e6).toFixed(1)} ms`;
  console.log(
    `\n${streams} live streams of 48 kHz stereo in one process: ${used.toFixed(0)} % of a core, ${grown.toFixed(1)} MB each`,
  );
  console.log(
    `event loop late by ${ms(delay.percentile(50))} (p50), ${ms(delay.percentile(99))} (p99), ${ms(delay.max)} (max)`,
  );
}

printCosts();
await live(makeAac(48_000, 2));
process.exit(0);
