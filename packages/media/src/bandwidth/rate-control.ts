import { LinkCapacity } from './link-capacity.ts';
import type { NetworkState } from './trendline.ts';

/** What is left of the rate that arrives after an over-use. */
const BACK_OFF = 0.85;
/** A queue longer than this is backed off from further, by so much per millisecond, so that it drains in a second or two. */
const LONG_QUEUE_MS = 100;
const DRAIN_PER_MS = 0.001;
const MAX_DRAIN = 0.3;
/**
 * A queue that stands this long beyond the sender's own bursts is over-use, however slowly it came: a rate just above the
 * capacity has no trend to speak of, and a full queue has none. It is given time to drain before the next reduction.
 */
const STANDING_QUEUE_MS = 30;
const STANDING_INTERVAL_MS = 500;
/** After so many reductions a queue that has not become shorter by this factor is none: the way itself is longer now. */
const VAIN_REDUCTIONS = 3;
const VAIN_FACTOR = 0.95;
/** The rate rises only above a queue that is nearly drained. */
const DRAINED_MS = 20;
/** A trend without a queue is jitter. */
const NO_QUEUE_MS = 10;

/**
 * While much less is sent than allowed, a new queue says little of the target: a radio link that stood still for a moment looks the same. Then
 * the rate falls in steps, until the queue has stood for so long that it is no moment.
 */
const APP_LIMITED = 0.65;
const APP_LIMITED_BACK_OFF = 0.75;
const LONG_STANDING_MS = 400;

const GROWTH_PER_SECOND = 1.08;
const MIN_GROWTH_BPS = 10_000;
/** The rate never runs ahead of what arrives by more than this. */
const MAX_AHEAD = 1.5;
const AHEAD_BPS = 10_000;
/** Near the link's capacity: about one packet per response time. */
const PACKET_BITS = 1_200 * 8;
const FRAMES_PER_SECOND = 30;
const DETECTION_MS = 100;
const MIN_ADDITIVE_BPS = 4_000;

/** Reductions are one round trip apart, within these bounds: the effect of the last one must be seen first. */
const MIN_REDUCTION_INTERVAL_MS = 10;
const MAX_REDUCTION_INTERVAL_MS = 200;

/** What a step of the control knows. */
export interface Measurement {
  state: NetworkState;
  /** Bits per second that arrive, and on over-use what the full link carries; 0 while unknown. */
  acknowledgedBps: number;
  capacityBps: number;
  /** Bits per second that leave. */
  sentBps: number;
  /** Standing queue in milliseconds, and for how long it has been there. */
  queueMs: number;
  standingMs: number;
  /** The queue that what was sent explains. */
  ownQueueMs: number;
  roundTripMs: number;
  /** More than this is of no use: the rate does not rise above it. */
  usefulBps: number;
}

/** The detector's state, unless its over-use is explained by the sender's own bursts or by jitter; a standing queue is over-use. */
export function judge({ state, queueMs, ownQueueMs }: Measurement): NetworkState {
  const unexplainedMs = queueMs - ownQueueMs;
  if (state === 'overuse') return unexplainedMs > NO_QUEUE_MS ? 'overuse' : 'normal';
  return state === 'normal' && unexplainedMs > STANDING_QUEUE_MS ? 'overuse' : state;
}

/** Additive increase, multiplicative decrease: the delay-based rate (draft-ietf-rmcat-gcc-02 section 5.5). */
export class RateControl {
  readonly #capacity = new LinkCapacity();
  readonly #minBps: number;
  readonly #maxBps: number;
  #bps: number;
  #calm = false;
  #updatedAt: number;
  #reducedAt = Number.NEGATIVE_INFINITY;
  /** The queue at the last reduction, and how many in a row did not help. */
  #reducedQueueMs = 0;
  #vain = 0;

  constructor(startBps: number, minBps: number, maxBps: number, nowMs: number) {
    this.#bps = startBps;
    this.#minBps = minBps;
    this.#maxBps = maxBps;
    this.#updatedAt = nowMs;
  }

  get bps(): number {
    return this.#bps;
  }

  /** When the rate was reduced last. */
  get reducedAt(): number {
    return this.#reducedAt;
  }

  /** True when the last reductions did not make the queue shorter, so that it cannot be of our making; asking clears it. */
  get vain(): boolean {
    if (this.#vain < VAIN_REDUCTIONS) return false;
    this.#vain = 0;
    this.#reducedQueueMs = 0;
    return true;
  }

  /** A rate that was measured, or that other evidence demands. */
  set(bps: number): void {
    this.#bps = Math.min(this.#maxBps, Math.max(this.#minBps, bps));
  }

  update(measured: Measurement, nowMs: number): void {
    const elapsed = Math.max(0, nowMs - this.#updatedAt);
    this.#updatedAt = nowMs;
    const state = judge(measured);
    if (state === 'overuse' && this.#mayReduce(measured, nowMs)) this.#reduce(measured, nowMs);
    // After any sign the rate is held until a whole feedback is calm.
    const calm = state === 'normal' && measured.state === 'normal';
    if (measured.queueMs < DRAINED_MS) this.#reducedQueueMs = 0;
    if (calm && this.#calm) this.#increase(measured, elapsed);
    this.#calm = calm;
  }

  #mayReduce({ state, capacityBps, roundTripMs }: Measurement, nowMs: number): boolean {
    if (state !== 'overuse') return nowMs - this.#reducedAt >= STANDING_INTERVAL_MS + roundTripMs;
    const interval = Math.min(MAX_REDUCTION_INTERVAL_MS, Math.max(MIN_REDUCTION_INTERVAL_MS, roundTripMs));
    return nowMs - this.#reducedAt >= interval || (capacityBps > 0 && capacityBps < this.#bps / 2);
  }

  #reduce(measured: Measurement, nowMs: number): void {
    const { capacityBps, queueMs } = measured;
    this.#vain = queueMs > VAIN_FACTOR * this.#reducedQueueMs && this.#reducedQueueMs > 0 ? this.#vain + 1 : 0;
    this.#reducedQueueMs = queueMs;
    this.#reducedAt = nowMs;
    if (capacityBps === 0) {
      this.set(this.#bps / 2);
      return;
    }
    if (capacityBps < this.#capacity.lowerBps || capacityBps > this.#capacity.upperBps) this.#capacity.reset();
    let next = this.#backOff(measured) * capacityBps;
    // What arrives may still be above the target, from before the last reduction: the known capacity is nearer then.
    if (next > this.#bps && this.#capacity.bps !== undefined) next = BACK_OFF * this.#capacity.bps;
    this.#capacity.overuse(capacityBps);
    if (measured.sentBps < APP_LIMITED * this.#bps && measured.standingMs < LONG_STANDING_MS)
      next = Math.max(next, APP_LIMITED_BACK_OFF * this.#bps);
    this.set(Math.min(this.#bps, next));
  }

  #backOff({ queueMs }: Measurement): number {
    return BACK_OFF - Math.min(MAX_DRAIN, Math.max(0, queueMs - LONG_QUEUE_MS) * DRAIN_PER_MS);
  }

  #increase(measured: Measurement, elapsedMs: number): void {
    const { acknowledgedBps, queueMs, ownQueueMs, roundTripMs, usefulBps } = measured;
    if (queueMs - ownQueueMs > DRAINED_MS) return;
    if (acknowledgedBps > this.#capacity.upperBps) this.#capacity.reset();
    const seconds = Math.min(1_000, elapsedMs) / 1_000;
    const step =
      this.#capacity.bps === undefined
        ? Math.max(MIN_GROWTH_BPS * seconds, this.#bps * (GROWTH_PER_SECOND ** seconds - 1))
        : this.#additiveBpsPerSecond(roundTripMs) * seconds;
    const ahead = acknowledgedBps > 0 ? MAX_AHEAD * acknowledgedBps + AHEAD_BPS : Number.POSITIVE_INFINITY;
    this.set(Math.max(this.#bps, Math.min(this.#bps + step, ahead, usefulBps)));
  }

  #additiveBpsPerSecond(roundTripMs: number): number {
    const frameBits = this.#bps / FRAMES_PER_SECOND;
    const packetBits = frameBits / Math.ceil(frameBits / PACKET_BITS);
    const responseMs = 2 * (roundTripMs + DETECTION_MS);
    return Math.max(MIN_ADDITIVE_BPS, (packetBits * 1_000) / responseMs);
  }
}
