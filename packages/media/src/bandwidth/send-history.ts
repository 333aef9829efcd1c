/** Packets remembered per subscriber, a power of two: some two seconds at 8.5 Mbit/s. */
export const HISTORY = 2_048;

/** What is known of a packet that left. */
export const IN_FLIGHT = 1;
export const LOST = 2;
export const RECEIVED = 3;
/** The feedback on it was lost: it counts as arrived until something else is known. */
export const ASSUMED = 4;

/** The packets sent last, by transport-wide sequence number: a ring of typed arrays, indexed by slot. */
export class SendHistory {
  readonly sentAt = new Float64Array(HISTORY);
  readonly sizes = new Uint16Array(HISTORY);
  /** Probe cluster, 0 for none. */
  readonly clusters = new Uint8Array(HISTORY);
  readonly states = new Uint8Array(HISTORY);
  #count = 0;

  /** Packets sent since the start. */
  get count(): number {
    return this.#count;
  }

  /** Takes in a packet; returns its sequence number. */
  add(sizeBytes: number, nowMs: number, cluster: number): number {
    const number = this.#count++;
    const slot = number & (HISTORY - 1);
    this.sentAt[slot] = nowMs;
    this.sizes[slot] = sizeBytes;
    this.clusters[slot] = cluster;
    this.states[slot] = IN_FLIGHT;
    return number & 0xffff;
  }

  /** How many packets after `sequenceNumber` were sent; at least HISTORY, or more than were sent, when it is not known. */
  age(sequenceNumber: number): number {
    return (this.#count - 1 - sequenceNumber) & 0xffff;
  }

  /** The slot of a sequence number, -1 for one that was never sent or is forgotten. */
  find(sequenceNumber: number): number {
    const age = this.age(sequenceNumber);
    if (age >= HISTORY || age >= this.#count) return -1;
    return (this.#count - 1 - age) & (HISTORY - 1);
  }
}
