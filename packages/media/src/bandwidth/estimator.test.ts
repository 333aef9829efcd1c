import { describe, expect, it, vi } from 'vitest';
import { ELASTIC, LAYERS, scenarios } from './scenarios.ts';
import { type Sample, type Scenario, simulate } from './simulation.ts';

// Virtual minutes take a second or two, on a busy machine many more.
vi.setConfig({ testTimeout: 120_000 });

const SEEDS = [1, 2, 3];
/** What the best layer takes with its audio. */
const BEST_BPS = 2_560_000;

const run = (scenario: Scenario, seed = 1): Sample[] => simulate({ ...scenario, seed })[0]!;
const between = (record: Sample[], fromMs: number, toMs = Number.POSITIVE_INFINITY) =>
  record.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
const targets = (record: Sample[], fromMs: number, toMs?: number) =>
  between(record, fromMs, toMs).map(({ targetBps }) => targetBps);
const queues = (record: Sample[], fromMs: number, toMs?: number) =>
  between(record, fromMs, toMs).map(({ queueMs }) => queueMs);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const share = (values: number[], test: (value: number) => boolean) => values.filter(test).length / values.length;
const lowest = (values: number[]) => values.reduce((least, value) => Math.min(least, value));
/** The first moment from which the target is above `bps`. */
const reached = (record: Sample[], bps: number, fromMs: number) =>
  between(record, fromMs).find(({ targetBps }) => targetBps >= bps)?.atMs ?? Number.POSITIVE_INFINITY;
/** The first moment at which the target is below `bps`. */
const fell = (record: Sample[], bps: number, fromMs: number) =>
  between(record, fromMs).find(({ targetBps }) => targetBps < bps)?.atMs ?? Number.POSITIVE_INFINITY;

describe.each(SEEDS)('BandwidthEstimator, seed %i', (seed) => {
  it('finds a free link within four seconds and keeps it', () => {
    const record = run(scenarios.free, seed);
    expect(reached(record, 2_800_000, 0)).toBeLessThan(4_000);
    expect(lowest(targets(record, 4_000))).toBeGreaterThan(BEST_BPS);
  });

  it.each([0, 600, 1_200, 1_800, 2_400, 3_000, 3_600])('finds a link that was freed after 20 s and %i ms', (ms) => {
    const freed = 20_000 + ms;
    const capacity = [
      [0, 300_000],
      [freed, 20_000_000],
    ] as const;
    const record = run({ path: { capacity }, flows: [{ source: LAYERS }], durationMs: freed + 12_000 }, seed);
    expect(reached(record, 2_800_000, freed) - freed).toBeLessThan(8_000);
  });

  it.each([
    ['5 to 1 Mbit/s, layers', scenarios.steps, 15_000, 1_000_000],
    ['5 to 1 Mbit/s, elastic', scenarios['steps-elastic'], 15_000, 1_000_000],
    ['1 Mbit/s to 300 kbit/s, layers', scenarios.steps, 30_000, 300_000],
    ['1 Mbit/s to 300 kbit/s, elastic', scenarios['steps-elastic'], 30_000, 300_000],
  ])('follows a fall of capacity within 1.5 s: %s', (_name, scenario, fallMs, bps) => {
    const record = run(scenario, seed);
    expect(fell(record, bps, fallMs) - fallMs).toBeLessThan(1_500);
    expect(mean(targets(record, fallMs + 1_500, fallMs + 5_000))).toBeLessThan(bps);
    expect(median(queues(record, fallMs + 3_000, fallMs + 5_000))).toBeLessThan(60);
  });

  it('gives way to traffic that heeds nothing and takes the link back', () => {
    const record = run(scenarios.competing, seed);
    expect(mean(targets(record, 20_000, 40_000))).toBeLessThan(2_300_000);
    expect(median(queues(record, 20_000, 40_000))).toBeLessThan(60);
    expect(reached(record, BEST_BPS, 40_000) - 40_000).toBeLessThan(8_000);
  });

  it('shares a link with another estimator', () => {
    const [first, second] = simulate({ ...scenarios['two-estimators'], seed });
    const rates = [first!, second!].map((record) => mean(between(record, 30_000).map(({ sentBps }) => sentBps)));
    expect(rates[0]! + rates[1]!).toBeGreaterThan(0.75 * 3_000_000);
    expect(Math.min(...rates) / Math.max(...rates)).toBeGreaterThan(0.5);
    expect(median(queues(first!, 30_000))).toBeLessThan(120);
  });

  it.each(['jitter', 'loss-and-jitter', 'reordering', 'drift', 'long-way', 'burst-loss'] as const)(
    'carries the best layer despite %s',
    (name) => {
      const record = run(scenarios[name], seed);
      expect(reached(record, BEST_BPS, 0)).toBeLessThan(8_000);
      expect(share(targets(record, 8_000), (bps) => bps > BEST_BPS)).toBeGreaterThan(0.95);
    },
  );

  it('stays near its rate on a link that stands still for 200 ms now and then', () => {
    expect(share(targets(run(scenarios.stalls, seed), 8_000), (bps) => bps > 1_500_000)).toBeGreaterThan(0.99);
    expect(lowest(targets(run(scenarios['stalls-of-little'], seed), 2_000))).toBeGreaterThan(500_000);
  });

  it('keeps its rate when 5 % of random loss begin', () => {
    const record = run(scenarios['loss-begins'], seed);
    expect(share(targets(record, 20_000), (bps) => bps > BEST_BPS)).toBeGreaterThan(0.95);
  });

  it('survives feedback that is lost in part and then in whole', () => {
    const record = run(scenarios['feedback-loss'], seed);
    expect(share(targets(record, 10_000, 30_000), (bps) => bps > BEST_BPS)).toBeGreaterThan(0.95);
    expect(lowest(targets(record, 33_000, 34_000))).toBeLessThan(1_500_000);
    expect(reached(record, BEST_BPS, 34_000) - 34_000).toBeLessThan(6_000);
  });

  it('neither loses nor invents a rate while the media is small, and finds more when it grows', () => {
    const record = run(scenarios['app-limited'], seed);
    expect(lowest(targets(record, 0, 40_000))).toBeGreaterThanOrEqual(240_000);
    expect(reached(record, BEST_BPS, 40_000) - 40_000).toBeLessThan(2_000);
  });

  it('keeps loss bounded where the queue is too short to tell', () => {
    const record = run(scenarios['shallow-queue'], seed);
    expect(mean(between(record, 10_000).map(({ lossRatio }) => lossRatio))).toBeLessThan(0.15);
    expect(mean(targets(record, 10_000))).toBeGreaterThan(600_000);
  });
});

describe('BandwidthEstimator', () => {
  it('uses a steady link well, with a short queue, for ten minutes', () => {
    const record = run(scenarios.steady);
    for (let from = 10_000; from < 600_000; from += 59_000) {
      expect(mean(targets(record, from, from + 59_000)) / 1_000_000).toBeGreaterThan(0.75);
      expect(median(queues(record, from, from + 59_000))).toBeLessThan(60);
    }
  });

  it('is as good with feedback every 50 ms and every 100 ms', () => {
    for (const feedbackMs of [50, 100]) {
      const flows = [{ source: ELASTIC, feedbackMs }];
      const record = run({ path: { capacity: [[0, 1_000_000]] }, flows, durationMs: 60_000 });
      expect(mean(targets(record, 10_000)) / 1_000_000).toBeGreaterThan(0.75);
      expect(median(queues(record, 10_000))).toBeLessThan(60);
    }
  });
});
