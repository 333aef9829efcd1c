const START_BPS = 2_500_000;
const MAX_BPS = 10_000_000;
const MIN_BPS = 100_000;
const GROWTH_PER_SECOND = 1.08;

/**
 * What a publisher without transport-wide feedback is told to send: grows while little is lost, falls when much is.
 * The thresholds are those of loss-based control (draft-ietf-rmcat-gcc-02 section 6).
 */
export class BandwidthAdvice {
  #bitrate = START_BPS;

  /** Bits per second for the next second; `fractionLost` is the last second's, 0 to 1. */
  update(fractionLost: number): number {
    if (fractionLost > 0.1) this.#bitrate *= 1 - fractionLost / 2;
    else if (fractionLost < 0.02) this.#bitrate *= GROWTH_PER_SECOND;
    this.#bitrate = Math.round(Math.min(MAX_BPS, Math.max(MIN_BPS, this.#bitrate)));
    return this.#bitrate;
  }
}
