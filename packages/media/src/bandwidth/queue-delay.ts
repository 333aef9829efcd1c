/** The shortest way is looked for in the last one to two of these, so that drifting clocks and new routes are followed. */
const PERIOD_MS = 10_000;
/** A shorter queue is none. */
const SHORT_MS = 20;
/** A change of the clocks by more than this starts anew. */
const MAX_CHANGE_MS = 10_000;
const JITTER_SMOOTHING = 0.05;
const MAX_JITTER_MS = 1_000;

/** The queue on the path: how much longer the shortest way of a feedback's packets is than the shortest of the last seconds. */
export class QueueDelay {
  /** Standing queue in milliseconds. */
  queueMs = 0;
  /** Mean deviation of the one-way delay within a feedback. */
  jitterMs = 0;
  /** Since when there is a queue. */
  #since: number | undefined;
  #base = Number.POSITIVE_INFINITY;
  #recent = Number.POSITIVE_INFINITY;
  #periodStart = 0;
  #least = Number.POSITIVE_INFINITY;
  #sum = 0;
  #count = 0;
  #samples = 0;

  /** For how long there has been a queue. */
  standingMs(nowMs: number): number {
    return this.#since === undefined ? 0 : nowMs - this.#since;
  }

  /** Takes in a packet's one-way delay, with an unknown but steady offset. */
  add(delayMs: number): void {
    if (delayMs < this.#least) this.#least = delayMs;
    this.#sum += delayMs;
    this.#count++;
  }

  /** What is measured now is the way without a queue. */
  rebase(): void {
    this.#base += this.queueMs;
    this.#recent = this.#base;
    this.queueMs = 0;
  }

  /** Ends a feedback. */
  close(nowMs: number): void {
    if (this.#count === 0) return;
    const least = this.#least;
    if (this.#count > 1) this.#takeJitter(Math.min(MAX_JITTER_MS, this.#sum / this.#count - least));
    if (Math.abs(least - this.#base) > MAX_CHANGE_MS) {
      this.#base = least;
      this.#recent = least;
      this.#periodStart = nowMs;
    } else if (nowMs - this.#periodStart > PERIOD_MS) {
      this.#base = Math.min(this.#recent, least);
      this.#recent = least;
      this.#periodStart = nowMs;
    } else {
      this.#recent = Math.min(this.#recent, least);
      this.#base = Math.min(this.#base, least);
    }
    this.queueMs = least - this.#base;
    if (this.queueMs < SHORT_MS) this.#since = undefined;
    else this.#since ??= nowMs;
    this.#least = Number.POSITIVE_INFINITY;
    this.#sum = 0;
    this.#count = 0;
  }

  /** The first samples count in full. */
  #takeJitter(sample: number): void {
    this.#samples++;
    this.jitterMs += Math.max(JITTER_SMOOTHING, 1 / this.#samples) * (sample - this.jitterMs);
  }
}
