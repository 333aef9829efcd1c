import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NackQueue } from './nack-queue.ts';

function queueOf(sequenceNumbers: number[], options = {}): NackQueue {
  const queue = new NackQueue(options);
  for (const sequenceNumber of sequenceNumbers) queue.received(sequenceNumber);
  return queue;
}

describe('NackQueue', () => {
  it('asks for a gap across the wrap, at once and after each round trip', () => {
    const queue = queueOf([65534, 2]);
    expect(queue.due(0, 50)).toEqual([65535, 0, 1]);
    expect(queue.due(49, 50)).toEqual([]);
    queue.received(0);
    expect(queue.due(50, 50)).toEqual([65535, 1]);
  });

  it('does not repeat sooner than 20 ms', () => {
    const queue = queueOf([1, 3]);
    expect(queue.due(0, 1)).toEqual([2]);
    expect(queue.due(19, 1)).toEqual([]);
    expect(queue.due(20, 1)).toEqual([2]);
  });

  it('tells new packets from duplicates and from those that are too late', () => {
    const queue = new NackQueue();
    expect([10, 12, 12, 11, 11, 9].map((n) => queue.received(n))).toEqual([true, true, false, true, false, false]);
    expect(queue.size).toBe(0);
  });

  it('gives a packet up after 10 tries', () => {
    const queue = queueOf([1, 3]);
    let tries = 0;
    for (let now = 0; now < 1000; now += 50) tries += queue.due(now, 20).length;
    expect(tries).toBe(10);
    expect([queue.size, queue.givenUp]).toEqual([0, 1]);
  });

  it('gives a packet up at its age', () => {
    const queue = queueOf([1, 3], { maxAgeMs: 100 });
    expect(queue.due(1000, 20)).toEqual([2]);
    expect(queue.due(1100, 20)).toEqual([2]);
    expect(queue.due(1121, 20)).toEqual([]);
    expect(queue.givenUp).toBe(1);
  });

  it('takes a jump of 1000 as loss and starts anew at 1001', () => {
    expect(queueOf([0, 1000]).due(0, 0)).toHaveLength(999);
    expect(queueOf([0, 1001]).due(0, 0)).toEqual([]);
  });

  it('drops the oldest of more than 1000 missing packets', () => {
    const queue = queueOf([0, 900, 1102]);
    expect([queue.size, queue.givenUp]).toEqual([1000, 100]);
    expect(queue.due(0, 0)[0]).toBe(101);
  });

  it('ignores one packet from far behind and starts anew at two in a row', () => {
    const queue = queueOf([20_000]);
    expect([500, 20_001, 500, 501, 503].map((n) => queue.received(n))).toEqual([false, true, false, true, true]);
    expect(queue.due(0, 0)).toEqual([502]);
  });

  it('stays bounded whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff)), (sequenceNumbers) => {
        const queue = queueOf(sequenceNumbers, { maxEntries: 50 });
        const due = queue.due(0, 20);
        expect(due.length).toBeLessThanOrEqual(50);
        expect(new Set(due).size).toBe(due.length);
      }),
    );
  });
});
