/** A subscriber from which video can be withheld. */
export interface Sheddable {
  readonly isShed: boolean;
  readonly isSheddable: boolean;
  /** The higher, the earlier video is withheld. */
  readonly slowness: number;
  shed(): void;
  restore(now: number): void;
}

/** Later than this for as long again, and the worker has more to send than it can; a single pause is no overload. */
export const LATE_MS = 100;
/** In time again: below IN_TIME_MS for RECOVERY_MS, and some subscribers get their video back. */
const IN_TIME_MS = 50;
const RECOVERY_MS = 1_000;
/** Steps follow each other at least this far apart, so that one shows its effect before the next. */
const SHED_INTERVAL_MS = 100;
const RESTORE_INTERVAL_MS = 500;

/**
 * Keeps a worker in time: while its loop is late, video is withheld from more and more subscribers, the slowest first;
 * when it is in time again they get it back, the best first. Without this, lateness grows without bound, because the
 * queue of received packets does.
 */
export class OverloadPolicy {
  #lateSince: number | undefined;
  #inTimeSince: number | undefined;
  #steppedAt = Number.NEGATIVE_INFINITY;

  /** `latenessMs` is how long the loop is behind now. Returns how many were shed (positive) or restored (negative). */
  update(latenessMs: number, subscribers: () => Iterable<Sheddable>, now: number): number {
    this.#lateSince = latenessMs > LATE_MS ? (this.#lateSince ?? now) : undefined;
    this.#inTimeSince = latenessMs < IN_TIME_MS ? (this.#inTimeSince ?? now) : undefined;
    if (lasts(this.#lateSince, LATE_MS, now) && now - this.#steppedAt >= SHED_INTERVAL_MS) {
      this.#steppedAt = now;
      return shedSome([...subscribers()], latenessMs);
    }
    if (lasts(this.#inTimeSince, RECOVERY_MS, now) && now - this.#steppedAt >= RESTORE_INTERVAL_MS) {
      this.#steppedAt = now;
      return -restoreSome([...subscribers()], now);
    }
    return 0;
  }
}

function lasts(since: number | undefined, ms: number, now: number): boolean {
  return since !== undefined && now - since >= ms;
}

/** A tenth of those with video for each 100 ms, at most half. */
function shedSome(subscribers: Sheddable[], latenessMs: number): number {
  const served = subscribers.filter(({ isSheddable, isShed }) => isSheddable && !isShed);
  served.sort((a, b) => b.slowness - a.slowness);
  const share = Math.min(0.5, latenessMs / 1_000);
  const chosen = served.slice(0, Math.ceil(served.length * share));
  for (const subscriber of chosen) subscriber.shed();
  return chosen.length;
}

/** A tenth of all. */
function restoreSome(subscribers: Sheddable[], now: number): number {
  const shed = subscribers.filter(({ isShed }) => isShed);
  shed.sort((a, b) => a.slowness - b.slowness);
  const chosen = shed.slice(0, Math.ceil(subscribers.length / 10));
  for (const subscriber of chosen) subscriber.restore(now);
  return chosen.length;
}
