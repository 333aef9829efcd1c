import type { Path, Scenario, Source } from './simulation.ts';

// The networks that the estimator is judged on; tests state the rules, the benchmark draws them.

const FREE: Path['capacity'] = [[0, 20_000_000]];
/** A simulcast publisher. */
export const LAYERS: Source = { type: 'layers', layersBps: [200_000, 700_000, 2_500_000] };
/** A source that could use more than any of the links. */
export const ELASTIC: Source = { type: 'elastic', maxBps: 6_000_000 };

const steps: Path = {
  capacity: [
    [0, 5_000_000],
    [15_000, 1_000_000],
    [30_000, 300_000],
    [45_000, 5_000_000],
  ],
};
const SECONDS = 1_000;

/** By name; each runs with the seed that the caller adds. */
export const scenarios = {
  free: { path: { capacity: FREE }, flows: [{ source: LAYERS }], durationMs: 20 * SECONDS },
  steps: { path: steps, flows: [{ source: LAYERS }], durationMs: 60 * SECONDS },
  'steps-elastic': { path: steps, flows: [{ source: ELASTIC }], durationMs: 60 * SECONDS },
  steady: { path: { capacity: [[0, 1_000_000]] }, flows: [{ source: ELASTIC }], durationMs: 600 * SECONDS },
  competing: {
    path: { capacity: [[0, 3_000_000]] },
    cross: [
      [0, 0],
      [15_000, 2_000_000],
      [40_000, 0],
    ],
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  'two-estimators': {
    path: { capacity: [[0, 3_000_000]] },
    flows: [{ source: ELASTIC }, { source: ELASTIC, startMs: 10_000 }],
    durationMs: 120 * SECONDS,
  },
  jitter: { path: { capacity: FREE, jitterMs: 30 }, flows: [{ source: LAYERS }], durationMs: 60 * SECONDS },
  'loss-and-jitter': {
    path: { capacity: FREE, jitterMs: 30, reorder: true, loss: [[0, 0.05]], feedbackLoss: 0.05 },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  'loss-begins': {
    path: {
      capacity: FREE,
      jitterMs: 30,
      reorder: true,
      loss: [
        [0, 0],
        [20_000, 0.05],
      ],
    },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  'burst-loss': {
    path: { capacity: FREE, burstLoss: { everyMs: 4_000, lengthMs: 60 } },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  stalls: {
    path: { capacity: FREE, stall: { everyMs: 3_100, lengthMs: 200 } },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  'stalls-of-little': {
    path: { capacity: FREE, stall: { everyMs: 3_100, lengthMs: 200 } },
    flows: [{ source: { type: 'fixed', rate: [[0, 150_000]] }, estimator: { startBps: 1_000_000 } }],
    durationMs: 60 * SECONDS,
  },
  'feedback-loss': {
    path: { capacity: [[0, 5_000_000]], feedbackLoss: 0.3, feedbackOutage: [30_000, 34_000] },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  reordering: {
    path: { capacity: [[0, 5_000_000]], jitterMs: 10, reorder: true },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  drift: {
    path: { capacity: [[0, 5_000_000]] },
    flows: [{ source: LAYERS, driftPpm: 300 }],
    durationMs: 60 * SECONDS,
  },
  'long-way': {
    path: { capacity: [[0, 5_000_000]], propagationMs: 120 },
    flows: [{ source: LAYERS }],
    durationMs: 60 * SECONDS,
  },
  'app-limited': {
    path: { capacity: FREE },
    flows: [
      {
        source: {
          type: 'fixed',
          rate: [
            [0, 200_000],
            [40_000, 2_500_000],
          ],
        },
      },
    ],
    durationMs: 60 * SECONDS,
  },
  'shallow-queue': {
    path: { capacity: [[0, 1_000_000]], queueMs: 20 },
    flows: [{ source: ELASTIC }],
    durationMs: 60 * SECONDS,
  },
} satisfies Record<string, Scenario>;
