import { rtcp, rtp } from '@footlights/protocol';
import { emptyArrival, type Layer } from './layer.ts';
import { clockRates } from './negotiate/codecs.ts';
import { NOT_FORWARDED, PacketOrder } from './packet-order.ts';

/** A new SSRC takes the encoding over when the one before has been silent for this time. */
const SOURCE_SILENCE_MS = 1_000;

/** The packet at hand; a layer keeps nothing of it. */
const arrival = emptyArrival();

/** What was negotiated of a stream. */
export interface SourceFormat {
  payloadType: number;
  redPayloadType?: number;
  feedback: readonly string[];
}

/** The RTP stream of one encoding as it arrives: puts its packets in order, finds what is missing, reports on it. */
export class Source {
  readonly layer: Layer;
  readonly counters = { packets: 0, nacksSent: 0, plisSent: 0 };
  /** Asked for key frames by PLI (RFC 4585 section 6.3.1), else by FIR (RFC 5104 section 4.3.1). */
  readonly takesPli: boolean;
  readonly #payloadType: number;
  readonly #redPayloadType: number | undefined;
  /** The publisher sends again what it is asked for. */
  readonly #withNacks: boolean;
  readonly #order = new PacketOrder();
  #nacks: rtp.NackQueue | undefined;
  #reception: rtp.ReceptionStatistics;
  #ssrc: number | undefined;
  #lastPacketAt = Number.NEGATIVE_INFINITY;
  #newestTimestamp = 0;
  /** Added to the source's timestamps, so that a change of source does not show. */
  #timestampShift = 0;
  #lastReport: { middle32: number; at: number } | undefined;

  constructor(layer: Layer, { payloadType, redPayloadType, feedback }: SourceFormat) {
    this.layer = layer;
    this.#payloadType = payloadType;
    this.#redPayloadType = redPayloadType;
    this.takesPli = feedback.includes('nack pli') || !feedback.includes('ccm fir');
    this.#withNacks = feedback.includes('nack');
    this.#nacks = this.#withNacks ? new rtp.NackQueue() : undefined;
    this.#reception = new rtp.ReceptionStatistics(this.#clockRate);
  }

  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  get keyFrameAt(): number {
    return this.layer.keyFrameAt;
  }

  get packetsLost(): number {
    return Math.max(0, this.#reception.cumulativeLost);
  }

  get jitterMs(): number {
    return (this.#reception.jitter * 1_000) / this.#clockRate;
  }

  /** True when packets of `ssrc` belong here: it is the source, or the source is silent and this is the next one. */
  claim(ssrc: number, timestamp: number, now: number): boolean {
    if (this.#ssrc === ssrc) return true;
    if (this.#ssrc === undefined) this.#ssrc = ssrc;
    else if (now - this.#lastPacketAt < SOURCE_SILENCE_MS) return false;
    else this.#change(ssrc, timestamp, now);
    return true;
  }

  /** Takes in a packet of the source's SSRC; true when it was new. */
  receive(packet: rtp.Packet, now: number): boolean {
    this.#reception.update(packet.sequenceNumber, packet.timestamp, now);
    this.#lastPacketAt = now;
    this.counters.packets += 1;
    return this.#forward(packet, now);
  }

  /** Takes in a retransmission, which must be turned back into the packet that it repeats (RFC 4588 section 4). */
  receiveRetransmission(packet: rtp.Packet, now: number): boolean {
    if (this.#ssrc === undefined) return false;
    if (!rtp.rtx.restore(packet, { payloadType: this.#payloadType, ssrc: this.#ssrc })) return false;
    return this.#forward(packet, now);
  }

  /** Sequence numbers to ask the publisher for; what it could not send in time is worth a new key frame. */
  missing(now: number, roundTripMs: number): number[] {
    if (!this.#nacks || this.#nacks.size === 0) return [];
    const givenUpBefore = this.#nacks.givenUp;
    const due = this.#nacks.due(now, roundTripMs);
    this.counters.nacksSent += due.length;
    if (this.#nacks.givenUp > givenUpBefore && this.layer.codec !== 'opus') this.layer.keyFrames.request(now);
    return due;
  }

  /** The publisher's sender report: `localMs` is its NTP time by our clock. */
  senderReport(report: rtcp.SenderReport, localMs: number, now: number): void {
    this.layer.clock.set(localMs, (report.rtpTimestamp + this.#timestampShift) >>> 0);
    this.#lastReport = { middle32: rtcp.middle32(report.ntp), at: now };
  }

  /** The block of our receiver report; undefined before the first packet. */
  reportBlock(now: number): rtcp.ReportBlock | undefined {
    if (this.#ssrc === undefined || this.#lastPacketAt === Number.NEGATIVE_INFINITY) return undefined;
    const delay = this.#lastReport ? Math.round(((now - this.#lastReport.at) * 65_536) / 1_000) : 0;
    return this.#reception.reportBlock(this.#ssrc, this.#lastReport?.middle32 ?? 0, delay >>> 0);
  }

  get #clockRate(): number {
    return clockRates[this.layer.codec];
  }

  #forward(packet: rtp.Packet, now: number): boolean {
    const { payloadOffset, payloadEnd } = packet;
    this.#nacks?.received(packet.sequenceNumber);
    const number = this.#order.place(packet.sequenceNumber, payloadOffset === payloadEnd);
    if (number === NOT_FORWARDED) return false;
    arrival.buffer = packet.buffer;
    arrival.payloadOffset = payloadOffset;
    arrival.payloadEnd = payloadEnd;
    arrival.number = number;
    arrival.timestamp = (packet.timestamp + this.#timestampShift) >>> 0;
    arrival.marker = packet.marker;
    arrival.redundant = packet.payloadType === this.#redPayloadType;
    if (number === this.#order.newest) this.#newestTimestamp = arrival.timestamp;
    this.layer.receive(arrival, now);
    return true;
  }

  #change(ssrc: number, timestamp: number, now: number): void {
    const elapsed = Math.round(((now - this.#lastPacketAt) * this.#clockRate) / 1_000);
    this.#timestampShift = (this.#newestTimestamp + elapsed - timestamp) | 0;
    this.#order.changeSource();
    if (this.#withNacks) this.#nacks = new rtp.NackQueue();
    this.#reception = new rtp.ReceptionStatistics(this.#clockRate);
    this.#lastReport = undefined;
    this.#ssrc = ssrc;
    if (this.layer.codec !== 'opus') this.layer.keyFrames.request(now);
  }
}
