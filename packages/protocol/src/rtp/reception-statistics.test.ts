import { describe, expect, it } from 'vitest';
import { ReceptionStatistics } from './reception-statistics.ts';

/** Feeds video packets 10 ms apart, on time. */
function feed(statistics: ReceptionStatistics, sequenceNumbers: number[]): void {
  for (const sequenceNumber of sequenceNumbers) {
    statistics.update(sequenceNumber & 0xffff, sequenceNumber * 900, sequenceNumber * 10);
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('ReceptionStatistics', () => {
  it('reports nothing lost and no jitter of a perfect stream', () => {
    const statistics = new ReceptionStatistics(90_000);
    feed(statistics, range(65_000, 66_000));
    expect(statistics.reportBlock(5, 6, 7)).toEqual({
      ssrc: 5,
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequenceNumber: 65_999,
      jitter: 0,
      lastSenderReport: 6,
      delaySinceLastSenderReport: 7,
    });
  });

  it('counts the fraction by interval and the losses from the start (RFC 3550 A.3)', () => {
    const statistics = new ReceptionStatistics(90_000);
    feed(statistics, [...range(0, 50), ...range(75, 100)]);
    expect(statistics.reportBlock(1, 0, 0)).toMatchObject({ fractionLost: 64, cumulativeLost: 25 });
    feed(statistics, range(100, 200));
    expect(statistics.reportBlock(1, 0, 0)).toMatchObject({ fractionLost: 0, cumulativeLost: 25 });
    expect(statistics.reportBlock(1, 0, 0)).toMatchObject({ fractionLost: 0 });
  });

  it('lets duplicates make the cumulative number negative', () => {
    const statistics = new ReceptionStatistics(90_000);
    feed(statistics, [1, 2, 2, 2]);
    expect(statistics.reportBlock(1, 0, 0)).toMatchObject({ fractionLost: 0, cumulativeLost: -2 });
  });

  it('is all zero before the first packet', () => {
    expect(new ReceptionStatistics(48_000).reportBlock(1, 0, 0)).toMatchObject({
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequenceNumber: 0,
      jitter: 0,
    });
  });

  it('moves the jitter by a sixteenth of each deviation, across the timestamp wrap (RFC 3550 A.8)', () => {
    const statistics = new ReceptionStatistics(8000);
    statistics.update(1, 0xffffffff, 0);
    statistics.update(2, 159, 40);
    expect(statistics.jitter).toBe(10);
    statistics.update(3, 319, 60);
    expect(statistics.jitter).toBe(9);
  });

  it('ignores one stray packet and restarts at two in a row (RFC 3550 A.1)', () => {
    const statistics = new ReceptionStatistics(90_000);
    feed(statistics, [100, 101, 30_000, 102]);
    expect(statistics.reportBlock(1, 0, 0)).toMatchObject({ highestSequenceNumber: 102, cumulativeLost: 0 });
    feed(statistics, [30_000, 30_001]);
    expect(statistics.reportBlock(1, 0, 0)).toMatchObject({ highestSequenceNumber: 30_001, cumulativeLost: 0 });
    expect(statistics.packetsReceived).toBe(1);
  });

  it.each([
    [3000, 3000],
    [3001, 0],
    [-100, 0],
    [-101, 0],
  ])('after a jump of %i the highest has moved by %i', (jump, moved) => {
    const statistics = new ReceptionStatistics(90_000);
    feed(statistics, [10_000, 10_000 + jump]);
    expect(statistics.reportBlock(1, 0, 0).highestSequenceNumber).toBe(10_000 + moved);
  });

  it('clamps the cumulative number to 24 bits', () => {
    const statistics = new ReceptionStatistics(90_000);
    for (let sequenceNumber = 0; sequenceNumber < 0x900000; sequenceNumber += 3000) feed(statistics, [sequenceNumber]);
    expect(statistics.cumulativeLost).toBe(0x7fffff);
  });
});
