import { beforeEach, describe, expect, it } from 'vitest';
import { maxRate, RateLimits } from './rate-limits.ts';

const scope = { account: '123456789012', region: 'us-west-2' };

describe('RateLimits', () => {
  let time: number;
  let limits: RateLimits;
  beforeEach(() => {
    time = 5_000_000;
    limits = new RateLimits({ CreateStage: 3, GetStage: 1, ListStages: maxRate }, () => time);
  });

  const admitted = (count: number, operation: Parameters<RateLimits['admit']>[0] = 'CreateStage', of = scope) => {
    let passed = 0;
    for (let i = 0; i < count; i++)
      try {
        limits.admit(operation, of);
        passed += 1;
      } catch {
        // counted by what did pass
      }
    return passed;
  };

  it('admits a second’s worth at once, then as many a second as it is told', () => {
    expect(admitted(10)).toBe(3);
    time += 333;
    expect(admitted(10)).toBe(0);
    time += 1;
    expect(admitted(10)).toBe(1);
    time += 60_000;
    expect(admitted(10)).toBe(3);
    let passed = 0;
    for (let i = 0; i < 1000; i++) {
      time += 10;
      passed += admitted(1);
    }
    expect(passed).toBe(30);
    expect(admitted(maxRate + 5, 'ListStages')).toBe(maxRate);
  });

  it('names operation, limit and setting', () => {
    admitted(3);
    expect(() => limits.admit('CreateStage', scope)).toThrow(
      'Rate exceeded: CreateStage is limited to 3 requests a second by --rate-limit CreateStage=3',
    );
  });

  it('keeps operations, accounts and regions apart, and leaves the rest alone', () => {
    expect(admitted(5)).toBe(3);
    expect(admitted(5, 'GetStage')).toBe(1);
    expect(admitted(5, 'CreateStage', { ...scope, region: 'eu-west-1' })).toBe(3);
    expect(admitted(5, 'CreateStage', { ...scope, account: '000000000000' })).toBe(3);
    expect(admitted(500, 'DeleteStage')).toBe(500);
  });

  it('forgets nobody who has used up their share, however many come', () => {
    expect(admitted(5)).toBe(3);
    for (let i = 0; i < 5_000; i++) expect(admitted(1, 'CreateStage', { ...scope, region: `r${i}` })).toBe(1);
    expect(admitted(5)).toBe(0);
  });
});
