/** How many blocks the difference is averaged over: timestamps in milliseconds jitter by half of one. */
const AVERAGED = 32;
/** Differences below it are left alone, in samples at 48 kHz: a quarter of a millisecond. */
const DEAD_BAND = 12;
/** Samples at 48 kHz between two corrections. */
const PERIOD = 24_000;
/** Share of the difference that one correction makes good. */
const GAIN = 1 / 4;
/** No correction is faster than 0.4 %: nobody hears it. */
const MAX_CORRECTION = PERIOD * 0.004;

/** How many samples more (or fewer, below 0) `over` the next samples a resampler shall make. */
export interface Correction {
  samples: number;
  over: number;
}

/**
 * Keeps counted samples on the timestamps that came with them: a sound card's clock is not the one that made the timestamps. Pure; all
 * in samples at 48 kHz.
 */
export class DriftControl {
  #average = 0;
  #sinceCorrection = 0;

  /** `difference` is how far the timestamps are ahead of the samples. A correction, when it is time for one. */
  observe(difference: number, samples: number): Correction | undefined {
    this.#average += (difference - this.#average) / AVERAGED;
    this.#sinceCorrection += samples;
    if (this.#sinceCorrection < PERIOD) return undefined;
    this.#sinceCorrection = 0;
    if (Math.abs(this.#average) < DEAD_BAND) return undefined;
    const wanted = Math.round(this.#average * GAIN);
    return { samples: Math.max(-MAX_CORRECTION, Math.min(MAX_CORRECTION, wanted)), over: PERIOD };
  }

  /** The samples were put on their timestamps anew. */
  reset(): void {
    this.#average = 0;
    this.#sinceCorrection = 0;
  }
}
