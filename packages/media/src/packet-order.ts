import { rtp } from '@footlights/protocol';

/** How far behind the newest packet one may come; a power of two. */
const WINDOW = 1_024;
const MASK = WINDOW - 1;

/** The packet is a duplicate, too late, or padding that leaves no trace. */
export const NOT_FORWARDED = -1;

/**
 * Numbers the packets of one source in their order: duplicates are told, padding at the head takes no number, so that
 * receivers see no gap where there was only padding. Numbers start at 0 and never wrap.
 */
export class PacketOrder {
  /** By extended sequence number modulo the window: arrived or not, and how many numbers padding had saved before it. */
  readonly #received = new Uint8Array(WINDOW);
  readonly #savedBefore = new Float64Array(WINDOW);
  #highest = -1;
  #saved = 0;
  /** The next packet starts anew, whatever its sequence number. */
  #fresh = true;
  #restartAt = -1;

  /** Number of the newest packet; -1 before the first. */
  get newest(): number {
    return this.#highest < 0 ? -1 : this.#highest - this.#saved;
  }

  /** The number of the packet, or NOT_FORWARDED. `empty` is a packet without payload. */
  place(sequenceNumber: number, empty: boolean): number {
    if (this.#fresh) return this.#begin(sequenceNumber, empty);
    const delta = rtp.sequenceDelta(sequenceNumber, this.#highest & 0xffff);
    if (delta > WINDOW || delta <= -WINDOW) return this.#placeFar(sequenceNumber, delta, empty);
    this.#restartAt = -1;
    return delta > 0 ? this.#advance(this.#highest + delta, empty) : this.#fill(this.#highest + delta);
  }

  /** Another source takes over: its sequence numbers have nothing to do with the last one's. */
  changeSource(): void {
    this.#fresh = true;
  }

  /** After the first start, one number is left out: receivers shall see that something is missing. */
  #begin(sequenceNumber: number, empty: boolean): number {
    const number = this.newest < 0 ? 0 : this.newest + 2;
    this.#highest = sequenceNumber + 0xffff;
    this.#saved = this.#highest + 1 - number;
    this.#fresh = false;
    this.#restartAt = -1;
    // What came before belongs to numbers already given.
    this.#received.fill(1);
    return this.#advance(this.#highest + 1, empty);
  }

  #advance(extended: number, empty: boolean): number {
    for (let missing = this.#highest + 1; missing <= extended; missing++) {
      this.#received[missing & MASK] = 0;
      this.#savedBefore[missing & MASK] = this.#saved;
    }
    this.#received[extended & MASK] = 1;
    this.#highest = extended;
    if (!empty) return extended - this.#saved;
    this.#saved += 1;
    return NOT_FORWARDED;
  }

  /** A gap that receivers have seen is filled even by padding, else they would ask for it for ever. */
  #fill(extended: number): number {
    const slot = extended & MASK;
    if (this.#received[slot] === 1) return NOT_FORWARDED;
    this.#received[slot] = 1;
    return extended - (this.#savedBefore[slot] ?? 0);
  }

  /** Far ahead is a long loss; far behind is a straggler, unless the next one follows it: a sender that began again. */
  #placeFar(sequenceNumber: number, delta: number, empty: boolean): number {
    if (delta > 0 || sequenceNumber === this.#restartAt) return this.#begin(sequenceNumber, empty);
    this.#restartAt = (sequenceNumber + 1) & 0xffff;
    return NOT_FORWARDED;
  }
}
