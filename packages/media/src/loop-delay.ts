import { TICK_MS } from './limits.ts';
import type { LoopDelayStatistics } from './media.ts';

/** How many ticks the quantiles look back on: five seconds of them. */
const KEPT_TICKS = 5_000 / TICK_MS;

/** How late the worker's timer runs: now, at worst in the last whole second, and mostly. */
export class LoopDelay {
  #tickedAt: number;
  #secondStartedAt: number;
  #worst = 0;
  #worstOfLastSecond = 0;
  /** Lateness of the last ticks, in no order. */
  readonly #kept = new Float64Array(KEPT_TICKS);
  #ticks = 0;

  constructor(now: number) {
    this.#tickedAt = now;
    this.#secondStartedAt = now;
  }

  /** Milliseconds. */
  get worstMs(): number {
    return this.#worstOfLastSecond;
  }

  /** Milliseconds since the next tick was due; negative when it is not. */
  latenessAt(now: number): number {
    return now - this.#tickedAt - TICK_MS;
  }

  /** Notes a tick; returns how late it is. */
  tick(now: number): number {
    const latenessMs = Math.max(0, this.latenessAt(now));
    this.#worst = Math.max(this.#worst, latenessMs);
    this.#tickedAt = now;
    this.#keep(latenessMs);
    if (now - this.#secondStartedAt >= 1_000) {
      this.#secondStartedAt = now;
      this.#worstOfLastSecond = this.#worst;
      this.#worst = 0;
    }
    return latenessMs;
  }

  /** Over the ticks that were due in the last five seconds. */
  statistics(): LoopDelayStatistics {
    const sorted = this.#kept.slice(0, Math.min(this.#ticks, KEPT_TICKS)).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  }

  /** A late tick stands for all that were due while it was late: each of them would have waited for what was left. */
  #keep(latenessMs: number): void {
    const oldest = latenessMs - KEPT_TICKS * TICK_MS;
    for (let late = latenessMs; late >= 0 && late > oldest; late -= TICK_MS) {
      this.#kept[this.#ticks++ % KEPT_TICKS] = late;
    }
  }
}
