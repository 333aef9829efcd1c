import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { rtmp } from '@footlights/protocol';
import { Admission } from '../ingest/admission.ts';
import { FailureSum } from '../ingest/failure-sum.ts';
import { RTMP_LIMITS, type RtmpLimits } from '../ingest/limits.ts';
import {
  RtmpConnection,
  type RtmpConnectionHost,
  type RtmpEnd,
  type RtmpSession,
  type RtmpSessionInfo,
  type RtmpSessionListener,
} from '../ingest/rtmp-connection.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './transport.ts';

/** Deadlines are looked at this often, and failures summed up once in four times. */
const TICK_MS = 250;
const TICKS_PER_LINE = 4;

/** Where a listener listens, and who hears of its sessions. */
export interface RtmpListenerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** PEM certificate chain and key: RTMPS instead of RTMP. */
  tls?: { cert: string; key: string };
  /** FourCCs that encoders are told they may send. */
  codecs: rtmp.ServerOptions;
  limits?: Partial<RtmpLimits>;
  clock?: Clock;
  log: { warn(fields: object, message: string): void };
  /** An encoder has connected: answer with `session.accept()` or `session.reject(…)`, now or later. */
  onSession(session: RtmpSession, info: RtmpSessionInfo): RtmpSessionListener;
}

/** What a listener has seen since it began. */
export interface RtmpListenerCounters {
  connections: number;
  bytesReceived: number;
  /** Connections that are over, by the kind of their end. */
  ended: Readonly<Record<RtmpEnd['kind'], number>>;
}

/** A listener that listens. */
export interface RtmpListener {
  readonly port: number;
  readonly counters: RtmpListenerCounters;
  /** Connections right now, by how far they have come. */
  open(): { halfOpen: number; admitted: number };
  /** Takes another certificate for connections from now on. */
  setCertificate(tls: { cert: string; key: string }): void;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

/** Listens for encoders; rejects when the port cannot be had, or the certificate does not fit its key. */
export async function startRtmpListener(options: RtmpListenerOptions): Promise<RtmpListener> {
  const listener = new SocketListener(options);
  await listener.listen();
  return listener;
}

class SocketListener implements RtmpListener, RtmpConnectionHost {
  readonly limits: RtmpLimits;
  readonly codecs: rtmp.ServerOptions;
  readonly counters = {
    connections: 0,
    bytesReceived: 0,
    ended: { left: 0, refused: 0, malformed: 0, timeout: 0, unread: 0, displaced: 0, shutdown: 0 },
  };
  readonly #options: RtmpListenerOptions;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #admission: Admission<RtmpConnection>;
  readonly #failures = new FailureSum();
  /** Those whose socket is not closed, in whatever phase. */
  readonly #connections = new Set<RtmpConnection>();
  #context: SecureContext | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #port = 0;

  constructor(options: RtmpListenerOptions) {
    this.#options = options;
    this.limits = { ...RTMP_LIMITS, ...options.limits };
    this.codecs = options.codecs;
    this.#clock = options.clock ?? systemClock;
    this.#admission = new Admission(this.limits);
    if (options.tls !== undefined) this.setCertificate(options.tls);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get port(): number {
    return this.#port;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        this.#server.on('error', (error) => this.#failures.add(error.message));
        this.#timer = setInterval(() => this.#tick(), TICK_MS);
        resolve();
      });
    });
  }

  open(): { halfOpen: number; admitted: number } {
    return { halfOpen: this.#admission.halfOpen, admitted: this.#admission.admitted };
  }

  setCertificate({ cert, key }: { cert: string; key: string }): void {
    this.#context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drop({ kind: 'shutdown' });
    await closed;
    this.#sayFailures();
  }

  now(): number {
    return this.#clock.now();
  }

  admit(connection: RtmpConnection): string | undefined {
    return this.#admission.admit(connection, connection.peer.remoteAddress);
  }

  onSession(session: RtmpSession, info: RtmpSessionInfo): RtmpSessionListener {
    return this.#options.onSession(session, info);
  }

  ended(connection: RtmpConnection, end: RtmpEnd, owned: boolean): void {
    this.#admission.leave(connection);
    this.counters.ended[end.kind]++;
    if (!owned && end.kind !== 'shutdown') this.#failures.add(failure(connection, end));
  }

  #accept(raw: Socket): void {
    this.counters.connections++;
    const { remoteAddress, remotePort } = raw;
    // It is gone already.
    if (remoteAddress === undefined || remotePort === undefined) {
      raw.destroy();
      return;
    }
    const context = this.#context;
    const socket = context === undefined ? raw : new TLSSocket(raw, { isServer: true, secureContext: context });
    const peer = { remoteAddress: plainAddress(remoteAddress), remotePort, secure: context !== undefined };
    this.#attach(socket, new RtmpConnection(socket, peer, this));
  }

  #attach(socket: Socket, connection: RtmpConnection): void {
    this.#connections.add(connection);
    this.#admission.arrive(connection)?.drop({ kind: 'displaced', description: 'displaced by newer connections' });
    socket.on('data', (bytes: Buffer) => {
      this.counters.bytesReceived += bytes.length;
      connection.received(bytes);
    });
    // Resets and TLS errors; `close` follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#connections.delete(connection);
      connection.wireClosed();
    });
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const connection of this.#connections) connection.tick(now);
    if (++this.#ticks % TICKS_PER_LINE === 0) this.#sayFailures();
  }

  /** One line a second at most, whatever peers do. */
  #sayFailures(): void {
    const line = this.#failures.take();
    if (line !== undefined) this.#options.log.warn({ port: this.#port }, `RTMP connections in vain: ${line}`);
  }
}

/** What is counted of a connection that never had an owner; a peer's own text in it is quoted and short. */
function failure({ peer, bytesReceived }: RtmpConnection, end: RtmpEnd): string {
  if (end.kind === 'left') return peer.secure && bytesReceived === 0 ? 'no TLS handshake' : 'closed before connect';
  return 'description' in end ? end.description : end.kind;
}

/** An IPv4 address as such where IPv6 wraps it. */
const plainAddress = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');
