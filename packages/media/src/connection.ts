import { rtcp, rtp } from '@footlights/protocol';
import { BYE_GRACE_MS, CONNECT_TIMEOUT_MS, MAX_RTCP_PER_SECOND } from './limits.ts';
import type { CloseReason, ConnectionStatistics } from './media.ts';
import type { Clock, RawTransport, TransportHost, TransportListener } from './rim/transport.ts';

/** Who a connection belongs to. */
export interface ConnectionIdentity {
  connectionId: string;
  stageId: string;
  participantId: string;
}

/** What a connection needs of the worker, and tells it. */
export interface ConnectionContext {
  readonly host: TransportHost;
  readonly clock: Clock;
  /** A packet came at `now`: time passes even while timers starve. */
  timePassed(now: number): void;
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
  #lastPacketAt: number;
  #goodbyeAt: number | undefined;
  #rtcpLeft = MAX_RTCP_PER_SECOND;
  #connected = false;
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
    return this.#connected && !this.#ended;
  }

  packet(packet: Buffer): void {
    const now = this.context.clock.now();
    this.context.timePassed(now);
    this.#lastPacketAt = now;
    this.counters.packetsReceived += 1;
    this.counters.bytesReceived += packet.length;
    if (rtp.isRtcp(packet)) this.#receiveRtcp(packet, now);
    else {
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
    this.#connected = true;
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

  protected sendRtcp(packets: readonly rtcp.Packet[]): void {
    this.transport.send(rtcp.write(packets));
  }

  #receiveRtcp(packet: Buffer, now: number): void {
    if (this.#rtcpLeft <= 0) return;
    this.#rtcpLeft -= 1;
    const packets = rtcp.parse(packet);
    this.#goodbyeAt = packets.some(({ type }) => type === 'bye') ? now : undefined;
    this.onRtcp(packets, now);
  }

  #deathAt(now: number): CloseReason | undefined {
    if (!this.#connected) return now - this.#acceptedAt >= CONNECT_TIMEOUT_MS ? 'never-connected' : undefined;
    if (now - this.#lastPacketAt >= this.silenceTimeoutMs) return 'timeout';
    const saidGoodbye = this.#goodbyeAt !== undefined && now - this.#goodbyeAt >= BYE_GRACE_MS;
    return saidGoodbye ? 'peer-closed' : undefined;
  }
}
