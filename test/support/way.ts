import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** open: bytes pass. away: connections are refused and cut. hangs: nothing passes, and nobody is told. denies: each request is answered 403. */
export type WayState = 'open' | 'away' | 'hangs' | 'denies';

const denied = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
const answer403 = [
  'HTTP/1.1 403 Forbidden',
  'content-type: application/xml',
  `content-length: ${denied.length}`,
  'connection: close',
  '',
  denied,
].join('\r\n');

/** The way to a server of HTTP, on a port of its own, which can be made bad. */
export class Way {
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #state: WayState = 'open';

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  static async open(port: number): Promise<Way> {
    const way = new Way(port);
    way.#server.listen(0, '127.0.0.1');
    await once(way.#server, 'listening');
    return way;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  set(state: WayState): void {
    this.#state = state;
    for (const socket of this.#sockets) {
      if (state === 'hangs') socket.pause();
      else if (state === 'open') socket.resume();
      else socket.destroy();
    }
  }

  close(): void {
    this.set('away');
    this.#server.close();
  }

  #onConnection(socket: Socket): void {
    if (this.#state === 'away') return void socket.destroy();
    if (this.#state === 'denies') return void socket.once('data', () => socket.end(answer403)).on('error', () => {});
    const onward = connect(this.#port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(one);
      one.on('data', (bytes) => other.write(bytes));
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      if (this.#state === 'hangs') one.pause();
    }
  }
}
