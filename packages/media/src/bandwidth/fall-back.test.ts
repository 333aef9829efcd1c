import { describe, expect, it } from 'vitest';
import { BandwidthEstimator } from './estimator.ts';

const OPTIONS = { startBps: 300_000, minBps: 50_000, maxBps: 8_500_000 };

/** Sends at `bps` for a second from `fromMs`, ticking as the SFU does. */
function sendSecond(estimator: BandwidthEstimator, bps: number, fromMs: number): void {
  for (let ms = 0; ms < 1_000; ms += 20) {
    for (let bytes = bps / 8 / 50; bytes > 0; bytes -= 1_000) estimator.sent(Math.min(1_000, bytes), fromMs + ms);
    estimator.tick(fromMs + ms);
  }
}

/** `seconds` of a source that follows the target, with a receiver report each second. */
function follow(estimator: BandwidthEstimator, seconds: number, lost: number, fromMs: number): void {
  for (let i = 1; i <= seconds; i++) {
    sendSecond(estimator, estimator.targetBps, fromMs + (i - 1) * 1_000);
    estimator.onReceiverReport(lost, 40, fromMs + i * 1_000);
  }
}

describe('BandwidthEstimator without transport-wide feedback', () => {
  it('grows while receiver reports tell of no loss, also past media that does not fill the target', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    for (let i = 1; i <= 30; i++) {
      sendSecond(estimator, 240_000, (i - 1) * 1_000);
      estimator.onReceiverReport(0, 40, i * 1_000);
    }
    expect(estimator.targetBps).toBeGreaterThan(2_000_000);
    expect(estimator.roundTripMs).toBe(40);
    expect(estimator.hasFeedback).toBe(false);
  });

  it('falls when much is lost all at once, and lives with a path that loses a little always', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    follow(estimator, 30, 0, 0);
    const before = estimator.targetBps;
    follow(estimator, 5, 0.4, 30_000);
    expect(estimator.targetBps).toBeLessThan(before / 2);
    const lossy = new BandwidthEstimator(OPTIONS, 0);
    follow(lossy, 40, 0.05, 0);
    expect(lossy.targetBps).toBeGreaterThan(2_500_000);
  });

  it('goes no higher than the receiver allows while that is what bounds it', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    follow(estimator, 30, 0, 0);
    expect(estimator.isTold).toBe(false);
    estimator.onRemb(500_000, 30_000);
    expect(estimator.isTold).toBe(true);
    expect(estimator.targetBps).toBe(500_000);
    follow(estimator, 5, 0, 30_000);
    expect(estimator.targetBps).toBe(500_000);
  });

  it('tries more while the receiver knows only what little it gets', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    for (let i = 1; i <= 40; i++) {
      const sent = estimator.targetBps > 2_600_000 ? 2_500_000 : estimator.targetBps > 750_000 ? 700_000 : 240_000;
      sendSecond(estimator, sent, (i - 1) * 1_000);
      estimator.onRemb(sent * 1.5, i * 1_000);
      estimator.onReceiverReport(0, 40, i * 1_000);
    }
    expect(estimator.targetBps).toBeGreaterThan(2_600_000);
  });

  it.each([
    [0, OPTIONS.minBps],
    [2 ** 40, OPTIONS.startBps],
    [Number.NaN, OPTIONS.startBps],
    [-1, OPTIONS.startBps],
  ])('bounds a REMB of %d', (bps, target) => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    estimator.onRemb(bps, 10);
    expect(estimator.targetBps).toBe(target);
  });

  it('probes no more than three times without an answer', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    let probes = 0;
    for (let now = 0; now < 60_000; now += 20) {
      estimator.tick(now);
      const probe = estimator.nextProbe(now);
      if (!probe) continue;
      probes++;
      for (let bytes = 0; bytes < probe.bytes; bytes += 1_000) estimator.sent(1_000, now, probe.cluster);
    }
    expect(probes).toBe(3);
  });

  it('heeds neither loss nor REMB once there is transport-wide feedback', () => {
    const estimator = new BandwidthEstimator(OPTIONS, 0);
    estimator.sent(1_000, 0);
    const arrivals = [{ sequenceNumber: 0, delta: 0 }];
    const fields = { senderSsrc: 1, mediaSsrc: 2, baseSequenceNumber: 0, statusCount: 1, referenceTime: 0 };
    estimator.onFeedback({ type: 'transport-cc', ...fields, feedbackPacketCount: 0, arrivals }, 40);
    estimator.onRemb(60_000, 50);
    estimator.onReceiverReport(0.9, 80, 60);
    expect(estimator.hasFeedback).toBe(true);
    expect(estimator.targetBps).toBe(OPTIONS.startBps);
    expect(estimator.roundTripMs).toBe(80);
  });
});
