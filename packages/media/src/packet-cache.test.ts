import { describe, expect, it } from 'vitest';
import { emptyLayerPacket } from './layer-packet.ts';
import { PacketCache } from './packet-cache.ts';
import { HEADROOM } from './rim/transport.ts';

const packet = (fill: number, length = 100) => Buffer.alloc(length, fill);

/** A cache of payloads. */
class Payloads {
  readonly cache: PacketCache;

  constructor(size: { packets: number; bytes: number }) {
    this.cache = new PacketCache(size);
  }

  store(number: number, payload: Buffer, facts = {}): void {
    this.cache.store(Object.assign(emptyLayerPacket(), { number }, facts), payload, 0, payload.length);
  }

  get(number: number): Buffer | undefined {
    const found = emptyLayerPacket();
    return this.cache.get(number, found) ? found.buffer.subarray(HEADROOM) : undefined;
  }
}

describe('PacketCache', () => {
  it('gives back what was stored', () => {
    const cache = new Payloads({ packets: 8, bytes: 1_000 });
    cache.store(3, packet(3));
    expect(cache.get(3)).toEqual(packet(3));
    expect(cache.get(2)).toBeUndefined();
  });

  it('keeps its own copy', () => {
    const cache = new Payloads({ packets: 8, bytes: 1_000 });
    const original = packet(1);
    cache.store(1, original);
    original.fill(9);
    expect(cache.get(1)).toEqual(packet(1));
  });

  it('forgets the oldest beyond its number of packets', () => {
    const cache = new Payloads({ packets: 8, bytes: 10_000 });
    for (let number = 0; number <= 8; number++) cache.store(number, packet(number));
    expect(cache.get(0)).toBeUndefined();
    expect(cache.get(1)).toEqual(packet(1));
  });

  it('forgets the oldest beyond its number of bytes', () => {
    const cache = new Payloads({ packets: 64, bytes: 290 });
    for (let number = 0; number < 4; number++) cache.store(number, packet(number));
    const kept = [0, 1, 2, 3].filter((number) => cache.get(number));
    expect(kept).toEqual([2, 3]);
    for (const number of kept) expect(cache.get(number)).toEqual(packet(number));
  });

  it('never gives a packet with bytes of another, over many turns of the block', () => {
    const cache = new Payloads({ packets: 16, bytes: 1_200 });
    for (let number = 0; number < 2_000; number++) {
      cache.store(number, packet(number & 0xff, 1 + ((number * 37) % 300)));
      for (let old = Math.max(0, number - 20); old <= number; old++) {
        const found = cache.get(old);
        if (found) expect(found.every((byte) => byte === (old & 0xff))).toBe(true);
      }
    }
  });

  it('ignores a packet larger than itself', () => {
    const cache = new Payloads({ packets: 8, bytes: 119 });
    cache.store(1, packet(1));
    expect(cache.get(1)).toBeUndefined();
  });

  it('keeps the facts of a packet, and where its picture id is in the copy', () => {
    const cache = new PacketCache({ packets: 8, bytes: 1_000 });
    const facts = {
      number: 5,
      timestamp: 0xfffffff0,
      marker: true,
      startable: true,
      startsFrame: true,
      switchingPoint: false,
      temporalLayer: 2,
      pictureId: 0x7fff,
      pictureIdBits: 15,
      pictureIdOffset: 32,
      tl0PicIdx: 255,
      tl0PicIdxOffset: 34,
      flatLayerOffset: 35,
    };
    cache.store(Object.assign(emptyLayerPacket(), facts), Buffer.alloc(130, 7), 30, 130);
    const found = emptyLayerPacket();
    expect(cache.get(5, found)).toBe(true);
    const offsets = { pictureIdOffset: HEADROOM + 2, tl0PicIdxOffset: HEADROOM + 4, flatLayerOffset: HEADROOM + 5 };
    expect(found).toMatchObject({ ...facts, ...offsets });
    expect(found.buffer).toHaveLength(HEADROOM + 100);
  });
});
