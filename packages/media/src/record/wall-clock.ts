import { TrackClock } from '../sender-reports.ts';
import { CLOCK_WAIT_MS } from './limits.ts';

/** Timestamps are 32 bits: what is mapped by arrival is anchored anew after so many ticks. */
const ANCHORED_TICKS = 2 ** 28;

/** When a layer's packets were sampled, by the server's clock: as its sender reports say, or as they arrive where there are none. */
export class WallClock {
  readonly #reported: TrackClock;
  readonly #arrived: TrackClock;
  readonly #since: number;

  constructor(reported: TrackClock, clockRate: number, now: number) {
    this.#since = now;
    this.#reported = reported;
    this.#arrived = new TrackClock(clockRate);
  }

  /** A packet came. */
  arrived(timestamp: number, now: number): void {
    const { reference } = this.#arrived;
    if (!reference) this.#arrived.set(now, timestamp);
    else if (((timestamp - reference.timestamp) | 0) > ANCHORED_TICKS)
      this.#arrived.set(this.#arrived.timeOf(timestamp) ?? now, timestamp);
  }

  /** False while a report is still worth waiting for. */
  isReady(now: number): boolean {
    return this.#reported.reference !== undefined || now - this.#since >= CLOCK_WAIT_MS;
  }

  /** Milliseconds since 1970. */
  timeOf(timestamp: number): number {
    return this.#reported.timeOf(timestamp) ?? this.#arrived.timeOf(timestamp) ?? 0;
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
