import { TrackClock } from '../sender-reports.ts';
import { CLOCK_SETTLE_MS, CLOCK_SLEW, CLOCK_WAIT_MS, MAX_SLEWED_STEP_MS } from './limits.ts';

/** Timestamps are 32 bits: what is mapped by arrival is anchored anew after so many ticks. */
const ANCHORED_TICKS = 2 ** 28;

type Reference = NonNullable<TrackClock['reference']>;

/**
 * When a layer's packets were sampled, by the server's clock: as its sender reports say, or as they arrive where there are none. What reports correct is
 * made good little by little, so that time never goes back and frames keep their distances; only a step ahead is followed at once, for it is a gap.
 */
export class WallClock {
  readonly #reported: TrackClock;
  readonly #arrived: TrackClock;
  readonly #clockRate: number;
  readonly #since: number;
  /** What the last timestamp was placed by. */
  #reference: Reference | undefined;
  #toldMs = 0;
  /** What is still to be made good. */
  #behindMs = 0;

  constructor(reported: TrackClock, clockRate: number, now: number) {
    this.#since = now;
    this.#reported = reported;
    this.#clockRate = clockRate;
    this.#arrived = new TrackClock(clockRate);
  }

  /** A packet came. */
  arrived(timestamp: number, now: number): void {
    const { reference } = this.#arrived;
    if (!reference) this.#arrived.set(now, timestamp);
    else if (((timestamp - reference.timestamp) | 0) > ANCHORED_TICKS)
      this.#arrived.set(this.#arrived.timeOf(timestamp) ?? now, timestamp);
  }

  /** False while a report, or a better one, is still worth waiting for. */
  isReady(now: number): boolean {
    const waitMs = this.#reported.reference ? CLOCK_SETTLE_MS : CLOCK_WAIT_MS;
    return now - this.#since >= waitMs;
  }

  /** Milliseconds since 1970. Timestamps are asked for in the order in which they were sampled. */
  timeOf(timestamp: number): number {
    const reference = this.#reported.reference ?? this.#arrived.reference;
    if (!reference) return 0;
    const toldMs = this.#timeBy(reference, timestamp);
    if (this.#reference && this.#reference !== reference)
      this.#behindMs += this.#timeBy(this.#reference, timestamp) - toldMs;
    if (-this.#behindMs > MAX_SLEWED_STEP_MS) this.#behindMs = 0;
    const most = Math.max(0, Math.min(1_000, toldMs - this.#toldMs)) * CLOCK_SLEW;
    this.#behindMs -= Math.max(-most, Math.min(most, this.#behindMs));
    this.#reference = reference;
    this.#toldMs = toldMs;
    return toldMs + this.#behindMs;
  }

  #timeBy({ localMs, timestamp: reference }: Reference, timestamp: number): number {
    return localMs + (((timestamp - reference) | 0) * 1_000) / this.#clockRate;
  }
}

/** How long after they were sampled packets come, at best, in the last ten to twenty seconds. */
export class ArrivalDelay {
  #current = Number.POSITIVE_INFINITY;
  #before = Number.POSITIVE_INFINITY;
  #since = Number.NEGATIVE_INFINITY;

  /** Undefined before the first packet. */
  get ms(): number | undefined {
    const least = Math.min(this.#current, this.#before);
    return Number.isFinite(least) ? least : undefined;
  }

  observe(delayMs: number, now: number): void {
    if (now - this.#since > 10_000) {
      this.#before = this.#current;
      this.#current = Number.POSITIVE_INFINITY;
      this.#since = now;
    }
    this.#current = Math.min(this.#current, delayMs);
  }
}
