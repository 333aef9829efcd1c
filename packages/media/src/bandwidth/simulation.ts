import { rtcp } from '@footlights/protocol';
import { Pacer } from '../pacer.ts';
import { BandwidthEstimator, type BandwidthOptions } from './estimator.ts';
import type { Probe } from './probe-schedule.ts';

// A network in virtual time: what tests and benchmarks of the estimator run on. One step is one millisecond.

/** A value that changes: `[from this millisecond, value]`, in order. */
export type Schedule = readonly (readonly [atMs: number, value: number])[];

/** The path to the receiver and back. */
export interface Path {
  /** Of the bottleneck, bits per second. */
  capacity: Schedule;
  /** What its drop-tail queue holds, in milliseconds at the current capacity. 300 when absent. */
  queueMs?: number;
  /** One way. 20 when absent. */
  propagationMs?: number;
  /** Added to each packet, uniform from 0 to twice this. */
  jitterMs?: number;
  /** Late packets are overtaken by later ones; else they hold those back. */
  reorder?: boolean;
  /** Share of packets lost at random. */
  loss?: Schedule;
  /** Every so often the link stands still for a moment, as radio links do. */
  stall?: { everyMs: number; lengthMs: number };
  /** Every so often all packets of a moment are lost. */
  burstLoss?: { everyMs: number; lengthMs: number };
  /** Share of feedback packets lost. */
  feedbackLoss?: number;
  /** No feedback comes in this time. */
  feedbackOutage?: readonly [fromMs: number, toMs: number];
}

/** What a sender has to send: a rate that follows the target, layers of which the best that fits is sent, or a fixed rate. */
export type Source =
  | { type: 'elastic'; maxBps?: number }
  | { type: 'layers'; layersBps: readonly number[] }
  | { type: 'fixed'; rate: Schedule };

/** One connection over the path. */
export interface FlowOptions {
  source: Source;
  estimator?: Partial<BandwidthOptions>;
  startMs?: number;
  /** How often the receiver sends feedback; 50 to 100 ms, chosen anew each time, when absent. */
  feedbackMs?: number;
  /** The receiver's clock runs faster by this many parts in a million. */
  driftPpm?: number;
  /** What is wanted when it is not the source's maximum. */
  desired?: Schedule;
}

export interface Scenario {
  path: Path;
  flows: readonly FlowOptions[];
  /** Traffic that heeds nothing, bits per second. */
  cross?: Schedule;
  durationMs: number;
  seed?: number;
}

/** One line of the record, every 50 ms. */
export interface Sample {
  atMs: number;
  capacityBps: number;
  targetBps: number;
  acknowledgedBps: number;
  /** What the flow sent since the last sample. */
  sentBps: number;
  /** Time that a packet would wait, in the mean since the last sample. */
  queueMs: number;
  lossRatio: number;
}

export const SAMPLE_MS = 50;
const PACE_MS = 5;
/** How often the estimator is asked for a probe. */
const TICK_MS = 100;
const FRAME_MS = 1_000 / 30;
const PACKET_BYTES = 1_150;
const KEY_FRAME_FACTOR = 6;
const KEY_FRAME_INTERVAL_MS = 10_000;
/** From the wish for another layer to the key frame with which it begins. */
const SWITCH_MS = 150;
const AUDIO = { everyMs: 20, bytes: 110 };
const PROBE_PACKET_BYTES = 1_100;
const SLOTS = 8_192;

/** Deterministic randomness: mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function valueAt(schedule: Schedule, atMs: number): number {
  let value = schedule.length > 0 ? schedule[0]![1] : 0;
  for (let i = 1; i < schedule.length && atMs >= schedule[i]![0]; i++) value = schedule[i]![1];
  return value;
}

interface Flying {
  flow: Flow | undefined;
  sequenceNumber: number;
  bytes: number;
}

/** The bottleneck: serves a queue, drops what does not fit. */
class Bottleneck {
  readonly #path: Path;
  readonly #queue: Flying[] = [];
  #head = 0;
  #bits = 0;
  #served = 0;
  capacityBps = 0;

  constructor(path: Path) {
    this.#path = path;
  }

  get queueMs(): number {
    return ((this.#bits - this.#served) * 1_000) / this.capacityBps;
  }

  offer(packet: Flying): void {
    if (this.queueMs > (this.#path.queueMs ?? 300)) return;
    this.#queue.push(packet);
    this.#bits += packet.bytes * 8;
  }

  /** Serves one millisecond. */
  serve(nowMs: number, deliver: (packet: Flying, atMs: number) => void): void {
    this.capacityBps = valueAt(this.#path.capacity, nowMs);
    const { stall } = this.#path;
    if (stall && nowMs % stall.everyMs < stall.lengthMs) return;
    const budget = this.capacityBps / 1_000;
    let used = 0;
    while (this.#head < this.#queue.length) {
      const packet = this.#queue[this.#head]!;
      const left = packet.bytes * 8 - this.#served;
      if (used + left > budget) {
        this.#served += budget - used;
        break;
      }
      used += left;
      this.#served = 0;
      this.#bits -= packet.bytes * 8;
      this.#head++;
      deliver(packet, nowMs + used / budget);
    }
    if (this.#head < 1_000) return;
    this.#queue.splice(0, this.#head);
    this.#head = 0;
  }
}

/** The media: pushes packets into the pacer's queue. */
class Media {
  readonly #source: Source;
  readonly #random: () => number;
  #nextFrame = 0;
  #nextAudio = 0;
  #layer = 0;
  #wishedAt: number | undefined;
  #keyFrameAt = 0;

  constructor(source: Source, randomness: () => number) {
    this.#source = source;
    this.#random = randomness;
  }

  desiredBps(nowMs: number): number {
    if (this.#source.type === 'elastic') return this.#source.maxBps ?? 10_000_000;
    if (this.#source.type === 'fixed') return valueAt(this.#source.rate, nowMs);
    return this.#source.layersBps.at(-1)! + 100_000;
  }

  /** Bytes of the packets that come up in this millisecond. */
  step(targetBps: number, nowMs: number, push: (bytes: number) => void): void {
    if (nowMs >= this.#nextAudio) {
      this.#nextAudio += AUDIO.everyMs;
      push(AUDIO.bytes);
    }
    if (nowMs < this.#nextFrame) return;
    this.#nextFrame += FRAME_MS;
    let bytes = (this.#rate(targetBps, nowMs) / 8_000) * FRAME_MS * (0.8 + 0.4 * this.#random());
    for (; bytes > 0; bytes -= PACKET_BYTES) push(Math.max(100, Math.round(Math.min(bytes, PACKET_BYTES))));
  }

  #rate(targetBps: number, nowMs: number): number {
    const forVideo = targetBps - (AUDIO.bytes * 8_000) / AUDIO.everyMs;
    if (this.#source.type === 'elastic') return Math.max(10_000, Math.min(forVideo, this.#source.maxBps ?? forVideo));
    if (this.#source.type === 'fixed') return valueAt(this.#source.rate, nowMs);
    return this.#layered(this.#source.layersBps, forVideo, nowMs);
  }

  /** The best layer that fits; a switch waits for a key frame, which costs several frames. */
  #layered(layers: readonly number[], forVideo: number, nowMs: number): number {
    let best = 0;
    for (let i = 0; i < layers.length; i++) if (layers[i]! <= forVideo) best = i;
    if (best === this.#layer) this.#wishedAt = undefined;
    else this.#wishedAt ??= nowMs;
    const switching = this.#wishedAt !== undefined && nowMs - this.#wishedAt >= SWITCH_MS;
    if (switching) {
      this.#layer = best;
      this.#wishedAt = undefined;
    }
    if (!switching && nowMs < this.#keyFrameAt) return layers[this.#layer]!;
    this.#keyFrameAt = nowMs + KEY_FRAME_INTERVAL_MS;
    return layers[this.#layer]! * KEY_FRAME_FACTOR;
  }
}

/** Sender and receiver of one connection. */
class Flow {
  readonly estimator: BandwidthEstimator;
  readonly startMs: number;
  sentBytes = 0;
  readonly #options: FlowOptions;
  readonly #path: Path;
  readonly #random: () => number;
  readonly #media: Media;
  readonly #pacer = new Pacer();
  readonly #waiting: number[] = [];
  readonly #builder = new rtcp.TransportFeedbackBuilder(1, 2);
  readonly #returning: { atMs: number; feedback: rtcp.TransportFeedback }[] = [];
  #probe: (Probe & { sentBytes: number; packets: number; startedAt: number }) | undefined;
  #nextFeedback: number;

  constructor(options: FlowOptions, path: Path, randomness: () => number) {
    this.#options = options;
    this.#path = path;
    this.#random = randomness;
    this.startMs = options.startMs ?? 0;
    this.#nextFeedback = this.startMs;
    const bounds = { startBps: 300_000, minBps: 50_000, maxBps: 10_000_000, ...options.estimator };
    this.estimator = new BandwidthEstimator(bounds, this.startMs);
    this.#media = new Media(options.source, randomness);
  }

  step(nowMs: number, offer: (packet: Flying) => void): void {
    if (nowMs < this.startMs) return;
    const { estimator } = this;
    this.#takeFeedback(nowMs);
    if (nowMs % TICK_MS === 0) estimator.tick(nowMs);
    const desired = this.#options.desired;
    estimator.setDesired(desired ? valueAt(desired, nowMs) : this.#media.desiredBps(nowMs), nowMs);
    this.#pacer.setRate(estimator.targetBps);
    this.#media.step(estimator.targetBps, nowMs, (bytes) => this.#waiting.push(bytes));
    if (nowMs % PACE_MS === 0) this.#sendDue(nowMs, offer);
    this.#report(nowMs);
  }

  arrive(sequenceNumber: number, atMs: number): void {
    this.#builder.add(sequenceNumber, this.#receiverClock(atMs));
  }

  #receiverClock(atMs: number): number {
    return 5_000_000 + atMs * (1 + (this.#options.driftPpm ?? 0) / 1e6);
  }

  #sendDue(nowMs: number, offer: (packet: Flying) => void): void {
    while (this.#waiting.length > 0 && this.#pacer.canSend(this.#waiting[0]!, nowMs)) {
      this.#send(this.#waiting.shift()!, 0, nowMs, offer);
    }
    if (this.#probe === undefined && nowMs % TICK_MS === 0) {
      const probe = this.estimator.nextProbe(nowMs);
      if (probe) this.#probe = { ...probe, sentBytes: 0, packets: 0, startedAt: nowMs };
    }
    this.#sendProbe(nowMs, offer);
  }

  #sendProbe(nowMs: number, offer: (packet: Flying) => void): void {
    const probe = this.#probe;
    if (!probe) return;
    const size = Math.min(PROBE_PACKET_BYTES, Math.ceil(probe.bytes / probe.minPackets));
    const due = ((nowMs - probe.startedAt + PACE_MS) * probe.bps) / 8_000;
    while (probe.sentBytes < due && (probe.sentBytes < probe.bytes || probe.packets < probe.minPackets)) {
      this.#send(size, probe.cluster, nowMs, offer);
      probe.sentBytes += size;
      probe.packets++;
    }
    if (probe.sentBytes >= probe.bytes && probe.packets >= probe.minPackets) this.#probe = undefined;
  }

  #send(bytes: number, cluster: number, nowMs: number, offer: (packet: Flying) => void): void {
    const sequenceNumber = this.estimator.sent(bytes, nowMs, cluster);
    this.sentBytes += bytes;
    offer({ flow: this, sequenceNumber, bytes });
  }

  /** The receiver's feedback, and its way back. */
  #report(nowMs: number): void {
    if (nowMs < this.#nextFeedback) return;
    this.#nextFeedback = nowMs + (this.#options.feedbackMs ?? 50 + 50 * this.#random());
    const { propagationMs = 20, jitterMs = 0, feedbackLoss = 0, feedbackOutage } = this.#path;
    for (;;) {
      const feedback = this.#builder.build(this.#receiverClock(nowMs));
      if (!feedback) return;
      if (this.#random() < feedbackLoss) continue;
      if (feedbackOutage && nowMs >= feedbackOutage[0] && nowMs < feedbackOutage[1]) continue;
      this.#returning.push({ atMs: nowMs + propagationMs + 2 * jitterMs * this.#random(), feedback });
    }
  }

  #takeFeedback(nowMs: number): void {
    for (let i = 0; i < this.#returning.length; ) {
      if (this.#returning[i]!.atMs > nowMs) i++;
      else this.estimator.onFeedback(this.#returning.splice(i, 1)[0]!.feedback, nowMs);
    }
  }
}

/** Runs a scenario; returns the record of each flow. */
export function simulate(scenario: Scenario): Sample[][] {
  return new Network(scenario).run();
}

class Network {
  readonly #scenario: Scenario;
  readonly #random: () => number;
  readonly #flows: Flow[];
  readonly #bottleneck: Bottleneck;
  /** Packets on the wire by the millisecond of their arrival. */
  readonly #flying: { packet: Flying; atMs: number }[][] = Array.from({ length: SLOTS }, () => []);
  #crossBytes = 0;
  #queueSum = 0;
  #lastArrival = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = random(scenario.seed ?? 1);
    this.#bottleneck = new Bottleneck(scenario.path);
    this.#flows = scenario.flows.map((flow) => new Flow(flow, scenario.path, this.#random));
  }

  run(): Sample[][] {
    const records: Sample[][] = this.#flows.map(() => []);
    for (let now = 0; now < this.#scenario.durationMs; now++) {
      this.#bottleneck.serve(now, (packet, atMs) => this.#fly(packet, atMs));
      this.#land(now);
      this.#sendCross(now);
      for (const flow of this.#flows) flow.step(now, (packet) => this.#bottleneck.offer(packet));
      this.#queueSum += this.#bottleneck.queueMs;
      if (now % SAMPLE_MS !== 0) continue;
      for (const [i, flow] of this.#flows.entries()) records[i]!.push(this.#sample(flow, now));
      this.#queueSum = 0;
    }
    return records;
  }

  #sendCross(nowMs: number): void {
    this.#crossBytes += valueAt(this.#scenario.cross ?? [], nowMs) / 8_000;
    for (; this.#crossBytes >= PACKET_BYTES; this.#crossBytes -= PACKET_BYTES) {
      this.#bottleneck.offer({ flow: undefined, sequenceNumber: 0, bytes: PACKET_BYTES });
    }
  }

  #fly(packet: Flying, atMs: number): void {
    const { propagationMs = 20, jitterMs = 0, reorder = false, loss = [], burstLoss } = this.#scenario.path;
    if (packet.flow === undefined || this.#random() < valueAt(loss, atMs)) return;
    if (burstLoss && atMs % burstLoss.everyMs < burstLoss.lengthMs && atMs > burstLoss.everyMs) return;
    let arrival = atMs + propagationMs + 2 * jitterMs * this.#random();
    if (!reorder) arrival = Math.max(arrival, this.#lastArrival);
    this.#lastArrival = Math.max(arrival, this.#lastArrival);
    this.#flying[Math.ceil(arrival) & (SLOTS - 1)]!.push({ packet, atMs: arrival });
  }

  #land(nowMs: number): void {
    const slot = this.#flying[nowMs & (SLOTS - 1)]!;
    if (slot.length > 1) slot.sort((a, b) => a.atMs - b.atMs);
    for (const { packet, atMs } of slot) packet.flow?.arrive(packet.sequenceNumber, atMs);
    slot.length = 0;
  }

  #sample(flow: Flow, atMs: number): Sample {
    const { targetBps, acknowledgedBps, lossRatio } = flow.estimator;
    const sentBps = (flow.sentBytes * 8_000) / SAMPLE_MS;
    flow.sentBytes = 0;
    const { capacityBps } = this.#bottleneck;
    const queueMs = this.#queueSum / (atMs === 0 ? 1 : SAMPLE_MS);
    return { atMs, capacityBps, targetBps, acknowledgedBps, sentBps, queueMs, lossRatio };
  }
}
