import { describe, expect, it } from 'vitest';
import { TICK_MS } from './limits.ts';
import { LoopDelay } from './loop-delay.ts';

/** A loop whose ticks come this late, each after the one before. */
function loop(latenesses: readonly number[]): LoopDelay {
  const delay = new LoopDelay(0);
  let now = 0;
  for (const lateness of latenesses) {
    now += TICK_MS + lateness;
    delay.tick(now);
  }
  return delay;
}

describe('loop delay', () => {
  it('is nothing before the first tick', () => {
    expect(loop([]).statistics()).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  it('has its quantiles over the ticks so far', () => {
    const latenesses = Array.from({ length: 100 }, (_, i) => i / 8);
    expect(loop(latenesses).statistics()).toEqual({ p50Ms: 6.25, p99Ms: 12.375, maxMs: 12.375 });
  });

  it('counts the ticks that a late one kept from coming', () => {
    // 100 ms late: five more were due meanwhile, which would have waited 80, 60, 40, 20 and 0 ms.
    const { p50Ms, maxMs } = loop([100]).statistics();
    expect({ p50Ms, maxMs }).toEqual({ p50Ms: 60, maxMs: 100 });
  });

  it('forgets what is older than five seconds', () => {
    const calm = Array<number>(5_000 / TICK_MS).fill(0);
    expect(loop([300, ...calm.slice(1)]).statistics().maxMs).toBe(0);
    expect(loop([...calm, 300]).statistics().maxMs).toBe(300);
  });

  it('holds five seconds when the loop stood still for longer', () => {
    const { p50Ms, maxMs } = loop([60_000]).statistics();
    expect(maxMs).toBe(60_000);
    expect(p50Ms).toBeGreaterThanOrEqual(57_400);
  });
});
