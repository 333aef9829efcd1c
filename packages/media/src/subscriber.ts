import { rtcp, rtp } from '@footlights/protocol';
import { Connection, type ConnectionContext, type ConnectionIdentity } from './connection.ts';
import { DownTrack } from './down-track.ts';
import {
  AUDIO_SILENCE_TIMEOUT_MS,
  MAX_NACKED_PER_SECOND,
  MAX_RESENDS_PER_SECOND,
  SILENCE_TIMEOUT_MS,
} from './limits.ts';
import type { ConnectionStatistics } from './media.ts';
import type { SubscribedTrack } from './negotiate/subscribe.ts';
import type { Sheddable } from './overload.ts';
import type { Publisher } from './publisher.ts';
import type { UpTrack } from './up-track.ts';

/** One track of the publisher and what becomes of it here. */
interface Flow {
  upTrack: UpTrack;
  downTrack: DownTrack;
}

/** A participant's connection that receives one publisher. */
export class Subscriber extends Connection implements Sheddable {
  override readonly role = 'subscribe';
  readonly publisher: Publisher;
  readonly #flows: readonly Flow[];
  #nackedLeft = MAX_NACKED_PER_SECOND;
  #resendsLeft = MAX_RESENDS_PER_SECOND;

  constructor(
    identity: ConnectionIdentity,
    tracks: readonly SubscribedTrack[],
    publisher: Publisher,
    newSequenceNumber: () => number,
    context: ConnectionContext,
  ) {
    super(identity, context);
    this.publisher = publisher;
    this.#flows = tracks.flatMap((track) => {
      const upTrack = publisher.track(track.kind);
      if (!upTrack) return [];
      return { upTrack, downTrack: new DownTrack(this.transport, track, newSequenceNumber) };
    });
  }

  /** True when video is withheld from this subscriber to keep the worker in time. */
  get isShed(): boolean {
    return this.#flows.some(({ downTrack }) => downTrack.paused);
  }

  get isSheddable(): boolean {
    return this.isConnected && this.#video !== undefined;
  }

  /** Loss counts first, then the round trip. */
  get slowness(): number {
    const counters = this.#flows.map(({ downTrack }) => downTrack.counters);
    const loss = Math.max(0, ...counters.map(({ fractionLost }) => fractionLost));
    return loss * 10_000 + this.#roundTripMs;
  }

  shed(): void {
    this.#video?.downTrack.pause();
  }

  restore(now: number): void {
    this.#video?.downTrack.resume();
    this.#video?.upTrack.keyFrames.request(now);
  }

  override end(...[reason]: Parameters<Connection['end']>): void {
    for (const { upTrack, downTrack } of this.#flows) upTrack.remove(downTrack);
    super.end(reason);
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
    };
  }

  protected override get silenceTimeoutMs(): number {
    return this.#video ? SILENCE_TIMEOUT_MS : AUDIO_SILENCE_TIMEOUT_MS;
  }

  protected override onConnected(now: number): void {
    for (const { upTrack, downTrack } of this.#flows) upTrack.add(downTrack, now);
  }

  /** A subscriber has nothing to send but reports. */
  protected override onRtp(): void {}

  protected override onRtcp(packets: readonly rtcp.Packet[], now: number): void {
    for (const packet of packets) {
      if (packet.type === 'sr' || packet.type === 'rr') this.#onReports(packet.reports, now);
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
    this.#nackedLeft = MAX_NACKED_PER_SECOND;
    this.#resendsLeft = MAX_RESENDS_PER_SECOND;
    const cname = this.publisher.identity.participantId;
    const packets = this.#flows.flatMap(({ upTrack, downTrack }) => {
      const report = downTrack.senderReport(upTrack.clock.timestampAt(now), now);
      return report ? [report, rtcp.sourceDescription(report.ssrc, cname)] : [];
    });
    if (packets.length > 0) this.sendRtcp(packets);
  }

  get #video(): Flow | undefined {
    return this.#flows.find(({ downTrack }) => downTrack.kind === 'video');
  }

  get #roundTripMs(): number {
    return Math.max(0, ...this.#flows.map(({ downTrack }) => downTrack.counters.roundTripMs ?? 0));
  }

  #flowOf(ssrc: number): Flow | undefined {
    return this.#flows.find(({ downTrack }) => downTrack.ssrc === ssrc);
  }

  #onReports(reports: readonly rtcp.ReportBlock[], now: number): void {
    for (const report of reports) this.#flowOf(report.ssrc)?.downTrack.report(report, now);
  }

  #onNack({ mediaSsrc, pairs }: rtcp.Nack, now: number): void {
    const flow = this.#flowOf(mediaSsrc);
    if (!flow || this.#nackedLeft <= 0) return;
    const asked = rtcp.nackSequenceNumbers(pairs).slice(0, this.#nackedLeft);
    this.#nackedLeft -= asked.length;
    this.#resendsLeft -= flow.downTrack.resend(asked, flow.upTrack.cache, now, this.#resendsLeft);
  }

  #onKeyFrameRequest(ssrcs: readonly number[], now: number): void {
    for (const ssrc of ssrcs) {
      const flow = this.#flowOf(ssrc);
      if (flow?.downTrack.kind !== 'video') continue;
      this.counters.plisReceived += 1;
      flow.upTrack.keyFrames.request(now);
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
