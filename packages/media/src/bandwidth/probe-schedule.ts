import { ProbeTrain } from './probe-train.ts';

/** What to send as a probe: about `bytes` at `bps`, in at least `minPackets` packets. */
export interface Probe {
  /** Goes with each of its packets into `sent`. */
  cluster: number;
  bps: number;
  bytes: number;
  minPackets: number;
}

/** The first probes, by the starting rate. */
const INITIAL_FACTORS = [3, 6];
/** A later probe goes no higher than this multiple of the target. */
const MAX_FACTOR = 2;
/** A probe that measured this share of its rate has not met the limit: the next one follows at once. */
const GO_ON_SHARE = 0.7;
/** A result that raises the target by less has found nothing new. */
const MIN_GAIN = 1.05;

const DURATION_MS = 20;
const MAX_DURATION_MS = 100;
const MIN_PACKETS = 5;
const MIN_PACKET_BYTES = 200;

/**
 * Time between probes: short after a change, longer with each that found nothing. The longest is such that a link that
 * was freed just after a probe is found again within the 8 seconds that a viewer should wait at most.
 */
const FIRST_INTERVAL_MS = 1_500;
const MAX_INTERVAL_MS = 4_000;
/** However often the wish changes. */
const MIN_INTERVAL_MS = 1_000;
const BACK_OFF = 1.5;
/** After a reduction the queue must drain first. */
const AFTER_REDUCTION_MS = 1_000;
/** One that arrived bunched up, as behind a key frame, is repeated soon, a few times. */
const UNCLEAR_INTERVAL_MS = 200;
const MAX_UNCLEAR = 3;
/** A reduction within this time of a probe that raised the target undoes its success. */
const REGRET_MS = 2_500;
const MAX_REGRETS = 3;
/** A probe that was not sent, or of which nothing came back, is given up after this and the round-trip time. */
const PATIENCE_MS = 500;

/** When to probe and how high. At most one probe is under way. */
export class ProbeSchedule {
  readonly #startBps: number;
  readonly #maxBps: number;
  #initial = 0;
  #cluster = 0;
  #train: ProbeTrain | undefined;
  #lastResultBps = 0;
  #nextAt: number;
  #askedAt = Number.NEGATIVE_INFINITY;
  #intervalMs = FIRST_INTERVAL_MS;
  /** When a probe last raised the target, and the interval before it did. */
  #raisedAt = Number.NEGATIVE_INFINITY;
  #raisedIntervalMs = FIRST_INTERVAL_MS;
  /** Probes in a row whose times made no sense. */
  #unclear = 0;
  /** Results in a row that had to be taken back. */
  #regrets = 0;

  constructor(startBps: number, maxBps: number, nowMs: number) {
    this.#startBps = startBps;
    this.#maxBps = maxBps;
    this.#nextAt = nowMs;
  }

  /** The probe under way. */
  get train(): ProbeTrain | undefined {
    return this.#train;
  }

  /** More is wanted than before: the next probe need not wait for its turn. */
  hurry(nowMs: number): void {
    this.#intervalMs = FIRST_INTERVAL_MS;
    this.#nextAt = Math.min(this.#nextAt, Math.max(nowMs, this.#askedAt + MIN_INTERVAL_MS));
  }

  /** The target was reduced. Soon after a probe that means that the probe had promised too much. */
  reduced(nowMs: number): void {
    this.#nextAt = Math.max(this.#nextAt, nowMs + AFTER_REDUCTION_MS);
    if (nowMs - this.#raisedAt < REGRET_MS) {
      this.#raisedAt = Number.NEGATIVE_INFINITY;
      this.#regrets = Math.min(MAX_REGRETS, this.#regrets + 1);
      this.#intervalMs = Math.min(MAX_INTERVAL_MS, this.#raisedIntervalMs * BACK_OFF);
      this.#nextAt = nowMs + this.#intervalMs;
    }
    this.#initial = INITIAL_FACTORS.length;
    this.#lastResultBps = 0;
  }

  /** The next probe, if one is due; it is then under way. It goes no higher than `usefulBps`; `jitterMs` makes it longer. */
  next(targetBps: number, usefulBps: number, jitterMs: number, nowMs: number): Probe | undefined {
    if (this.#train !== undefined || nowMs < this.#nextAt || !(usefulBps > targetBps) || targetBps >= this.#maxBps)
      return;
    const bps = Math.min(this.#maxBps, usefulBps, this.#ceiling(targetBps));
    const durationMs = Math.min(MAX_DURATION_MS, DURATION_MS + 2 * jitterMs);
    const bytes = Math.max(MIN_PACKETS * MIN_PACKET_BYTES, Math.round((bps * durationMs) / 8_000));
    this.#cluster = (this.#cluster % 255) + 1;
    const probe = { cluster: this.#cluster, bps: Math.round(bps), bytes, minPackets: MIN_PACKETS };
    this.#train = new ProbeTrain(probe, nowMs);
    this.#askedAt = nowMs;
    return probe;
  }

  #ceiling(targetBps: number): number {
    const factor = INITIAL_FACTORS[this.#initial];
    if (factor !== undefined) return Math.max(factor * this.#startBps, targetBps);
    return MAX_FACTOR * Math.max(targetBps, this.#lastResultBps);
  }

  /**
   * The target that a probe allows, once all of it has come or enough time has passed; 0 when it failed, undefined before.
   * When results that showed a limit had to be taken back, as on a link that others use too, later ones count for a part.
   */
  finish(targetBps: number, roundTripMs: number, nowMs: number): number | undefined {
    const train = this.#train;
    if (train === undefined) return undefined;
    const overdue = nowMs > Math.max(train.askedAt, train.lastSentAt) + PATIENCE_MS + roundTripMs;
    if (!overdue && !(train.complete && train.answered)) return undefined;
    // Packets that were overtaken are reported lost first: some patience may still bring enough of them.
    if (!overdue && !train.isEnough) return undefined;
    this.#train = undefined;
    const result = train.result();
    if (result === undefined && train.isEnough && this.#unclear < MAX_UNCLEAR) {
      this.#unclear++;
      this.#nextAt = nowMs + UNCLEAR_INTERVAL_MS;
      return 0;
    }
    this.#unclear = 0;
    this.#judge(train, result ?? 0, targetBps, nowMs);
    if (result === undefined) return 0;
    if (!train.saturated || result <= targetBps) return result;
    return targetBps + (result - targetBps) / (1 + this.#regrets);
  }

  #judge(train: ProbeTrain, result: number, targetBps: number, nowMs: number): void {
    this.#initial++;
    this.#lastResultBps = result;
    if (result > MIN_GAIN * targetBps) {
      if (nowMs - this.#raisedAt > REGRET_MS) {
        if (this.#raisedAt > 0) this.#regrets = 0;
        this.#raisedIntervalMs = this.#intervalMs;
      }
      this.#raisedAt = nowMs;
      this.#intervalMs = FIRST_INTERVAL_MS;
    }
    if (result >= GO_ON_SHARE * train.bps) {
      this.#nextAt = nowMs;
      return;
    }
    this.#initial = INITIAL_FACTORS.length;
    this.#nextAt = nowMs + this.#intervalMs;
    // Of one whose feedback was lost nothing is known: it does not count.
    if (train.answered) this.#intervalMs = Math.min(MAX_INTERVAL_MS, this.#intervalMs * BACK_OFF);
  }
}
