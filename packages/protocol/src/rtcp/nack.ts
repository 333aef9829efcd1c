import { sequenceDelta } from '../rtp/sequence.ts';
import type { NackPair } from './types.ts';

/** Packs sequence numbers, ascending, into PID and BLP pairs (RFC 4585 6.2.1). */
export function nackPairs(sequenceNumbers: readonly number[]): NackPair[] {
  const pairs: NackPair[] = [];
  let pair: NackPair | undefined;
  for (const sequenceNumber of sequenceNumbers) {
    const distance = pair === undefined ? 0 : sequenceDelta(sequenceNumber, pair.packetId);
    if (pair === undefined || distance < 0 || distance > 16) {
      pair = { packetId: sequenceNumber, bitmask: 0 };
      pairs.push(pair);
    } else if (distance > 0) pair.bitmask |= 1 << (distance - 1);
  }
  return pairs;
}

/** The sequence numbers that PID and BLP pairs ask for (RFC 4585 6.2.1). */
export function nackSequenceNumbers(pairs: readonly NackPair[]): number[] {
  const result: number[] = [];
  for (const { packetId, bitmask } of pairs) {
    result.push(packetId);
    for (let bit = 0; bit < 16; bit++) {
      if (bitmask & (1 << bit)) result.push((packetId + bit + 1) & 0xffff);
    }
  }
  return result;
}
