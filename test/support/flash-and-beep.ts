// A source that tells of itself: each picture carries its number and the time at which it was made (frame-clock.ts reads them), and once a
// second it flashes while a tone sounds, so that whoever receives both can say how far they are apart.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Page } from 'playwright-core';

const size = { width: 640, height: 360 };
const frameRate = 30;
const sampleRate = 48_000;
const samplesPerFrame = sampleRate / frameRate;
/** Of each second so many frames are bright and loud. */
const flashFrames = 3;
/** As frame-clock.ts reads them: 16 bits of the counter, 20 of the time in milliseconds, 4 that check them, in two rows at the top. */
const columns = 20;
const rows = 2;
const rowHeight = size.height / 9;
const clockRange = 1 << 20;
const [black, dark, bright, white] = [16, 60, 200, 235];

declare global {
  interface Window {
    /** When flashes and tones began that a page received, in milliseconds since 1970. */
    onsets: { flashes: number[]; tones: number[] };
    openFlashAndBeep(): Promise<MediaStream>;
  }
}

function clockBits(counter: number, time: number): bigint {
  const value = (BigInt(counter & 0xffff) << 20n) | BigInt(Math.floor(time) % clockRange);
  let check = 5;
  for (let shift = 0n; shift <= 32n; shift += 4n) check ^= Number((value >> shift) & 15n);
  return (value << 4n) | BigInt(check);
}

/** Pictures (I420) and sound (16 bits, mono) of one frame's time. */
class Maker {
  readonly #picture = Buffer.alloc((size.width * size.height * 3) / 2, 128);
  readonly #sound = Buffer.alloc(samplesPerFrame * 2);
  #samples = 0;

  picture(counter: number, time: number): Buffer {
    const luma = counter % frameRate < flashFrames ? bright : dark;
    this.#picture.fill(luma, 0, size.width * size.height);
    // Something that moves, so that every frame is new to an encoder.
    const left = (counter * 7) % (size.width - 40);
    for (let y = 200; y < 240; y++) this.#picture.fill(128, y * size.width + left, y * size.width + left + 40);
    const bits = clockBits(counter, time);
    for (let bit = 0; bit < columns * rows; bit++) {
      const value = (bits >> BigInt(bit)) & 1n ? white : black;
      const from = (bit % columns) * (size.width / columns);
      const top = Math.floor(bit / columns) * rowHeight;
      for (let y = top; y < top + rowHeight; y++)
        this.#picture.fill(value, y * size.width + from, y * size.width + from + size.width / columns);
    }
    return this.#picture;
  }

  sound(counter: number): Buffer {
    const loud = counter % frameRate < flashFrames;
    for (let i = 0; i < samplesPerFrame; i++) {
      const sample = loud ? Math.sin((2 * Math.PI * 1_000 * this.#samples) / sampleRate) * 20_000 : 0;
      this.#sound.writeInt16LE(Math.round(sample), i * 2);
      this.#samples += 1;
    }
    return this.#sound;
  }
}

/** FFmpeg that encodes the source with these options, and sends it where they say, in real time. */
export class FlashAndBeep {
  readonly process: ChildProcess;
  output = '';
  readonly #pace: Pace;
  #stopped = false;

  constructor(options: readonly string[], pace: Pace = { live: true }) {
    this.#pace = pace;
    const picture = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${size.width}x${size.height}`];
    const quick = ['-probesize', '32', '-analyzeduration', '0', '-thread_queue_size', '64'];
    const video = [...quick, ...picture, '-framerate', `${frameRate}`, '-i', 'pipe:3'];
    const audio = [...quick, '-f', 's16le', '-ar', `${sampleRate}`, '-ac', '1', '-i', 'pipe:4'];
    const args = ['-nostdin', '-loglevel', 'error', '-fflags', 'nobuffer', ...video, ...audio, ...options];
    this.process = spawn('/usr/bin/ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
    this.process.stderr?.on('data', (text) => (this.output += text));
    const [pictures, sounds] = [this.process.stdio[3] as Writable, this.process.stdio[4] as Writable];
    for (const pipe of [pictures, sounds]) pipe.on('error', () => {});
    void this.#feed(pictures, sounds);
  }

  async end(): Promise<void> {
    this.#stopped = true;
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exit;
  }

  async #feed(pictures: Writable, sounds: Writable): Promise<void> {
    const maker = new Maker();
    const started = performance.now();
    const count = this.#pace.live ? Number.POSITIVE_INFINITY : this.#pace.seconds * frameRate;
    for (let counter = 0; counter < count && !this.#stopped && this.process.exitCode === null; counter++) {
      const elapsedMs = (counter * 1_000) / frameRate;
      const wait = started + elapsedMs - performance.now();
      if (this.#pace.live && wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      sounds.write(Buffer.from(maker.sound(counter)));
      const isTaken = pictures.write(Buffer.from(maker.picture(counter, this.#pace.live ? Date.now() : elapsedMs)));
      if (!this.#pace.live && !isTaken) await Promise.race([once(pictures, 'drain'), once(pictures, 'close')]);
    }
    for (const pipe of [pictures, sounds]) pipe.end();
  }
}

/** As pictures and sound are due, or so many seconds of them as fast as they are taken, with times from 0. */
type Pace = { live: true } | { live: false; seconds: number };

/** Writes a file of the source, encoded with these options. */
export async function writeFlashAndBeep(file: string, seconds: number, options: readonly string[]): Promise<void> {
  const source = new FlashAndBeep([...options, '-y', file], { live: false, seconds });
  const [code] = await once(source.process, 'exit');
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${source.output}`);
}

/** Options of an encoder that a stage takes: H.264 without B-frames, AAC. */
export const stageCodecs = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-b:v', '1500k'],
  ...['-g', '60', '-c:a', 'aac', '-b:a', '96k'],
];

/** Gives a page `openFlashAndBeep`: the same source from a browser's own clocks and encoders, without numbers in its pictures. */
export function installFlashAndBeep(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.openFlashAndBeep = async () => {
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: 640, height: 360 });
      const drawing = canvas.getContext('2d') as CanvasRenderingContext2D;
      const context = new AudioContext({ sampleRate: 48_000 });
      const [oscillator, gain] = [context.createOscillator(), context.createGain()];
      const destination = context.createMediaStreamDestination();
      oscillator.frequency.value = 1_000;
      gain.gain.value = 0;
      oscillator.connect(gain).connect(destination);
      oscillator.start();
      await context.resume();
      let count = 0;
      setInterval(() => {
        const isBright = count % 30 < 3;
        drawing.fillStyle = isBright ? '#c8c8c8' : '#3c3c3c';
        drawing.fillRect(0, 0, canvas.width, canvas.height);
        drawing.fillStyle = '#808080';
        drawing.fillRect((count * 7) % 600, 300, 40, 40);
        gain.gain.setValueAtTime(isBright ? 0.5 : 0, context.currentTime);
        count += 1;
      }, 1_000 / 30);
      return new MediaStream([...canvas.captureStream(30).getTracks(), ...destination.stream.getTracks()]);
    };
  });
}

/** Writes down when flashes and tones begin in what the last video element of a page plays. */
export function watchOnsets(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.onsets = { flashes: [], tones: [] };
    // Subscriptions that were refused have left theirs.
    const stream = [...document.querySelectorAll('video')].at(-1)?.srcObject as MediaStream;
    const readerOf = <Data>(kind: 'audio' | 'video') => {
      const track = stream
        .getTracks()
        .find((one) => one.kind === kind)
        ?.clone() as MediaStreamTrack;
      return (
        new MediaStreamTrackProcessor({ track }) as unknown as { readable: ReadableStream<Data> }
      ).readable.getReader();
    };
    const watchPicture = async (reader: ReadableStreamDefaultReader<VideoFrame>) => {
      let wasBright = true;
      for (let next = await reader.read(); next.value; next = await reader.read()) {
        const at = Date.now();
        const frame = next.value;
        const { width = 0, height = 0 } = frame.visibleRect ?? {};
        // Below the rows of the clock.
        const rect = { x: 0, y: Math.floor(height / 2) & ~1, width: width & ~1, height: 2 };
        const bytes = new Uint8Array(frame.allocationSize({ rect }));
        await frame.copyTo(bytes, { rect });
        frame.close();
        const isBright = (bytes[4] ?? 0) > 130;
        if (isBright && !wasBright) window.onsets.flashes.push(at);
        wasBright = isBright;
      }
    };
    const watchSound = async (reader: ReadableStreamDefaultReader<AudioData>) => {
      let quietSince = 0;
      for (let next = await reader.read(); next.value; next = await reader.read()) {
        const at = Date.now();
        const data = next.value;
        const samples = new Float32Array(data.numberOfFrames);
        data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
        const first = samples.findIndex((sample) => Math.abs(sample) > 0.1);
        const { sampleRate, numberOfFrames } = data;
        data.close();
        if (first < 0) continue;
        // The end of the chunk is now.
        const begins = at - ((numberOfFrames - first) * 1_000) / sampleRate;
        if (begins - quietSince > 300) window.onsets.tones.push(begins);
        quietSince = at;
      }
    };
    void watchPicture(readerOf('video'));
    void watchSound(readerOf('audio'));
  });
}

/** By how much tones came after their flashes, in milliseconds, of all seconds that have both. */
export async function skews(page: Page): Promise<number[]> {
  const { flashes, tones } = await page.evaluate(() => window.onsets);
  return flashes.flatMap((flash) => {
    const nearest = tones.reduce((best, tone) => (Math.abs(tone - flash) < Math.abs(best - flash) ? tone : best), -1e9);
    return Math.abs(nearest - flash) < 500 ? [nearest - flash] : [];
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
