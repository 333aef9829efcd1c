/** The last packets of a track, by number: bounded in count and in bytes, copied into one block of memory. */
export class ResendCache {
  readonly #capacity: number;
  /** Made for the first packet: many tracks never send one. */
  #block: Buffer | undefined;
  readonly #mask: number;
  /** By number modulo the count. A slot's position counts all bytes ever written, so that overwritten ones show. */
  readonly #numbers: Float64Array;
  readonly #positions: Float64Array;
  readonly #lengths: Uint16Array;
  #written = 0;

  /** `packets` is a power of two. */
  constructor({ packets, bytes }: { packets: number; bytes: number }) {
    this.#capacity = bytes;
    this.#mask = packets - 1;
    this.#numbers = new Float64Array(packets).fill(-1);
    this.#positions = new Float64Array(packets);
    this.#lengths = new Uint16Array(packets);
  }

  store(number: number, packet: Buffer): void {
    const { length } = packet;
    const capacity = this.#capacity;
    if (length > capacity) return;
    this.#block ??= Buffer.allocUnsafeSlow(capacity);
    let at = this.#written % capacity;
    if (at + length > capacity) {
      this.#written += capacity - at;
      at = 0;
    }
    const slot = number & this.#mask;
    this.#block.set(packet, at);
    this.#numbers[slot] = number;
    this.#positions[slot] = this.#written;
    this.#lengths[slot] = length;
    this.#written += length;
  }

  /** A view of the packet, good until the next `store`; undefined when it is not kept any more. */
  get(number: number): Buffer | undefined {
    const slot = number & this.#mask;
    const position = this.#positions[slot] ?? 0;
    if (this.#numbers[slot] !== number || position < this.#written - this.#capacity) return undefined;
    const at = position % this.#capacity;
    return this.#block?.subarray(at, at + (this.#lengths[slot] ?? 0));
  }
}
