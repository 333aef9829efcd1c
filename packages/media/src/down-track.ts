import { rtcp, rtp } from '@footlights/protocol';
import type { SubscribedTrack } from './negotiate/subscribe.ts';
import type { ResendCache } from './resend.ts';
import type { Destination, RawTransport } from './rim/transport.ts';

const RECENT_RESENDS = 512;
/** Round trip to assume before the first receiver report. */
const DEFAULT_RTT_MS = 100;
const scratch = Buffer.alloc(65_536);

/** What the packet path of a track adds up. */
export interface DownTrackCounters {
  packetsSent: number;
  /** RTP payload without header, as sender reports count it (RFC 3550 section 6.4.1). */
  octetsSent: number;
  retransmissions: number;
  nacksReceived: number;
  droppedByOverload: number;
  /** Share of packets lost in the last report, 0 to 1, and all that were ever lost. */
  fractionLost: number;
  packetsLost: number;
  roundTripMs: number | undefined;
}

/** One track on its way to one subscriber: where it starts, its own numbers, its retransmissions. */
export class DownTrack implements Destination {
  readonly transport: RawTransport;
  readonly kind: 'audio' | 'video';
  readonly ssrc: number;
  readonly payloadType: number;
  sequenceNumber = 0;
  timestamp = 0;
  readonly counters: DownTrackCounters = {
    packetsSent: 0,
    octetsSent: 0,
    retransmissions: 0,
    nacksReceived: 0,
    droppedByOverload: 0,
    fractionLost: 0,
    packetsLost: 0,
    roundTripMs: undefined,
  };
  readonly #rtx: { payloadType: number; ssrc: number; sequenceNumber: number } | undefined;
  /** Number of the first packet since the last start; later numbers are shifted to follow what was sent before. */
  #first = Number.POSITIVE_INFINITY;
  #shift = 0;
  /** The highest of our own numbers given out, beyond 16 bits. */
  #highest: number;
  #lastTimestamp: number | undefined;
  #waiting = true;
  #paused = false;
  #resends: RecentResends | undefined;

  /** `newSequenceNumber` gives random 16-bit numbers to start with (RFC 3550 section 5.1). */
  constructor(transport: RawTransport, track: SubscribedTrack, newSequenceNumber: () => number) {
    this.transport = transport;
    this.kind = track.kind;
    this.ssrc = track.ssrc;
    this.payloadType = track.payloadType;
    this.#rtx = track.rtx && { ...track.rtx, sequenceNumber: newSequenceNumber() };
    // Kept above zero, so that the distance to an older number never makes a negative one.
    this.#highest = newSequenceNumber() + 0x10000;
  }

  /** True until a packet that the decoder can start with has come. */
  get waiting(): boolean {
    return this.#waiting;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Withholds the track; what follows `resume` starts at a key frame. */
  pause(): void {
    this.#paused = true;
    this.#waiting = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /**
   * Decides whether a packet goes to this subscriber and sets the fields that it will see. `number` counts the source's
   * packets in order; `startable` tells that a decoder can begin here; `octets` is the length of the payload.
   */
  admit(number: number, timestamp: number, startable: boolean, octets: number): boolean {
    if (this.#paused) {
      this.counters.droppedByOverload += 1;
      return false;
    }
    if (this.#waiting) {
      if (!startable) return false;
      this.#start(number);
    }
    if (number < this.#first) return false;
    const own = number + this.#shift;
    if (own > this.#highest) this.#highest = own;
    this.sequenceNumber = own & 0xffff;
    this.timestamp = timestamp;
    this.#lastTimestamp = timestamp;
    this.counters.packetsSent += 1;
    this.counters.octetsSent += octets;
    return true;
  }

  /** Sends again what the subscriber misses, each packet at most twice a round trip; returns how many were sent. */
  resend(sequenceNumbers: readonly number[], cache: ResendCache, now: number, budget: number): number {
    this.counters.nacksReceived += sequenceNumbers.length;
    this.#resends ??= new RecentResends();
    const pauseMs = (this.counters.roundTripMs ?? DEFAULT_RTT_MS) / 2;
    let sent = 0;
    for (const sequenceNumber of sequenceNumbers) {
      if (sent >= budget) break;
      const number = this.#numberOf(sequenceNumber);
      const packet = number === undefined ? undefined : cache.get(number);
      if (number === undefined || !packet || !this.#resends.allow(number, now, pauseMs)) continue;
      if (this.#sendAgain(sequenceNumber, packet)) sent += 1;
    }
    this.counters.retransmissions += sent;
    return sent;
  }

  /** Takes in what the subscriber reports about this track. */
  report(block: rtcp.ReportBlock, now: number): void {
    this.counters.fractionLost = block.fractionLost / 256;
    this.counters.packetsLost = Math.max(0, block.cumulativeLost);
    this.counters.roundTripMs = rtcp.roundTripMs(block, now) ?? this.counters.roundTripMs;
  }

  /** The sender report for `now`, given the RTP timestamp of that instant; undefined before the first packet. */
  senderReport(timestamp: number | undefined, now: number): rtcp.SenderReport | undefined {
    if (timestamp === undefined || this.#lastTimestamp === undefined) return undefined;
    const { packetsSent, octetsSent } = this.counters;
    return {
      type: 'sr',
      ssrc: this.ssrc,
      ntp: rtcp.ntpFromMs(now),
      rtpTimestamp: timestamp,
      packetCount: packetsSent >>> 0,
      octetCount: octetsSent >>> 0,
      reports: [],
    };
  }

  #start(number: number): void {
    this.#waiting = false;
    this.#first = number;
    this.#shift = this.#highest + 1 - number;
  }

  /** The source's number of one of ours, when it was sent since the last start. */
  #numberOf(sequenceNumber: number): number | undefined {
    const own = this.#highest + rtp.sequenceDelta(sequenceNumber, this.#highest & 0xffff);
    const number = own - this.#shift;
    return own <= this.#highest && number >= this.#first ? number : undefined;
  }

  #sendAgain(sequenceNumber: number, packet: Buffer): boolean {
    const header = {
      marker: (packet[1] ?? 0) >= 0x80,
      payloadType: this.payloadType,
      sequenceNumber,
      timestamp: packet.readUInt32BE(4),
      ssrc: this.ssrc,
    };
    if (!this.#rtx) {
      packet.copy(scratch);
      rtp.writeHeader(scratch, header);
      return this.transport.send(scratch.subarray(0, packet.length));
    }
    const { payloadType, ssrc } = this.#rtx;
    const rtxHeader = { ...header, payloadType, ssrc, sequenceNumber: this.#rtx.sequenceNumber };
    this.#rtx.sequenceNumber = (this.#rtx.sequenceNumber + 1) & 0xffff;
    const length = rtp.rtx.write(scratch, rtxHeader, sequenceNumber, packet, rtp.HEADER_LENGTH, packet.length);
    return this.transport.send(scratch.subarray(0, length));
  }
}

/** When packets were last sent again, by number: a fixed table in which new entries push out old ones. */
class RecentResends {
  readonly #numbers = new Float64Array(RECENT_RESENDS).fill(-1);
  readonly #times = new Float64Array(RECENT_RESENDS);

  /** False when the packet was sent again less than `pauseMs` ago; else notes it. */
  allow(number: number, now: number, pauseMs: number): boolean {
    const slot = number % RECENT_RESENDS;
    if (this.#numbers[slot] === number && now - (this.#times[slot] ?? 0) < pauseMs) return false;
    this.#numbers[slot] = number;
    this.#times[slot] = now;
    return true;
  }
}
