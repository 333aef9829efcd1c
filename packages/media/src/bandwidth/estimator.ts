import { rtcp } from '@footlights/protocol';
import { AcknowledgedRate } from './acknowledged-rate.ts';
import { ArrivalClock } from './arrival-clock.ts';
import { LossControl } from './loss-control.ts';
import { PacketGroups } from './packet-groups.ts';
import { type Probe, ProbeSchedule } from './probe-schedule.ts';
import { QueueDelay } from './queue-delay.ts';
import { judge, type Measurement, RateControl } from './rate-control.ts';
import { RembBound } from './remb-bound.ts';
import { ASSUMED, IN_FLIGHT, LOST, RECEIVED, SendHistory } from './send-history.ts';
import { Sending } from './sending.ts';
import { type NetworkState, Trendline } from './trendline.ts';

/** Where the estimate starts and its bounds, in bits per second. */
export interface BandwidthOptions {
  startBps: number;
  minBps: number;
  maxBps: number;
}

/** Round-trip time while none is known. */
const DEFAULT_ROUND_TRIP_MS = 200;
const MAX_ROUND_TRIP_MS = 10_000;
const ROUND_TRIP_SMOOTHING = 1 / 8;
/** No probe while loss beyond the path's own is above this, or within this time of a reduction by loss. */
const PROBE_EXCESS_LOSS = 0.05;
/**
 * The target does not rise by itself beyond this multiple of what is wanted and a little, nor do probes go beyond it. A layer is chosen
 * when it fits with something to spare, so that it takes a target above what it needs.
 */
const WANTED_MARGIN = 1.1;
const WANTED_MARGIN_BPS = 100_000;
/** A target within this share of that is enough; and so is one above the wish while that is being sent in full. */
const ENOUGH = 0.97;
const IN_FULL = 0.9;
/** A wish that has grown by this factor is a new one, one that is smaller by the other is forgotten. */
const NEW_WISH = 1.25;
const FORGOTTEN_WISH = 0.5;
/** After so many probes without any feedback the receiver is one that sends none. */
const MAX_UNANSWERED = 3;
/** Feedback that is missing for this time while packets leave: the rate falls, step by step. */
const FEEDBACK_TIMEOUT_MS = 1_500;
const TIMEOUT_STEP_MS = 500;
const TIMEOUT_FACTOR = 0.8;
const TIMEOUT_PACKETS = 10;

/**
 * How much one subscriber's connection carries: Google congestion control at the sender (draft-ietf-rmcat-gcc-02,
 * with the probes and filters of libwebrtc). No I/O, no clock: every time is an argument in milliseconds, of one clock.
 */
export class BandwidthEstimator {
  readonly #options: BandwidthOptions;
  readonly #history = new SendHistory();
  readonly #clock = new ArrivalClock();
  readonly #groups = new PacketGroups();
  readonly #trend = new Trendline();
  readonly #queue = new QueueDelay();
  readonly #acknowledged = new AcknowledgedRate();
  readonly #sending: Sending;
  readonly #rate: RateControl;
  readonly #loss = new LossControl();
  readonly #probes: ProbeSchedule;
  readonly #remb = new RembBound();
  /** Probes before the first feedback. */
  #unanswered = 0;
  #desiredBps = Number.POSITIVE_INFINITY;
  /** The last wish that was a new one. */
  #wishBps = 0;
  /** Filled anew for each feedback. */
  readonly #measured: Measurement = {
    state: 'normal',
    acknowledgedBps: 0,
    capacityBps: 0,
    sentBps: 0,
    queueMs: 0,
    standingMs: 0,
    ownQueueMs: 0,
    roundTripMs: DEFAULT_ROUND_TRIP_MS,
    usefulBps: Number.POSITIVE_INFINITY,
  };
  #targetBps: number;
  #state: NetworkState = 'normal';
  #hasFeedback = false;
  #feedbackAt: number;
  #timeoutAt = Number.NEGATIVE_INFINITY;
  #timedOut = false;
  #sentAtFeedback = 0;
  /** Behind the last packet that a feedback reported on, in packets sent. */
  #reported = 0;
  #reportedRoundTripMs: number | undefined;
  #feedbackRoundTripMs: number | undefined;
  /** Of the feedback at hand. */
  #received = 0;
  #lost = 0;
  #assumedBytes = 0;
  #newestSent = 0;

  constructor(options: BandwidthOptions, nowMs: number) {
    const { startBps, minBps, maxBps } = options;
    this.#options = options;
    this.#targetBps = startBps;
    this.#feedbackAt = nowMs;
    this.#sending = new Sending(startBps, nowMs);
    this.#rate = new RateControl(startBps, minBps, maxBps, nowMs);
    this.#probes = new ProbeSchedule(startBps, maxBps, nowMs);
  }

  /** What the connection may be sent, bits per second. */
  get targetBps(): number {
    return this.#targetBps;
  }

  /** Smoothed share of packets lost, 0 to 1. */
  get lossRatio(): number {
    return this.#loss.ratio;
  }

  /** From receiver reports, else from feedback; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#reportedRoundTripMs ?? this.#feedbackRoundTripMs;
  }

  /** What arrives, bits per second; 0 while unknown. */
  get acknowledgedBps(): number {
    return this.#acknowledged.bps;
  }

  get state(): NetworkState {
    return this.#state;
  }

  /** True once transport-wide feedback has come. */
  get hasFeedback(): boolean {
    return this.#hasFeedback;
  }

  /** True once the receiver has told of what the way carries, by feedback or by an estimate of its own. */
  get isTold(): boolean {
    return this.#hasFeedback || this.#remb.isKnown;
  }

  /**
   * A packet of `sizeBytes` leaves, as part of the probe `probeCluster` if one is given; returns its transport-wide
   * sequence number, 16 bits. What leaves while a probe is being sent counts as part of it.
   */
  sent(sizeBytes: number, nowMs: number, probeCluster = 0): number {
    this.#sending.add(sizeBytes, nowMs);
    const train = this.#probes.train;
    let cluster = 0;
    if (train !== undefined && (probeCluster === train.cluster || (train.sentPackets > 0 && !train.complete))) {
      cluster = train.cluster;
      train.sent(sizeBytes, nowMs);
    }
    return this.#history.add(sizeBytes, nowMs, cluster);
  }

  /** Transport-wide feedback. What it says of packets that were never sent, or again of ones known to have come, is ignored. */
  onFeedback(feedback: rtcp.TransportFeedback, nowMs: number): void {
    this.#received = 0;
    this.#lost = 0;
    this.#newestSent = Number.NEGATIVE_INFINITY;
    this.#takeGap(feedback);
    this.#takeArrivals(feedback);
    this.#takeLosses(feedback);
    if (this.#received === 0 && this.#lost === 0) return;
    this.#hasFeedback = true;
    this.#feedbackAt = nowMs;
    if (this.#timedOut) this.#probes.hurry(nowMs);
    this.#timedOut = false;
    this.#sentAtFeedback = this.#history.count;
    this.#queue.close(nowMs);
    if (this.#received > 0) this.#takeRoundTrip(nowMs - this.#newestSent);
    this.#sending.update(this.#targetBps, nowMs);
    this.#loss.add(this.#received + this.#lost, this.#lost, this.#sending.bps, this.#queue.queueMs, nowMs);
    this.#control(nowMs);
  }

  /** Receiver estimated maximum bitrate; heeded only while no transport-wide feedback comes. */
  onRemb(bitrateBps: number, nowMs: number): void {
    if (this.#hasFeedback || !(bitrateBps >= 0)) return;
    this.#remb.take(bitrateBps, nowMs);
    this.#retarget(nowMs);
  }

  /**
   * A receiver report: loss since the last one, 0 to 1, and the round-trip time if it could be told. With transport-wide
   * feedback only the latter counts.
   */
  onReceiverReport(fractionLost: number, roundTripMs: number | undefined, nowMs: number): void {
    if (roundTripMs !== undefined && roundTripMs >= 0 && roundTripMs <= MAX_ROUND_TRIP_MS)
      this.#reportedRoundTripMs = smooth(this.#reportedRoundTripMs, roundTripMs);
    if (this.#hasFeedback || !(fractionLost >= 0 && fractionLost <= 1)) return;
    this.#sending.update(this.#targetBps, nowMs);
    const packets = this.#history.count - this.#sentAtFeedback;
    this.#sentAtFeedback = this.#history.count;
    if (packets === 0) return;
    const { bps } = this.#sending;
    this.#loss.add(packets, fractionLost * packets, bps, 0, nowMs);
    this.#loss.update(this.#targetBps, bps * (1 - fractionLost), this.#roundTrip, nowMs);
    // Nothing can be probed here: the rate must be able to grow past what small media sends.
    const measured = this.#measured;
    measured.acknowledgedBps = 0;
    measured.roundTripMs = this.#roundTrip;
    measured.usefulBps = this.#usefulBps;
    this.#rate.update(measured, nowMs);
    this.#retarget(nowMs);
  }

  /** What the media could use, bits per second; above the target probes are asked for. */
  setDesired(bps: number, nowMs: number): void {
    this.#desiredBps = bps;
    // The bitrate of a layer is measured and moves a little all the time.
    if (bps > NEW_WISH * this.#wishBps) {
      this.#wishBps = bps;
      if (bps > this.#targetBps) this.#probes.hurry(nowMs);
    } else if (bps < FORGOTTEN_WISH * this.#wishBps) this.#wishBps = bps;
  }

  /** The probe to send now, if one is due. Each is given once. */
  nextProbe(nowMs: number): Probe | undefined {
    if (this.#state === 'overuse' || this.#loss.excess > PROBE_EXCESS_LOSS) return undefined;
    if (!this.#hasFeedback && this.#unanswered >= MAX_UNANSWERED) return undefined;
    if (this.#isEnough) return undefined;
    const probe = this.#probes.next(this.#targetBps, this.#usefulBps, this.#queue.jitterMs, nowMs);
    if (probe !== undefined && !this.#hasFeedback) this.#unanswered++;
    return probe;
  }

  /** To be called every 20 to 100 ms: missing feedback and probes that do not come back. */
  tick(nowMs: number): void {
    this.#sending.update(this.#targetBps, nowMs);
    this.#takeProbe(nowMs);
    if (!this.#hasFeedback) return;
    if (this.#history.count - this.#sentAtFeedback < TIMEOUT_PACKETS) return;
    const since = Math.max(this.#feedbackAt + FEEDBACK_TIMEOUT_MS, this.#timeoutAt + TIMEOUT_STEP_MS);
    if (nowMs < since) return;
    this.#timeoutAt = nowMs;
    this.#timedOut = true;
    this.#rate.set(this.#targetBps * TIMEOUT_FACTOR);
    this.#probes.reduced(nowMs);
    this.#retarget(nowMs);
  }

  /** What is wanted and a little more; above that an untried target would only let bursts grow. */
  get #usefulBps(): number {
    return WANTED_MARGIN * this.#desiredBps + WANTED_MARGIN_BPS;
  }

  get #isEnough(): boolean {
    if (this.#targetBps >= ENOUGH * this.#usefulBps) return true;
    return this.#targetBps >= this.#desiredBps && this.#sending.bps >= IN_FULL * this.#desiredBps;
  }

  #rembBoundBps(nowMs: number): number {
    // Of what nothing was sent over nothing is known.
    const sentBps = this.#history.count === 0 ? Number.POSITIVE_INFINITY : this.#sending.bps;
    return this.#remb.allowed(sentBps, nowMs);
  }

  get #roundTrip(): number {
    return this.roundTripMs ?? DEFAULT_ROUND_TRIP_MS;
  }

  /** Packets that no feedback reported on, because it was lost: without them too little would seem to arrive. */
  #takeGap({ baseSequenceNumber, statusCount, arrivals }: rtcp.TransportFeedback): void {
    const { states, sizes } = this.#history;
    const { count, size } = this.#history;
    const age = this.#history.age(baseSequenceNumber);
    if (age >= size || age >= count || arrivals.length === 0) return;
    const base = count - 1 - age;
    for (let number = Math.max(this.#reported, count - size); number < base; number++) {
      const slot = this.#history.slotOf(number);
      if (states[slot] !== IN_FLIGHT) continue;
      states[slot] = ASSUMED;
      this.#assumedBytes += sizes[slot]!;
    }
    this.#reported = Math.max(this.#reported, Math.min(count, base + statusCount));
  }

  #takeArrivals(feedback: rtcp.TransportFeedback): void {
    let arrivalMs = this.#clock.unwrap(feedback.referenceTime);
    for (const { sequenceNumber, delta } of feedback.arrivals) {
      arrivalMs += delta * rtcp.DELTA_MS;
      const slot = this.#history.find(sequenceNumber);
      if (slot >= 0 && this.#history.states[slot] !== RECEIVED) this.#takeArrival(slot, arrivalMs);
    }
  }

  #takeArrival(slot: number, arrivalMs: number): void {
    const { states, sentAt, sizes, clusters } = this.#history;
    const state = states[slot];
    const { train } = this.#probes;
    const probing = train !== undefined && clusters[slot] === train.cluster;
    if (state === LOST) {
      this.#lost--;
      if (probing) train.lost(-1);
    }
    states[slot] = RECEIVED;
    this.#received++;
    const sentMs = sentAt[slot]!;
    const size = sizes[slot]!;
    this.#newestSent = Math.max(this.#newestSent, sentMs);
    this.#acknowledged.add(state === ASSUMED ? 0 : size + this.#assumedBytes, arrivalMs);
    this.#assumedBytes = 0;
    this.#queue.add(arrivalMs - sentMs);
    if (this.#groups.add(sentMs, arrivalMs)) {
      this.#trend.update(this.#groups.receiveDelta, this.#groups.sendDelta, this.#groups.arrivalMs);
    }
    if (probing) train.received(size, sentMs, arrivalMs);
  }

  /** The packets that the feedback covers and that have not come, as far as they are remembered. */
  #takeLosses({ baseSequenceNumber, statusCount }: rtcp.TransportFeedback): void {
    const { states, clusters, size } = this.#history;
    const { train } = this.#probes;
    const count = Math.min(statusCount, 0xffff);
    // Older ones than are remembered are stepped over at once: forged ranges cost no more than honest ones.
    const age = this.#history.age(baseSequenceNumber);
    let skip = 0;
    if (age >= size) skip = age - size + 1;
    for (let i = skip; i < count && i - skip < size; i++) {
      const slot = this.#history.find((baseSequenceNumber + i) & 0xffff);
      if (slot < 0) return;
      if (states[slot] !== IN_FLIGHT) continue;
      states[slot] = LOST;
      this.#lost++;
      if (train !== undefined && clusters[slot] === train.cluster) train.lost(1);
    }
  }

  #takeRoundTrip(sample: number): void {
    if (sample < 0 || sample > MAX_ROUND_TRIP_MS) return;
    this.#feedbackRoundTripMs = smooth(this.#feedbackRoundTripMs, sample);
  }

  #control(nowMs: number): void {
    const { reducedAt } = this.#rate;
    const measured = this.#measured;
    measured.state = this.#trend.state;
    measured.acknowledgedBps = this.#acknowledged.bps;
    measured.sentBps = this.#sending.bps;
    measured.queueMs = this.#queue.queueMs;
    measured.standingMs = this.#queue.standingMs(nowMs);
    measured.ownQueueMs = this.#sending.ownQueueMs;
    measured.roundTripMs = this.#roundTrip;
    measured.usefulBps = this.#usefulBps;
    this.#state = judge(measured);
    if (this.#state === 'overuse') measured.capacityBps = this.#acknowledged.capacityBps(this.#queue.standingMs(nowMs));
    this.#rate.update(measured, nowMs);
    if (this.#loss.excess < PROBE_EXCESS_LOSS && this.#rate.vain) this.#queue.rebase();
    const lossReducedAt = this.#loss.reducedAt;
    this.#loss.update(this.#targetBps, measured.acknowledgedBps, measured.roundTripMs, nowMs);
    if (this.#rate.reducedAt !== reducedAt || this.#loss.reducedAt !== lossReducedAt) {
      this.#probes.reduced(nowMs);
      this.#sending.reduced();
    }
    this.#takeProbe(nowMs);
    this.#retarget(nowMs);
  }

  #takeProbe(nowMs: number): void {
    const bps = this.#probes.finish(this.#targetBps, this.#roundTrip, nowMs);
    if (bps === undefined || Math.min(bps, this.#usefulBps) <= this.#targetBps || this.#state === 'overuse') return;
    const raised = Math.min(bps, this.#usefulBps);
    this.#rate.set(raised);
    this.#loss.raise(raised);
    this.#retarget(nowMs);
  }

  #retarget(nowMs: number): void {
    const { minBps, maxBps } = this.#options;
    let bps = Math.min(this.#rate.bps, this.#loss.boundBps);
    if (!this.#hasFeedback) bps = Math.min(bps, this.#rembBoundBps(nowMs));
    this.#targetBps = Math.min(maxBps, Math.max(minBps, bps));
  }
}

const smooth = (mean: number | undefined, sample: number) =>
  mean === undefined ? sample : mean + ROUND_TRIP_SMOOTHING * (sample - mean);
