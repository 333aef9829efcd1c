import type { LayerPacket } from './layer-packet.ts';
import { HEADROOM } from './rim/transport.ts';

const MARKER = 1;
const STARTABLE = 2;
const STARTS_FRAME = 4;
const SWITCHING_POINT = 8;
/** Redundant audio is not sent again: it would not be the same for all. */
const REDUNDANT = 16;

/**
 * The last packets of a layer, by number: bounded in count and in bytes, copied into one block of memory with room for a header
 * in front of each, so that they are sent from here, now and again.
 */
export class PacketCache {
  readonly #capacity: number;
  readonly #count: number;
  /** Made for the first packet: many tracks never send one. */
  #block: Buffer | undefined;
  /** By number modulo the count. */
  #entries: Entries | undefined;
  #written = 0;

  /** `packets` is a power of two. */
  constructor({ packets, bytes }: { packets: number; bytes: number }) {
    this.#capacity = bytes;
    this.#count = packets;
  }

  /**
   * Keeps a packet whose payload is `source` from `offset` to `end`; its offsets of PictureID, TL0PICIDX and TID point into `source`.
   * Afterwards its buffer and its offsets are those of the copy. False when it is larger than all of the cache.
   */
  store(packet: LayerPacket, source: Buffer, offset: number, end: number): boolean {
    const length = HEADROOM + end - offset;
    if (length > this.#capacity) return false;
    this.#block ??= Buffer.allocUnsafeSlow(this.#capacity);
    this.#entries ??= new Entries(this.#count);
    const at = this.#reserve(length);
    source.copy(this.#block, at + HEADROOM, offset, end);
    packet.buffer = this.#block.subarray(at, at + length);
    if (packet.pictureIdBits !== 0) packet.pictureIdOffset += HEADROOM - offset;
    if (packet.tl0PicIdx >= 0) packet.tl0PicIdxOffset += HEADROOM - offset;
    if (packet.flatLayerOffset !== 0) packet.flatLayerOffset += HEADROOM - offset;
    this.#entries.set(packet, this.#written, length);
    this.#written += length;
    return true;
  }

  has(number: number): boolean {
    const position = this.#entries?.position(number) ?? -1;
    return position >= 0 && position >= this.#written - this.#capacity;
  }

  /** Fills `packet` with what is kept under `number`, its buffer good until the next `store`; false when it is not kept any more. */
  get(number: number, packet: LayerPacket): boolean {
    if (!this.#entries || !this.#block || !this.has(number) || this.#entries.isRedundant(number)) return false;
    const at = this.#entries.position(number) % this.#capacity;
    const length = this.#entries.get(number, packet);
    packet.buffer = this.#block.subarray(at, at + length);
    return true;
  }

  /** Where the next `length` bytes go; positions count all bytes ever written, so that overwritten ones show. */
  #reserve(length: number): number {
    const at = this.#written % this.#capacity;
    if (at + length <= this.#capacity) return at;
    this.#written += this.#capacity - at;
    return 0;
  }
}

/** Facts of the packets in a cache, one array for each. */
class Entries {
  readonly #mask: number;
  readonly #numbers: Float64Array;
  readonly #positions: Float64Array;
  readonly #lengths: Uint16Array;
  readonly #timestamps: Uint32Array;
  readonly #flags: Uint8Array;
  readonly #temporalLayers: Uint8Array;
  readonly #pictureIds: Int16Array;
  readonly #pictureIdBits: Uint8Array;
  readonly #pictureIdOffsets: Uint8Array;
  readonly #tl0PicIdxs: Int16Array;
  readonly #tl0PicIdxOffsets: Uint8Array;
  readonly #flatLayerOffsets: Uint8Array;

  constructor(count: number) {
    this.#mask = count - 1;
    this.#numbers = new Float64Array(count).fill(-1);
    this.#positions = new Float64Array(count);
    this.#lengths = new Uint16Array(count);
    this.#timestamps = new Uint32Array(count);
    this.#flags = new Uint8Array(count);
    this.#temporalLayers = new Uint8Array(count);
    this.#pictureIds = new Int16Array(count);
    this.#pictureIdBits = new Uint8Array(count);
    this.#pictureIdOffsets = new Uint8Array(count);
    this.#tl0PicIdxs = new Int16Array(count);
    this.#tl0PicIdxOffsets = new Uint8Array(count);
    this.#flatLayerOffsets = new Uint8Array(count);
  }

  /** Where a packet was written; -1 when another one has its place. */
  position(number: number): number {
    const slot = number & this.#mask;
    return this.#numbers[slot] === number ? (this.#positions[slot] ?? -1) : -1;
  }

  isRedundant(number: number): boolean {
    return ((this.#flags[number & this.#mask] ?? 0) & REDUNDANT) !== 0;
  }

  set(packet: LayerPacket, position: number, length: number): void {
    const slot = packet.number & this.#mask;
    this.#numbers[slot] = packet.number;
    this.#positions[slot] = position;
    this.#lengths[slot] = length;
    this.#timestamps[slot] = packet.timestamp;
    this.#flags[slot] =
      (packet.marker ? MARKER : 0) |
      (packet.startable ? STARTABLE : 0) |
      (packet.startsFrame ? STARTS_FRAME : 0) |
      (packet.switchingPoint ? SWITCHING_POINT : 0) |
      (packet.primaryOffset !== 0 ? REDUNDANT : 0);
    this.#temporalLayers[slot] = packet.temporalLayer;
    this.#pictureIds[slot] = packet.pictureId;
    this.#pictureIdBits[slot] = packet.pictureIdBits;
    this.#pictureIdOffsets[slot] = packet.pictureIdOffset;
    this.#tl0PicIdxs[slot] = packet.tl0PicIdx;
    this.#tl0PicIdxOffsets[slot] = packet.tl0PicIdxOffset;
    this.#flatLayerOffsets[slot] = packet.flatLayerOffset;
  }

  /** Fills in all but the buffer; returns the length of that. */
  get(number: number, packet: LayerPacket): number {
    const slot = number & this.#mask;
    const flags = this.#flags[slot] ?? 0;
    packet.number = number;
    packet.primaryOffset = 0;
    packet.timestamp = this.#timestamps[slot] ?? 0;
    packet.marker = (flags & MARKER) !== 0;
    packet.startable = (flags & STARTABLE) !== 0;
    packet.startsFrame = (flags & STARTS_FRAME) !== 0;
    packet.switchingPoint = (flags & SWITCHING_POINT) !== 0;
    packet.temporalLayer = this.#temporalLayers[slot] ?? 0;
    packet.pictureId = this.#pictureIds[slot] ?? -1;
    packet.pictureIdBits = this.#pictureIdBits[slot] ?? 0;
    packet.pictureIdOffset = this.#pictureIdOffsets[slot] ?? 0;
    packet.tl0PicIdx = this.#tl0PicIdxs[slot] ?? -1;
    packet.tl0PicIdxOffset = this.#tl0PicIdxOffsets[slot] ?? 0;
    packet.flatLayerOffset = this.#flatLayerOffsets[slot] ?? 0;
    return this.#lengths[slot] ?? 0;
  }
}
