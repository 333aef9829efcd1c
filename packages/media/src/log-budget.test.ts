import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogBudget } from './log-budget.ts';

describe('LogBudget', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function budget() {
    const lines: string[] = [];
    return { lines, budget: new LogBudget((_fields, message) => lines.push(message)) };
  }

  it('passes ten lines a second on and sums up the rest', () => {
    const { lines, budget: log } = budget();
    for (let i = 0; i < 25; i++) log.say({}, `line ${i}`);
    expect(lines).toHaveLength(10);
    vi.advanceTimersByTime(1_000);
    expect(lines.at(-1)).toBe('messages withheld in one second: 15');
    log.say({}, 'next');
    expect(lines.at(-1)).toBe('next');
  });

  it('says nothing of its own when nothing was withheld', () => {
    const { lines, budget: log } = budget();
    for (let i = 0; i < 10; i++) log.say({}, 'x');
    vi.advanceTimersByTime(5_000);
    expect(lines).toHaveLength(10);
  });

  it('tells at its end what it withheld', () => {
    const { lines, budget: log } = budget();
    for (let i = 0; i < 11; i++) log.say({}, 'x');
    log.stop();
    expect(lines.at(-1)).toBe('messages withheld in one second: 1');
  });
});
