// Video that tells of itself: each frame carries its number and the time at which it was made, as black and white blocks that
// survive any encoder, and the page that receives it writes down what it sees, and when.
import type { Page } from 'playwright-core';

/** One frame as a page received it. Publisher and viewer are on one machine and on one clock. */
export interface SeenFrame {
  /** When the decoder gave it out, in milliseconds since 1970. */
  at: number;
  width: number;
  height: number;
  /** Its number at the source, which counts from 0 to 65535 and then from 0 again. -1: the picture cannot be read. */
  counter: number;
  /** From the source to `at`, in milliseconds. */
  ageMs: number;
}

/** What the source makes. */
export interface SourceOptions {
  width: number;
  height: number;
  frameRate: number;
}

declare global {
  interface Window {
    /** Frames that were seen, by the name of the peer connection. */
    seenFrames: Record<string, SeenFrame[]>;
    openClockSource(options: SourceOptions): MediaStreamTrack;
    watchClock(name: string, track: MediaStreamTrack): void;
  }

  /** Of Chromium: frames into a track, and frames out of one. */
  class MediaStreamTrackGenerator extends MediaStreamTrack {
    constructor(options: { kind: 'video' });
    readonly writable: WritableStream<VideoFrame>;
  }
  class MediaStreamTrackProcessor {
    constructor(options: { track: MediaStreamTrack; maxBufferSize?: number });
    readonly readable: ReadableStream<VideoFrame>;
  }
}

/** Gives a page `openClockSource` and `watchClock`. */
export function installFrameClock(page: Page): Promise<void> {
  return page.evaluate(() => {
    if (window.seenFrames) return;
    window.seenFrames = {};
    // 40 bits in two rows at the top, each row a ninth of the picture's height: 16 bits of the counter, 20 of the time in
    // milliseconds, 4 that check them.
    const columns = 20;
    const rows = 2;
    const rowShare = 9;
    const [black, white] = [16, 235];
    const clockRange = 1 << 20;
    const pictureCount = 12;
    const nibbles = [0, 4, 8, 12, 16, 20, 24, 28, 32];
    const check = (value: bigint) => nibbles.reduce((sum, shift) => sum ^ Number((value >> BigInt(shift)) & 15n), 5);
    const encode = (counter: number, clock: number) => {
      const value = (BigInt(counter) << 20n) | BigInt(clock);
      return (value << 4n) | BigInt(check(value));
    };

    /**
     * Pictures with as much detail as makes an encoder spend its bitrate: a pattern that moves, and grain. The last one goes
     * over into the first: a cut would make some encoders send a key frame.
     */
    const pictures = (width: number, height: number) =>
      Array.from({ length: pictureCount }, (_, index) => {
        const phase = (2 * Math.PI * index) / pictureCount;
        const luma = new Uint8Array(width * height);
        let random = index + 1;
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            random = (Math.imul(random, 1664525) + 1013904223) | 0;
            const wave = Math.sin(x / 23 + phase) * Math.cos(y / 17 - phase);
            luma[y * width + x] = 126 + 60 * wave + ((random >>> 24) & 15);
          }
        }
        return luma;
      });

    window.openClockSource = ({ width, height, frameRate }) => {
      const track = new MediaStreamTrackGenerator({ kind: 'video' });
      const writer = track.writable.getWriter();
      const backgrounds = pictures(width, height);
      const data = new Uint8Array((width * height * 3) / 2).fill(128);
      const rowHeight = Math.floor(height / rowShare);
      const draw = (counter: number, time: number) => {
        data.set(backgrounds[counter % backgrounds.length] ?? []);
        const bits = encode(counter & 0xffff, time % clockRange);
        for (let bit = 0; bit < columns * rows; bit++) {
          const color = (bits >> BigInt(bit)) & 1n ? white : black;
          const left = Math.floor(((bit % columns) * width) / columns);
          const right = Math.floor((((bit % columns) + 1) * width) / columns);
          const top = Math.floor(bit / columns) * rowHeight;
          for (let y = top; y < top + rowHeight; y++) data.fill(color, y * width + left, y * width + right);
        }
      };
      const started = performance.now();
      let counter = 0;
      const tick = () => {
        if (track.readyState === 'ended') return;
        draw(counter, Date.now());
        const timestamp = Math.round((performance.now() - started) * 1000);
        const frame = new VideoFrame(data, { format: 'I420', codedWidth: width, codedHeight: height, timestamp });
        writer.write(frame).catch(() => frame.close());
        counter += 1;
        // A page that was held up leaves frames out, it does not hurry.
        counter = Math.max(counter, Math.floor(((performance.now() - started) * frameRate) / 1000));
        setTimeout(tick, started + (counter * 1000) / frameRate - performance.now());
      };
      tick();
      return track;
    };

    /** The number that a picture's upper rows show; undefined when they show none. */
    const decode = (luma: Uint8Array, width: number, stride: number, rowHeight: number) => {
      let bits = 0n;
      for (let bit = columns * rows - 1; bit >= 0; bit--) {
        const x = Math.floor((((bit % columns) + 0.5) * width) / columns);
        const y = Math.floor((Math.floor(bit / columns) + 0.5) * rowHeight);
        bits = (bits << 1n) | ((luma[y * stride + x] ?? 0) > (black + white) / 2 ? 1n : 0n);
      }
      const value = bits >> 4n;
      if (Number(bits & 15n) !== check(value)) return undefined;
      return { counter: Number(value >> 20n), clock: Number(value & BigInt(clockRange - 1)) };
    };

    window.watchClock = (name, track) => {
      const seen: SeenFrame[] = [];
      window.seenFrames[name] = seen;
      const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 60 }).readable.getReader();
      const read = async (frame: VideoFrame) => {
        const at = Date.now();
        const [width, height] = [frame.visibleRect?.width ?? 0, frame.visibleRect?.height ?? 0];
        const rect = { x: 0, y: 0, width: width & ~1, height: (Math.ceil((height * rows) / rowShare) + 1) & ~1 };
        const luma = new Uint8Array(frame.allocationSize({ rect }));
        const [plane] = await frame.copyTo(luma, { rect });
        frame.close();
        const shown = decode(luma, width, plane?.stride ?? width, height / rowShare);
        const ageMs = shown ? (at - shown.clock + clockRange) % clockRange : 0;
        seen.push({ at, width, height, counter: shown?.counter ?? -1, ageMs });
      };
      const run = async () => {
        for (let next = await reader.read(); next.value; next = await reader.read()) await read(next.value);
      };
      void run();
    };
  });
}

/** The frames that a page has seen on the peer connection `name`, from the time `since` on, oldest first. */
export function seenFrames(page: Page, name: string, since = 0): Promise<SeenFrame[]> {
  return page.evaluate(([name, since]) => (window.seenFrames[name] ?? []).filter(({ at }) => at >= since), [
    name,
    since,
  ] as const);
}

/** The longest time without a new frame between `from` and `to`, in milliseconds since 1970; the ends count. */
export function longestGap(frames: readonly SeenFrame[], from: number, to: number): number {
  const times = frames.map(({ at }) => at).filter((at) => at >= from && at <= to);
  const ends = [from, ...times, to];
  return Math.max(...ends.slice(1).map((at, i) => at - (ends[i] ?? from)));
}

/** How long the picture stood still each time that it changed its width, in milliseconds. */
export function switchGaps(frames: readonly SeenFrame[]): number[] {
  return frames.flatMap(({ at, width }, i) => {
    const before = frames[i - 1];
    return before && before.width !== width ? [at - before.at] : [];
  });
}

/** When the picture changed its width: such as "0.0 s: 240, 1.3 s: 480", in seconds since `from`. */
export function widthHistory(frames: readonly SeenFrame[], from: number): string {
  const changes = frames.filter(({ width }, i) => width !== frames[i - 1]?.width);
  return changes.map(({ at, width }) => `${((at - from) / 1_000).toFixed(1)} s: ${width}`).join(', ');
}
