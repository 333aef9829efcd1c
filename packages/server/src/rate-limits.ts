import { ApiError, type OperationName } from '@footlights/model';
import type { Scope } from './store/index.ts';

/** Most requests a second that an operation can be limited to. */
export const maxRate = 10_000;

/** Requests a second of one operation, up to maxRate, for an account in one region. */
export type RateLimitTable = Readonly<Partial<Record<OperationName, number>>>;

/** Buckets that are remembered before those that are full again are looked for. */
const sweepAt = 1_000;

/**
 * Token buckets that hold one second's worth of requests. Of each bucket no more is kept than the time at which it will be
 * full again (the generic cell rate algorithm).
 */
export class RateLimits {
  readonly #limits: RateLimitTable;
  readonly #now: () => number;
  readonly #fullAt = new Map<string, number>();

  /** `now` is in milliseconds, and never goes back. */
  constructor(limits: RateLimitTable, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Throws ThrottlingException when the operation was called too often. */
  admit(operation: OperationName, { account, region }: Scope): void {
    const limit = this.#limits[operation];
    if (limit === undefined) return;
    const now = this.#now();
    const bucket = `${operation} ${account} ${region}`;
    const interval = 1000 / limit;
    const fullAt = Math.max(this.#fullAt.get(bucket) ?? 0, now) + interval;
    // Intervals that are no binary fraction add up to a little more than a second.
    if (fullAt - now > 1000 + interval / 10_000)
      throw new ApiError(
        'ThrottlingException',
        `Rate exceeded: ${operation} is limited to ${limit} requests a second by --rate-limit ${operation}=${limit}`,
      );
    this.#fullAt.set(bucket, fullAt);
    if (this.#fullAt.size > sweepAt) this.#sweep(now);
  }

  #sweep(now: number): void {
    for (const [bucket, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(bucket);
  }
}
