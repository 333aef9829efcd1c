import type { Arrival } from '../layer.ts';
import { MAX_HELD_PACKETS, REORDER_MS } from './limits.ts';

/** A packet that is kept. */
export interface KeptPacket {
  payload: Buffer;
  timestamp: number;
  marker: boolean;
  redundant: boolean;
  at: number;
}

export interface PacketListener {
  packet(packet: KeptPacket): void;
  /** Some packets before the next one are lost. */
  gap(): void;
}

/** Puts a layer's packets in the order of their numbers: what is missing is waited for, then given up. */
export class PacketLine {
  readonly #listener: PacketListener;
  readonly #held = new Map<number, KeptPacket>();
  #next: number | undefined;

  constructor(listener: PacketListener) {
    this.#listener = listener;
  }

  push({ buffer, payloadOffset, payloadEnd, number, timestamp, marker, redundant }: Arrival, now: number): void {
    this.#next ??= number;
    if (number < this.#next || this.#held.has(number)) return;
    const payload = Buffer.from(buffer.subarray(payloadOffset, payloadEnd));
    this.#held.set(number, { payload, timestamp, marker, redundant, at: now });
    this.#drain();
    if (this.#held.size > MAX_HELD_PACKETS) this.#skip();
  }

  tick(now: number): void {
    for (const { at } of this.#held.values()) {
      if (now - at < REORDER_MS) return;
      this.#skip();
      return;
    }
  }

  /** Gives all that is held. */
  flush(): void {
    while (this.#held.size > 0) this.#skip();
  }

  #drain(): void {
    while (this.#next !== undefined) {
      const packet = this.#held.get(this.#next);
      if (!packet) return;
      this.#held.delete(this.#next);
      this.#next += 1;
      this.#listener.packet(packet);
    }
  }

  #skip(): void {
    this.#next = Math.min(...this.#held.keys());
    this.#listener.gap();
    this.#drain();
  }
}
