import { describe, expect, it } from 'vitest';
import {
  compositionTime,
  MAX_COMPOSITION_MS,
  MAX_STEP_MS,
  rtpTimestamp,
  Timeline,
  type TrackTime,
} from './timeline.ts';

/** A time of day, so that what is rounded is rounded as it will be. */
const NOW = 1_795_000_000_000;
const HOUR = 3_600_000;
const WRAP = 2 ** 32;

interface Message {
  kind: 'audio' | 'video';
  /** When it was captured, in ms from the start. */
  captured: number;
  /** Its RTMP timestamp before it wraps. */
  timestamp: number;
  /** ms from capture to arrival. */
  delay?: number;
}

interface Placed extends Message {
  lineMs: number;
  discontinuity: boolean;
}

/** Audio every 21 1/3 ms and video every 33 1/3, rounded as encoders do, for `seconds`; `timestampOf` is the encoder's clock. */
function encoder(seconds: number, timestampOf = (captured: number, _kind: string) => captured): Message[] {
  const messages: Message[] = [];
  const add = (kind: 'audio' | 'video', interval: number) => {
    for (let i = 0; i * interval < seconds * 1_000; i++) {
      const captured = Math.round(i * interval);
      messages.push({ kind, captured, timestamp: timestampOf(captured, kind) });
    }
  };
  add('audio', 64 / 3);
  add('video', 100 / 3);
  return messages.sort((a, b) => a.captured - b.captured);
}

function place(messages: readonly Message[], timeline = new Timeline()): { placed: Placed[]; timeline: Timeline } {
  const tracks: Record<Message['kind'], TrackTime> = {
    audio: timeline.track('audio'),
    video: timeline.track('video'),
  };
  const placed = messages.map((message) => {
    const { kind, captured, timestamp, delay = 20 } = message;
    const track = tracks[kind];
    const wrapped = ((timestamp % WRAP) + WRAP) % WRAP;
    const lineMs = track.place(wrapped, NOW + captured + delay);
    return { ...message, lineMs, discontinuity: track.discontinuity };
  });
  return { placed, timeline };
}

/** How far sound is put from the picture captured with it, at worst. */
function worstSkew(placed: readonly Placed[]): number {
  let worst = 0;
  const offset = { audio: Number.NaN, video: Number.NaN };
  for (const { kind, lineMs, captured } of placed) {
    offset[kind] = lineMs - captured;
    const skew = Math.abs(offset.audio - offset.video);
    if (skew > worst) worst = skew;
  }
  return worst;
}

const discontinuities = (placed: readonly Placed[], kind: Message['kind']) =>
  placed.filter((message) => message.kind === kind && message.discontinuity).length;

const rises = (placed: readonly Placed[], kind: Message['kind']) => {
  const own = placed.filter((message) => message.kind === kind);
  return own.every(({ lineMs }, i) => i === 0 || lineMs > (own[i - 1]?.lineMs ?? 0));
};

describe('a stream without trouble', () => {
  it('begins at the present time and keeps every interval', () => {
    const { placed, timeline } = place(encoder(10));
    expect(placed[0]?.lineMs).toBe(NOW + 20);
    for (const { lineMs, timestamp } of placed) expect(lineMs).toBe(NOW + 20 + timestamp);
    expect(timeline.discontinuities).toBe(0);
    expect(placed.some(({ discontinuity }) => discontinuity)).toBe(false);
  });

  it('may begin at any timestamp', () => {
    for (const start of [1, 12_345_678, 2 ** 31 - 100, 2 ** 31, WRAP - 1]) {
      const { placed, timeline } = place(encoder(3, (captured) => captured + start));
      expect(worstSkew(placed)).toBe(0);
      expect(placed[0]?.lineMs).toBe(NOW + 20);
      expect(timeline.discontinuities).toBe(0);
    }
  });

  it('keeps what the encoder says of sound and picture, when one begins later', () => {
    const messages = encoder(10).filter(({ kind, captured }) => kind === 'audio' || captured >= 4_000);
    const { placed, timeline } = place(messages);
    expect(worstSkew(placed)).toBe(0);
    expect(timeline.discontinuities).toBe(0);
  });

  it('runs for 60 days, over the wrap after 49.7', () => {
    const timeline = new Timeline();
    const audio = timeline.track('audio');
    const video = timeline.track('video');
    for (let t = 0; t < 60 * 24 * HOUR; t += 50_000) {
      const expected = NOW + t;
      const wrapped = t % WRAP;
      // Video is 40 ms behind around the wrap too.
      const behind = (t + WRAP - 40) % WRAP;
      if (audio.place(wrapped, NOW + t) !== expected) throw new Error(`audio at ${t}`);
      if (t > 40 && video.place(behind, NOW + t) !== expected - 40) throw new Error(`video at ${t}`);
    }
    expect(timeline.discontinuities).toBe(0);
  });

  it('passes the wrap with tracks on both sides of it', () => {
    const { placed, timeline } = place(encoder(10, (captured) => captured + WRAP - 5_000));
    expect(worstSkew(placed)).toBe(0);
    expect(timeline.discontinuities).toBe(0);
    expect(rises(placed, 'video') && rises(placed, 'audio')).toBe(true);
  });
});

describe('jitter', () => {
  it('of the network moves nothing', () => {
    let seed = 3;
    const messages = encoder(30).map((message) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return { ...message, delay: 20 + (seed % 400) };
    });
    const { placed, timeline } = place(messages);
    expect(worstSkew(placed)).toBe(0);
    expect(timeline.discontinuities).toBe(0);
  });

  it('of timestamps is passed on, and never turns a picture back', () => {
    let seed = 5;
    const messages = encoder(30, (captured) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return captured + 1_000 + (seed % 61) - 30;
    });
    const { placed, timeline } = place(messages);
    expect(rises(placed, 'video')).toBe(true);
    expect(timeline.discontinuities).toBe(0);
  });

  it('a stall of 15 s whose backlog comes at once is no jump', () => {
    const messages = encoder(60).map((message) => {
      const stalled = message.captured > 20_000 && message.captured < 35_000;
      return { ...message, delay: stalled ? 35_000 - message.captured : 20 };
    });
    const { placed, timeline } = place(messages);
    expect(worstSkew(placed)).toBe(0);
    expect(timeline.discontinuities).toBe(0);
  });

  it('a stall whose pictures the encoder threw away is none either', () => {
    const messages = encoder(60)
      .filter(({ kind, captured }) => kind === 'audio' || captured < 20_000 || captured > 35_000)
      .map((message) => {
        const stalled = message.captured > 20_000 && message.captured < 35_000;
        return { ...message, delay: stalled ? 35_000 - message.captured : 20 };
      });
    const { placed, timeline } = place(messages);
    expect(worstSkew(placed)).toBe(0);
    expect(timeline.discontinuities).toBe(0);
  });

  it('an encoder that paused for minutes, with its clock running, goes on', () => {
    const messages = encoder(400).filter(({ captured }) => captured < 20_000 || captured > 300_000);
    const { placed, timeline } = place(messages);
    expect(worstSkew(placed)).toBe(0);
    expect(timeline.discontinuities).toBe(0);
  });
});

describe('a jump', () => {
  const at = 10_000;
  it.each([
    ['3 hours ahead', 3 * HOUR],
    ['3 hours back', -3 * HOUR],
    ['30 days ahead', 30 * 24 * HOUR],
    ['2 s ahead', 2_000],
    ['2 s back', -2_000],
    ['back to 0', -(20 * HOUR + at)],
  ])('of both tracks %s is one discontinuity of each and leaves no hole', (_, jump) => {
    const messages = encoder(20, (captured) => 20 * HOUR + captured + (captured >= at ? jump : 0));
    const { placed, timeline } = place(messages);
    expect(timeline.discontinuities).toBe(1);
    expect(discontinuities(placed, 'audio')).toBe(1);
    expect(discontinuities(placed, 'video')).toBe(1);
    expect(rises(placed, 'video')).toBe(true);
    expect(worstSkew(placed)).toBeLessThan(40);
    for (const { lineMs, captured } of placed) expect(Math.abs(lineMs - NOW - 20 - captured)).toBeLessThan(40);
  });

  it('that audio makes 800 ms after video is still one', () => {
    const messages = encoder(
      20,
      (captured, kind) => captured + (captured >= at ? 5 * HOUR : 0) + (kind === 'x' ? 1 : 0),
    )
      // The muxer writes audio 800 ms late.
      .map((message) => ({ ...message, sent: message.captured + (message.kind === 'audio' ? 800 : 0) }))
      .sort((a, b) => a.sent - b.sent)
      .map(({ sent, ...message }) => ({ ...message, delay: sent - message.captured + 20 }));
    const { placed, timeline } = place(messages);
    expect(timeline.discontinuities).toBe(1);
    expect(discontinuities(placed, 'audio')).toBe(1);
    // Sound that was under way when the picture jumped is still put at its own time.
    expect(worstSkew(placed.filter(({ captured }) => captured < at - 100 || captured > at + 900))).toBeLessThan(40);
  });

  it('of a single message costs itself alone', () => {
    for (const kind of ['audio', 'video'] as const) {
      const messages = encoder(20);
      const wild = messages.findIndex((message) => message.kind === kind && message.captured > at);
      const message = messages[wild];
      if (message) message.timestamp += 7 * HOUR;
      const { placed } = place(messages);
      const others = placed.filter((_, i) => i !== wild);
      expect(worstSkew(others)).toBeLessThanOrEqual(1);
      expect(Math.abs((placed[wild]?.lineMs ?? 0) - NOW - at)).toBeLessThan(100);
      expect(rises(placed, 'video')).toBe(true);
    }
  });

  it('of one track alone for good leaves the two together by their arrival', () => {
    const { placed } = place(
      encoder(20, (captured, kind) => captured + (kind === 'video' && captured >= at ? HOUR : 0)),
    );
    expect(worstSkew(placed)).toBeLessThan(40);
    expect(discontinuities(placed, 'audio')).toBe(0);
  });

  it('every second for a minute neither turns back nor parts the tracks', () => {
    const { placed, timeline } = place(
      encoder(
        60,
        (captured) => captured + Math.floor(captured / 1_000) * ((Math.floor(captured / 1_000) % 2) * 2 - 1) * HOUR,
      ),
    );
    expect(timeline.discontinuities).toBeGreaterThanOrEqual(59);
    expect(rises(placed, 'video')).toBe(true);
    for (const { lineMs, captured } of placed) expect(Math.abs(lineMs - NOW - 20 - captured)).toBeLessThan(120);
  });

  it('needs more than a second', () => {
    const step = (ms: number) => {
      const timeline = new Timeline();
      const track = timeline.track('video');
      track.place(50_000, NOW);
      track.place(50_000 + ms, NOW + 1);
      return timeline.discontinuities;
    };
    expect([step(MAX_STEP_MS), step(-MAX_STEP_MS)]).toEqual([0, 0]);
    // A millisecond passes between the two messages.
    expect([step(MAX_STEP_MS + 2), step(-MAX_STEP_MS - 1)]).toEqual([1, 1]);
  });

  it('two origins from the start: each track runs on its own, together by arrival', () => {
    const { placed } = place(encoder(20, (captured, kind) => captured + (kind === 'video' ? 5 * HOUR : 0)));
    expect(worstSkew(placed)).toBeLessThan(40);
    expect(discontinuities(placed, 'audio') + discontinuities(placed, 'video')).toBe(0);
  });
});

describe('the wall clock', () => {
  it('follows an encoder whose clock is 100 ppm off, for an hour, though the network jitters', () => {
    for (const ppm of [100, -100]) {
      const timeline = new Timeline();
      const track = timeline.track('video');
      let seed = 9;
      let worst = 0;
      for (let i = 0; i < 3_600 * 30; i++) {
        seed = (seed * 48_271) % 2_147_483_647;
        const captured = (i * 100) / 3;
        const line = track.place(Math.round(captured * (1 + ppm / 1e6)), NOW + captured + 30 + (seed % 80));
        if (i > 900) worst = Math.max(worst, Math.abs(timeline.wallMs(line) - (NOW + captured + 30)));
      }
      expect(worst).toBeLessThan(6);
    }
  });

  it('is not moved by a stall', () => {
    const timeline = new Timeline();
    const track = timeline.track('audio');
    for (let t = 0; t < 60_000; t += 20) {
      const delay = t > 30_000 && t < 34_000 ? 34_000 - t : 10;
      expect(timeline.wallMs(track.place(t, NOW + t + delay)) - (NOW + t + 10)).toBeLessThan(1);
    }
  });

  it('begins with the quickest message, when the first ones had waited', () => {
    const timeline = new Timeline();
    const track = timeline.track('audio');
    let line = 0;
    for (let t = 0; t < 5_000; t += 20) line = track.place(t, NOW + Math.max(3_000, t));
    expect(timeline.wallMs(line)).toBe(NOW + 4_980);
  });

  it('takes over at once what is more than a second off', () => {
    const timeline = new Timeline();
    const track = timeline.track('audio');
    let line = 0;
    for (let t = 0; t < 30_000; t += 20) line = track.place(t, NOW + t + (t < 20_000 ? 3_000 : 0));
    expect(timeline.wallMs(line)).toBe(NOW + 29_980);
  });
});

describe('any timestamps at all', () => {
  it('give finite times, and a picture is never before the one before it', () => {
    let seed = 13;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const timeline = new Timeline();
    const tracks = [timeline.track('video'), timeline.track('audio'), timeline.track('video')] as const;
    const last = [0, 0, 0];
    let timestamp = 0;
    for (let i = 0; i < 50_000; i++) {
      const wild = random(10) === 0;
      timestamp = wild ? random(2_147_483_647) * 2 + random(2) : (timestamp + random(120) - 40 + WRAP) % WRAP;
      const which = random(3);
      const line = tracks[which]?.place(timestamp, NOW + i * 10) ?? Number.NaN;
      if (!Number.isFinite(line)) throw new Error(`no time for ${timestamp}`);
      if (which !== 1 && line <= (last[which] ?? 0)) throw new Error(`message ${i} goes back`);
      last[which] = line;
    }
  });
});

describe('numbers for RTP', () => {
  it('are in the clock of the codec and wrap at 2^32', () => {
    expect(rtpTimestamp(1_000, 90_000)).toBe(90_000);
    expect(rtpTimestamp(1_000, 48_000)).toBe(48_000);
    expect(rtpTimestamp(WRAP / 90, 90_000)).toBe(0);
    const before = rtpTimestamp(NOW, 90_000);
    expect((rtpTimestamp(NOW + 33, 90_000) - before + WRAP) % WRAP).toBe(33 * 90);
  });

  it('presentation is decoding plus composition time, unless that cannot be', () => {
    expect(compositionTime(66)).toBe(66);
    expect(compositionTime(-33)).toBe(-33);
    expect(compositionTime(MAX_COMPOSITION_MS)).toBe(MAX_COMPOSITION_MS);
    expect(compositionTime(MAX_COMPOSITION_MS + 1)).toBe(0);
    expect(compositionTime(-8_388_608)).toBe(0);
  });
});
