/** Weight of a window among those before it: some ten seconds are remembered. */
const WEIGHT = 0.06;
/** Variance of the logarithm of the rate that is taken for noise: a rate that hardly changes proves nothing. */
const NOISE = 0.02 ** 2;

/**
 * How loss depends on the rate: the slope of the share lost over the logarithm of the rate sent. A link that throws away
 * what is too much has a slope near 1 (one percent more rate is one percent more loss), a bad radio link one near 0.
 */
export class LossSlope {
  #rate = 0;
  #loss = 0;
  #variance = 0;
  #covariance = 0;
  #windows = 0;

  get value(): number {
    return this.#covariance / (this.#variance + NOISE);
  }

  add(sentBps: number, lossRatio: number): void {
    const rate = Math.log(Math.max(1, sentBps));
    this.#windows++;
    const weight = Math.max(WEIGHT, 1 / this.#windows);
    const rateStep = rate - this.#rate;
    const lossStep = lossRatio - this.#loss;
    this.#rate += weight * rateStep;
    this.#loss += weight * lossStep;
    if (this.#windows === 1) return;
    this.#variance = (1 - weight) * (this.#variance + weight * rateStep * rateStep);
    this.#covariance = (1 - weight) * (this.#covariance + weight * rateStep * lossStep);
  }
}
