import { TICK_MS } from './limits.ts';

/** How late the worker's timer runs, now and at worst in the last whole second. */
export class LoopDelay {
  #tickedAt: number;
  #secondStartedAt: number;
  #worst = 0;
  #worstOfLastSecond = 0;

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
    if (now - this.#secondStartedAt >= 1_000) {
      this.#secondStartedAt = now;
      this.#worstOfLastSecond = this.#worst;
      this.#worst = 0;
    }
    return latenessMs;
  }
}
