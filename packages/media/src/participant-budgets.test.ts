import { describe, expect, it } from 'vitest';
import { ParticipantBudgets } from './participant-budgets.ts';

describe('ParticipantBudgets', () => {
  const holders = [0, 0, 0, 0].map(() => ({ usedBps: 0 }));
  const [a, b] = holders as [{ usedBps: number }, { usedBps: number }];

  it('gives all to one, and what the others leave to each of several', () => {
    const budgets = new ParticipantBudgets(8_500_000);
    budgets.add('p', a);
    expect(budgets.of('p', a)).toBe(8_500_000);
    budgets.add('p', b);
    b.usedBps = 2_500_000;
    expect(budgets.of('p', a)).toBe(6_000_000);
    budgets.remove('p', b);
    expect(budgets.of('p', a)).toBe(8_500_000);
  });

  it('never gives less than an equal share, so that who comes late gets some', () => {
    const budgets = new ParticipantBudgets(8_000_000);
    for (const holder of holders) budgets.add('p', Object.assign(holder, { usedBps: 2_600_000 }));
    for (const holder of holders) expect(budgets.of('p', holder)).toBe(2_000_000);
  });

  it('counts each participant alone', () => {
    const budgets = new ParticipantBudgets(8_000_000);
    budgets.add('p', Object.assign(a, { usedBps: 7_000_000 }));
    budgets.add('q', b);
    expect(budgets.of('q', b)).toBe(8_000_000);
  });
});
