import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nackPairs, nackSequenceNumbers } from './nack.ts';

it('packs a packet and the 16 after it into one pair, across the wrap', () => {
  expect(nackPairs([65535, 0, 15, 16])).toEqual([
    { packetId: 65535, bitmask: 0x8001 },
    { packetId: 16, bitmask: 0 },
  ]);
});

it('unpacks what it packed', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.array(fc.integer({ min: 1, max: 40 })), (first, steps) => {
      const sequenceNumbers = [first];
      for (const step of steps) sequenceNumbers.push((sequenceNumbers.at(-1)! + step) & 0xffff);
      expect(nackSequenceNumbers(nackPairs(sequenceNumbers))).toEqual(sequenceNumbers);
    }),
  );
});

it('keeps every number of an unordered list', () => {
  expect(nackSequenceNumbers(nackPairs([5, 3, 3, 4]))).toEqual([5, 3, 4]);
  expect(nackPairs([])).toEqual([]);
});
