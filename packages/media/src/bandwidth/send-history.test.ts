import { describe, expect, it } from 'vitest';
import { HISTORY, IN_FLIGHT, RECEIVED, SendHistory } from './send-history.ts';

/** Adds packets of the sizes 0, 1, …; `answered`: each is reported on at once. */
function fill(history: SendHistory, count: number, answered: boolean): void {
  for (let i = 0; i < count; i++) {
    const number = history.add(history.count & 0xfff, history.count, 0);
    if (answered) history.states[history.find(number)] = RECEIVED;
  }
}

describe('packets that were sent', () => {
  it('take little memory while they are reported on', () => {
    const history = new SendHistory();
    fill(history, 10_000, true);
    expect(history.size).toBe(512);
  });

  it('are remembered up to the limit while nothing is reported, and keep their places', () => {
    const history = new SendHistory();
    fill(history, 700, true);
    fill(history, HISTORY - 1, false);
    expect(history.size).toBe(HISTORY);
    for (let age = 0; age < HISTORY - 1; age++) {
      const number = history.count - 1 - age;
      const slot = history.find(number & 0xffff);
      expect(history.sentAt[slot]).toBe(number);
      expect(history.sizes[slot]).toBe(number & 0xfff);
      expect(history.states[slot]).toBe(IN_FLIGHT);
    }
    fill(history, 70_000, false);
    expect(history.size).toBe(HISTORY);
    expect(history.find((history.count - HISTORY) & 0xffff)).toBeGreaterThanOrEqual(0);
    expect(history.find((history.count - HISTORY - 1) & 0xffff)).toBe(-1);
  });
});
