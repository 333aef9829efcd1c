// The bandwidth estimator: how it does on simulated networks, drawn to bench-results/bandwidth-*.svg (or the folder that
// FOOTLIGHTS_BENCH_RESULTS names), and what it costs per packet and per subscriber.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { rtcp } from '@footlights/protocol';
import { BandwidthEstimator } from '../packages/media/src/bandwidth/index.ts';
import { scenarios } from '../packages/media/src/bandwidth/scenarios.ts';
import { type Sample, type Scenario, simulate } from '../packages/media/src/bandwidth/simulation.ts';
import { chart } from './support/chart.ts';

const OPTIONS = { startBps: 300_000, minBps: 50_000, maxBps: 8_500_000 };
const COLOURS = ['#1f5fbf', '#c2410c'];
/** The first seconds are not steady yet. */
const WARM_UP_MS = 10_000;

const folder = process.env.FOOTLIGHTS_BENCH_RESULTS ?? 'bench-results';
mkdirSync(folder, { recursive: true });
console.log(
  'scenario           2.5 Mbit/s after s   target Mbit/s mean / least   of the link   queue ms p50 / p95   lost',
);
for (const [name, scenario] of Object.entries<Scenario>(scenarios)) {
  const records = simulate(scenario);
  writeFileSync(join(folder, `bandwidth-${name}.svg`), draw(name, records));
  console.log(describe(name, records[0] ?? []));
}
console.log(`\ndrawn to ${folder}/bandwidth-*.svg`);
console.log(`\nsent and a tenth of a feedback: ${nsPerPacket().toFixed(0)} ns a packet`);
console.log(`memory: ${(bytesPerEstimator() / 1_024).toFixed(1)} KiB an estimator, of 1,000`);

function describe(name: string, record: readonly Sample[]): string {
  const reached = record.find(({ targetBps }) => targetBps >= 2_560_000)?.atMs;
  const steady = record.filter(({ atMs }) => atMs >= WARM_UP_MS);
  const targets = steady.map(({ targetBps }) => targetBps / 1e6);
  const queues = steady.map(({ queueMs }) => queueMs).sort((a, b) => a - b);
  const used = mean(steady.map(({ targetBps, capacityBps }) => Math.min(1, targetBps / capacityBps)));
  return [
    name.padEnd(17),
    (reached === undefined ? '-' : (reached / 1_000).toFixed(1)).padStart(20),
    `${mean(targets).toFixed(2)} / ${Math.min(...targets).toFixed(2)}`.padStart(29),
    `${(used * 100).toFixed(0)} %`.padStart(13),
    `${at(queues, 0.5)} / ${at(queues, 0.95)}`.padStart(20),
    `${(mean(steady.map(({ lossRatio }) => lossRatio)) * 100).toFixed(1)} %`.padStart(8),
  ].join(' ');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
}

function draw(name: string, records: readonly Sample[][]): string {
  const points = (record: readonly Sample[], value: (sample: Sample) => number) =>
    record.map((sample) => [sample.atMs, value(sample)] as const);
  const first = records[0] ?? [];
  const highest = Math.max(...records.flat().map(({ targetBps }) => targetBps));
  const isCut = first.some(({ capacityBps }) => capacityBps > 1.2 * highest);
  const capacity = points(first, ({ capacityBps }) => Math.min(capacityBps, 1.2 * highest) / 1e6);
  const rates = records.flatMap((record, index) => [
    {
      name: records.length > 1 ? `target ${index + 1}` : 'target',
      colour: COLOURS[index] ?? '#000',
      points: points(record, ({ targetBps }) => targetBps / 1e6),
    },
    ...(records.length > 1
      ? []
      : [
          {
            name: 'acknowledged',
            colour: '#2e9e5b',
            points: points(record, ({ acknowledgedBps }) => acknowledgedBps / 1e6),
          },
        ]),
  ]);
  return chart(`Bandwidth estimation: ${name}`, [
    {
      unit: 'Mbit/s',
      height: 230,
      lines: [
        {
          name: isCut ? 'capacity, cut off' : 'capacity',
          colour: '#777',
          points: capacity,
          stepped: true,
          dashed: true,
        },
        ...rates,
      ],
    },
    {
      unit: 'ms of queue',
      height: 90,
      lines: [{ name: 'queue', colour: '#7c3aed', points: points(first, ({ queueMs }) => queueMs) }],
    },
  ]);
}

/** A steady 1,000 packets a second and feedback on each ten, the path of a busy subscriber: CPU time, the best of five runs. */
function nsPerPacket(): number {
  const rounds = 100_000;
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    const feedbacks = Array.from({ length: 6_554 }, (_, i) => feedbackOn(i * 10));
    const start = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      const now = round * 10;
      for (let i = 0; i < 10; i++) estimator.sent(1_100, now + i);
      const feedback = feedbacks[round % 6_554]!;
      feedback.baseSequenceNumber = (round * 10) & 0xffff;
      feedback.referenceTime = Math.floor(now / 64);
      for (let i = 0; i < 10; i++) feedback.arrivals[i]!.sequenceNumber = (round * 10 + i) & 0xffff;
      feedback.arrivals[0]!.delta = (now % 64) * 4;
      estimator.onFeedback(feedback, now + 30);
    }
    const { user } = process.cpuUsage(start);
    best = Math.min(best, (user * 1_000) / (rounds * 10));
  }
  return best;
}

function feedbackOn(first: number): rtcp.TransportFeedback {
  const arrivals = Array.from({ length: 10 }, (_, i) => ({ sequenceNumber: (first + i) & 0xffff, delta: 4 }));
  const fields = { senderSsrc: 1, mediaSsrc: 2, baseSequenceNumber: first, statusCount: 10, referenceTime: 0 };
  return { type: 'transport-cc', ...fields, feedbackPacketCount: 0, arrivals };
}

function bytesPerEstimator(): number {
  const count = 1_000;
  const before = used();
  const estimators = Array.from({ length: count }, () => new BandwidthEstimator(OPTIONS, 0));
  for (const estimator of estimators) {
    for (let i = 0; i < 100; i++) estimator.sent(1_100, i);
    estimator.onFeedback(feedbackOn(0), 130);
  }
  const bytes = (used() - before) / count;
  if (estimators.some(({ hasFeedback }) => !hasFeedback)) throw new Error('an estimator took no feedback');
  return bytes;
}

function used(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
