import { sequenceDelta } from '../rtp/sequence.ts';
import { DELTA_MS, REFERENCE_MS } from './transport-feedback.ts';
import type { TransportArrival, TransportFeedback } from './types.ts';

/** Arrivals kept, a power of two: a jump beyond it starts anew. */
const WINDOW = 4096;
/** Packets, lost ones included, in one feedback, and arrivals among them: together at most 1,116 bytes, below any MTU. */
const MAX_STATUSES = 1024;
const MAX_ARRIVALS = 400;
/** Arrivals older than this are no news to a bandwidth estimator. */
const MAX_AGE_MS = 5000;

const TICKS_PER_REFERENCE = REFERENCE_MS / DELTA_MS;

/**
 * Collects arrivals and builds transport-wide feedback from them (draft-holmer-rmcat-transport-wide-cc-extensions-01 3).
 * Memory is fixed: a ring of arrival times. A packet that arrives late is reported again with those behind it.
 */
export class TransportFeedbackBuilder {
  private readonly senderSsrc: number;
  private readonly mediaSsrc: number;
  /** Arrival in ticks of 250 microseconds by extended sequence number modulo WINDOW; NaN for none. */
  private readonly ring = new Float64Array(WINDOW).fill(Number.NaN);
  /** Extended; undefined before the first packet. */
  private highest: number | undefined;
  private restartAt = -1;
  /** The first sequence number of the next feedback. */
  private next = 0;
  private feedbackPacketCount = 0;

  constructor(senderSsrc: number, mediaSsrc: number) {
    this.senderSsrc = senderSsrc;
    this.mediaSsrc = mediaSsrc;
  }

  /** Takes in the arrival of a transport-wide sequence number; a duplicate and a straggler from far behind are ignored. */
  add(sequenceNumber: number, arrivalMs: number): void {
    const extended = this.accept(sequenceNumber);
    if (extended === undefined || !Number.isNaN(this.ring[slot(extended)]!)) return;
    this.ring[slot(extended)] = Math.round(arrivalMs / DELTA_MS);
    this.next = Math.min(this.next, extended);
  }

  /** The extended number, once the window holds it; undefined for a straggler. */
  private accept(sequenceNumber: number): number | undefined {
    if (this.highest === undefined) return this.restart(sequenceNumber);
    const delta = sequenceDelta(sequenceNumber, this.highest & 0xffff);
    if (delta >= WINDOW) return this.restart(sequenceNumber);
    if (delta <= -WINDOW) {
      // One packet from far behind is a straggler; two in a row are a sender that has started again (RFC 3550 A.1).
      if (sequenceNumber === this.restartAt) return this.restart(sequenceNumber);
      this.restartAt = (sequenceNumber + 1) & 0xffff;
      return undefined;
    }
    this.restartAt = -1;
    const extended = this.highest + delta;
    for (let fresh = this.highest + 1; fresh <= extended; fresh++) this.ring[slot(fresh)] = Number.NaN;
    this.highest = Math.max(this.highest, extended);
    return extended;
  }

  private restart(sequenceNumber: number): number {
    this.ring.fill(Number.NaN);
    this.restartAt = -1;
    this.highest = sequenceNumber;
    this.next = sequenceNumber;
    return sequenceNumber;
  }

  /** The next feedback, or undefined when all is reported; call until then. `nowMs` is of the same clock as the arrivals. */
  build(nowMs: number): TransportFeedback | undefined {
    const first = this.firstArrival(nowMs / DELTA_MS - MAX_AGE_MS / DELTA_MS);
    if (first === undefined) return undefined;
    const base = Math.max(this.next, first - MAX_STATUSES + 1);
    const referenceTime = Math.floor(this.ring[slot(first)]! / TICKS_PER_REFERENCE);
    const arrivals = this.arrivalsFrom(first, base, referenceTime * TICKS_PER_REFERENCE);
    const feedbackPacketCount = this.feedbackPacketCount;
    this.feedbackPacketCount = (feedbackPacketCount + 1) & 0xff;
    return {
      type: 'transport-cc',
      senderSsrc: this.senderSsrc,
      mediaSsrc: this.mediaSsrc,
      baseSequenceNumber: base & 0xffff,
      statusCount: this.next - base,
      referenceTime: (referenceTime << 8) >> 8,
      feedbackPacketCount,
      arrivals,
    };
  }

  /** The first arrival that is still to be reported; what lies before one that is too old is passed over with it. */
  private firstArrival(oldestTicks: number): number | undefined {
    if (this.highest === undefined) return undefined;
    this.next = Math.max(this.next, this.highest - WINDOW + 1);
    for (let at = this.next; at <= this.highest; at++) {
      const ticks = this.ring[slot(at)]!;
      if (ticks >= oldestTicks) return at;
      if (!Number.isNaN(ticks)) this.next = at + 1;
    }
    return undefined;
  }

  /** Arrivals from `first` until a limit of the format is met; moves `next` behind the last. */
  private arrivalsFrom(first: number, base: number, referenceTicks: number): TransportArrival[] {
    const end = Math.min(this.highest! + 1, base + MAX_STATUSES);
    const arrivals: TransportArrival[] = [];
    let ticks = referenceTicks;
    for (let at = first; at < end && arrivals.length < MAX_ARRIVALS; at++) {
      const arrival = this.ring[slot(at)]!;
      if (Number.isNaN(arrival)) continue;
      const delta = arrival - ticks;
      if (delta < -0x8000 || delta > 0x7fff) break;
      arrivals.push({ sequenceNumber: at & 0xffff, delta });
      ticks = arrival;
      this.next = at + 1;
    }
    return arrivals;
  }
}

const slot = (extended: number) => extended & (WINDOW - 1);
