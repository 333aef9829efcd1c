/** Packets sent within this time are one group: a frame leaves in a burst (draft-ietf-rmcat-gcc-02 section 5.2). */
const BURST_MS = 5;
/** A burst that a stalled link delivers at once is one group as well, up to this length. */
const MAX_BURST_MS = 100;
/** Clocks that part by more than this have been set: deltas start anew. */
const MAX_CLOCK_JUMP_MS = 3_000;

/** Groups packets by send time and measures how the distance between groups changes on the way. */
export class PacketGroups {
  /** Between the last two groups, valid after `add` returned true, in milliseconds. */
  sendDelta = 0;
  receiveDelta = 0;
  /** Arrival of the newer of the two. */
  arrivalMs = 0;

  #firstSent = 0;
  #lastSent = 0;
  #firstArrival = 0;
  #complete = 0;
  #previousSent = 0;
  #previousComplete = 0;
  /** Groups seen, the open one included, up to 2. */
  #groups = 0;

  /** Takes in a packet in order of sending; true when it opened a group and the two before it have been compared. */
  add(sentMs: number, arrivalMs: number): boolean {
    if (this.#groups === 0) {
      this.#open(sentMs, arrivalMs);
      this.#groups = 1;
      return false;
    }
    if (sentMs < this.#firstSent) return false;
    if (Math.abs(arrivalMs - this.#complete - (sentMs - this.#lastSent)) > MAX_CLOCK_JUMP_MS) {
      this.#groups = 1;
      this.#open(sentMs, arrivalMs);
      return false;
    }
    if (this.#belongs(sentMs, arrivalMs)) {
      this.#lastSent = Math.max(this.#lastSent, sentMs);
      this.#complete = Math.max(this.#complete, arrivalMs);
      return false;
    }
    return this.#close(sentMs, arrivalMs);
  }

  #belongs(sentMs: number, arrivalMs: number): boolean {
    if (sentMs - this.#firstSent <= BURST_MS) return true;
    const arrivalDelta = arrivalMs - this.#complete;
    const propagationDelta = arrivalDelta - (sentMs - this.#lastSent);
    return propagationDelta < 0 && arrivalDelta <= BURST_MS && arrivalMs - this.#firstArrival < MAX_BURST_MS;
  }

  #close(sentMs: number, arrivalMs: number): boolean {
    const compared = this.#groups === 2;
    if (compared) {
      this.sendDelta = this.#lastSent - this.#previousSent;
      this.receiveDelta = this.#complete - this.#previousComplete;
      this.arrivalMs = this.#complete;
    }
    this.#previousSent = this.#lastSent;
    this.#previousComplete = this.#complete;
    this.#groups = 2;
    this.#open(sentMs, arrivalMs);
    return compared;
  }

  #open(sentMs: number, arrivalMs: number): void {
    this.#firstSent = sentMs;
    this.#lastSent = sentMs;
    this.#firstArrival = arrivalMs;
    this.#complete = arrivalMs;
  }
}
