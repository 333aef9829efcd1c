import { describe, expect, it } from 'vitest';
import type { Kind } from './negotiate/codecs.ts';
import { OverloadPolicy, type Sheddable } from './overload.ts';

class Viewer implements Sheddable {
  /** What it gets, and what it does not, in the order in which it is withheld. */
  readonly kinds: Kind[];
  readonly rank: number;
  shedKinds = 0;

  constructor(rank: number, kinds: Kind[] = ['video', 'audio']) {
    this.rank = rank;
    this.kinds = kinds;
  }

  get served(): Kind | undefined {
    return this.kinds[this.shedKinds];
  }

  get withheld(): Kind | undefined {
    return this.kinds[this.shedKinds - 1];
  }

  slowness(): number {
    return this.rank;
  }

  shed(): void {
    this.shedKinds += 1;
  }

  restore(): void {
    this.shedKinds -= 1;
  }
}

function audience(count: number, kinds?: Kind[]) {
  const viewers = Array.from({ length: count }, (_, rank) => new Viewer(rank, kinds));
  const without = (kind: Kind) =>
    viewers.filter((viewer) => viewer.kinds.indexOf(kind) < viewer.shedKinds).map(({ rank }) => rank);
  return { viewers, without, shed: () => without('video') };
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
    for (let now = 100; now < 500; now += 100) policy.update(5_000, () => viewers, now);
    expect(shed()).toHaveLength(20);
  });

  it('leaves sound alone while anybody has video, and then withholds it too', () => {
    const { viewers, without } = audience(4);
    const listeners = audience(4, ['audio']);
    const all = [...listeners.viewers, ...viewers];
    const policy = lateLoop(500);
    for (const [now, video, audio] of [
      [0, 2, 0],
      [100, 3, 0],
      [200, 4, 0],
      [300, 4, 4],
      [400, 4, 6],
    ] as const) {
      policy.update(500, () => all, now);
      expect([without('video').length, without('audio').length + listeners.without('audio').length]).toEqual([
        video,
        audio,
      ]);
    }
  });

  it('gives sound back before video', () => {
    const { viewers, without } = audience(20);
    for (const viewer of viewers) viewer.shedKinds = 2;
    const policy = new OverloadPolicy();
    policy.update(0, () => viewers, 0);
    for (let now = 1_000; now < 6_000; now += 500) policy.update(0, () => viewers, now);
    expect([without('audio').length, without('video').length]).toEqual([0, 20]);
    policy.update(0, () => viewers, 6_000);
    expect(without('video')).toEqual(viewers.slice(2).map(({ rank }) => rank));
  });

  it('has nothing to withhold from who is not connected', () => {
    const { viewers } = audience(2, []);
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
