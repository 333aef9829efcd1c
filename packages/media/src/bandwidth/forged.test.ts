import type { rtcp } from '@footlights/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BandwidthEstimator } from './estimator.ts';
import { HISTORY } from './send-history.ts';

const OPTIONS = { startBps: 300_000, minBps: 50_000, maxBps: 8_500_000 };

const feedback = (fields: Partial<rtcp.TransportFeedback>): rtcp.TransportFeedback => ({
  type: 'transport-cc',
  senderSsrc: 1,
  mediaSsrc: 2,
  baseSequenceNumber: 0,
  statusCount: 1,
  referenceTime: 1_000,
  feedbackPacketCount: 0,
  arrivals: [],
  ...fields,
});

/** An estimator that has sent `packets`, one each 5 ms from 0, and has heard of them, each 20 ms after. */
function heard(packets: number): BandwidthEstimator {
  const estimator = new BandwidthEstimator(OPTIONS, 0);
  estimator.setDesired(0, 0);
  for (let first = 0; first < packets; first += 20) {
    for (let i = 0; i < 20; i++) estimator.sent(1_000, (first + i) * 5);
    estimator.onFeedback(honest(first, 20), (first + 20) * 5 + 20);
  }
  return estimator;
}

const honest = (first: number, count: number) =>
  feedback({
    baseSequenceNumber: first & 0xffff,
    statusCount: count,
    referenceTime: 0,
    arrivals: Array.from({ length: count }, (_, i) => ({
      sequenceNumber: (first + i) & 0xffff,
      delta: i === 0 ? first * 20 : 20,
    })),
  });

const facts = ({ targetBps, lossRatio, acknowledgedBps, roundTripMs, state }: BandwidthEstimator) => ({
  targetBps,
  lossRatio,
  acknowledgedBps,
  roundTripMs,
  state,
});

describe('BandwidthEstimator with forged feedback', () => {
  it('ignores packets that were never sent', () => {
    const estimator = heard(100);
    const before = facts(estimator);
    const arrivals = Array.from({ length: 400 }, (_, i) => ({ sequenceNumber: 100 + i, delta: 4 }));
    estimator.onFeedback(feedback({ baseSequenceNumber: 100, statusCount: 400, arrivals }), 600);
    expect(facts(estimator)).toEqual(before);
  });

  it('has no feedback before a packet that was sent is reported on', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    estimator.onFeedback(feedback({ arrivals: [{ sequenceNumber: 0, delta: 0 }] }), 10);
    expect(estimator.hasFeedback).toBe(false);
  });

  it('ignores feedback that is repeated', () => {
    const estimator = heard(100);
    const before = facts(estimator);
    for (let i = 0; i < 1_000; i++) estimator.onFeedback(honest(80, 20), 600 + i);
    expect(facts(estimator)).toEqual(before);
  });

  it('counts a packet lost once, and no longer when it comes after all', () => {
    const estimator = heard(200);
    for (let i = 0; i < 100; i++) estimator.sent(1_000, 1_020 + i * 5);
    for (let i = 0; i < 10; i++) {
      estimator.onFeedback(feedback({ baseSequenceNumber: 200, statusCount: 50 }), 1_600 + i * 10);
    }
    estimator.onFeedback(honest(200, 100), 1_700);
    for (let i = 0; i < 20; i++) {
      for (let j = 0; j < 20; j++) estimator.sent(1_000, 1_700 + (i * 20 + j) * 5);
      estimator.onFeedback(honest(300 + i * 20, 20), 1_820 + i * 100);
    }
    expect(estimator.lossRatio).toBeLessThan(0.02);
  });

  it('forgets packets that are more than the history behind', () => {
    const estimator = heard(HISTORY + 100);
    const before = facts(estimator);
    estimator.onFeedback(
      feedback({ baseSequenceNumber: 0, statusCount: 100, arrivals: honest(0, 100).arrivals }),
      20_000,
    );
    expect(facts(estimator)).toEqual(before);
  });

  it('recovers from arrivals far in the future and far in the past', () => {
    for (const referenceTime of [2 ** 23 - 1, -(2 ** 23), 400_000, -400_000]) {
      const estimator = heard(400);
      for (let i = 0; i < 20; i++) estimator.sent(1_000, 2_000 + i * 5);
      const forged = { ...honest(400, 20), referenceTime };
      estimator.onFeedback(forged, 2_120);
      for (let first = 420; first < 1_000; first += 20) {
        for (let i = 0; i < 20; i++) estimator.sent(1_000, (first + i) * 5);
        estimator.onFeedback(honest(first, 20), (first + 20) * 5 + 20);
      }
      expect(estimator.targetBps).toBeGreaterThan(200_000);
      expect(estimator.acknowledgedBps).toBeGreaterThan(1_500_000);
      expect(estimator.acknowledgedBps).toBeLessThan(1_700_000);
    }
  });

  it('cannot be driven above what it has sent by deltas of zero or below', () => {
    for (const delta of [0, -1, -0x8000]) {
      const estimator = heard(100);
      estimator.setDesired(8_000_000, 500);
      for (let first = 100; first < 2_000; first += 20) {
        for (let i = 0; i < 20; i++) estimator.sent(1_000, (first + i) * 5);
        const arrivals = honest(first, 20).arrivals.map(({ sequenceNumber }) => ({ sequenceNumber, delta }));
        estimator.onFeedback({ ...honest(first, 20), arrivals, referenceTime: first >> 4 }, (first + 20) * 5 + 20);
      }
      expect(estimator.targetBps).toBeLessThanOrEqual(OPTIONS.maxBps);
      expect(estimator.targetBps).toBeGreaterThanOrEqual(OPTIONS.minBps);
    }
  });

  it('falls to the minimum and no lower when all is said to be lost, and comes back', () => {
    const estimator = heard(200);
    estimator.setDesired(8_000_000, 1_000);
    let first = 200;
    for (; first < 2_000; first += 20) {
      for (let i = 0; i < 20; i++) estimator.sent(1_000, (first + i) * 5);
      estimator.onFeedback(feedback({ baseSequenceNumber: first, statusCount: 20 }), (first + 20) * 5 + 20);
    }
    expect(estimator.targetBps).toBe(OPTIONS.minBps);
    for (const end = first + 4_000; first < end; first += 20) {
      for (let i = 0; i < 20; i++) estimator.sent(1_000, (first + i) * 5);
      estimator.onFeedback(honest(first, 20), (first + 20) * 5 + 20);
    }
    expect(estimator.targetBps).toBeGreaterThan(OPTIONS.minBps * 1.5);
  });

  it('takes any feedback, in any order, with bounded effect', () => {
    const arrival = fc.record({
      sequenceNumber: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 0xffff })),
      delta: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: -0x8000, max: 0x7fff })),
    });
    const anyFeedback = fc.record({
      type: fc.constant('transport-cc' as const),
      senderSsrc: fc.constant(1),
      mediaSsrc: fc.constant(2),
      baseSequenceNumber: fc.integer({ min: 0, max: 0xffff }),
      statusCount: fc.integer({ min: 0, max: 0xffff }),
      referenceTime: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 })),
      feedbackPacketCount: fc.integer({ min: 0, max: 255 }),
      arrivals: fc.array(arrival, { maxLength: 40 }),
    });
    const event = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ type: fc.constant('send' as const), packets: fc.integer({ min: 1, max: 60 }) }),
      },
      { weight: 4, arbitrary: anyFeedback },
      fc.record({
        type: fc.constant('remb' as const),
        bps: fc.oneof(fc.constantFrom(0, -1, 2 ** 40, Number.NaN), fc.nat()),
      }),
      fc.record({
        type: fc.constant('report' as const),
        lost: fc.oneof(fc.constantFrom(0, 1, 255 / 256, Number.NaN, -1, 2), fc.double({ min: 0, max: 1, noNaN: true })),
        roundTripMs: fc.option(fc.oneof(fc.constantFrom(0, -1, 1e9, Number.NaN), fc.nat(500)), { nil: undefined }),
      }),
      fc.record({ type: fc.constant('wish' as const), bps: fc.oneof(fc.constantFrom(0, 2 ** 40), fc.nat(9_000_000)) }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.nat(3_000) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const estimator = new BandwidthEstimator(OPTIONS, 0);
        let now = 0;
        for (const step of events) {
          now += 5;
          if (step.type === 'send') for (let i = 0; i < step.packets; i++) estimator.sent(100 + i * 20, now + i);
          else if (step.type === 'transport-cc') estimator.onFeedback(step, now);
          else if (step.type === 'remb') estimator.onRemb(step.bps, now);
          else if (step.type === 'report') estimator.onReceiverReport(step.lost, step.roundTripMs, now);
          else if (step.type === 'wish') estimator.setDesired(step.bps, now);
          else now += step.ms;
          estimator.tick(now);
          const probe = estimator.nextProbe(now);
          if (probe) {
            expect(probe.bps).toBeLessThanOrEqual(OPTIONS.maxBps);
            expect(probe.bytes).toBeLessThanOrEqual(OPTIONS.maxBps / 8 / 10);
            estimator.sent(1_000, now, probe.cluster);
          }
          expectSane(estimator);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function expectSane(estimator: BandwidthEstimator): void {
  expect(estimator.targetBps).toBeGreaterThanOrEqual(OPTIONS.minBps);
  expect(estimator.targetBps).toBeLessThanOrEqual(OPTIONS.maxBps);
  expect(estimator.lossRatio).toBeGreaterThanOrEqual(0);
  expect(estimator.lossRatio).toBeLessThanOrEqual(1);
  expect(Number.isFinite(estimator.acknowledgedBps)).toBe(true);
  expect(estimator.acknowledgedBps).toBeGreaterThanOrEqual(0);
  if (estimator.roundTripMs !== undefined) expect(estimator.roundTripMs).toBeGreaterThanOrEqual(0);
}
