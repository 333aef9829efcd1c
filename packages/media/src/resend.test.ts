import { describe, expect, it } from 'vitest';
import { ResendCache } from './resend.ts';

const packet = (fill: number, length = 100) => Buffer.alloc(length, fill);

describe('ResendCache', () => {
  it('gives back what was stored', () => {
    const cache = new ResendCache({ packets: 8, bytes: 1_000 });
    cache.store(3, packet(3));
    expect(cache.get(3)).toEqual(packet(3));
    expect(cache.get(2)).toBeUndefined();
  });

  it('keeps its own copy', () => {
    const cache = new ResendCache({ packets: 8, bytes: 1_000 });
    const original = packet(1);
    cache.store(1, original);
    original.fill(9);
    expect(cache.get(1)).toEqual(packet(1));
  });

  it('forgets the oldest beyond its number of packets', () => {
    const cache = new ResendCache({ packets: 8, bytes: 10_000 });
    for (let number = 0; number <= 8; number++) cache.store(number, packet(number));
    expect(cache.get(0)).toBeUndefined();
    expect(cache.get(1)).toEqual(packet(1));
  });

  it('forgets the oldest beyond its number of bytes', () => {
    const cache = new ResendCache({ packets: 64, bytes: 250 });
    for (let number = 0; number < 4; number++) cache.store(number, packet(number));
    const kept = [0, 1, 2, 3].filter((number) => cache.get(number));
    expect(kept).toEqual([2, 3]);
    for (const number of kept) expect(cache.get(number)).toEqual(packet(number));
  });

  it('never gives a packet with bytes of another, over many turns of the block', () => {
    const cache = new ResendCache({ packets: 16, bytes: 1_000 });
    for (let number = 0; number < 2_000; number++) {
      cache.store(number, packet(number & 0xff, 1 + ((number * 37) % 300)));
      for (let old = Math.max(0, number - 20); old <= number; old++) {
        const found = cache.get(old);
        if (found) expect(found.every((byte) => byte === (old & 0xff))).toBe(true);
      }
    }
  });

  it('ignores a packet larger than itself', () => {
    const cache = new ResendCache({ packets: 8, bytes: 50 });
    cache.store(1, packet(1));
    expect(cache.get(1)).toBeUndefined();
  });
});
