import { LossSlope } from './loss-slope.ts';

/** Loss is judged over windows of this length and number of packets. */
const WINDOW_MS = 500;
const MIN_PACKETS = 50;
const MAX_WINDOW_MS = 2_000;
const SMOOTHING = 0.4;

/** How fast the path's own loss is unlearned and learned per window, and how much of it is believed. */
const FALL = 0.3;
const RISE = 0.3;
const MAX_INHERENT = 0.1;
/** Loss that rises with the rate by more than this is the rate's fault; what was learned is then forgotten step by step. */
const MAX_SLOPE = 0.3;
const FORGET = 0.8;
/** A queue this long explains loss: it is full. */
const FULL_QUEUE_MS = 100;

/** Above the path's own loss: up to the first the rate may grow, above the second it falls (draft section 6, wider). */
const LOW = 0.03;
const HIGH = 0.1;
const REDUCTION_INTERVAL_MS = 300;
const GROWTH_PER_SECOND = 1.08;
/** The bound is lifted when it is this far above the target. */
const LIFT = 2;

/**
 * Loss-based bound of the rate. The draft's controller takes every loss for congestion, and holds a viewer on a bad
 * radio link down for ever. Here the path's own loss is learned: what is lost however little is sent. Only what is lost
 * beyond that bounds the rate.
 */
export class LossControl {
  /** Bits per second, infinite while loss does not bound. */
  boundBps = Number.POSITIVE_INFINITY;
  /** Smoothed share of lost packets, 0 to 1. */
  ratio = 0;
  /** When loss last reduced the bound. */
  reducedAt = Number.NEGATIVE_INFINITY;
  readonly #slope = new LossSlope();
  #begun = false;
  #inherent = 0;
  #windowStart: number | undefined;
  #lost = 0;
  #packets = 0;
  #updatedAt: number | undefined;

  /** Loss beyond the path's own. */
  get excess(): number {
    return Math.max(0, (this.ratio - this.#inherent) / (1 - this.#inherent));
  }

  /**
   * Takes in a feedback: packets reported on and lost among them; the latter is negative when late ones came after all.
   * `sentBps` and the standing queue are those of now.
   */
  add(packets: number, lost: number, sentBps: number, queueMs: number, nowMs: number): void {
    this.#windowStart ??= nowMs;
    this.#packets += packets;
    this.#lost += lost;
    const elapsed = nowMs - this.#windowStart;
    if (elapsed < WINDOW_MS || (this.#packets < MIN_PACKETS && elapsed < MAX_WINDOW_MS)) return;
    this.#windowStart = nowMs;
    if (this.#packets > 0) this.#judge(Math.min(1, Math.max(0, this.#lost / this.#packets)), sentBps, queueMs);
    this.#packets = 0;
    this.#lost = 0;
  }

  #judge(share: number, sentBps: number, queueMs: number): void {
    this.#slope.add(sentBps, share);
    if (!this.#begun) {
      this.#begin(share, queueMs);
      return;
    }
    this.ratio += SMOOTHING * (share - this.ratio);
    if (this.#slope.value > MAX_SLOPE) this.#inherent *= FORGET;
    else if (this.ratio < this.#inherent) this.#inherent += FALL * (this.ratio - this.#inherent);
    else if (queueMs < FULL_QUEUE_MS) {
      this.#inherent = Math.min(MAX_INHERENT, this.#inherent + RISE * (this.ratio - this.#inherent));
    }
  }

  /** The first rate is low: what is lost then is the path's own. */
  #begin(share: number, queueMs: number): void {
    this.#begun = true;
    this.ratio = share;
    if (queueMs < FULL_QUEUE_MS) this.#inherent = Math.min(MAX_INHERENT, share);
  }

  /** Moves the bound. */
  update(targetBps: number, acknowledgedBps: number, roundTripMs: number, nowMs: number): void {
    const elapsed = Math.min(1_000, Math.max(0, nowMs - (this.#updatedAt ?? nowMs)));
    this.#updatedAt = nowMs;
    const { excess } = this;
    if (excess > HIGH) this.#reduce(targetBps, acknowledgedBps, excess, roundTripMs, nowMs);
    else if (excess > LOW) this.boundBps = Math.min(this.boundBps, targetBps);
    else this.#relax(targetBps, elapsed);
  }

  /** A probe has shown more. */
  raise(bps: number): void {
    this.boundBps = Math.max(this.boundBps, bps);
  }

  #reduce(targetBps: number, acknowledgedBps: number, excess: number, roundTripMs: number, nowMs: number): void {
    this.boundBps = Math.min(this.boundBps, targetBps);
    if (nowMs - this.reducedAt < REDUCTION_INTERVAL_MS + roundTripMs) return;
    this.reducedAt = nowMs;
    const gentle = targetBps * (1 - excess / 2);
    const next = acknowledgedBps > 0 ? Math.max(targetBps / 2, Math.min(gentle, acknowledgedBps)) : gentle;
    this.boundBps = Math.min(this.boundBps, next);
  }

  #relax(targetBps: number, elapsedMs: number): void {
    this.boundBps *= GROWTH_PER_SECOND ** (elapsedMs / 1_000);
    if (this.boundBps > LIFT * targetBps) this.boundBps = Number.POSITIVE_INFINITY;
  }
}
