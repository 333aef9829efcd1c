import { type amf, rtmp } from '@footlights/protocol';
import type { RtmpLimits } from './limits.ts';

/** What is needed of a socket. */
export interface Wire {
  /** Bytes written that the peer has not taken. */
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
  pause(): unknown;
  resume(): unknown;
  /** Closes this direction once all is sent. */
  end(): unknown;
  destroy(): unknown;
}

/** Where a connection comes from; `secure` behind TLS. */
export interface Peer {
  remoteAddress: string;
  remotePort: number;
  secure: boolean;
}

/** Who is connected, and what its `connect` said. */
export interface RtmpSessionInfo extends Peer, rtmp.ConnectRequest {}

/** One encoder's connection, as its owner sees it. */
export interface RtmpSession {
  /** Bytes received so far, the handshake included. */
  readonly bytesReceived: number;
  /** Messages that were malformed, or that nobody asked for. */
  readonly counters: Readonly<{ malformed: number; ignored: number }>;
  /** Grants the `connect` or the `publish` that was asked for. */
  accept(): void;
  /** Refuses what was asked for, or ends what was granted: the encoder is told, then disconnected. */
  reject(code: string, description: string): void;
  /** Reads nothing more until `resume`: TCP makes the encoder wait. */
  pause(): void;
  resume(): void;
  /** Asks the encoder to connect anew, to `tcUrl` if given; false when it does not know how. */
  requestReconnect(description: string, tcUrl?: string): boolean;
}

/** Why a connection is over. */
export type RtmpEnd =
  /** The peer closed it. */
  | { kind: 'left' }
  /** By `reject`, or by a limit of connections. */
  | { kind: 'refused'; code: string; description: string }
  | { kind: 'malformed' | 'timeout' | 'unread' | 'displaced'; description: string }
  /** The listener was closed. */
  | { kind: 'shutdown' };

/** What a session tells its owner. It begins with its `connect`, which the owner answers as it does a `publish`. */
export interface RtmpSessionListener {
  publish(request: rtmp.PublishRequest): void;
  metadata(values: amf.AmfObject): void;
  audio(frame: rtmp.AudioFrame): void;
  video(frame: rtmp.VideoFrame): void;
  /** The encoder ended the stream and may begin another. */
  unpublish(): void;
  /** Called once; nothing follows. */
  closed(end: RtmpEnd): void;
}

/** What the connections of a listener share. */
export interface RtmpConnectionHost {
  readonly limits: RtmpLimits;
  readonly codecs: rtmp.ServerOptions;
  /** Milliseconds that never step. */
  now(): number;
  /** Counts a connection that has sent `connect`; a string says which limit forbids it. */
  admit(connection: RtmpConnection): string | undefined;
  /** Hears of a session that was admitted. */
  onSession(session: RtmpSession, info: RtmpSessionInfo): RtmpSessionListener;
  /** Hears of every connection's end, once; `owned` when a session was admitted, whose owner hears it too. */
  ended(connection: RtmpConnection, end: RtmpEnd, owned: boolean): void;
}

/** How far a connection has come. */
export type Phase = 'half-open' | 'connected' | 'publishing' | 'ending';

/** One connection: an RTMP session between a wire and its owner, with the deadlines of each phase. */
export class RtmpConnection implements RtmpSession {
  readonly peer: Peer;
  readonly #wire: Wire;
  readonly #host: RtmpConnectionHost;
  readonly #session: rtmp.RtmpServerSession;
  #listener: RtmpSessionListener | undefined;
  #phase: Phase = 'half-open';
  /** When the phase began; of a stream, when it last had media. */
  #since: number;
  /** True between a `publish` and its answer. */
  #asking = false;
  #over = false;
  #received = 0;
  #held = false;
  #flowing = true;

  constructor(wire: Wire, peer: Peer, host: RtmpConnectionHost) {
    this.peer = peer;
    this.#wire = wire;
    this.#host = host;
    this.#since = host.now();
    const handler: rtmp.ServerHandler = {
      send: (bytes) => this.#send(bytes),
      connect: (request) => this.#connect(request),
      publish: (request) => this.#publish(request),
      metadata: (values) => this.#listener?.metadata(values),
      audio: (frame) => {
        this.#since = host.now();
        this.#listener?.audio(frame);
      },
      video: (frame) => {
        this.#since = host.now();
        this.#listener?.video(frame);
      },
      unpublish: () => {
        this.#enter('connected');
        this.#listener?.unpublish();
      },
      close: (reason) => this.#finish(reason),
    };
    this.#session = new rtmp.RtmpServerSession(handler, host.codecs);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get bytesReceived(): number {
    return this.#received;
  }

  get counters(): Readonly<{ malformed: number; ignored: number }> {
    return this.#session.counters;
  }

  accept(): void {
    if (this.#over || !this.#session.waiting) return;
    if (this.#asking) this.#enter('publishing');
    this.#asking = false;
    this.#session.accept();
    this.#updateFlow();
  }

  reject(code: string, description: string): void {
    if (!this.#over) this.#session.reject(code, description);
  }

  pause(): void {
    this.#held = true;
    this.#updateFlow();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#since = this.#host.now();
    this.#updateFlow();
  }

  requestReconnect(description: string, tcUrl?: string): boolean {
    return this.#session.requestReconnect(description, tcUrl);
  }

  /** Takes bytes of the wire. */
  received(bytes: Buffer): void {
    this.#received += bytes.length;
    if (this.#over) return;
    this.#session.receive(bytes);
    this.#updateFlow();
  }

  /** The wire is closed, by whomever. */
  wireClosed(): void {
    this.#conclude({ kind: 'left' });
  }

  /** Ends the connection without a word to the peer. */
  drop(end: RtmpEnd): void {
    this.#conclude(end);
    this.#wire.destroy();
  }

  /** Ends what takes too long; called some times a second. */
  tick(nowMs: number): void {
    const { handshakeTimeoutMs, publishTimeoutMs, idleTimeoutMs, lingerMs } = this.#host.limits;
    const waited = nowMs - this.#since;
    if (this.#phase === 'half-open' && waited >= handshakeTimeoutMs) {
      this.drop({ kind: 'timeout', description: `no RTMP handshake and connect in ${handshakeTimeoutMs} ms` });
    } else if (this.#phase === 'connected' && waited >= publishTimeoutMs) {
      this.#timeOut(`nothing published in ${publishTimeoutMs} ms`);
    } else if (this.#phase === 'publishing' && !this.#held && waited >= idleTimeoutMs) {
      this.#timeOut(`no audio or video in ${idleTimeoutMs} ms`);
    } else if (this.#phase === 'ending' && waited >= lingerMs) {
      this.#wire.destroy();
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#host.now();
  }

  #connect(request: rtmp.ConnectRequest): void {
    // What was sent just before can have ended the connection.
    if (this.#over) return;
    this.#enter('connected');
    const excess = this.#host.admit(this);
    if (excess === undefined) this.#listener = this.#host.onSession(this, { ...this.peer, ...request });
    else this.#session.reject('NetConnection.Connect.Rejected', excess);
  }

  #publish(request: rtmp.PublishRequest): void {
    this.#asking = true;
    this.#listener?.publish(request);
  }

  #send(bytes: Buffer): void {
    this.#wire.write(bytes);
    const { unsentBytes } = this.#host.limits;
    if (this.#wire.writableLength <= unsentBytes) return;
    this.drop({ kind: 'unread', description: `more than ${unsentBytes} bytes left unread` });
  }

  /** Reads from the wire unless the owner, or the session, has to decide something first. */
  #updateFlow(): void {
    const flowing = this.#phase === 'ending' || !(this.#held || this.#session.waiting);
    if (flowing === this.#flowing) return;
    this.#flowing = flowing;
    if (flowing) this.#wire.resume();
    else this.#wire.pause();
  }

  #timeOut(description: string): void {
    this.#conclude({ kind: 'timeout', description });
    this.#session.reject('NetConnection.Connect.IdleTimeOut', description);
  }

  /** Who was refused is given time to read why; what it sends meanwhile is thrown away. Who broke the protocol is told nothing. */
  #finish(reason: rtmp.CloseReason): void {
    if (reason.kind === 'malformed') {
      this.drop(reason);
      return;
    }
    this.#enter('ending');
    this.#conclude(reason);
    this.#wire.end();
    this.#updateFlow();
  }

  #conclude(end: RtmpEnd): void {
    if (this.#over) return;
    this.#over = true;
    const listener = this.#listener;
    this.#listener = undefined;
    this.#host.ended(this, end, listener !== undefined);
    listener?.closed(end);
  }
}
