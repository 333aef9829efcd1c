import { describe, expect, it } from 'vitest';
import { RembBound } from './remb-bound.ts';

/** A bound that was given these estimates, one a second from time 0 on. */
function after(...estimates: number[]): RembBound {
  const bound = new RembBound();
  for (const [second, bps] of estimates.entries()) bound.take(bps, second * 1_000);
  return bound;
}

describe('RembBound', () => {
  it('allows anything before the first estimate', () => {
    expect(after().allowed(1, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(after().isKnown).toBe(false);
  });

  it('takes an estimate near what is sent at its word', () => {
    const bound = after(500_000, 500_000);
    expect(bound.allowed(420_000, 1_000)).toBe(500_000);
    expect(bound.isKnown).toBe(true);
  });

  it('lets more be tried while the estimate is well above what is sent', () => {
    expect(after(500_000).allowed(416_000, 0)).toBe(1_250_000);
  });

  it('lets it stay so while an estimate rises behind a rate that was raised at once', () => {
    const bound = after(250_000, 270_000);
    expect(bound.allowed(400_000, 3_999)).toBe(675_000);
    expect(bound.allowed(400_000, 4_000)).toBe(270_000);
  });

  it('goes by an estimate that fell, for 8 s', () => {
    const bound = after(600_000, 400_000);
    expect(bound.allowed(100_000, 8_999)).toBe(400_000);
    expect(bound.allowed(100_000, 9_000)).toBe(1_000_000);
  });

  it('waits twice as long each time that the next trial fails, up to 64 s', () => {
    const bound = after(600_000);
    let now = 1_000;
    for (const holdMs of [8_000, 16_000, 32_000, 64_000, 64_000]) {
      bound.take(400_000, now);
      expect(bound.allowed(100_000, now + holdMs - 1)).toBe(400_000);
      expect(bound.allowed(100_000, now + holdMs)).toBe(1_000_000);
      now += holdMs + 1_000;
      bound.take(600_000, now - 500);
    }
    // A limit that is met long after has nothing to do with it.
    now += 100_000;
    bound.take(400_000, now);
    expect(bound.allowed(100_000, now + 8_000)).toBe(1_000_000);
  });

  it('waits no longer for an estimate that falls in steps', () => {
    const bound = after(600_000, 500_000, 400_000);
    expect(bound.allowed(100_000, 9_999)).toBe(400_000);
    expect(bound.allowed(100_000, 10_000)).toBe(1_000_000);
  });
});
