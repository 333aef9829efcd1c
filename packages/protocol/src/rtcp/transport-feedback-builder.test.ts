import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, type TransportFeedback, TransportFeedbackBuilder, transportArrivalTimes, write } from './index.ts';

type Arrival = [sequenceNumber: number, arrivalMs: number];

function builderOf(arrivals: Arrival[]): TransportFeedbackBuilder {
  const builder = new TransportFeedbackBuilder(1, 2);
  for (const [sequenceNumber, arrivalMs] of arrivals) builder.add(sequenceNumber, arrivalMs);
  return builder;
}

function buildAll(builder: TransportFeedbackBuilder, nowMs: number): TransportFeedback[] {
  const all: TransportFeedback[] = [];
  for (let next = builder.build(nowMs); next !== undefined; next = builder.build(nowMs)) all.push(next);
  return all;
}

const times = (feedback: TransportFeedback | undefined): Arrival[] =>
  transportArrivalTimes(feedback!).map(({ sequenceNumber, arrivalMs }) => [sequenceNumber, arrivalMs]);

describe('TransportFeedbackBuilder', () => {
  it('builds one feedback of what arrived, in 64 ms and 250 microseconds', () => {
    const builder = builderOf([
      [65535, 1000],
      [0, 1000.5],
      [2, 999.75],
    ]);
    const feedback = builder.build(1010);
    expect(feedback).toEqual({
      type: 'transport-cc',
      senderSsrc: 1,
      mediaSsrc: 2,
      baseSequenceNumber: 65535,
      statusCount: 4,
      referenceTime: 15,
      feedbackPacketCount: 0,
      arrivals: [
        { sequenceNumber: 65535, delta: 160 },
        { sequenceNumber: 0, delta: 2 },
        { sequenceNumber: 2, delta: -3 },
      ],
    });
    expect(builder.build(1010)).toBeUndefined();
  });

  it('reports the losses between two feedbacks in the second and counts the packets, modulo 256', () => {
    const builder = builderOf([[10, 0]]);
    builder.build(0);
    builder.add(13, 5);
    expect(builder.build(5)).toMatchObject({ baseSequenceNumber: 11, statusCount: 3, feedbackPacketCount: 1 });
    for (let i = 2; i < 256; i++) {
      builder.add(12 + i, i);
      builder.build(i);
    }
    builder.add(300, 300);
    expect(builder.build(300)).toMatchObject({ feedbackPacketCount: 0 });
  });

  it('does not add rounding errors up', () => {
    const arrivals = Array.from({ length: 300 }, (_, i): Arrival => [i, i * 0.3]);
    const last = times(builderOf(arrivals).build(100)).at(-1)!;
    expect(Math.abs(last[1] - 299 * 0.3)).toBeLessThanOrEqual(0.125);
  });

  it('reports a late packet again with those behind it', () => {
    const builder = builderOf([
      [1, 0],
      [3, 2],
    ]);
    builder.build(2);
    builder.add(2, 4);
    expect(times(builder.build(4))).toEqual([
      [2, 4],
      [3, 2],
    ]);
  });

  it('ignores duplicates', () => {
    const builder = builderOf([
      [1, 0],
      [1, 5],
    ]);
    expect(times(builder.build(5))).toEqual([[1, 0]]);
    builder.add(1, 6);
    expect(builder.build(6)).toBeUndefined();
  });

  it('splits where a delta does not fit', () => {
    const fits = builderOf([
      [1, 0],
      [2, 8191.75],
    ]);
    expect(fits.build(4000)).toMatchObject({ statusCount: 2 });
    const splits = builderOf([
      [1, 0],
      [2, 8192],
    ]);
    expect(buildAll(splits, 4000).map(times)).toEqual([[[1, 0]], [[2, 8192]]]);
  });

  it('splits after 400 arrivals', () => {
    const arrivals = Array.from({ length: 401 }, (_, i): Arrival => [i, i]);
    const all = buildAll(builderOf(arrivals), 400);
    expect(all.map(({ arrivals: { length } }) => length)).toEqual([400, 1]);
  });

  it('splits after 1024 packets, and passes over losses before them', () => {
    const near = builderOf([
      [0, 0],
      [1023, 1],
    ]);
    expect(buildAll(near, 1).map(({ statusCount }) => statusCount)).toEqual([1024]);
    const far = builderOf([
      [0, 0],
      [2000, 1],
    ]);
    const [first, second] = buildAll(far, 1);
    expect(first).toMatchObject({ baseSequenceNumber: 0, statusCount: 1 });
    expect(second).toMatchObject({ baseSequenceNumber: 2000 - 1023, statusCount: 1024 });
  });

  it('passes over arrivals older than 5 s', () => {
    const arrivals: Arrival[] = [
      [1, 0],
      [2, 1],
      [3, 4000],
    ];
    expect(times(builderOf(arrivals).build(5000))).toHaveLength(3);
    expect(times(builderOf(arrivals).build(5001))).toEqual(arrivals.slice(1));
    expect(builderOf(arrivals).build(9001)).toBeUndefined();
  });

  it('keeps 4096 packets and starts anew at a larger jump', () => {
    const kept = builderOf([
      [0, 0],
      [4095, 1],
    ]);
    expect(buildAll(kept, 1)).toHaveLength(2);
    const restarted = builderOf([
      [0, 0],
      [4096, 1],
    ]);
    expect(buildAll(restarted, 1).map(times)).toEqual([[[4096, 1]]]);
  });

  it('ignores one packet from far behind and starts anew at two in a row', () => {
    const builder = builderOf([
      [20_000, 0],
      [100, 1],
    ]);
    expect(buildAll(builder, 1).map(times)).toEqual([[[20_000, 0]]]);
    builder.add(101, 2);
    expect(buildAll(builder, 2).map(times)).toEqual([[[101, 2]]]);
  });

  it('wraps the reference time at 24 bits', () => {
    const feedback = builderOf([[1, 2 ** 23 * 64]]).build(2 ** 23 * 64);
    expect(feedback?.referenceTime).toBe(-(2 ** 23));
  });

  it('reports every arrival once, in packets below 1200 bytes that are read back', () => {
    const step = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 20, noNaN: true }));
    const steps = fc.array(step, { maxLength: 600, size: 'max' });
    fc.assert(
      fc.property(fc.nat(0xffff), steps, (first, list) => {
        const builder = new TransportFeedbackBuilder(1, 2);
        const sent: number[] = [];
        const reported: number[] = [];
        let sequenceNumber = first;
        let now = 1e9;
        for (const [index, [gap, ms]] of list.entries()) {
          sequenceNumber = (sequenceNumber + gap) & 0xffff;
          now += ms;
          builder.add(sequenceNumber, now);
          sent.push(sequenceNumber);
          if (index % 50 !== 0 && index !== list.length - 1) continue;
          for (const feedback of buildAll(builder, now)) {
            const bytes = write([feedback]);
            expect(bytes.length).toBeLessThan(1200);
            expect(parse(bytes)).toEqual([feedback]);
            reported.push(...feedback.arrivals.map((arrival) => arrival.sequenceNumber));
          }
        }
        expect(reported).toEqual(sent);
      }),
      { numRuns: 30 },
    );
  });
});
