import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { stun } from '@footlights/protocol';

/** A peer from which nothing came for so long has lost its consent: the checks of the agent behind stay unanswered. */
const SILENCE_MS = 10_000;
/** Where a socket that listens everywhere is reached from this machine. */
const WILDCARDS: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

export interface IceLiteOptions {
  listenIp: string;
  /** 0 takes any free one. */
  port: number;
  /** The UDP port of the full agent behind, on the same address. */
  agentPort: number;
}

/** What checks are authenticated by. */
export interface IceLitePeer {
  /** Our ufrag and password. */
  iceUfrag: string;
  icePwd: string;
  /** The peer's password. */
  remotePwd: string;
}

/** The way of one peer to the agent behind. */
interface Path {
  back: Socket;
  address: string;
  port: number;
  seenAt: number;
}

interface Admitted {
  peer: IceLitePeer;
  path?: Path;
}

/**
 * An ICE lite agent (RFC 8445 section 2.5) before the native full one, on a UDP port of its own, for peers that check but answer no checks, as FFmpeg's
 * WHIP muxer does: it answers the full agent's consent checks (RFC 7675) in their place, as long as anything comes from them, and passes on all else.
 */
export class IceLitePort {
  readonly #front: Socket;
  readonly #options: IceLiteOptions;
  readonly #admitted = new Map<string, Admitted>();
  readonly #byAddress = new Map<string, Admitted>();

  private constructor(front: Socket, options: IceLiteOptions) {
    this.#front = front;
    this.#options = options;
    front.on('message', (packet, { address, port }) => this.#onFront(packet, address, port));
    front.on('error', () => {});
  }

  /** Rejects when the port cannot be had. */
  static async open(options: IceLiteOptions): Promise<IceLitePort> {
    const front = createSocket(socketType(options.listenIp));
    await new Promise<void>((resolve, reject) => {
      front.once('error', (error) => {
        front.close();
        reject(error);
      });
      front.bind(options.port, options.listenIp, resolve);
    });
    front.removeAllListeners('error');
    return new IceLitePort(front, options);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** Lets a peer in; returns how it is let go again. */
  admit(peer: IceLitePeer): () => void {
    const admitted: Admitted = { peer };
    this.#admitted.set(peer.iceUfrag, admitted);
    return () => {
      this.#admitted.delete(peer.iceUfrag);
      this.#leave(admitted);
    };
  }

  close(): void {
    for (const admitted of this.#admitted.values()) this.#leave(admitted);
    this.#admitted.clear();
    this.#front.close();
  }

  #onFront(packet: Buffer, address: string, port: number): void {
    const admitted = this.#byAddress.get(keyOf(address, port)) ?? this.#arrive(packet, address, port);
    if (!admitted?.path) return;
    admitted.path.seenAt = performance.now();
    const { agentPort, listenIp } = this.#options;
    admitted.path.back.send(packet, agentPort, WILDCARDS[listenIp] ?? listenIp);
  }

  /** A peer comes, or comes from another address, with a check that is authentic. */
  #arrive(packet: Buffer, address: string, port: number): Admitted | undefined {
    const message = stun.parse(packet);
    const [ufrag = ''] = message?.username?.split(':') ?? [];
    const admitted = this.#admitted.get(ufrag);
    if (!admitted || message?.class !== 'request' || !stun.hasIntegrity(packet, admitted.peer.icePwd)) return undefined;
    this.#leave(admitted);
    const back = createSocket(socketType(this.#options.listenIp));
    admitted.path = { back, address, port, seenAt: performance.now() };
    back.on('message', (answer, from) => this.#onBack(admitted, answer, from.address, from.port));
    back.on('error', () => {});
    this.#byAddress.set(keyOf(address, port), admitted);
    return admitted;
  }

  #onBack({ peer, path }: Admitted, packet: Buffer, address: string, port: number): void {
    if (!path || port !== this.#options.agentPort) return;
    const message = stun.parse(packet);
    if (message?.class !== 'request') this.#front.send(packet, path.port, path.address);
    else if (performance.now() - path.seenAt < SILENCE_MS)
      path.back.send(stun.writeBindingSuccess(message.transactionId, address, port, peer.remotePwd), port, address);
  }

  #leave(admitted: Admitted): void {
    const { path } = admitted;
    if (!path) return;
    delete admitted.path;
    this.#byAddress.delete(keyOf(path.address, path.port));
    path.back.close();
  }
}

const socketType = (listenIp: string) => (isIPv6(listenIp) ? 'udp6' : 'udp4');
const keyOf = (address: string, port: number) => `${address} ${port}`;
