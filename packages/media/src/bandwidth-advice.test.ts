import { describe, expect, it } from 'vitest';
import { BandwidthAdvice } from './bandwidth-advice.ts';

describe('BandwidthAdvice', () => {
  it('grows by 8 percent a second without loss, up to 10 Mbit/s', () => {
    const advice = new BandwidthAdvice();
    expect(advice.update(0)).toBe(2_700_000);
    for (let second = 0; second < 60; second++) advice.update(0);
    expect(advice.update(0)).toBe(10_000_000);
  });

  it('stays while 2 to 10 percent are lost', () => {
    const advice = new BandwidthAdvice();
    expect(advice.update(0.02)).toBe(2_500_000);
    expect(advice.update(0.1)).toBe(2_500_000);
  });

  it('falls by half of the loss above 10 percent, down to 100 kbit/s', () => {
    const advice = new BandwidthAdvice();
    expect(advice.update(0.2)).toBe(2_250_000);
    for (let second = 0; second < 60; second++) advice.update(0.5);
    expect(advice.update(0.5)).toBe(100_000);
  });
});
