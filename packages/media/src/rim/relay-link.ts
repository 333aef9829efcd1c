import { timingSafeEqual } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Bytes gathered before they are handed to the socket: what one turn of the event loop brings is written at once. */
const BATCH_BYTES = 64 * 1_024;
/** A link whose other end does not keep up may have this much on its way; what follows is dropped. */
export const MAX_UNSENT_BYTES = 8 * 1_024 * 1_024;

/** A stream of bytes to another worker. */
export class RelayLink {
  readonly #socket: Socket;
  #batch = Buffer.allocUnsafe(BATCH_BYTES);
  #end = 0;
  #scheduled = false;

  constructor(socket: Socket, onBytes: (bytes: Buffer) => void, onClosed: () => void) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', onBytes);
    // What went wrong shows in the end of the link.
    socket.on('error', () => {});
    socket.on('close', onClosed);
  }

  /** The other end does not keep up: packets are not to be written. */
  get isFull(): boolean {
    return this.#socket.writableLength > MAX_UNSENT_BYTES;
  }

  /** Lets `write` put at most `bytes` into a buffer, at the offset it is given; it returns where they end. */
  append(bytes: number, write: (target: Buffer, at: number) => number): void {
    if (this.#end + bytes > this.#batch.length) this.#flush(Math.max(BATCH_BYTES, bytes));
    this.#end = write(this.#batch, this.#end);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush(BATCH_BYTES);
    });
  }

  send(frame: Buffer): void {
    this.append(frame.length, (target, at) => at + frame.copy(target, at));
  }

  close(): void {
    this.#socket.destroy();
  }

  #flush(nextBytes: number): void {
    if (this.#end === 0 && this.#batch.length >= nextBytes) return;
    if (this.#end > 0 && !this.#socket.destroyed) this.#socket.write(this.#batch.subarray(0, this.#end));
    this.#batch = Buffer.allocUnsafe(nextBytes);
    this.#end = 0;
  }
}

/** Where a worker is reached by the others, and what lets them in. */
export interface RelayAddress {
  host: string;
  port: number;
  secret: string;
}

/** Listens on a free port of the loopback; resolves with it. */
export function listenForRelays(onLink: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(onLink);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address ? address.port : 0 });
    });
  });
}

export function connectRelay({ host, port }: RelayAddress): Socket {
  return connect(port, host);
}

/** Compares in constant time. */
export function isSecret(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}
