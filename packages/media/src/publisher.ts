import { rtcp, rtp } from '@footlights/protocol';
import { BandwidthAdvice } from './bandwidth-advice.ts';
import { Connection, type ConnectionContext, type ConnectionIdentity } from './connection.ts';
import { FEEDBACK_INTERVAL_MS, MAX_RTP_PER_SECOND, MAX_SSRCS_PER_PUBLISHER, SILENCE_TIMEOUT_MS } from './limits.ts';
import type { ConnectionStatistics } from './media.ts';
import type { Kind } from './negotiate/codecs.ts';
import type { ExtensionIds, PublishedTrack } from './negotiate/publish.ts';
import { PublisherClock } from './sender-reports.ts';
import { UpTrack } from './up-track.ts';

/** Until we know better, a lost packet is asked for again after this time. */
const ASSUMED_RTT_MS = 100;

/** Where packets of an SSRC go. */
interface Route {
  readonly track: UpTrack;
  readonly retransmission: boolean;
  /** False for a simulcast layer or an m-line that was not accepted. */
  wanted: boolean;
}

/** A participant's connection that sends: takes its packets apart and tells it what arrives. */
export class Publisher extends Connection {
  override readonly role = 'publish';
  readonly tracks: readonly UpTrack[];
  readonly #extensions: ExtensionIds;
  /** By SSRC. */
  readonly #routes = new Map<number, Route>();
  readonly #clock = new PublisherClock();
  readonly #ssrc: number;
  readonly #feedback: rtcp.TransportFeedbackBuilder;
  readonly #advice = new BandwidthAdvice();
  readonly #packet = rtp.emptyPacket();
  #rtpLeft = MAX_RTP_PER_SECOND;
  #feedbackSeen = false;
  #feedbackAt = 0;
  #firSequenceNumber = 0;

  /** `ssrc` is ours in the reports to this peer. */
  constructor(
    identity: ConnectionIdentity,
    tracks: readonly PublishedTrack[],
    ssrc: number,
    context: ConnectionContext,
  ) {
    super(identity, context);
    this.#ssrc = ssrc;
    this.#extensions = Object.assign({}, ...tracks.map(({ extensions }) => extensions));
    this.tracks = tracks.map((track) => {
      const upTrack: UpTrack = new UpTrack(track, context.host, () => this.#requestKeyFrame(upTrack));
      return upTrack;
    });
    for (const track of this.tracks) this.#announce(track);
    this.#feedback = new rtcp.TransportFeedbackBuilder(ssrc, tracks[0]?.ssrc ?? 0);
  }

  track(kind: Kind): UpTrack | undefined {
    return this.tracks.find(({ negotiated }) => negotiated.kind === kind);
  }

  /** Every tick: what must not wait for the next report. */
  tick(now: number): void {
    if (!this.isConnected) return;
    for (const track of this.tracks) {
      track.keyFrames.tick(now);
      this.#askForMissing(track, now);
    }
    if (now - this.#feedbackAt >= FEEDBACK_INTERVAL_MS) this.#sendFeedback(now);
  }

  override statistics(): ConnectionStatistics {
    return {
      ...this.identity,
      role: this.role,
      connected: this.isConnected,
      ...this.counters,
      packetsSent: 0,
      bytesSent: 0,
      packetsLost: this.tracks.reduce((sum, track) => sum + track.packetsLost, 0),
      nacksReceived: 0,
      retransmissions: 0,
      droppedByOverload: 0,
    };
  }

  protected override get silenceTimeoutMs(): number {
    return SILENCE_TIMEOUT_MS;
  }

  protected override onConnected(): void {}

  protected override onRtp(buffer: Buffer, now: number): void {
    const packet = this.#packet;
    if (this.#rtpLeft <= 0 || !rtp.parseInto(packet, buffer)) return;
    this.#rtpLeft -= 1;
    this.#noteArrival(packet, now);
    const route = this.#routes.get(packet.ssrc) ?? this.#learn(packet);
    if (!route?.wanted) return;
    const { track, retransmission } = route;
    const { payloadType, rtxPayloadType } = track.negotiated;
    // Comfort noise or tones may share the SSRC; nobody is told how to decode them.
    if (packet.payloadType !== (retransmission ? rtxPayloadType : payloadType)) return;
    if (retransmission) track.receiveRetransmission(packet, now);
    else if (track.claim(packet.ssrc, packet.timestamp, now)) track.receive(packet, now);
  }

  protected override onRtcp(packets: readonly rtcp.Packet[], now: number): void {
    for (const packet of packets) {
      if (packet.type !== 'sr') continue;
      const track = this.tracks.find(({ ssrc }) => ssrc === packet.ssrc);
      track?.senderReport(packet, this.#clock.toLocal(packet.ntp, now), now);
    }
  }

  protected override onReportInterval(now: number): void {
    this.#rtpLeft = MAX_RTP_PER_SECOND;
    for (const track of this.tracks) track.remindOfWaiters(now);
    const reports = this.tracks.flatMap((track) => track.reportBlock(now) ?? []);
    const packets: rtcp.Packet[] = [{ type: 'rr', ssrc: this.#ssrc, reports }, this.#description()];
    const bitrate = this.#advice.update(Math.max(0, ...reports.map(({ fractionLost }) => fractionLost / 256)));
    const wanted = this.tracks.some(({ negotiated }) => negotiated.feedback.includes('goog-remb'));
    if (wanted && !this.#feedbackSeen) {
      const ssrcs = reports.map(({ ssrc }) => ssrc);
      packets.push({ type: 'remb', senderSsrc: this.#ssrc, mediaSsrc: 0, bitrate, ssrcs });
    }
    this.sendRtcp(packets);
  }

  /** SSRCs of the offer need not be learned. */
  #announce(track: UpTrack): void {
    const { ssrc, rtxSsrc } = track.negotiated;
    if (ssrc !== undefined) this.#routes.set(ssrc, { track, retransmission: false, wanted: true });
    if (rtxSsrc !== undefined) this.#routes.set(rtxSsrc, { track, retransmission: true, wanted: true });
  }

  #noteArrival(packet: rtp.Packet, now: number): void {
    const id = this.#extensions.transportSequenceNumber;
    if (id === undefined) return;
    const sequenceNumber = rtp.readExtensionUint16(packet, id);
    if (sequenceNumber === undefined) return;
    this.#feedbackSeen = true;
    this.#feedback.add(sequenceNumber, now);
  }

  /** Finds out where a new SSRC belongs, and remembers it once that is certain. */
  #learn(packet: rtp.Packet): Route | undefined {
    if (this.#routes.size >= MAX_SSRCS_PER_PUBLISHER) return undefined;
    for (const track of this.tracks) {
      const retransmission = packet.payloadType === track.negotiated.rtxPayloadType;
      if (!retransmission && packet.payloadType !== track.negotiated.payloadType) continue;
      const route: Route = { track, retransmission, wanted: true };
      const answer = this.#isWanted(packet, route);
      if (answer === undefined) return undefined;
      route.wanted = answer;
      this.#routes.set(packet.ssrc, route);
      return route;
    }
    return undefined;
  }

  /** False for another m-line's or layer's packet; undefined while that cannot be told (RFC 9143 section 9.2, RFC 8852). */
  #isWanted(packet: rtp.Packet, { track, retransmission }: Route): boolean | undefined {
    const { negotiated } = track;
    const mid = readText(packet, this.#extensions.mid);
    if (mid !== undefined && mid !== negotiated.mid) return false;
    if (negotiated.rid === undefined) return true;
    const rid = readText(packet, retransmission ? this.#extensions.repairedRid : this.#extensions.rid);
    return rid === undefined ? undefined : rid === negotiated.rid;
  }

  #askForMissing(track: UpTrack, now: number): void {
    const mediaSsrc = track.ssrc;
    if (mediaSsrc === undefined) return;
    const missing = track.missing(now, ASSUMED_RTT_MS);
    if (missing.length === 0) return;
    this.#sendFeedbackPacket({
      type: 'nack',
      senderSsrc: this.#ssrc,
      mediaSsrc,
      pairs: rtcp.nackPairs(missing),
    });
  }

  #sendFeedback(now: number): void {
    this.#feedbackAt = now;
    for (let report = this.#feedback.build(now); report; report = this.#feedback.build(now)) {
      this.#sendFeedbackPacket(report);
    }
  }

  #requestKeyFrame({ ssrc, negotiated }: UpTrack): void {
    if (ssrc === undefined) return;
    if (negotiated.feedback.includes('nack pli') || !negotiated.feedback.includes('ccm fir')) {
      this.#sendFeedbackPacket({ type: 'pli', senderSsrc: this.#ssrc, mediaSsrc: ssrc });
      return;
    }
    this.#firSequenceNumber = (this.#firSequenceNumber + 1) & 0xff;
    const entries = [{ ssrc, sequenceNumber: this.#firSequenceNumber }];
    this.#sendFeedbackPacket({ type: 'fir', senderSsrc: this.#ssrc, mediaSsrc: 0, entries });
  }

  /** An empty receiver report goes first, so that peers without reduced-size RTCP understand it too (RFC 5506 section 2). */
  #sendFeedbackPacket(packet: rtcp.Packet): void {
    this.sendRtcp([{ type: 'rr', ssrc: this.#ssrc, reports: [] }, packet]);
  }

  #description(): rtcp.SourceDescription {
    return rtcp.sourceDescription(this.#ssrc, 'footlights');
  }
}

function readText(packet: rtp.Packet, id: number | undefined): string | undefined {
  return id === undefined ? undefined : rtp.readExtensionText(packet, id);
}
