/** The first sample needs a longer window than those that correct it. */
const FIRST_WINDOW_MS = 500;
const WINDOW_MS = 150;
/** How uncertain a sample is for its relative distance from the estimate, and how much the estimate drifts per window. */
const UNCERTAINTY = 10;
const DRIFT = 5;
const INITIAL_VARIANCE = 50;
/** A clock that goes back by more than this starts anew. */
const MAX_STEP_BACK_MS = 1_000;

/** The last few stretches of this length are kept one by one. */
const PIECE_MS = 50;
const PIECES = 8;

/**
 * The rate at which packets arrive, by the receiver's clock: samples of fixed windows, combined by a Bayesian filter
 * that follows samples near the estimate and distrusts far ones, as libwebrtc's does.
 */
export class AcknowledgedRate {
  /** In kbit/s; undefined before the first window is full. */
  #estimate: number | undefined;
  #variance = INITIAL_VARIANCE;
  #windowStart: number | undefined;
  #newest = 0;
  #bytes = 0;
  readonly #pieces = new Float64Array(PIECES);
  #piece = 0;
  #pieceStart = 0;
  #pieceBytes = 0;

  /** Bits per second, 0 while unknown. */
  get bps(): number {
    return (this.#estimate ?? 0) * 1_000;
  }

  /**
   * What the link carries, bits per second, when a queue has stood for `busyMs`: then it is full, and what arrives is its
   * capacity, while the mean of a sender that had little to send lags behind. The fastest stretch of that length, 100 to
   * 400 ms, or the mean if that is more and the queue is new.
   */
  capacityBps(busyMs: number): number {
    const length = Math.min(PIECES, Math.max(2, Math.floor(busyMs / PIECE_MS)));
    let most = length === 2 ? this.bps : 0;
    for (let last = this.#piece - 1; last >= this.#piece - 1 - PIECES + length; last--) {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += this.#pieces[(last - i + 2 * PIECES) % PIECES]!;
      most = Math.max(most, sum / length);
    }
    return this.#estimate === undefined ? 0 : most;
  }

  /** Takes in the arrival of a packet; one out of order counts as if it had come with the newest. */
  add(sizeBytes: number, arrivalMs: number): void {
    if (this.#windowStart === undefined || arrivalMs < this.#newest - MAX_STEP_BACK_MS) this.#restart(arrivalMs);
    this.#newest = Math.max(this.#newest, arrivalMs);
    const window = this.#estimate === undefined ? FIRST_WINDOW_MS : WINDOW_MS;
    const elapsed = this.#newest - this.#windowStart!;
    if (elapsed >= window) this.#close(elapsed, window);
    const piece = this.#newest - this.#pieceStart;
    if (piece >= PIECE_MS) this.#closePiece(piece);
    this.#bytes += sizeBytes;
    this.#pieceBytes += sizeBytes;
  }

  #restart(arrivalMs: number): void {
    this.#windowStart = arrivalMs;
    this.#pieceStart = arrivalMs;
    this.#newest = arrivalMs;
    this.#bytes = 0;
    this.#pieceBytes = 0;
  }

  #close(elapsed: number, window: number): void {
    // After a pause the packets before it say nothing of the rate now.
    if (elapsed < 2 * window) this.#update((this.#bytes * 8) / elapsed);
    this.#windowStart = this.#newest;
    this.#bytes = 0;
  }

  #closePiece(elapsed: number): void {
    this.#pieces[this.#piece] = (this.#pieceBytes * 8_000) / elapsed;
    this.#piece = (this.#piece + 1) % PIECES;
    this.#pieceStart = this.#newest;
    this.#pieceBytes = 0;
  }

  #update(sample: number): void {
    if (this.#estimate === undefined) {
      this.#estimate = sample;
      return;
    }
    const deviation = (UNCERTAINTY * Math.abs(this.#estimate - sample)) / Math.max(1, this.#estimate, sample);
    const sampleVariance = deviation * deviation;
    const predicted = this.#variance + DRIFT;
    this.#estimate = (sampleVariance * this.#estimate + predicted * sample) / (sampleVariance + predicted);
    this.#variance = (sampleVariance * predicted) / (sampleVariance + predicted);
  }
}
