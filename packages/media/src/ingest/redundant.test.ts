import { beforeEach, describe, expect, it } from 'vitest';
import { REDUNDANT_STALL_MS } from '../limits.ts';
import { FakeClock } from '../rim/fake.ts';
import { noTransports } from '../rim/no-transports.ts';
import { UpTrack } from '../up-track.ts';
import { Feed } from './feed.ts';
import { RedundantStream } from './redundant.ts';
import { modulo32 } from './timeline.ts';

const FRAME_MS = 40;
const GROUP = 25;

let clock: FakeClock;
let shown: string[];
let stream: RedundantStream;
/** What viewers get. */
let video: { timestamp: number; content: number; key: boolean; number: number }[];
let audio: number[];

beforeEach(() => {
  clock = new FakeClock();
  shown = [];
  const identity = { connectionId: 'v', stageId: 's', participantId: 'both' };
  const switched = ({ participantId }: { participantId: string }) => shown.push(participantId);
  stream = new RedundantStream(identity, { host: noTransports, clock, switched });
  [video, audio] = [[], []];
});

/** One encoder: its line began at another time, and it is late by `delayMs`. */
class Encoder {
  readonly tracks: UpTrack[];
  readonly identity: { connectionId: string; stageId: string; participantId: string };
  readonly #feeds: Feed[];
  readonly #originMs: number;
  #frames: number;

  constructor(name: string, { originMs = 0, firstFrame = 0, codec = 'VP8' as 'VP8' | 'H264' } = {}) {
    this.identity = { connectionId: name, stageId: 's', participantId: name };
    const make = (kind: 'audio' | 'video') =>
      new UpTrack({
        description: {
          ...{ kind, codec: kind === 'audio' ? ('opus' as const) : codec, fmtp: '' },
          ...{ encodingIds: [undefined], keyFramesOnRequest: false },
        },
        ...{ host: noTransports, now: clock.now(), requestKeyFrame: () => {} },
      });
    this.tracks = [make('audio'), make('video')];
    this.#feeds = this.tracks.map(({ layers: [layer] }) => new Feed(layer as UpTrack['layers'][0]));
    this.#originMs = originMs;
    this.#frames = firstFrame;
  }

  /** One frame and the sound of its time; two encoders that send the same frame give it the same content. */
  send(content: number): void {
    const lineMs = clock.now() + this.#originMs;
    const key = this.#frames++ % GROUP === 0;
    const [audioFeed, videoFeed] = this.#feeds;
    // A VP8 payload descriptor, then the frame tag (RFC 7741, RFC 6386 section 9.1).
    const frame = key ? [0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 160, 0, 90, 0, content] : [0x10, 0x11, content];
    videoFeed?.clock(clock.now(), modulo32(lineMs * 90), clock.now());
    audioFeed?.clock(clock.now(), modulo32(lineMs * 48), clock.now());
    videoFeed?.packet(Buffer.from(frame), modulo32(lineMs * 90), true, clock.now());
    for (const at of [lineMs, lineMs + FRAME_MS / 2])
      audioFeed?.packet(Buffer.from([0xfc, content]), modulo32(at * 48), false, clock.now());
  }
}

function watch(): void {
  stream.tracks[1]?.layers[0]?.tap(({ buffer, payloadOffset, payloadEnd, timestamp, number }) =>
    video.push({
      ...{ timestamp, number, content: buffer[payloadEnd - 1] ?? -1 },
      key: buffer[payloadOffset + 1] === 0x10,
    }),
  );
  stream.tracks[0]?.layers[0]?.tap(({ timestamp }) => audio.push(timestamp));
}

/** `count` frames of those encoders, from content `first` on. */
function run(first: number, count: number, ...encoders: Encoder[]): number {
  for (let content = first; content < first + count; content++) {
    for (const encoder of encoders) encoder.send(content);
    clock.advance(FRAME_MS);
    stream.tick(clock.now());
  }
  return first + count;
}

const steps = (timestamps: number[], rate: number) =>
  timestamps.slice(1).map((timestamp, i) => ((timestamp - (timestamps[i] ?? 0)) | 0) / rate);

function start(...encoders: Encoder[]): void {
  for (const encoder of encoders) stream.add(encoder);
  watch();
}

describe('two encoders that send the same', () => {
  it('are one stream, that of the first', () => {
    const [one, two] = [new Encoder('one'), new Encoder('two', { originMs: 5_000 })];
    start(one, two);
    run(0, 30, one, two);
    expect(video.map(({ content }) => content)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(new Set(steps(audio, 48))).toEqual(new Set([20]));
    expect(shown).toEqual(['one']);
  });

  it('when one stalls the other is shown within a second, from its last key frame on, in continuous time', () => {
    const [one, two] = [new Encoder('one'), new Encoder('two', { originMs: 86_400_000, firstFrame: 15 })];
    start(one, two);
    const stalled = run(0, 40, one, two);
    const [before, at] = [video.length, clock.now()];
    run(stalled, 25, two);
    expect(shown).toEqual(['one', 'two']);
    const after = video.slice(before);
    expect(after[0]).toMatchObject({ key: true, content: 35 });
    expect(after.map(({ content }) => content)).toEqual(Array.from({ length: 30 }, (_, i) => 35 + i));
    // What was seen before passes in a millisecond a frame; what is new has its own time.
    const late = steps(
      video.slice(before - 1).map(({ timestamp }) => timestamp),
      90,
    );
    expect(late.slice(0, 5)).toEqual([1, 1, 1, 1, 1]);
    expect(late.every((ms) => ms > 0)).toBe(true);
    expect(late.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(25 * FRAME_MS);
    expect(steps(audio, 48).every((ms) => ms >= 20 && ms <= REDUNDANT_STALL_MS + 2 * FRAME_MS)).toBe(true);
    expect(video.map(({ number }) => number)).toEqual(video.map((_, i) => i));
    // Sound and picture of one time are shown at one time.
    const clocks = stream.tracks.map(({ layers }) => layers[0]?.clock);
    const [heard, seen] = [clocks[0]?.timeOf(audio.at(-2) ?? 0), clocks[1]?.timeOf(video.at(-1)?.timestamp ?? 0)];
    expect(Math.abs((heard ?? 0) - (seen ?? 0))).toBeLessThanOrEqual(1);
    expect(clock.now() - at).toBeLessThanOrEqual(1_000);
  });

  it('when one ends the other is shown at once, and the first may come back as the spare', () => {
    const [one, two] = [new Encoder('one'), new Encoder('two')];
    start(one, two);
    const left = run(0, 10, one, two);
    stream.remove(one);
    run(left, 10, two);
    expect(video.at(-1)?.content).toBe(19);
    const again = new Encoder('one again', { originMs: 77 });
    stream.add(again);
    run(20, 10, two, again);
    expect(shown).toEqual(['one', 'two']);
    stream.remove(two);
    run(30, 5, again);
    expect(shown).toEqual(['one', 'two', 'one again']);
    expect(video.at(-1)?.content).toBe(34);
    expect(
      steps(
        video.map(({ timestamp }) => timestamp),
        90,
      ).every((ms) => ms > 0),
    ).toBe(true);
  });

  it('that both stall stay as they are', () => {
    const [one, two] = [new Encoder('one'), new Encoder('two')];
    start(one, two);
    run(0, 10, one, two);
    run(10, 50);
    expect(shown).toEqual(['one']);
    run(60, 10, one);
    expect(video.at(-1)?.content).toBe(69);
  });
});

it('an encoder of another codec cannot take the place', () => {
  const [one, two] = [new Encoder('one'), new Encoder('two', { codec: 'H264' })];
  expect([stream.add(one), stream.add(two)]).toEqual([true, false]);
  stream.remove(one);
  expect(shown).toEqual(['one']);
});
