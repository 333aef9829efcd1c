import { describe, expect, it } from 'vitest';
import { OverloadPolicy, type Sheddable } from './overload.ts';

class Viewer implements Sheddable {
  isShed = false;
  isSheddable = true;
  readonly slowness: number;

  constructor(slowness: number) {
    this.slowness = slowness;
  }

  shed(): void {
    this.isShed = true;
  }

  restore(): void {
    this.isShed = false;
  }
}

function audience(count: number) {
  const viewers = Array.from({ length: count }, (_, slowness) => new Viewer(slowness));
  return { viewers, shed: () => viewers.filter(({ isShed }) => isShed).map(({ slowness }) => slowness) };
}

/** A policy whose loop has been late by that much for 100 ms at time 0. */
function lateLoop(latenessMs: number): OverloadPolicy {
  const policy = new OverloadPolicy();
  policy.update(latenessMs, () => [], -100);
  return policy;
}

describe('OverloadPolicy', () => {
  it('does nothing at 100 ms, sheds the slowest tenth just above', () => {
    const { viewers, shed } = audience(20);
    expect(lateLoop(100).update(100, () => viewers, 0)).toBe(0);
    expect(lateLoop(101).update(101, () => viewers, 0)).toBe(3);
    expect(shed()).toEqual([17, 18, 19]);
  });

  it('lets a single pause pass, however long', () => {
    const { viewers } = audience(20);
    const policy = new OverloadPolicy();
    expect(policy.update(3_000, () => viewers, 0)).toBe(0);
    expect(policy.update(3_000, () => viewers, 99)).toBe(0);
    expect(policy.update(0, () => viewers, 100)).toBe(0);
    expect(policy.update(3_000, () => viewers, 120)).toBe(0);
  });

  it('takes a step at most every 100 ms, and more while lateness lasts', () => {
    const { viewers, shed } = audience(20);
    const policy = lateLoop(200);
    policy.update(200, () => viewers, 0);
    expect(policy.update(200, () => viewers, 99)).toBe(0);
    expect(shed()).toHaveLength(4);
    policy.update(200, () => viewers, 100);
    expect(shed()).toHaveLength(8);
  });

  it('sheds half at once when it is very late, and in the end everybody', () => {
    const { viewers, shed } = audience(20);
    const policy = lateLoop(5_000);
    policy.update(5_000, () => viewers, 0);
    expect(shed()).toHaveLength(10);
    for (let now = 100; now < 1_000; now += 100) policy.update(5_000, () => viewers, now);
    expect(shed()).toHaveLength(20);
  });

  it('leaves alone who has no video or is not connected', () => {
    const { viewers } = audience(2);
    for (const viewer of viewers) viewer.isSheddable = false;
    expect(lateLoop(500).update(500, () => viewers, 0)).toBe(0);
  });

  it('restores the best after a second in time, a tenth every 500 ms', () => {
    const { viewers, shed } = audience(20);
    for (const viewer of viewers) viewer.shed();
    const policy = new OverloadPolicy();
    expect(policy.update(0, () => viewers, 0)).toBe(0);
    expect(policy.update(0, () => viewers, 999)).toBe(0);
    expect(policy.update(0, () => viewers, 1_000)).toBe(-2);
    expect(shed()).not.toContain(0);
    expect(shed()).not.toContain(1);
    expect(policy.update(0, () => viewers, 1_499)).toBe(0);
    expect(policy.update(0, () => viewers, 1_500)).toBe(-2);
  });

  it('waits again for a whole second after the loop was 50 ms late', () => {
    const { viewers } = audience(20);
    for (const viewer of viewers) viewer.shed();
    const policy = new OverloadPolicy();
    policy.update(0, () => viewers, 0);
    policy.update(50, () => viewers, 500);
    policy.update(49, () => viewers, 600);
    expect(policy.update(0, () => viewers, 1_500)).toBe(0);
    expect(policy.update(0, () => viewers, 1_600)).toBe(-2);
  });
});
