/** Time constant of the mean rate. */
const TIME_MS = 500;
/** The link that bursts are reckoned for carries a little more than the target, so that a steady overshoot is no burst. */
const MARGIN = 1.25;
/** The longest own queue is looked for in the last one to two of these. */
const PERIOD_MS = 300;

/**
 * What leaves: its mean rate, and the queue that it must make on a link that carries just the target. A key frame is a
 * burst above the target; the delay that it causes is no sign of a link that carries less.
 */
export class Sending {
  #bps = 0;
  #bytes = 0;
  #since: number;
  #bytesPerMs: number;
  #level = 0;
  #levelAt: number;
  #peak = 0;
  #previousPeak = 0;
  #periodStart: number;

  constructor(targetBps: number, nowMs: number) {
    this.#bytesPerMs = (MARGIN * targetBps) / 8_000;
    this.#since = nowMs;
    this.#levelAt = nowMs;
    this.#periodStart = nowMs;
  }

  /** Bits per second, as of the last `update`. */
  get bps(): number {
    return this.#bps;
  }

  /** The longest queue that what was sent in the last half second explains, in milliseconds. */
  get ownQueueMs(): number {
    return Math.max(this.#peak, this.#previousPeak);
  }

  add(sizeBytes: number, nowMs: number): void {
    this.#bytes += sizeBytes;
    this.#level = Math.max(0, this.#level - (nowMs - this.#levelAt) * this.#bytesPerMs) + sizeBytes;
    this.#levelAt = nowMs;
    const queueMs = this.#level / this.#bytesPerMs;
    if (queueMs > this.#peak) this.#peak = queueMs;
  }

  /** Called every 20 to 100 ms. */
  update(targetBps: number, nowMs: number): void {
    this.#bytesPerMs = (MARGIN * targetBps) / 8_000;
    if (nowMs - this.#periodStart >= PERIOD_MS) {
      this.#periodStart = nowMs;
      this.#previousPeak = this.#peak;
      this.#peak = 0;
    }
    const elapsed = nowMs - this.#since;
    if (elapsed <= 0) return;
    const weight = 1 - Math.exp(-elapsed / TIME_MS);
    this.#bps += weight * ((this.#bytes * 8_000) / elapsed - this.#bps);
    this.#bytes = 0;
    this.#since = nowMs;
  }

  /** The target was reduced: what was sent before it counts no longer as an excuse. */
  reduced(): void {
    this.#level = 0;
    this.#peak = 0;
    this.#previousPeak = 0;
  }
}
