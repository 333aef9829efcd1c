import { h264, rtcp, rtp, vp8 } from '@footlights/protocol';
import type { DownTrack } from './down-track.ts';
import { KeyFrameRequests } from './key-frames.ts';
import { AUDIO_CACHE, MAX_REPLAY_AGE_MS, MAX_REPLAYED_PACKETS, VIDEO_CACHE } from './limits.ts';
import { clockRates } from './negotiate/codecs.ts';
import type { PublishedTrack } from './negotiate/publish.ts';
import { NOT_FORWARDED, PacketOrder } from './packet-order.ts';
import { ResendCache } from './resend.ts';
import type { TransportHost } from './rim/transport.ts';
import { TrackClock } from './sender-reports.ts';

/** A new SSRC takes the track over when the one before has been silent for this time. */
const SOURCE_SILENCE_MS = 1_000;

/** One track of a publisher: puts its packets in order, keeps the last ones, fans them out. */
export class UpTrack {
  readonly negotiated: PublishedTrack;
  readonly cache: ResendCache;
  readonly clock: TrackClock;
  readonly keyFrames: KeyFrameRequests;
  readonly #host: TransportHost;
  readonly #order = new PacketOrder();
  #nacks: rtp.NackQueue | undefined;
  #reception: rtp.ReceptionStatistics;
  readonly #downTracks: DownTrack[] = [];
  /** The destinations of the packet at hand; reused for each. */
  readonly #batch: DownTrack[] = [];
  #ssrc: number | undefined;
  #lastPacketAt = Number.NEGATIVE_INFINITY;
  #newestTimestamp = 0;
  /** Added to the source's timestamps, so that a change of source does not show. */
  #timestampShift = 0;
  #keyFrame: { number: number; timestamp: number; at: number } | undefined;
  #lastReport: { middle32: number; at: number } | undefined;

  /** `requestKeyFrame` asks the publisher. */
  constructor(negotiated: PublishedTrack, host: TransportHost, requestKeyFrame: () => void) {
    this.negotiated = negotiated;
    this.#host = host;
    this.cache = new ResendCache(negotiated.kind === 'video' ? VIDEO_CACHE : AUDIO_CACHE);
    this.clock = new TrackClock(clockRates[negotiated.codec]);
    this.keyFrames = new KeyFrameRequests(requestKeyFrame);
    this.#reception = new rtp.ReceptionStatistics(clockRates[negotiated.codec]);
    this.#nacks = negotiated.feedback.includes('nack') ? new rtp.NackQueue() : undefined;
  }

  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  get packetsLost(): number {
    return Math.max(0, this.#reception.cumulativeLost);
  }

  /** True when packets of `ssrc` belong here: it is the source, or the source is silent and this is the next one. */
  claim(ssrc: number, timestamp: number, now: number): boolean {
    if (this.#ssrc === ssrc) return true;
    if (this.#ssrc === undefined) this.#ssrc = ssrc;
    else if (now - this.#lastPacketAt < SOURCE_SILENCE_MS) return false;
    else this.#changeSource(ssrc, timestamp, now);
    return true;
  }

  /** Takes in a packet of the source's SSRC. */
  receive(packet: rtp.Packet, now: number): void {
    this.#reception.update(packet.sequenceNumber, packet.timestamp, now);
    this.#lastPacketAt = now;
    this.#forward(packet, now);
  }

  /** Takes in a retransmission, which must be turned back into the packet that it repeats (RFC 4588 section 4). */
  receiveRetransmission(packet: rtp.Packet, now: number): void {
    if (this.#ssrc === undefined) return;
    if (!rtp.rtx.restore(packet, { payloadType: this.negotiated.payloadType, ssrc: this.#ssrc })) return;
    this.#forward(packet, now);
  }

  add(downTrack: DownTrack, now: number): void {
    this.#downTracks.push(downTrack);
    if (this.negotiated.kind === 'video' && !this.#replay(downTrack, now)) this.keyFrames.request(now);
  }

  remove(downTrack: DownTrack): void {
    const index = this.#downTracks.indexOf(downTrack);
    if (index >= 0) this.#downTracks.splice(index, 1);
  }

  /** Asks again for a key frame while a subscriber waits for one: requests can get lost. */
  remindOfWaiters(now: number): void {
    if (this.negotiated.kind !== 'video') return;
    if (this.#downTracks.some((downTrack) => downTrack.waiting && !downTrack.paused)) this.keyFrames.request(now);
  }

  /** Sequence numbers to ask the publisher for; what it could not send in time is worth a new key frame. */
  missing(now: number, roundTripMs: number): number[] {
    if (!this.#nacks || this.#nacks.size === 0) return [];
    const givenUpBefore = this.#nacks.givenUp;
    const due = this.#nacks.due(now, roundTripMs);
    if (this.#nacks.givenUp > givenUpBefore && this.negotiated.kind === 'video') this.keyFrames.request(now);
    return due;
  }

  /** The publisher's sender report: `localMs` is its NTP time by our clock. */
  senderReport(report: rtcp.SenderReport, localMs: number, now: number): void {
    this.clock.set(localMs, (report.rtpTimestamp + this.#timestampShift) >>> 0);
    this.#lastReport = { middle32: rtcp.middle32(report.ntp), at: now };
  }

  /** The block of our receiver report; undefined before the first packet. */
  reportBlock(now: number): rtcp.ReportBlock | undefined {
    if (this.#ssrc === undefined || this.#lastPacketAt === Number.NEGATIVE_INFINITY) return undefined;
    const delay = this.#lastReport ? Math.round(((now - this.#lastReport.at) * 65_536) / 1_000) : 0;
    return this.#reception.reportBlock(this.#ssrc, this.#lastReport?.middle32 ?? 0, delay >>> 0);
  }

  #forward(packet: rtp.Packet, now: number): void {
    const { buffer, payloadOffset, payloadEnd } = packet;
    this.#nacks?.received(packet.sequenceNumber);
    const number = this.#order.place(packet.sequenceNumber, payloadOffset === payloadEnd);
    if (number === NOT_FORWARDED) return;
    const timestamp = (packet.timestamp + this.#timestampShift) >>> 0;
    const newest = number === this.#order.newest;
    if (newest) this.#newestTimestamp = timestamp;
    const startable =
      newest && (this.negotiated.kind === 'audio' || this.#startsKeyFrame(packet, number, timestamp, now));
    // Header and extensions end here: the bytes before the payload become the new header.
    const start = payloadOffset - rtp.HEADER_LENGTH;
    const outgoing = buffer.subarray(start, payloadEnd);
    outgoing[1] = packet.marker ? 0x80 : 0;
    outgoing.writeUInt32BE(timestamp, 4);
    this.cache.store(number, outgoing);
    this.#fanOut(outgoing, number, timestamp, startable);
  }

  #fanOut(packet: Buffer, number: number, timestamp: number, startable: boolean): void {
    const octets = packet.length - rtp.HEADER_LENGTH;
    let count = 0;
    for (const downTrack of this.#downTracks) {
      if (downTrack.admit(number, timestamp, startable, octets)) this.#batch[count++] = downTrack;
    }
    if (count > 0) this.#host.fanOut(packet, this.#batch, count);
  }

  /** True for the packet that begins a key frame: of several slices the first alone. */
  #startsKeyFrame(packet: rtp.Packet, number: number, timestamp: number, now: number): boolean {
    const { isKeyFrame } = this.negotiated.codec === 'VP8' ? vp8 : h264;
    if (timestamp === this.#keyFrame?.timestamp) return false;
    if (!isKeyFrame(packet.buffer, packet.payloadOffset, packet.payloadEnd)) return false;
    this.#keyFrame = { number, timestamp, at: now };
    this.keyFrames.arrived();
    return true;
  }

  /** Sends a new subscriber all since the last key frame; false when that is too much or not kept. */
  #replay(downTrack: DownTrack, now: number): boolean {
    const { newest } = this.#order;
    const from = this.#keyFrame;
    if (!from || now - from.at > MAX_REPLAY_AGE_MS || newest - from.number >= MAX_REPLAYED_PACKETS) return false;
    if (!this.cache.get(from.number)) return false;
    for (let number = from.number; number <= newest; number++) {
      const packet = this.cache.get(number);
      if (!packet) continue;
      const timestamp = packet.readUInt32BE(4);
      if (downTrack.admit(number, timestamp, number === from.number, packet.length - rtp.HEADER_LENGTH)) {
        this.#batch[0] = downTrack;
        this.#host.fanOut(packet, this.#batch, 1);
      }
    }
    return true;
  }

  #changeSource(ssrc: number, timestamp: number, now: number): void {
    const elapsed = Math.round(((now - this.#lastPacketAt) * clockRates[this.negotiated.codec]) / 1_000);
    this.#timestampShift = (this.#newestTimestamp + elapsed - timestamp) | 0;
    this.#order.changeSource();
    if (this.#nacks) this.#nacks = new rtp.NackQueue();
    this.#reception = new rtp.ReceptionStatistics(clockRates[this.negotiated.codec]);
    this.#lastReport = undefined;
    this.#ssrc = ssrc;
    this.keyFrames.request(now);
  }
}
