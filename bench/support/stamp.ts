// What a packet of a benchmark says of itself in its last bytes, and how its time on the way is counted.

/** `|  round (16)  |  counter (32)  |  sent at (64)  |`: the counter starts with each round, the time is a double. */
export const STAMP_LENGTH = 14;

/** What the process's clock is behind the machine's; a pause between the two readings makes it look less. */
const origin = Math.max(...Array.from({ length: 20 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()));

/** The machine's monotonic clock, which all processes share, in milliseconds. */
export const monotonicMs = () => origin + performance.now();

export function writeStamp(packet: Buffer, round: number, counter: number): void {
  const at = packet.length - STAMP_LENGTH;
  packet.writeUInt16BE(round, at);
  packet.writeUInt32BE(counter, at + 2);
  packet.writeDoubleBE(monotonicMs(), at + 6);
}

export const roundOf = (packet: Buffer) => packet.readUInt16BE(packet.length - STAMP_LENGTH);
export const counterOf = (packet: Buffer) => packet.readUInt32BE(packet.length - STAMP_LENGTH + 2);
export const sentAtOf = (packet: Buffer) => packet.readDoubleBE(packet.length - STAMP_LENGTH + 6);

/** Buckets for each doubling of a time, so each is 4.4 % wide; the first one holds 1 microsecond. */
const BUCKETS_PER_OCTAVE = 16;
const BUCKETS = 32 * BUCKETS_PER_OCTAVE;

/** Times counted in buckets, so that those of several processes can be added. */
export class Histogram {
  readonly counts: number[] = Array<number>(BUCKETS).fill(0);

  add(ms: number): void {
    const bucket = Math.round(Math.log2(Math.max(ms, 0.001) * 1_000) * BUCKETS_PER_OCTAVE);
    this.counts[Math.min(bucket, BUCKETS - 1)]! += 1;
  }

  merge(counts: readonly number[]): void {
    for (const [bucket, count] of counts.entries()) this.counts[bucket]! += count;
  }

  /** Milliseconds; NaN when there are no times. */
  quantile(share: number): number {
    const rank = this.counts.reduce((sum, count) => sum + count, 0) * share;
    let seen = 0;
    for (const [bucket, count] of this.counts.entries()) {
      seen += count;
      if (count > 0 && seen >= rank) return 2 ** (bucket / BUCKETS_PER_OCTAVE) / 1_000;
    }
    return Number.NaN;
  }
}
