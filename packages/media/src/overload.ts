import type { Kind } from './negotiate/codecs.ts';

/** A subscriber from which video can be withheld, and then sound. */
export interface Sheddable {
  /** What can be withheld now: the video first. */
  readonly served: Kind | undefined;
  /** What can be given back now: the sound first. */
  readonly withheld: Kind | undefined;
  /** The higher, the earlier something is withheld. */
  slowness(now: number): number;
  /** Withholds what is `served`. */
  shed(): void;
  /** Gives back what is `withheld`. */
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
 * Keeps a worker in time: while its loop is late, video is withheld from more and more subscribers, the slowest first, and
 * when nobody has video any more, sound; when it is in time again they get both back in the opposite order. Without this, lateness
 * grows without bound, because the queue of received packets does.
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
      return shedSome([...subscribers()], latenessMs, now);
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

/** A tenth of those with video for each 100 ms, at most half; of those with sound when none has video. */
function shedSome(subscribers: Sheddable[], latenessMs: number, now: number): number {
  const served = ofFirstKind(subscribers, ['video', 'audio'], 'served');
  const share = Math.min(0.5, latenessMs / 1_000);
  const chosen = slowestFirst(served, now).slice(0, Math.ceil(served.length * share));
  for (const subscriber of chosen) subscriber.shed();
  return chosen.length;
}

/** A tenth of all. */
function restoreSome(subscribers: Sheddable[], now: number): number {
  const withheld = ofFirstKind(subscribers, ['audio', 'video'], 'withheld');
  const chosen = slowestFirst(withheld, now).slice(-Math.ceil(subscribers.length / 10));
  for (const subscriber of chosen) subscriber.restore(now);
  return chosen.length;
}

/** Those of the first kind of which there are any. */
function ofFirstKind(subscribers: Sheddable[], kinds: readonly Kind[], what: 'served' | 'withheld'): Sheddable[] {
  const groups = kinds.map((kind) => subscribers.filter((subscriber) => subscriber[what] === kind));
  return groups.find(({ length }) => length > 0) ?? [];
}

function slowestFirst(subscribers: Sheddable[], now: number): Sheddable[] {
  const ranked = subscribers.map((subscriber) => ({ subscriber, slowness: subscriber.slowness(now) }));
  return ranked.sort((a, b) => b.slowness - a.slowness).map(({ subscriber }) => subscriber);
}
