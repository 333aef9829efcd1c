import { writeFields } from './header.ts';
import type {
  Clock,
  Destination,
  LocalParameters,
  OutgoingPacket,
  RawTransport,
  RemoteParameters,
  TransportHost,
  TransportListener,
  TransportState,
} from './transport.ts';

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #now: number;

  /** `now` in milliseconds since 1970. */
  constructor(now = 1_800_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Moves on in `steps` of equal length and calls `each` after every one. */
  advance(ms: number, each: (now: number) => void = () => {}, stepMs = ms): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.#now += Math.min(stepMs, left);
      each(this.#now);
    }
  }
}

/** Transports in memory: a test plays the peers. */
export class FakeHost implements TransportHost {
  readonly transports: FakeTransport[] = [];
  port = 7_071;

  async open(): Promise<number> {
    return this.port;
  }

  create(listener: TransportListener): FakeTransport {
    const transport = new FakeTransport(listener);
    this.transports.push(transport);
    return transport;
  }

  fanOut(packet: OutgoingPacket, destinations: readonly Destination[], count: number): void {
    for (const destination of destinations.slice(0, count)) {
      destination.transport.send(packet.buffer.subarray(writeFields(packet, destination)));
    }
  }

  shutdown(): void {
    for (const transport of this.transports) transport.close();
  }

  /** The transport that was made last. */
  get last(): FakeTransport {
    const transport = this.transports.at(-1);
    if (!transport) throw new Error('no transport was made');
    return transport;
  }
}

/** One peer in memory. */
export class FakeTransport implements RawTransport {
  state: TransportState = 'new';
  remote: RemoteParameters | undefined;
  /** Copies of all that was sent. */
  readonly sent: Buffer[] = [];
  readonly #listener: TransportListener;

  constructor(listener: TransportListener) {
    this.#listener = listener;
  }

  accept(remote: RemoteParameters): LocalParameters {
    this.remote = remote;
    return {
      iceUfrag: 'localufrag',
      icePwd: 'localpasswordlocalpassword',
      fingerprintSha256: Array(32).fill('AB').join(':'),
      setup: 'passive',
      iceLite: false,
      candidates: [{ address: '127.0.0.1', port: 7_071, priority: 2_130_706_431 }],
    };
  }

  send(packet: Buffer): boolean {
    if (this.state !== 'connected') return false;
    this.sent.push(Buffer.from(packet));
    return true;
  }

  close(): void {
    this.state = 'closed';
  }

  /** The handshake succeeds. */
  connect(): void {
    this.state = 'connected';
    this.#listener.state('connected');
  }

  /** The peer's packet arrives. */
  receive(packet: Buffer): void {
    if (this.state === 'connected') this.#listener.packet(Buffer.from(packet));
  }

  /** The connection ends from outside. */
  lose(state: 'failed' | 'closed'): void {
    this.state = 'closed';
    this.#listener.state(state);
  }
}
