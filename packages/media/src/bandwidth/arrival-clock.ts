import { rtcp } from '@footlights/protocol';

/** The reference time has 24 bits. */
const WRAP = 2 ** 24;

/** Turns the wrapping reference times of feedbacks into one running clock of the receiver, in milliseconds. */
export class ArrivalClock {
  #last: number | undefined;

  /** The reference time of a feedback; one that came late may lie before the last. */
  unwrap(referenceTime: number): number {
    if (this.#last === undefined) this.#last = referenceTime;
    else {
      const forward = (((referenceTime - this.#last) % WRAP) + WRAP) % WRAP;
      this.#last += forward < WRAP / 2 ? forward : forward - WRAP;
    }
    return this.#last * rtcp.REFERENCE_MS;
  }
}
