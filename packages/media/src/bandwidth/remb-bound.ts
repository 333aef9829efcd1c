/**
 * A receiver's own estimate rises to half as much again as what it gets. As long as it is above what is sent by this
 * factor it is not bounded by the path, and more may be tried, up to the second factor.
 */
const UNBOUND = 1.2;
const TRIAL = 2.5;
/** An estimate that rises is not bounded either, although it lags behind a rate that was raised at once: by 8 % a second. */
const RAISED = 1.01;
const RISING_MS = 3_000;
/** One that falls has met the limit of the path. For this time it is taken at its word, longer when the next trial fails too. */
const FALLEN = 0.97;
const FIRST_HOLD_MS = 8_000;
const MAX_HOLD_MS = 64_000;

/**
 * What a receiver's own estimate of its path (REMB) allows to be sent. It knows nothing of what it was never sent, so that
 * without trials beyond it a higher layer would never be reached. Times are in milliseconds of one clock.
 */
export class RembBound {
  #estimateBps = Number.POSITIVE_INFINITY;
  #raisedAt = Number.NEGATIVE_INFINITY;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #holdMs = FIRST_HOLD_MS;

  /** True once there is an estimate. */
  get isKnown(): boolean {
    return this.#estimateBps < Number.POSITIVE_INFINITY;
  }

  /** A new estimate, bits per second. */
  take(bps: number, nowMs: number): void {
    if (this.isKnown && bps < FALLEN * this.#estimateBps) this.#hold(nowMs);
    else if (this.isKnown && bps > RAISED * this.#estimateBps) this.#raisedAt = nowMs;
    this.#estimateBps = bps;
  }

  /** The most that may be sent, bits per second, while `sentBps` are. */
  allowed(sentBps: number, nowMs: number): number {
    if (nowMs < this.#heldUntil) return this.#estimateBps;
    const isRising = nowMs - this.#raisedAt < RISING_MS;
    return isRising || this.#estimateBps > UNBOUND * sentBps ? TRIAL * this.#estimateBps : this.#estimateBps;
  }

  #hold(nowMs: number): void {
    const sinceHold = nowMs - this.#heldUntil;
    // While it is held nothing was tried; soon after, the trial has failed; much later the path may be another one.
    if (sinceHold >= 0)
      this.#holdMs = sinceHold < this.#holdMs ? Math.min(MAX_HOLD_MS, 2 * this.#holdMs) : FIRST_HOLD_MS;
    this.#heldUntil = nowMs + this.#holdMs;
  }
}
