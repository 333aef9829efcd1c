/** Packets remembered per subscriber at most, a power of two: some two seconds at 8.5 Mbit/s. */
export const HISTORY = 2_048;
/** So many are enough until feedback stays out for longer: a stage has many subscribers. */
const FIRST_SIZE = 512;

/** What is known of a packet that left. */
export const IN_FLIGHT = 1;
export const LOST = 2;
export const RECEIVED = 3;
/** The feedback on it was lost: it counts as arrived until something else is known. */
export const ASSUMED = 4;

/** The packets sent last, by transport-wide sequence number: a ring of typed arrays, indexed by slot. */
export class SendHistory {
  sentAt = new Float64Array(FIRST_SIZE);
  sizes = new Uint16Array(FIRST_SIZE);
  /** Probe cluster, 0 for none. */
  clusters = new Uint8Array(FIRST_SIZE);
  states = new Uint8Array(FIRST_SIZE);
  #count = 0;

  /** Packets that are remembered, a power of two. */
  get size(): number {
    return this.states.length;
  }

  /** Packets sent since the start. */
  get count(): number {
    return this.#count;
  }

  /** Takes in a packet; returns its sequence number. */
  add(sizeBytes: number, nowMs: number, cluster: number): number {
    if (this.size < HISTORY && this.states[this.slotOf(this.#count)] === IN_FLIGHT) this.#grow();
    const number = this.#count++;
    const slot = this.slotOf(number);
    this.sentAt[slot] = nowMs;
    this.sizes[slot] = sizeBytes;
    this.clusters[slot] = cluster;
    this.states[slot] = IN_FLIGHT;
    return number & 0xffff;
  }

  /** How many packets after `sequenceNumber` were sent; at least `size`, or more than were sent, when it is not known. */
  age(sequenceNumber: number): number {
    return (this.#count - 1 - sequenceNumber) & 0xffff;
  }

  /** The slot of a sequence number, -1 for one that was never sent or is forgotten. */
  find(sequenceNumber: number): number {
    const age = this.age(sequenceNumber);
    if (age >= this.size || age >= this.#count) return -1;
    return this.slotOf(this.#count - 1 - age);
  }

  /** Of a packet, counted from the first. */
  slotOf(number: number): number {
    return number & (this.size - 1);
  }

  /** To twice the size; the ring is full then. */
  #grow(): void {
    const old = { sentAt: this.sentAt, sizes: this.sizes, clusters: this.clusters, states: this.states };
    const size = this.size * 2;
    this.sentAt = new Float64Array(size);
    this.sizes = new Uint16Array(size);
    this.clusters = new Uint8Array(size);
    this.states = new Uint8Array(size);
    for (let number = this.#count - size / 2; number < this.#count; number++) {
      const [from, to] = [number & (size / 2 - 1), this.slotOf(number)];
      this.sentAt[to] = old.sentAt[from]!;
      this.sizes[to] = old.sizes[from]!;
      this.clusters[to] = old.clusters[from]!;
      this.states[to] = old.states[from]!;
    }
  }
}
