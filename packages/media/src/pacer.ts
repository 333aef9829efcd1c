/** Packets leave at this multiple of the target, so that a key frame does not take a second and does not come as one lump. */
const RATE_FACTOR = 2.5;
/** What may leave at once: this much time's worth, or this many packets of full size, whichever is more. */
const BURST_MS = 40;
const BURST_PACKETS = 12;
const PACKET_BYTES = 1_200;

/** Token bucket of one subscriber: when a packet may leave. Queues and priorities are the caller's. */
export class Pacer {
  #bytesPerMs = 0;
  #burst = BURST_PACKETS * PACKET_BYTES;
  #budget = BURST_PACKETS * PACKET_BYTES;
  #at: number | undefined;

  /** `targetBps` is the estimate; packets are let go at 2.5 times that. Budget gathered so far is kept. */
  setRate(targetBps: number): void {
    this.#bytesPerMs = (Math.max(0, targetBps) * RATE_FACTOR) / 8_000;
    this.#burst = Math.max(BURST_MS * this.#bytesPerMs, BURST_PACKETS * PACKET_BYTES);
  }

  /** Bytes that may leave now; below 0 while the last packet is still being paid for. */
  budgetAt(nowMs: number): number {
    const elapsed = Math.max(0, nowMs - (this.#at ?? nowMs));
    this.#at = Math.max(nowMs, this.#at ?? nowMs);
    this.#budget = Math.min(this.#burst, this.#budget + elapsed * this.#bytesPerMs);
    return this.#budget;
  }

  /** True when a packet may leave now; its bytes are then taken. One packet may go into debt, so that large ones pass. */
  canSend(bytes: number, nowMs: number): boolean {
    if (this.budgetAt(nowMs) <= 0) return false;
    this.#budget -= bytes;
    return true;
  }

  /** Takes the bytes of a packet that does not wait: audio and retransmissions ahead of the queue. */
  charge(bytes: number, nowMs: number): void {
    this.#budget = Math.max(-this.#burst, this.budgetAt(nowMs) - bytes);
  }
}
