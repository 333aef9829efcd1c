import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

/** Bytes that leave from `fromMs` to `toMs` when more waits than may leave, asked each millisecond. */
function drain(pacer: Pacer, bytes: number, fromMs: number, toMs: number): number {
  let sent = 0;
  for (let now = fromMs; now < toMs; now++) while (pacer.canSend(bytes, now)) sent += bytes;
  return sent;
}

describe('Pacer', () => {
  it('lets go two and a half times the target', () => {
    const pacer = new Pacer();
    pacer.setRate(800_000);
    drain(pacer, 1_000, 0, 100);
    expect((drain(pacer, 1_000, 100, 1_100) * 8) / 1_000_000).toBeCloseTo(2, 1);
  });

  it('lets twelve packets go at once at a low rate, and not thirteen', () => {
    const pacer = new Pacer();
    pacer.setRate(100_000);
    expect(drain(pacer, 1_200, 0, 1)).toBe(12 * 1_200);
  });

  it('lets 40 ms go at once at a high rate, however long it was idle', () => {
    const pacer = new Pacer();
    pacer.setRate(8_000_000);
    drain(pacer, 1_000, 0, 100);
    expect(pacer.budgetAt(60_000)).toBe(100_000);
    expect(drain(pacer, 1_000, 60_000, 60_001)).toBe(100_000);
  });

  it('lets a packet larger than the budget go, and then waits until it is paid for', () => {
    const pacer = new Pacer();
    pacer.setRate(80_000);
    drain(pacer, 1_200, 0, 1);
    expect(pacer.budgetAt(0)).toBe(0);
    expect(pacer.canSend(1_200, 1)).toBe(true);
    expect(pacer.canSend(1, 1)).toBe(false);
    expect(pacer.canSend(1, 48)).toBe(false);
    expect(pacer.canSend(1, 49)).toBe(true);
  });

  it('counts what does not wait, to a bounded debt', () => {
    const pacer = new Pacer();
    pacer.setRate(800_000);
    for (let i = 0; i < 1_000; i++) pacer.charge(1_200, 0);
    expect(pacer.budgetAt(0)).toBe(-14_400);
    expect(pacer.canSend(100, 57)).toBe(false);
    expect(pacer.canSend(100, 58)).toBe(true);
  });

  it('stands still when the clock goes back', () => {
    const pacer = new Pacer();
    pacer.setRate(800_000);
    drain(pacer, 1_200, 1_000, 1_001);
    const before = pacer.budgetAt(1_000);
    expect(pacer.budgetAt(500)).toBe(before);
    expect(pacer.budgetAt(1_000)).toBe(before);
  });

  it('lets nothing more go at a rate of zero, once the burst is spent', () => {
    const pacer = new Pacer();
    pacer.setRate(0);
    drain(pacer, 1_200, 0, 1);
    expect(drain(pacer, 1_200, 1, 10_000)).toBe(0);
  });
});
