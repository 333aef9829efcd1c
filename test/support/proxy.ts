import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

/** A datagram from the peer to the server. */
type Datagram = Buffer;

/**
 * Passes the datagrams of one peer to the server's media port and back, and keeps those that went there. The answer that the
 * peer is given must name its port in place of the server's.
 */
export class UdpProxy {
  /** What the peer has sent, in its order. */
  readonly sent: Datagram[] = [];
  readonly #front = createSocket('udp4');
  readonly #back = createSocket('udp4');
  #server: { address: string; port: number } | undefined;
  #peer: RemoteInfo | undefined;

  static async open(): Promise<UdpProxy> {
    const proxy = new UdpProxy();
    proxy.#front.bind(0, '127.0.0.1');
    proxy.#back.bind(0, '127.0.0.1');
    await Promise.all([once(proxy.#front, 'listening'), once(proxy.#back, 'listening')]);
    return proxy;
  }

  private constructor() {
    this.#front.on('message', (datagram, peer) => {
      this.#peer = peer;
      this.sent.push(datagram);
      this.send(datagram);
    });
    this.#back.on('message', (datagram) => {
      if (this.#peer) this.#front.send(datagram, this.#peer.port, this.#peer.address);
    });
  }

  /** The answer with this proxy in the place of each candidate. */
  rewrite(answer: string): string {
    return answer.replace(/^(a=candidate:\S+ 1 UDP \d+) (\S+) (\d+) /gim, (_line, start, address, port) => {
      this.#server = { address, port: Number(port) };
      return `${start} 127.0.0.1 ${this.#front.address().port} `;
    });
  }

  /** To the server, from the address that it knows the peer by. */
  send(datagram: Buffer): void {
    if (this.#server) this.#back.send(datagram, this.#server.port, this.#server.address);
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }
}

/** Media and reports, encrypted: their first byte begins with binary 10 (RFC 7983). */
export const isSrtp = (datagram: Buffer): boolean => (datagram[0] ?? 0) >> 6 === 2;
