import { rtcp, rtp } from '@footlights/protocol';
import {
  BYE_GRACE_MS,
  CONNECT_TIMEOUT_MS,
  LATE_PATIENCE,
  MAX_RTCP_PER_SECOND,
  MAX_SSRCS_PER_CONNECTION,
} from './limits.ts';
import type { CloseReason, ConnectionStatistics, MediaLimits } from './media.ts';
import { LATE_MS } from './overload.ts';
import type { ParticipantBudgets } from './participant-budgets.ts';
import type { Clock, RawTransport, TransportHost, TransportListener } from './rim/transport.ts';

/** Where the sender's SSRC is (RFC 3550 sections 5.1 and 6.4.1). */
const RTP_SSRC_OFFSET = 8;
const RTCP_SSRC_OFFSET = 4;

/** Who a connection belongs to. */
export interface ConnectionIdentity {
  connectionId: string;
  stageId: string;
  participantId: string;
}

/** Something whose packets leave one after the other. */
export interface Paced {
  /** Sends what is due; false when nothing more is to be sent. */
  pace(now: number): boolean;
}

/** What a connection needs of the worker, and tells it. */
export interface ConnectionContext {
  readonly host: TransportHost;
  readonly clock: Clock;
  readonly limits: MediaLimits;
  readonly budgets: ParticipantBudgets;
  /** How late the worker's timer ran in the last second, at worst, in milliseconds. */
  readonly loopDelayMs: number;
  /** A packet came at `now`: time passes even while timers starve. */
  timePassed(now: number): void;
  /** Something waits for its turn: `pace` is to be called every PACE_MS until it gives false. */
  pace(paced: Paced): void;
  /** Runs something when all that is at hand has been worked off. */
  later(run: () => void): void;
  connected(connection: Connection): void;
  /** The connection is over; called once, by the connection itself or after `end`. */
  ended(connection: Connection, reason: CloseReason): void;
}

/** One peer, publisher or subscriber: its transport, signs of life, budgets and counters. */
export abstract class Connection implements TransportListener {
  readonly identity: ConnectionIdentity;
  readonly transport: RawTransport;
  abstract readonly role: 'publish' | 'subscribe';
  protected readonly context: ConnectionContext;
  protected readonly counters = { packetsReceived: 0, bytesReceived: 0, plisReceived: 0 };
  readonly #acceptedAt: number;
  readonly #ssrcs = new Set<number>();
  #lastPacketAt: number;
  #goodbyeAt: number | undefined;
  #rtcpLeft = MAX_RTCP_PER_SECOND;
  #connectedAt: number | undefined;
  #ended = false;

  constructor(identity: ConnectionIdentity, context: ConnectionContext) {
    this.identity = identity;
    this.context = context;
    this.#acceptedAt = context.clock.now();
    this.#lastPacketAt = this.#acceptedAt;
    this.transport = context.host.create(this);
  }

  /** RTP from the peer, counted already. */
  protected abstract onRtp(packet: Buffer, now: number): void;
  /** RTCP from the peer, within its budget. */
  protected abstract onRtcp(packets: readonly rtcp.Packet[], now: number): void;
  protected abstract onConnected(now: number): void;
  /** How long a living peer may send nothing. */
  protected abstract get silenceTimeoutMs(): number;
  /** Once a second: reports out, budgets back. */
  protected abstract onReportInterval(now: number): void;

  get isConnected(): boolean {
    return this.#connectedAt !== undefined && !this.#ended;
  }

  packet(packet: Buffer): void {
    const now = this.context.clock.now();
    this.context.timePassed(now);
    this.#lastPacketAt = now;
    const isRtcp = rtp.isRtcp(packet);
    if (!this.#admitsSource(packet, isRtcp)) this.end('too-many-sources');
    else if (isRtcp) this.#receiveRtcp(packet, now);
    else {
      this.counters.packetsReceived += 1;
      this.counters.bytesReceived += packet.length;
      this.#goodbyeAt = undefined;
      this.onRtp(packet, now);
    }
  }

  state(state: 'connected' | 'failed' | 'closed'): void {
    if (state !== 'connected') {
      this.end(state === 'failed' ? 'failed' : 'peer-closed');
      return;
    }
    const now = this.context.clock.now();
    this.#connectedAt = now;
    this.#lastPacketAt = now;
    this.context.connected(this);
    this.onConnected(now);
  }

  /** Once a second: ends what is dead, reports on what lives. */
  reportInterval(now: number): void {
    this.#rtcpLeft = MAX_RTCP_PER_SECOND;
    const reason = this.#deathAt(now);
    if (reason) this.end(reason);
    else if (this.isConnected) this.onReportInterval(now);
  }

  end(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.transport.close();
    this.context.ended(this, reason);
  }

  abstract statistics(): ConnectionStatistics;

  /** A peer that had nothing to answer to is not silent. */
  protected excuseSilence(now: number): void {
    this.#lastPacketAt = now;
  }

  protected sendRtcp(packets: readonly rtcp.Packet[]): void {
    this.transport.send(rtcp.write(packets));
  }

  /** False for one SSRC too many; what is too short to have one is left to the parsers. */
  #admitsSource(packet: Buffer, isRtcp: boolean): boolean {
    const offset = isRtcp ? RTCP_SSRC_OFFSET : RTP_SSRC_OFFSET;
    if (packet.length < offset + 4) return true;
    const ssrc = packet.readUInt32BE(offset);
    if (this.#ssrcs.has(ssrc)) return true;
    this.#ssrcs.add(ssrc);
    return this.#ssrcs.size <= MAX_SSRCS_PER_CONNECTION;
  }

  #receiveRtcp(packet: Buffer, now: number): void {
    if (this.#rtcpLeft <= 0) return;
    this.#rtcpLeft -= 1;
    const packets = rtcp.parse(packet);
    this.#goodbyeAt = packets.some(({ type }) => type === 'bye') ? now : undefined;
    this.onRtcp(packets, now);
  }

  #deathAt(now: number): CloseReason | undefined {
    if (this.#connectedAt === undefined) {
      return now - this.#acceptedAt >= CONNECT_TIMEOUT_MS ? 'never-connected' : undefined;
    }
    if (now - this.#connectedAt >= this.context.limits.durationMs) return 'duration-exceeded';
    const patience = this.context.loopDelayMs > LATE_MS ? LATE_PATIENCE : 1;
    if (now - this.#lastPacketAt >= this.silenceTimeoutMs * patience) return 'timeout';
    const saidGoodbye = this.#goodbyeAt !== undefined && now - this.#goodbyeAt >= BYE_GRACE_MS;
    return saidGoodbye ? 'peer-closed' : undefined;
  }
}
