/**
 * A timestamp this close to what came before, of the same track or another, goes on from there. RTMP interleaves tracks within much less, and
 * viewers would wait out a longer step.
 */
export const MAX_STEP_MS = 1_000;
/** A composition time beyond it is not believed: no encoder reorders pictures over more. */
export const MAX_COMPOSITION_MS = 5_000;
/** The way from the encoder is measured by the quickest message of so long. */
const WINDOW_MS = 10_000;
/** How fast the wall clock follows an encoder's clock that runs at another speed: 500 ppm are more than any quartz needs. */
const SLEW = 500 / 1e6;

/** A stretch of RTMP time that runs through: one offset from it to the line's time. */
interface Stretch {
  offsetMs: number;
  /** The newest timestamp of any track, and when it came. */
  last: number;
  lastArrivalMs: number;
}

/** Difference of two RTMP timestamps, which wrap at 2^32 ms. */
const difference = (a: number, b: number): number => (a - b) | 0;

/**
 * One time for all tracks of an encoder: RTMP timestamps (milliseconds that wrap, jitter, and jump by hours) become milliseconds of our clock, by
 * one offset for all tracks, so that sound and picture keep the encoder's own relation. Pure.
 *
 * A timestamp that fits nowhere, neither to the ones before nor to the time that has passed, begins a new stretch at the present time. The first
 * track that jumps begins it and the others follow into it, each when its own timestamps jump; until then they stay on the old one. So a jump of
 * all tracks is one discontinuity, and a single wild timestamp costs nothing but itself.
 *
 * What the line gives is a decoding time. With composition times (B-frames, or a constant delay) the presentation time is
 * `place(…) + compositionTime(…)`: it is what sound belongs to and what RTP carries. Decoding times rise on a video track; presentation times of
 * B-frames do not, and pictures go to a decoder in decoding order with both.
 */
export class Timeline {
  #current: Stretch | undefined;
  #previous: Stretch | undefined;
  #newestMs = Number.NEGATIVE_INFINITY;
  /** Least of arrival minus line time: in the running window, and what the wall clock follows. */
  #windowMin = Number.POSITIVE_INFINITY;
  #windowEndMs = 0;
  #wallOffsetMs: number | undefined;
  #targetMs = 0;
  /** In the first window any quicker message is followed at once. */
  #learning = true;
  #followedMs = 0;
  /** How often time was put together anew. */
  discontinuities = 0;

  track(kind: 'audio' | 'video'): TrackTime {
    return new TrackTime(this, kind === 'video');
  }

  /** When, by our clock, what lies at `lineMs` was captured: as late as the quickest message had it. The same for all tracks. */
  wallMs(lineMs: number): number {
    return lineMs + (this.#wallOffsetMs ?? 0);
  }

  /** The stretch that `timestamp` of a track on `own` belongs to; a new one where none fits. */
  stretchOf(timestamp: number, own: Stretch | undefined, ownLast: number, now: number): Stretch {
    if (own && Math.abs(difference(timestamp, ownLast)) <= MAX_STEP_MS) return own;
    for (const stretch of [this.#current, own, this.#previous])
      if (stretch && fits(timestamp, stretch, now)) return stretch;
    return this.#begin(timestamp, now);
  }

  /** Notes what was placed. */
  observe(stretch: Stretch, timestamp: number, lineMs: number, now: number): void {
    if (difference(timestamp, stretch.last) >= 0) {
      stretch.last = timestamp;
      stretch.lastArrivalMs = now;
    }
    this.#newestMs = Math.max(this.#newestMs, lineMs);
    this.#follow(now - lineMs, now);
  }

  #begin(timestamp: number, now: number): Stretch {
    if (this.#current) this.discontinuities += 1;
    const start = Math.max(Math.round(now - (this.#wallOffsetMs ?? 0)), this.#newestMs + 1);
    this.#previous = this.#current;
    this.#current = { offsetMs: start - timestamp, last: timestamp, lastArrivalMs: now };
    return this.#current;
  }

  /** Messages are late by what the network does to them, never early; so the least delay is followed, and slowly. */
  #follow(delayMs: number, now: number): void {
    if (this.#wallOffsetMs === undefined) {
      this.#wallOffsetMs = this.#targetMs = delayMs;
      this.#windowEndMs = now + WINDOW_MS;
      this.#followedMs = now;
    }
    this.#windowMin = Math.min(this.#windowMin, delayMs);
    if (now >= this.#windowEndMs) {
      this.#learning = false;
      this.#targetMs = this.#windowMin;
      this.#windowMin = delayMs;
      this.#windowEndMs = now + WINDOW_MS;
    }
    const wanted = Math.min(this.#targetMs, this.#windowMin) - this.#wallOffsetMs;
    const most =
      this.#learning || Math.abs(wanted) > MAX_STEP_MS ? Number.POSITIVE_INFINITY : (now - this.#followedMs) * SLEW;
    this.#followedMs = now;
    this.#wallOffsetMs += Math.max(-most, Math.min(most, wanted));
  }
}

function fits(timestamp: number, { last, lastArrivalMs }: Stretch, now: number): boolean {
  const step = difference(timestamp, last);
  return Math.abs(step) <= MAX_STEP_MS || Math.abs(step - (now - lastArrivalMs)) <= MAX_STEP_MS;
}

/** One track of a timeline. */
export class TrackTime {
  readonly #timeline: Timeline;
  /** Pictures have one decoding time each; sound is laid out by its own rules. */
  readonly #strict: boolean;
  #stretch: Stretch | undefined;
  #last = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** The timestamp placed last does not go on from the one before it. */
  discontinuity = false;

  /** Made by `Timeline.track`. */
  constructor(timeline: Timeline, strict: boolean) {
    this.#timeline = timeline;
    this.#strict = strict;
  }

  /** Line time, in ms of our clock, of an RTMP timestamp (0 to 2^32 - 1 ms) that arrived at `now`. On a video track each is later than the one before. */
  place(timestamp: number, now: number): number {
    const before = this.#stretch;
    const stretch = this.#timeline.stretchOf(timestamp, before, this.#last, now);
    const base = unwrapped(stretch, timestamp);
    const lineMs = this.#strict ? Math.max(base, this.#lastMs + 1) : base;
    this.#timeline.observe(stretch, timestamp, lineMs, now);
    this.discontinuity = before !== undefined && stretch !== before;
    this.#stretch = stretch;
    this.#last = timestamp;
    this.#lastMs = lineMs;
    return lineMs;
  }
}

/** The offset belongs to the stretch's timestamps near its newest one; each wrap moves it on by 2^32. */
function unwrapped(stretch: Stretch, timestamp: number): number {
  const step = difference(timestamp, stretch.last);
  if (step >= 0 && timestamp < stretch.last) stretch.offsetMs += 2 ** 32;
  const wrappedBack = step < 0 && timestamp > stretch.last;
  return timestamp + stretch.offsetMs - (wrappedBack ? 2 ** 32 : 0);
}

/** Milliseconds from decoding to presentation, as the video message has them (24 bits, signed); 0 when they cannot be true. */
export function compositionTime(ms: number): number {
  return Math.abs(ms) <= MAX_COMPOSITION_MS ? ms : 0;
}

/** An RTP timestamp of `clockRate` Hz for a time in ms, wrapped to 32 bits; add what the stream begins at. */
export function rtpTimestamp(ms: number, clockRate: number): number {
  return Math.round(ms * (clockRate / 1_000)) % 2 ** 32;
}

/** A whole number as 32 bits, beyond those of JavaScript's own operators. */
export function modulo32(value: number): number {
  const rest = value % 2 ** 32;
  return rest < 0 ? rest + 2 ** 32 : rest;
}
