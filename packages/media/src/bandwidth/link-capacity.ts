const WEIGHT = 0.05;
/** Bounds of the variance relative to the estimate, in kbit/s. */
const MIN_DEVIATION = 0.4;
const MAX_DEVIATION = 2.5;

/** Where over-use has been met: mean and deviation of the rate that arrived then (draft section 5.5). In kbit/s inside. */
export class LinkCapacity {
  #estimate: number | undefined;
  #deviation = MIN_DEVIATION;

  /** Bits per second, undefined while unknown. */
  get bps(): number | undefined {
    return this.#estimate === undefined ? undefined : this.#estimate * 1_000;
  }

  /** Three standard deviations around it. */
  get upperBps(): number {
    return this.#estimate === undefined ? Number.POSITIVE_INFINITY : (this.#estimate + this.#spread(3)) * 1_000;
  }

  get lowerBps(): number {
    return this.#estimate === undefined ? 0 : Math.max(0, this.#estimate - this.#spread(3)) * 1_000;
  }

  reset(): void {
    this.#estimate = undefined;
    this.#deviation = MIN_DEVIATION;
  }

  overuse(acknowledgedBps: number): void {
    const sample = acknowledgedBps / 1_000;
    this.#estimate = this.#estimate === undefined ? sample : (1 - WEIGHT) * this.#estimate + WEIGHT * sample;
    const error = this.#estimate - sample;
    const deviation = (1 - WEIGHT) * this.#deviation + (WEIGHT * error * error) / Math.max(1, this.#estimate);
    this.#deviation = Math.min(MAX_DEVIATION, Math.max(MIN_DEVIATION, deviation));
  }

  #spread(deviations: number): number {
    return deviations * Math.sqrt(this.#deviation * this.#estimate!);
  }
}
