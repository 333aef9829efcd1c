/** What the one-way delay says of the path. */
export type NetworkState = 'normal' | 'overuse' | 'underuse';

/** Points of the line. */
const WINDOW = 20;
const SMOOTHING = 0.9;
/** The slope is weighted by the number of deltas up to this one, and by a gain, to be comparable to a time. */
const MAX_DELTAS = 60;
const GAIN = 4;
/** A trend above the threshold for this long is over-use. */
const OVERUSE_MS = 10;

const INITIAL_THRESHOLD = 12.5;
const MIN_THRESHOLD = 6;
const MAX_THRESHOLD = 600;
/** How fast the threshold follows the trend, per millisecond: slowly up, faster down (section 5.4 of the draft). */
const THRESHOLD_UP = 0.0087;
const THRESHOLD_DOWN = 0.039;
/** A trend this far above the threshold is a fall of capacity, nothing to get used to. */
const MAX_EXCESS = 15;
const MAX_STEP_MS = 100;

/**
 * Over-use detector: fits a line to the smoothed queueing delay of the last groups and compares its slope to a
 * threshold that adapts to the path's jitter (draft-ietf-rmcat-gcc-02 sections 5.3 and 5.4; the line in place of the
 * draft's Kalman filter is libwebrtc's).
 */
export class Trendline {
  readonly #times = new Float64Array(WINDOW);
  readonly #delays = new Float64Array(WINDOW);
  #points = 0;
  #origin = 0;
  #accumulated = 0;
  #smoothed = 0;
  #threshold = INITIAL_THRESHOLD;
  #adaptedAt: number | undefined;
  #previousTrend = 0;
  #overuseMs = 0;
  #overuses = 0;
  #state: NetworkState = 'normal';

  get state(): NetworkState {
    return this.#state;
  }

  /** Takes in the change from one group to the next. */
  update(receiveDelta: number, sendDelta: number, arrivalMs: number): void {
    if (this.#points === 0) this.#origin = arrivalMs;
    this.#accumulated += receiveDelta - sendDelta;
    this.#smoothed = SMOOTHING * this.#smoothed + (1 - SMOOTHING) * this.#accumulated;
    const slot = this.#points % WINDOW;
    this.#times[slot] = arrivalMs - this.#origin;
    this.#delays[slot] = this.#smoothed;
    this.#points++;
    const trend = this.#points >= WINDOW ? this.#slope() : this.#previousTrend;
    this.#detect(trend, sendDelta, arrivalMs);
  }

  /** Least squares over the window. */
  #slope(): number {
    let time = 0;
    let delay = 0;
    for (let i = 0; i < WINDOW; i++) {
      time += this.#times[i]!;
      delay += this.#delays[i]!;
    }
    time /= WINDOW;
    delay /= WINDOW;
    let product = 0;
    let square = 0;
    for (let i = 0; i < WINDOW; i++) {
      const distance = this.#times[i]! - time;
      product += distance * (this.#delays[i]! - delay);
      square += distance * distance;
    }
    return square > 0 ? product / square : this.#previousTrend;
  }

  #detect(trend: number, sendDelta: number, arrivalMs: number): void {
    const modified = Math.min(this.#points, MAX_DELTAS) * trend * GAIN;
    if (modified > this.#threshold) this.#rising(trend, sendDelta);
    else this.#calm(modified < -this.#threshold ? 'underuse' : 'normal');
    this.#previousTrend = trend;
    this.#adapt(Math.abs(modified), arrivalMs);
  }

  #rising(trend: number, sendDelta: number): void {
    this.#overuseMs += this.#overuses === 0 ? sendDelta / 2 : sendDelta;
    this.#overuses++;
    if (this.#overuseMs <= OVERUSE_MS || this.#overuses < 2 || trend < this.#previousTrend) return;
    this.#overuseMs = 0;
    this.#overuses = 0;
    this.#state = 'overuse';
  }

  #calm(state: NetworkState): void {
    this.#overuseMs = 0;
    this.#overuses = 0;
    this.#state = state;
  }

  #adapt(modified: number, arrivalMs: number): void {
    const elapsed = Math.max(0, Math.min(arrivalMs - (this.#adaptedAt ?? arrivalMs), MAX_STEP_MS));
    this.#adaptedAt = arrivalMs;
    if (modified > this.#threshold + MAX_EXCESS) return;
    const speed = modified < this.#threshold ? THRESHOLD_DOWN : THRESHOLD_UP;
    const moved = this.#threshold + speed * (modified - this.#threshold) * elapsed;
    this.#threshold = Math.min(MAX_THRESHOLD, Math.max(MIN_THRESHOLD, moved));
  }
}
