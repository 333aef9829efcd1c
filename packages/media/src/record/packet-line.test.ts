import { describe, expect, it } from 'vitest';
import { emptyArrival } from '../layer.ts';
import { MAX_HELD_PACKETS, REORDER_MS } from './limits.ts';
import { PacketLine } from './packet-line.ts';

/** A line, and what it gave: a packet's number, or that some are missing. */
function openLine() {
  const given: (number | 'gap')[] = [];
  const line = new PacketLine({
    packet: ({ payload }) => given.push(payload.readUInt32BE()),
    gap: () => given.push('gap'),
  });
  const push = (number: number, now = 0) => {
    const buffer = Buffer.alloc(16);
    buffer.writeUInt32BE(number, 12);
    line.push({ ...emptyArrival(), buffer, payloadOffset: 12, payloadEnd: 16, number }, now);
  };
  return { given, line, push };
}

describe('packets of a recorded layer', () => {
  it('come in the order of their numbers, once each', () => {
    const { given, push } = openLine();
    for (const number of [10, 12, 12, 11, 10, 14, 13]) push(number);
    expect(given).toEqual([10, 11, 12, 13, 14]);
  });

  it('begin with the first that came: what is older is left out', () => {
    const { given, push } = openLine();
    for (const number of [10, 9, 11]) push(number);
    expect(given).toEqual([10, 11]);
  });

  it('wait for a missing one, until the time for it is over', () => {
    const { given, line, push } = openLine();
    push(1, 0);
    push(3, 5);
    line.tick(5 + REORDER_MS - 1);
    expect(given).toEqual([1]);
    line.tick(5 + REORDER_MS);
    expect(given).toEqual([1, 'gap', 3]);
    push(2, 5 + REORDER_MS);
    expect(given).toEqual([1, 'gap', 3]);
  });

  it(`wait in a line of ${MAX_HELD_PACKETS} at most`, () => {
    const { given, push } = openLine();
    push(0);
    for (let number = 2; number < 2 + MAX_HELD_PACKETS; number++) push(number);
    expect(given).toEqual([0]);
    push(2 + MAX_HELD_PACKETS);
    expect(given.slice(0, 3)).toEqual([0, 'gap', 2]);
    expect(given).toHaveLength(MAX_HELD_PACKETS + 3);
  });

  it('are all given at the end, each hole told', () => {
    const { given, line, push } = openLine();
    for (const number of [1, 3, 6, 5]) push(number);
    line.flush();
    expect(given).toEqual([1, 'gap', 3, 'gap', 5, 6]);
  });

  it('are kept when the buffer that they came in is used again', () => {
    const kept: Buffer[] = [];
    const line = new PacketLine({ packet: ({ payload }) => kept.push(payload), gap: () => {} });
    const arrival = { ...emptyArrival(), buffer: Buffer.from([1, 2, 3]), payloadEnd: 3 };
    line.push(arrival, 0);
    arrival.buffer.fill(0);
    expect(kept).toEqual([Buffer.from([1, 2, 3])]);
  });
});
