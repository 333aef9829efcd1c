import { rtcp, rtp } from '@footlights/protocol';
import { BandwidthAdvice } from './bandwidth-advice.ts';
import { Connection, type ConnectionContext, type ConnectionIdentity } from './connection.ts';
import { KeyFrameMessages } from './key-frames.ts';
import { FEEDBACK_INTERVAL_MS, MAX_RTP_PER_SECOND, MAX_SSRCS_PER_PUBLISHER, SILENCE_TIMEOUT_MS } from './limits.ts';
import type { CloseReason, ConnectionStatistics, LayerStatistics, TrackStatistics } from './media.ts';
import type { ExtensionIds, PublishedEncoding, PublishedTrack } from './negotiate/publish.ts';
import type { Publication } from './publication.ts';
import { PublisherClock } from './sender-reports.ts';
import { Source } from './source.ts';
import { VoiceMeter } from './speakers.ts';
import { UpTrack } from './up-track.ts';

/** Until we know better, a lost packet is asked for again after this time. */
const ASSUMED_RTT_MS = 100;
/** The bitrate limit is that of a mean over so many seconds. */
const BITRATE_SECONDS = 10;

/** A track of the offer: what was negotiated, where its packets go, and one source for each of its encodings. */
interface Inlet {
  readonly negotiated: PublishedTrack;
  readonly track: UpTrack;
  readonly sources: readonly Source[];
}

/** Where packets of an SSRC go. */
interface Route {
  readonly inlet: Inlet;
  readonly source: Source;
  readonly retransmission: boolean;
}

/** A participant's connection that sends: takes its packets apart and tells it what arrives. */
export class Publisher extends Connection implements Publication {
  override readonly role = 'publish';
  readonly tracks: readonly UpTrack[];
  readonly voice = new VoiceMeter();
  readonly #inlets: readonly Inlet[];
  readonly #extensions: ExtensionIds;
  /** By SSRC; `undefined` for one that is of no use. */
  readonly #routes = new Map<number, Route | undefined>();
  readonly #clock = new PublisherClock();
  readonly #ssrc: number;
  readonly #feedback: rtcp.TransportFeedbackBuilder;
  readonly #advice = new BandwidthAdvice();
  readonly #packet = rtp.emptyPacket();
  readonly #keyFrames: KeyFrameMessages<Source>;
  /** Media bytes of each of the last seconds, and of the one that runs. */
  readonly #bytesPerSecond: number[] = [];
  #bytes = 0;
  #rtpLeft = MAX_RTP_PER_SECOND;
  #feedbackSeen = false;
  #feedbackAt = 0;
  #firSequenceNumber = 0;
  #violation: CloseReason | undefined;

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
    this.#keyFrames = new KeyFrameMessages(
      (run) => context.later(run),
      (sources) => this.#requestKeyFrames(sources),
    );
    this.#inlets = tracks.map((negotiated) => this.#open(negotiated));
    this.tracks = this.#inlets.map(({ track }) => track);
    for (const inlet of this.#inlets) this.#announce(inlet);
    this.#feedback = new rtcp.TransportFeedbackBuilder(ssrc, tracks[0]?.encodings[0]?.ssrc ?? 0);
  }

  /** Every tick: what must not wait for the next report. */
  tick(now: number): void {
    if (!this.isConnected) return;
    if (this.#violation) {
      this.end(this.#violation);
      return;
    }
    for (const { track, sources } of this.#inlets) {
      track.tick(now);
      for (const source of sources) this.#askForMissing(source, now);
    }
    this.#keyFrames.tick(now);
    if (now - this.#feedbackAt >= FEEDBACK_INTERVAL_MS) this.#sendFeedback(now);
  }

  override statistics(): ConnectionStatistics {
    const now = this.context.clock.now();
    const sources = this.#inlets.flatMap((inlet) => inlet.sources);
    return {
      ...this.identity,
      role: this.role,
      connected: this.isConnected,
      ...this.counters,
      packetsSent: 0,
      bytesSent: 0,
      packetsLost: sources.reduce((sum, source) => sum + source.packetsLost, 0),
      nacksReceived: 0,
      retransmissions: 0,
      droppedByOverload: 0,
      tracks: this.#inlets.map((inlet) => describeTrack(inlet, now)),
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
    const route = this.#routes.has(packet.ssrc) ? this.#routes.get(packet.ssrc) : this.#learn(packet);
    if (!route) return;
    const { inlet, source, retransmission } = route;
    // Comfort noise or tones may share the SSRC; nobody is told how to decode them.
    if (!isExpected(packet.payloadType, inlet.negotiated, retransmission)) return;
    const bytes = packet.payloadEnd - packet.payloadOffset;
    if (retransmission) {
      if (source.receiveRetransmission(packet, now)) this.#bytes += bytes;
    } else if (source.claim(packet.ssrc, packet.timestamp, now)) {
      if (inlet.track.kind === 'audio') this.#listen(packet, now);
      if (source.receive(packet, now)) this.#bytes += bytes;
    }
  }

  protected override onRtcp(packets: readonly rtcp.Packet[], now: number): void {
    for (const packet of packets) {
      if (packet.type !== 'sr') continue;
      const source = this.#routes.get(packet.ssrc)?.source;
      if (source?.ssrc === packet.ssrc) source.senderReport(packet, this.#clock.toLocal(packet.ntp, now), now);
    }
  }

  protected override onReportInterval(now: number): void {
    this.#rtpLeft = MAX_RTP_PER_SECOND;
    this.#checkBitrate();
    for (const track of this.tracks) track.remindOfWaiters(now);
    const sources = this.#inlets.flatMap((inlet) => inlet.sources);
    const reports = sources.flatMap((source) => source.reportBlock(now) ?? []).slice(0, rtcp.MAX_COUNT);
    const packets: rtcp.Packet[] = [{ type: 'rr', ssrc: this.#ssrc, reports }, this.#description()];
    const bitrate = this.#advice.update(Math.max(0, ...reports.map(({ fractionLost }) => fractionLost / 256)));
    const wanted = this.#inlets.some(({ negotiated }) => negotiated.feedback.includes('goog-remb'));
    if (wanted && !this.#feedbackSeen) {
      const ssrcs = reports.map(({ ssrc }) => ssrc);
      packets.push({ type: 'remb', senderSsrc: this.#ssrc, mediaSsrc: 0, bitrate, ssrcs });
    }
    this.sendRtcp(packets);
  }

  #open(negotiated: PublishedTrack): Inlet {
    const { kind, codec, fmtp, payloadType, redPayloadType, encodings } = negotiated;
    const track: UpTrack = new UpTrack({
      description: {
        kind,
        codec,
        fmtp,
        encodingIds: encodings.map(({ id }) => id),
        ...(redPayloadType !== undefined && { redEncoding: payloadType }),
      },
      host: this.context.host,
      now: this.context.clock.now(),
      requestKeyFrame: (index) => {
        const source = sources[index];
        if (source) this.#keyFrames.request(source, this.context.clock.now());
      },
      resized: ({ width, height }) => {
        if (width * height > this.context.limits.pixels) this.#violation ??= 'resolution-exceeded';
      },
    });
    const sources = track.layers.map((layer) => new Source(layer, negotiated));
    return { negotiated, track, sources };
  }

  /** SSRCs of the offer need not be learned. */
  #announce(inlet: Inlet): void {
    for (const [index, { ssrc, rtxSsrc }] of inlet.negotiated.encodings.entries()) {
      const source = inlet.sources[index];
      if (!source) continue;
      if (ssrc !== undefined) this.#routes.set(ssrc, { inlet, source, retransmission: false });
      if (rtxSsrc !== undefined) this.#routes.set(rtxSsrc, { inlet, source, retransmission: true });
    }
  }

  #noteArrival(packet: rtp.Packet, now: number): void {
    const id = this.#extensions.transportSequenceNumber;
    if (id === undefined) return;
    const sequenceNumber = rtp.readExtensionUint16(packet, id);
    if (sequenceNumber === undefined) return;
    this.#feedbackSeen = true;
    this.#feedback.add(sequenceNumber, now);
  }

  #listen(packet: rtp.Packet, now: number): void {
    const id = this.#extensions.audioLevel;
    if (id === undefined) return;
    const level = rtp.readAudioLevel(packet, id);
    if (level >= 0) this.voice.add(level & 0x7f, now);
  }

  /** Finds out where a new SSRC belongs, and remembers it once that is certain. */
  #learn(packet: rtp.Packet): Route | undefined {
    if (this.#routes.size >= MAX_SSRCS_PER_PUBLISHER) return undefined;
    for (const inlet of this.#inlets) {
      const { rtxPayloadType, encodings } = inlet.negotiated;
      const retransmission = packet.payloadType === rtxPayloadType;
      if (!isExpected(packet.payloadType, inlet.negotiated, retransmission)) continue;
      const encoding = this.#encodingOf(packet, inlet.negotiated, retransmission);
      if (encoding === undefined) return undefined;
      const source = encoding && inlet.sources[encodings.indexOf(encoding)];
      const route = source ? { inlet, source, retransmission } : undefined;
      this.#routes.set(packet.ssrc, route);
      return route;
    }
    return undefined;
  }

  /**
   * The encoding that a packet belongs to; null for another m-line's and for a layer that was not accepted; undefined while that
   * cannot be told (RFC 9143 section 9.2, RFC 8852).
   */
  #encodingOf(
    packet: rtp.Packet,
    { mid, encodings }: PublishedTrack,
    retransmission: boolean,
  ): PublishedEncoding | null | undefined {
    const given = readText(packet, this.#extensions.mid);
    if (given !== undefined && given !== mid) return null;
    const [only] = encodings;
    if (encodings.length === 1 && only?.rid === undefined) return only;
    if (only?.rid === undefined) return null;
    const rid = readText(packet, retransmission ? this.#extensions.repairedRid : this.#extensions.rid);
    return rid === undefined ? undefined : (encodings.find((encoding) => encoding.rid === rid) ?? null);
  }

  #checkBitrate(): void {
    this.#bytesPerSecond.push(this.#bytes);
    this.#bytes = 0;
    if (this.#bytesPerSecond.length > BITRATE_SECONDS) this.#bytesPerSecond.shift();
    const bits = this.#bytesPerSecond.reduce((sum, bytes) => sum + bytes, 0) * 8;
    if (bits > this.context.limits.publishBps * BITRATE_SECONDS) this.#violation ??= 'bitrate-exceeded';
  }

  #askForMissing(source: Source, now: number): void {
    const mediaSsrc = source.ssrc;
    if (mediaSsrc === undefined) return;
    const missing = source.missing(now, ASSUMED_RTT_MS);
    if (missing.length === 0) return;
    this.#sendFeedbackPacket({ type: 'nack', senderSsrc: this.#ssrc, mediaSsrc, pairs: rtcp.nackPairs(missing) });
  }

  #sendFeedback(now: number): void {
    this.#feedbackAt = now;
    for (let report = this.#feedback.build(now); report; report = this.#feedback.build(now)) {
      this.#sendFeedbackPacket(report);
    }
  }

  /** One message for all of them. */
  #requestKeyFrames(sources: readonly Source[]): void {
    const packets: rtcp.Packet[] = [];
    const entries: { ssrc: number; sequenceNumber: number }[] = [];
    for (const source of sources) {
      const { ssrc } = source;
      if (ssrc === undefined) continue;
      source.counters.plisSent += 1;
      if (source.takesPli) packets.push({ type: 'pli', senderSsrc: this.#ssrc, mediaSsrc: ssrc });
      else entries.push({ ssrc, sequenceNumber: this.#nextFirNumber() });
    }
    if (entries.length > 0) packets.push({ type: 'fir', senderSsrc: this.#ssrc, mediaSsrc: 0, entries });
    if (packets.length > 0 && this.isConnected) this.#sendFeedbackPacket(...packets);
  }

  #nextFirNumber(): number {
    this.#firSequenceNumber = (this.#firSequenceNumber + 1) & 0xff;
    return this.#firSequenceNumber;
  }

  /** An empty receiver report goes first, so that peers without reduced-size RTCP understand it too (RFC 5506 section 2). */
  #sendFeedbackPacket(...packets: rtcp.Packet[]): void {
    this.sendRtcp([{ type: 'rr', ssrc: this.#ssrc, reports: [] }, ...packets]);
  }

  #description(): rtcp.SourceDescription {
    return rtcp.sourceDescription(this.#ssrc, 'footlights');
  }
}

function isExpected(payloadType: number, negotiated: PublishedTrack, retransmission: boolean): boolean {
  if (retransmission) return payloadType === negotiated.rtxPayloadType;
  return payloadType === negotiated.payloadType || payloadType === negotiated.redPayloadType;
}

function describeTrack({ track, sources }: Inlet, now: number): TrackStatistics {
  return {
    kind: track.kind,
    codec: track.codec,
    layers: sources.map((source) => describeLayer(track, source, now)),
  };
}

function describeLayer(track: UpTrack, source: Source, now: number): LayerStatistics {
  const { layer, counters } = source;
  return {
    ...(layer.encodingId !== undefined && { encodingId: layer.encodingId }),
    active: track.isActive(layer, now),
    bitrate: Math.round(layer.meter.bitrate(now)),
    width: layer.width,
    height: layer.height,
    framesPerSecond: Math.round(layer.meter.framesPerSecond(now)),
    packetsReceived: counters.packets,
    packetsLost: source.packetsLost,
    jitterMs: Math.round(source.jitterMs),
    keyFrames: layer.counters.keyFrames,
    nacksSent: counters.nacksSent,
    plisSent: counters.plisSent,
  };
}

function readText(packet: rtp.Packet, id: number | undefined): string | undefined {
  return id === undefined ? undefined : rtp.readExtensionText(packet, id);
}
