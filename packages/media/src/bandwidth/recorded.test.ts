import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BandwidthEstimator } from './estimator.ts';

// What a real sender recorded: each packet that it sent and each feedback that it got, in the order of its clock. The packets are those of then, whatever
// the estimator of today would have sent, so a target here is what it would make of that path at that moment.
//
//   [0, wait, bytes, probe cluster if any]
//   [1, wait, base, count, reference time, feedback count, [gap to the sequence number before, delta, ...]]
//   [2, wait, desired bits per second]
//   [3, wait, probe cluster]   a probe begins
//
// Waits are in quarters of a millisecond.
type Line =
  | [0, number, number, number?]
  | [1, number, number, number, number, number, number[]]
  | [2, number, number]
  | [3, number, number];

interface Moment {
  atMs: number;
  targetBps: number;
}

function replay(file: string): Moment[] {
  const lines: Line[] = JSON.parse(readFileSync(new URL(`testdata/${file}`, import.meta.url), 'utf8'));
  const estimator = new BandwidthEstimator({ startBps: 300_000, minBps: 50_000, maxBps: 10_000_000 }, 0);
  const record: Moment[] = [];
  /** The recorded cluster and ours. */
  let probe = [0, 0];
  let now = 0;
  for (const line of lines) {
    now += line[1] / 4;
    estimator.tick(now);
    if (line[0] === 0) estimator.sent(line[2], now, line[3] === probe[0] ? probe[1] : 0);
    else if (line[0] === 2) estimator.setDesired(line[2], now);
    else if (line[0] === 3) probe = [line[2], estimator.nextProbe(now)?.cluster ?? 0];
    else {
      const [, , baseSequenceNumber, statusCount, referenceTime, feedbackPacketCount, flat] = line;
      let sequenceNumber = baseSequenceNumber;
      const arrivals = [];
      for (let i = 0; i < flat.length; i += 2) {
        sequenceNumber = (sequenceNumber + flat[i]!) & 0xffff;
        arrivals.push({ sequenceNumber, delta: flat[i + 1]! });
      }
      const numbers = { baseSequenceNumber, statusCount, referenceTime, feedbackPacketCount };
      estimator.onFeedback({ type: 'transport-cc', senderSsrc: 1, mediaSsrc: 2, ...numbers, arrivals }, now);
      record.push({ atMs: now, targetBps: estimator.targetBps });
    }
  }
  return record;
}

const between = (record: Moment[], fromMs: number, toMs: number) =>
  record.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ targetBps }) => targetBps);

describe('BandwidthEstimator on recorded traffic', () => {
  // Chromium as the viewer of a simulcast of small layers, at most 450 kbit/s, over a link of 1 Mbit/s (test/support/link.py), on a machine
  // that was so busy that it stood still for some 200 ms again and again.
  it('is not driven down by a receiver that stands still for moments', () => {
    const record = replay('chromium-stalls.json');
    expect(record.length).toBeGreaterThan(100);
    expect(Math.min(...between(record, 4_500, 12_000))).toBeGreaterThan(300_000);
    expect(Math.max(...between(record, 0, 12_000))).toBeLessThan(1_000_000);
  });

  // Two UDP sockets over the same kind of link, the receiver with protocol's TransportFeedbackBuilder, the sender with this estimator and layers of 200,
  // 700 and 2,500 kbit/s: 1 Mbit/s for 12 s, 300 kbit/s for 8 s, then 20 Mbit/s.
  it('follows a link of 1 Mbit/s, then 300 kbit/s, then free', () => {
    const record = replay('udp-1000-300-free.json');
    expect(Math.min(...between(record, 1_000, 7_000))).toBeGreaterThan(700_000);
    expect(Math.max(...between(record, 1_000, 12_000))).toBeLessThan(1_250_000);
    expect(Math.max(...between(record, 13_500, 20_000))).toBeLessThan(300_000);
    expect(Math.min(...between(record, 13_500, 20_000))).toBeGreaterThan(120_000);
    expect(Math.max(...between(record, 20_000, 23_000))).toBeGreaterThan(2_600_000);
  });
});
