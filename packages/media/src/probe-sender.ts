import type { DownTrack } from './down-track.ts';

/** What is asked for: so many bytes, in at least so many packets, at this rate. */
export interface Probe {
  cluster: number;
  /** Bits per second. */
  bps: number;
  bytes: number;
  minPackets: number;
}

/** Packets before the newest that are repeated in turn. */
const MAX_BACK = 30;

/** Sends one probe: the newest packets once more, as retransmissions, evenly spread. */
export class ProbeSender {
  readonly #probe: Probe;
  readonly #startedAt: number;
  #bytes = 0;
  #packets = 0;
  #back = 0;

  constructor(probe: Probe, now: number) {
    this.#probe = probe;
    this.#startedAt = now;
  }

  /** Sends what is due; true when the probe is complete, or the track has nothing to send. */
  send(downTrack: DownTrack, now: number): boolean {
    const { cluster, bps, bytes, minPackets } = this.#probe;
    const due = ((now - this.#startedAt) * bps) / 8_000;
    while (this.#bytes <= due) {
      const sent = this.#sendOne(downTrack, cluster, now);
      if (sent === 0) return true;
      this.#bytes += sent;
      this.#packets += 1;
      if (this.#bytes >= bytes && this.#packets >= minPackets) return true;
    }
    return false;
  }

  #sendOne(downTrack: DownTrack, cluster: number, now: number): number {
    for (let tries = 0; tries < MAX_BACK; tries++) {
      const sent = downTrack.probe(this.#back, cluster, now);
      this.#back = (this.#back + 1) % MAX_BACK;
      if (sent > 0) return sent;
    }
    return 0;
  }
}
