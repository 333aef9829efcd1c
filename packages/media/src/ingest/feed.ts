import { emptyArrival, type Layer } from '../layer.ts';
import { clockRates } from '../negotiate/codecs.ts';

/** The layer's clock is told anew this often: an encoder's may run a little faster or slower than ours. */
const CLOCK_INTERVAL_MS = 1_000;

/** Gives payloads that were made here to a layer, numbered in their order. */
export class Feed {
  readonly layer: Layer;
  /** The packet at hand: the layer keeps nothing of it, but shows it to others that have feeds too. */
  readonly #arrival = emptyArrival();
  #number = 0;
  #clockAt = Number.NEGATIVE_INFINITY;

  constructor(layer: Layer) {
    this.layer = layer;
  }

  /** `timestamp` is of the codec's RTP clock, 32 bits. */
  packet(payload: Buffer, timestamp: number, marker: boolean, now: number): void {
    const arrival = this.#arrival;
    arrival.buffer = payload;
    arrival.payloadEnd = payload.length;
    arrival.number = this.#number++;
    arrival.timestamp = timestamp;
    arrival.marker = marker;
    this.layer.receive(arrival, now);
  }

  /** `wallMs` is when, by our clock, the sampling instant `timestamp` was. */
  clock(wallMs: number, timestamp: number, now: number): void {
    if (now - this.#clockAt < CLOCK_INTERVAL_MS) return;
    this.#clockAt = now;
    this.layer.clock.set(wallMs, timestamp);
  }

  get clockRate(): number {
    return clockRates[this.layer.codec];
  }
}
