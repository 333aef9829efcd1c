import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_FLTP, FF_DECODER_AAC, FF_DECODER_LIBOPUS } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { Decoder } from './native.ts';
import { packetsOf, run } from './picture.testing.ts';

/** What sound tests measure with: AAC made by the system's ffmpeg, and how far two recordings of it lie apart. */

/** Seconds between two clicks of `clicks`. */
const CLICK_PERIOD = 0.5;
/** A tone of 440 Hz with 5 ms of 3 kHz at every click. */
export const CLICKS = `0.1*sin(440*2*PI*t)+0.7*sin(3000*2*PI*t)*lt(mod(t,${CLICK_PERIOD}),0.005)`;

export interface AacStream {
  audioSpecificConfig: Buffer;
  units: Buffer[];
  /** Samples a second and a unit, as the encoder counted them. */
  sampleRate: number;
  samplesPerUnit: number;
  /** All units decoded by the system's ffmpeg, mixed to mono at 48 kHz. */
  pcm: Float32Array;
}

const ffmpeg = (args: string[], input?: Buffer): Buffer => run('ffmpeg', ['-v', 'error', ...args, '-'], input);

/** `expression` is one of ffmpeg's aevalsrc. */
export function makeAac(expression: string, seconds: number, sampleRate: number, channels: 1 | 2): AacStream {
  const source = `aevalsrc='${Array(channels).fill(expression).join('|')}':s=${sampleRate}:d=${seconds}`;
  const adts = ffmpeg(['-f', 'lavfi', '-i', source, '-c:a', 'aac', '-b:a', '128k', '-f', 'adts']);
  const mean = channels === 1 ? 'anull' : 'pan=mono|c0=0.5*c0+0.5*c1';
  const raw = ffmpeg(['-f', 'aac', '-i', '-', '-af', mean, '-ar', '48000', '-f', 'f32le'], adts);
  return {
    ...splitAdts(adts),
    sampleRate,
    samplesPerUnit: 1024,
    pcm: floats(raw),
  };
}

const floats = (raw: Buffer): Float32Array =>
  new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));

export interface OpusStream {
  /** Packet `i` has samples 960 i to 960 (i + 1) of the source, as RTP timestamps say; its decoder gives them 312 samples late. */
  packets: Buffer[];
  /** The source, mono at 48 kHz. */
  pcm: Float32Array;
}

/** Opus as browsers make it: 20 ms, libopus for any sound. */
export function makeOpus(expression: string, seconds: number): OpusStream {
  const folder = mkdtempSync(join(tmpdir(), 'footlights-opus-'));
  const source = ['-f', 'lavfi', '-i', `aevalsrc='${expression}':s=48000:d=${seconds}`];
  try {
    const file = join(folder, 'a.mp4');
    run('ffmpeg', ['-v', 'error', ...source, '-c:a', 'libopus', '-b:a', '64k', '-strict', '-2', '-y', file]);
    const packets = packetsOf(file, readFileSync(file)).map(({ data }) => data);
    return { packets, pcm: floats(ffmpeg([...source, '-f', 'f32le'])) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Raw access units and the AudioSpecificConfig out of ADTS frames without CRC (ISO/IEC 13818-7 section 6.2). */
export function splitAdts(adts: Buffer): { audioSpecificConfig: Buffer; units: Buffer[] } {
  const units: Buffer[] = [];
  for (let at = 0; at + 7 <= adts.length; ) {
    const length = (adts.readUInt32BE(at + 2) >> 5) & 0x1fff || 7;
    units.push(adts.subarray(at + 7, at + length));
    at += length;
  }
  const objectType = (adts.readUInt8(2) >> 6) + 1;
  const rateIndex = (adts.readUInt8(2) >> 2) & 0xf;
  const channels = ((adts.readUInt8(2) & 1) << 2) | (adts.readUInt8(3) >> 6);
  const audioSpecificConfig = Buffer.alloc(2);
  audioSpecificConfig.writeUInt16BE((objectType << 11) | (rateIndex << 7) | (channels << 3));
  return { audioSpecificConfig, units };
}

/** Decodes Opus packets to mono and lays each at its timestamp, relative to `origin`; time without packets is silent. */
export function layOpus(packets: readonly { packet: Buffer; timestamp: number }[], origin: number): Float32Array {
  const frame = new Frame();
  frame.alloc();
  const decoder = new Decoder(FF_DECODER_LIBOPUS, opusHead(), frame);
  const last = packets.at(-1)?.timestamp ?? origin;
  const pcm = new Float32Array(Math.max(0, last - origin) + 960);
  for (const { packet, timestamp } of packets)
    decoder.decode(packet, 0n, () => mixInto(pcm, timestamp - origin, frame));
  decoder.close();
  frame.free();
  return pcm;
}

/** Decodes AAC access units to mono and lays each at its timestamp, relative to `origin`. */
export function layAac(
  units: readonly { unit: Buffer; timestamp: number }[],
  audioSpecificConfig: Buffer,
  origin: number,
): Float32Array {
  const frame = new Frame();
  frame.alloc();
  const decoder = new Decoder(FF_DECODER_AAC, audioSpecificConfig, frame);
  const pcm = new Float32Array((units.at(-1)?.timestamp ?? origin) - origin + 1_024);
  for (const { unit, timestamp } of units) decoder.decode(unit, 0n, () => mixInto(pcm, timestamp - origin, frame));
  decoder.close();
  frame.free();
  return pcm;
}

/** RFC 7845 section 5.1, for two channels and no samples to skip. */
export function opusHead(): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(2, 9);
  head.writeUInt32LE(48_000, 12);
  return head;
}

/** Adds the mean of the frame's channels to `pcm` from `at` on. */
export function mixInto(pcm: Float32Array, at: number, frame: Frame): void {
  const { channels, nbSamples, format } = frame;
  const sample = sampleReader(frame.data ?? [], format, channels);
  for (let i = 0; i < nbSamples; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += sample(channel, i);
    const index = at + i;
    if (index >= 0 && index < pcm.length) pcm[index] = sum / channels;
  }
}

function sampleReader(data: Buffer[], format: number, channels: number): (channel: number, index: number) => number {
  if (format === AV_SAMPLE_FMT_FLTP) return (channel, index) => data[channel]?.readFloatLE(index * 4) ?? 0;
  if (format === AV_SAMPLE_FMT_FLT)
    return (channel, index) => data[0]?.readFloatLE((index * channels + channel) * 4) ?? 0;
  return (channel, index) => (data[0]?.readInt16LE((index * channels + channel) * 2) ?? 0) / 32_768;
}

/** How many samples `b` is later than `a`, around each click from `from` to `to` seconds, by correlation. */
export function clickErrors(a: Float32Array, b: Float32Array, from: number, to: number): number[] {
  const errors: number[] = [];
  for (let click = Math.ceil(from / CLICK_PERIOD); click * CLICK_PERIOD < to; click++)
    errors.push(lag(a, b, Math.round(click * CLICK_PERIOD * 48_000)));
  return errors;
}

const MAX_LAG = 1_200;

/** The lag of `b` behind `a` that makes them most alike in the 40 ms after `at`. */
function lag(a: Float32Array, b: Float32Array, at: number): number {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let shift = -MAX_LAG; shift <= MAX_LAG; shift++) {
    let score = 0;
    for (let i = at; i < at + 1_920; i++) score += (a[i] ?? 0) * (b[i + shift] ?? 0);
    if (score > bestScore) {
      bestScore = score;
      best = shift;
    }
  }
  return best;
}

/** Root mean square of the samples from `from` to `to` seconds. */
export function level(pcm: Float32Array, from: number, to: number): number {
  let sum = 0;
  const end = Math.round(to * 48_000);
  for (let i = Math.round(from * 48_000); i < end; i++) sum += (pcm[i] ?? 0) ** 2;
  return Math.sqrt(sum / (end - Math.round(from * 48_000)));
}
