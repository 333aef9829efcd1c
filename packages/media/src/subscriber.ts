import { rtcp, rtp } from '@footlights/protocol';
import { BandwidthEstimator } from './bandwidth/index.ts';
import { Connection, type ConnectionContext, type ConnectionIdentity } from './connection.ts';
import { DownTrack, type Path } from './down-track.ts';
import type { Layer } from './layer.ts';
import { LayerChooser } from './layer-choice.ts';
import {
  AUDIO_SILENCE_TIMEOUT_MS,
  MAX_ESTIMATE_BPS,
  MAX_NACKED_PER_SECOND,
  MAX_QUEUE_MS,
  MAX_RESENDS_PER_SECOND,
  MIN_ESTIMATE_BPS,
  SILENCE_TIMEOUT_MS,
  START_ESTIMATE_BPS,
  START_ESTIMATE_OF_ONE_LAYER_BPS,
} from './limits.ts';
import type { ConnectionStatistics, Layers, TrackStatistics } from './media.ts';
import type { Kind } from './negotiate/codecs.ts';
import type { SubscribedTrack } from './negotiate/subscribe.ts';
import type { Sheddable } from './overload.ts';
import { Pacer } from './pacer.ts';
import type { BudgetHolder } from './participant-budgets.ts';
import { ProbeSender } from './probe-sender.ts';
import { type Publication, trackOf } from './publication.ts';
import type { Destination, OutgoingPacket } from './rim/transport.ts';
import type { UpTrack } from './up-track.ts';

/** More than loss and round trips make anybody. */
const SLOWEST = 1e6;

/** One track of the publisher and what becomes of it here. */
interface Flow {
  upTrack: UpTrack;
  downTrack: DownTrack;
}

/** What a subscriber is made of. */
export interface SubscriberOptions {
  identity: ConnectionIdentity;
  tracks: readonly SubscribedTrack[];
  publication: Publication;
  /** The layer to start with. */
  initialLayer: 'lowest' | 'highest';
  newSequenceNumber(): number;
}

/** A participant's connection that receives one publisher, as much of it as the way there carries. */
export class Subscriber extends Connection implements Sheddable, Path, BudgetHolder {
  override readonly role = 'subscribe';
  readonly publication: Publication;
  readonly #flows: readonly Flow[];
  readonly #video: Flow | undefined;
  readonly #startsHigh: boolean;
  /** Absent for a peer that gives no feedback to estimate by. */
  readonly #estimator: BandwidthEstimator | undefined;
  readonly #hasTransportFeedback: boolean;
  readonly #pacer = new Pacer();
  readonly #chooser = new LayerChooser();
  readonly #one: Destination[] = [];
  #probe: ProbeSender | undefined;
  /** The RID that the peer wants; undefined: the best that fits. */
  #pinned: string | undefined;
  #usedBps = 0;
  #nackedLeft = MAX_NACKED_PER_SECOND;
  #resendsLeft = MAX_RESENDS_PER_SECOND;

  constructor(options: SubscriberOptions, context: ConnectionContext) {
    super(options.identity, context);
    this.publication = options.publication;
    this.#startsHigh = options.initialLayer === 'highest';
    this.#flows = options.tracks.flatMap((track) => {
      const upTrack = trackOf(options.publication, track.kind);
      return upTrack ? { upTrack, downTrack: new DownTrack(this, track, options.newSequenceNumber) } : [];
    });
    this.#video = this.#flows.find(({ downTrack }) => downTrack.kind === 'video');
    this.#hasTransportFeedback = options.tracks.some(({ extension }) => extension?.bytes === 2);
    this.#estimator = this.#makeEstimator(options.tracks);
  }

  get served(): Kind | undefined {
    return this.isConnected ? this.#kindThat(false, ['video', 'audio']) : undefined;
  }

  get withheld(): Kind | undefined {
    return this.#kindThat(true, ['audio', 'video']);
  }

  /** Sound in which nobody speaks counts first, then loss, then the round trip. */
  slowness(now: number): number {
    const counters = this.#flows.map(({ downTrack }) => downTrack.counters);
    const loss = Math.max(0, ...counters.map(({ fractionLost }) => fractionLost));
    const isSilence = this.served !== 'video' && this.publication.voice?.isSilent(now);
    return (isSilence ? SLOWEST : 0) + loss * 10_000 + this.#roundTripMs;
  }

  /** Whose download this is, among all of the worker. */
  get participant(): string {
    const { stageId, participantId } = this.identity;
    return `${stageId}/${participantId}`;
  }

  get usedBps(): number {
    return this.#usedBps;
  }

  shed(): void {
    this.#flowOfKind(this.served)?.downTrack.pause();
  }

  restore(now: number): void {
    const flow = this.#flowOfKind(this.withheld);
    flow?.downTrack.resume();
    if (flow?.downTrack.kind === 'video') flow.downTrack.layer?.keyFrames.request(now);
  }

  override end(...[reason]: Parameters<Connection['end']>): void {
    for (const { upTrack, downTrack } of this.#flows) upTrack.remove(downTrack);
    super.end(reason);
  }

  // The path of the down-tracks.

  admits(bytes: number, now: number): boolean {
    return !this.#estimator?.hasFeedback || this.#pacer.canSend(bytes, now);
  }

  leaves(bytes: number, extensionBytes: number, now: number, probe?: number): number {
    // With transport-wide feedback only what it reports on counts; without, the reports are on all.
    if (extensionBytes === 2 || !this.#hasTransportFeedback) {
      const sequenceNumber = this.#estimator?.sent(bytes, now, probe) ?? 0;
      if (extensionBytes === 2) return sequenceNumber;
    }
    // Seconds in 6.18 fixed point (draft of abs-send-time).
    return extensionBytes === 3 ? Math.floor((now / 1_000) * 0x40000) % 0x1000000 : 0;
  }

  charge(bytes: number, now: number): void {
    if (this.#estimator?.hasFeedback) this.#pacer.charge(bytes, now);
  }

  send(packet: OutgoingPacket, destination: Destination): void {
    this.#one[0] = destination;
    this.context.host.fanOut(packet, this.#one, 1);
  }

  congested(downTrack: DownTrack): void {
    const pacedBps = this.#estimator ? this.#estimator.targetBps : MAX_ESTIMATE_BPS;
    if ((downTrack.queuedBytes * 8_000) / pacedBps > MAX_QUEUE_MS) {
      downTrack.dropQueue();
      downTrack.layer?.keyFrames.request(this.context.clock.now());
    } else this.context.pace(this);
  }

  /** Every PACE_MS while it has asked for it: sends what waited, and probes; false when there is nothing more. */
  pace(now: number): boolean {
    if (!this.isConnected) return false;
    const video = this.#video?.downTrack;
    const drained = !video?.isQueued || video.drain(now);
    if (this.#probe && (!video || this.#probe.send(video, now))) this.#probe = undefined;
    return !drained || this.#probe !== undefined;
  }

  /** Ten times a second: what the way carries, and which layer fits. */
  tick(now: number): void {
    if (!this.isConnected || !this.#video) return;
    this.#estimator?.tick(now);
    this.#choose(this.#video, now);
    this.#startProbe(this.#video, now);
  }

  /** The layers to choose from; undefined without video. */
  layers(now: number): Layers | undefined {
    if (!this.#video) return undefined;
    const { upTrack, downTrack } = this.#video;
    return {
      mediaId: downTrack.track.mid ?? '',
      automatic: this.#pinned === undefined,
      layers: upTrack.layers.map((layer) => ({
        encodingId: layer.encodingId ?? 'default',
        bitrate: Math.round(layer.meter.bitrate(now)),
        width: layer.width,
        height: layer.height,
        framesPerSecond: Math.round(layer.meter.framesPerSecond(now)),
        active: upTrack.isActive(layer, now),
        selected: downTrack.layer === layer,
      })),
    };
  }

  /** False when there is no such layer. */
  chooseLayer(encodingId: string | undefined, now: number): boolean {
    const layers = this.#video?.upTrack.layers;
    if (!layers || !this.#video) return false;
    if (encodingId !== undefined && !layers.some((layer) => (layer.encodingId ?? 'default') === encodingId))
      return false;
    this.#pinned = encodingId;
    this.#choose(this.#video, now);
    return true;
  }

  override statistics(): ConnectionStatistics {
    const { roundTripMs, ...sums } = this.#sums();
    return {
      ...this.identity,
      role: this.role,
      connected: this.isConnected,
      ...this.counters,
      ...sums,
      ...(roundTripMs > 0 && { roundTripMs }),
      ...(this.#estimator?.isTold && { estimatedBps: Math.round(this.#estimator.targetBps) }),
      tracks: this.#flows.map(describeFlow),
    };
  }

  protected override get silenceTimeoutMs(): number {
    return this.#video ? SILENCE_TIMEOUT_MS : AUDIO_SILENCE_TIMEOUT_MS;
  }

  protected override onConnected(now: number): void {
    for (const { upTrack, downTrack } of this.#flows) {
      const active = upTrack.activeLayers(now);
      const layer = (this.#startsHigh ? active.at(-1) : active[0]) ?? upTrack.layers[0];
      if (layer) upTrack.follow(downTrack, layer, now);
    }
  }

  /** A subscriber has nothing to send but reports. */
  protected override onRtp(): void {}

  protected override onRtcp(packets: readonly rtcp.Packet[], now: number): void {
    for (const packet of packets) {
      if (packet.type === 'sr' || packet.type === 'rr') this.#onReports(packet.reports, now);
      else if (packet.type === 'transport-cc') this.#onFeedback(packet, now);
      else if (packet.type === 'remb') this.#estimator?.onRemb(packet.bitrate, now);
      else if (packet.type === 'xr') this.#onExtendedReport(packet);
      else if (packet.type === 'nack') this.#onNack(packet, now);
      else if (packet.type === 'pli') this.#onKeyFrameRequest([packet.mediaSsrc], now);
      else if (packet.type === 'fir') {
        this.#onKeyFrameRequest(
          packet.entries.map(({ ssrc }) => ssrc),
          now,
        );
      }
    }
  }

  protected override onReportInterval(now: number): void {
    // Who gets no sound reports on none; ICE tells whether it is there.
    if (this.withheld === 'audio') this.excuseSilence(now);
    this.#nackedLeft = MAX_NACKED_PER_SECOND;
    this.#resendsLeft = MAX_RESENDS_PER_SECOND;
    const cname = this.publication.identity.participantId;
    const packets = this.#flows.flatMap(({ downTrack }) => {
      const report = downTrack.senderReport(now);
      return report ? [report, rtcp.sourceDescription(report.ssrc, cname)] : [];
    });
    if (packets.length > 0) this.sendRtcp(packets);
  }

  #makeEstimator(tracks: readonly SubscribedTrack[]): BandwidthEstimator | undefined {
    if (!tracks.some(({ extension, remb }) => extension || remb)) return undefined;
    // What cannot be made smaller is sent as it is until the way proves too narrow.
    const oneLayer = !this.#video?.upTrack.isLayered || this.#startsHigh;
    const startBps = oneLayer ? START_ESTIMATE_OF_ONE_LAYER_BPS : START_ESTIMATE_BPS;
    const options = { startBps, minBps: MIN_ESTIMATE_BPS, maxBps: MAX_ESTIMATE_BPS };
    const estimator = new BandwidthEstimator(options, this.context.clock.now());
    this.#pacer.setRate(startBps);
    return estimator;
  }

  get #roundTripMs(): number {
    return Math.max(0, ...this.#flows.map(({ downTrack }) => downTrack.counters.roundTripMs ?? 0));
  }

  /** The first of these kinds that is, or is not, withheld to keep the worker in time. */
  #kindThat(isWithheld: boolean, kinds: readonly Kind[]): Kind | undefined {
    return kinds.find((kind) => this.#flowOfKind(kind)?.downTrack.paused === isWithheld);
  }

  #flowOfKind(kind: Kind | undefined): Flow | undefined {
    return this.#flows.find(({ downTrack }) => downTrack.kind === kind);
  }

  #flowOf(ssrc: number): Flow | undefined {
    return this.#flows.find(({ downTrack }) => downTrack.ssrc === ssrc);
  }

  /** Bits per second for the video. */
  #budget(now: number): number {
    const audio = this.#flows.reduce(
      (sum, { upTrack }) => sum + (upTrack.kind === 'audio' ? upTrack.bitrate(now) : 0),
      0,
    );
    const allowed = this.context.budgets.of(this.participant, this);
    const carried = this.#estimator?.targetBps ?? Number.POSITIVE_INFINITY;
    return Math.min(allowed, carried) - audio;
  }

  #choose({ upTrack, downTrack }: Flow, now: number): void {
    const active = upTrack.activeLayers(now);
    if (active.length === 0) return;
    const options = active.map(({ meter }) => meter.option(now));
    const followed = upTrack.followed(downTrack);
    const current = followed ? active.indexOf(followed) : -1;
    const top = this.#pinned === undefined ? active.length - 1 : highestUpTo(upTrack, active, this.#pinned);
    const reachable = options.slice(0, top + 1);
    const at = current < 0 || current > top ? undefined : current;
    const choice = this.#chooser.choose(reachable, at, this.#budget(now), now);
    const layer = active[choice.layer];
    if (!layer) return;
    upTrack.follow(downTrack, layer, now);
    downTrack.wantedTemporalLayer = choice.temporalLayer;
    this.#usedBps = options[choice.layer]?.bitrates.at(-1) ?? 0;
    const wished = reachable.at(-1)?.bitrates.at(-1) ?? 0;
    this.#estimator?.setDesired(Math.min(wished, this.context.limits.subscribeBps), now);
  }

  #startProbe({ downTrack }: Flow, now: number): void {
    if (!this.#estimator || this.#probe || !downTrack.canProbe || downTrack.isQueued) return;
    const probe = this.#estimator.nextProbe(now);
    if (!probe) return;
    this.#probe = new ProbeSender(probe, now);
    this.context.pace(this);
  }

  #onFeedback(feedback: rtcp.TransportFeedback, now: number): void {
    if (!this.#estimator) return;
    this.#estimator.onFeedback(feedback, now);
    this.#pacer.setRate(this.#estimator.targetBps);
    if (this.#video && this.#estimator.targetBps < this.#usedBps) this.#choose(this.#video, now);
  }

  #onReports(reports: readonly rtcp.ReportBlock[], now: number): void {
    for (const report of reports) {
      const downTrack = this.#flowOf(report.ssrc)?.downTrack;
      if (!downTrack) continue;
      downTrack.report(report, now);
      const { fractionLost, roundTripMs } = downTrack.counters;
      if (downTrack.kind === 'video') this.#estimator?.onReceiverReport(fractionLost, roundTripMs, now);
    }
  }

  /** Tells the peer its round trip at once; the SSRC of ours that the peer listens to is that of its media. */
  #onExtendedReport({ ssrc, referenceTime }: rtcp.ExtendedReport): void {
    const own = this.#flows[0]?.downTrack.ssrc;
    if (!referenceTime || own === undefined) return;
    const delays = [{ ssrc, lastReferenceTime: rtcp.middle32(referenceTime), delaySinceReferenceTime: 0 }];
    this.sendRtcp([{ type: 'xr', ssrc: own, delays }]);
  }

  #onNack({ mediaSsrc, pairs }: rtcp.Nack, now: number): void {
    const flow = this.#flowOf(mediaSsrc);
    if (!flow || this.#nackedLeft <= 0) return;
    const asked = rtcp.nackSequenceNumbers(pairs).slice(0, this.#nackedLeft);
    this.#nackedLeft -= asked.length;
    this.#resendsLeft -= flow.downTrack.resend(asked, now, this.#resendsLeft);
  }

  #onKeyFrameRequest(ssrcs: readonly number[], now: number): void {
    for (const ssrc of ssrcs) {
      const flow = this.#flowOf(ssrc);
      if (flow?.downTrack.kind !== 'video') continue;
      this.counters.plisReceived += 1;
      flow.downTrack.counters.plisReceived += 1;
      flow.downTrack.layer?.keyFrames.request(now);
    }
  }

  #sums() {
    const sums = {
      packetsSent: 0,
      bytesSent: 0,
      packetsLost: 0,
      nacksReceived: 0,
      retransmissions: 0,
      droppedByOverload: 0,
      roundTripMs: this.#roundTripMs,
    };
    for (const { downTrack } of this.#flows) {
      const { counters } = downTrack;
      sums.packetsSent += counters.packetsSent;
      sums.bytesSent += counters.octetsSent + counters.packetsSent * rtp.HEADER_LENGTH;
      sums.packetsLost += counters.packetsLost;
      sums.nacksReceived += counters.nacksReceived;
      sums.retransmissions += counters.retransmissions;
      sums.droppedByOverload += counters.droppedByOverload;
    }
    return sums;
  }
}

/** The index of the pinned layer among those that are sent, or of the best that is no larger. */
function highestUpTo(upTrack: UpTrack, active: readonly Layer[], encodingId: string): number {
  const pinned = upTrack.layers.find((layer) => (layer.encodingId ?? 'default') === encodingId);
  if (!pinned) return active.length - 1;
  const index = active.indexOf(pinned);
  if (index >= 0) return index;
  const size = pinned.width * pinned.height;
  return Math.max(
    0,
    active.findLastIndex(({ width, height }) => width * height <= size),
  );
}

function describeFlow({ upTrack, downTrack }: Flow): TrackStatistics {
  const { counters, layer, temporalLayer } = downTrack;
  return {
    kind: downTrack.kind,
    codec: upTrack.codec,
    ...(layer?.encodingId !== undefined && { layer: layer.encodingId }),
    ...(Number.isFinite(temporalLayer) && { temporalLayer }),
    packetsSent: counters.packetsSent,
    bytesSent: counters.octetsSent,
    packetsLost: counters.packetsLost,
    jitterMs: Math.round(counters.jitterMs),
    keyFrames: counters.keyFrames,
    layerSwitches: counters.layerSwitches,
    nacksReceived: counters.nacksReceived,
    retransmissions: counters.retransmissions,
    plisReceived: counters.plisReceived,
    dropped: {
      overload: counters.droppedByOverload,
      congestion: counters.droppedByCongestion,
      temporal: counters.droppedTemporal,
    },
  };
}
