import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Link } from './network.ts';

const script = fileURLToPath(new URL('echo.py', import.meta.url));
/** IPv4 and UDP headers, which take their share of a link's rate. */
const headerBytes = 28;

/** One packet of a measurement; times in milliseconds. */
export interface Echo {
  /** Its place in the order in which packets were sent, from 0. */
  sequence: number;
  sentAt: number;
  /** When the other side had it. */
  arrivedAt: number;
  /** When its answer was back. */
  returnedAt: number;
}

/** A sender of UDP packets through a link to an echo in its namespace, on one clock. */
export class Probe {
  readonly #echo: ChildProcess;
  readonly #socket: Socket;

  private constructor(echo: ChildProcess, socket: Socket) {
    this.#echo = echo;
    this.#socket = socket;
  }

  static async open(link: Link): Promise<Probe> {
    const command = ['netns', 'exec', link.namespace, '/usr/bin/python3', script, link.address];
    const echo = spawn('ip', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = await once(echo.stdout, 'data');
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 21 });
    socket.connect(Number(port), link.address);
    await once(socket, 'connect');
    return new Probe(echo, socket);
  }

  /** Sends IP packets of `bytes` at `rateKbit` for `seconds`, waits for `tailMs`, and returns those that came back, as they did. */
  async send({ rateKbit = 500, bytes = 1000, seconds = 1, tailMs = 500 }): Promise<{ sent: number; echoes: Echo[] }> {
    const echoes: Echo[] = [];
    const times: number[] = [];
    const receive = (answer: Buffer) => {
      const sequence = Number(answer.readBigUInt64BE(0));
      const [sentAt = 0, arrivedAt] = [times[sequence], Number(answer.readBigUInt64BE(8)) / 1e6];
      echoes.push({ sequence, sentAt, arrivedAt, returnedAt: now() });
    };
    this.#socket.on('message', receive);
    const packet = Buffer.alloc(bytes - headerBytes);
    const interval = (bytes * 8) / rateKbit;
    for (const start = now(); times.length * interval < seconds * 1000; await sleep(1)) {
      while (times.length * interval <= now() - start && times.length * interval < seconds * 1000) {
        packet.writeBigUInt64BE(BigInt(times.length));
        times.push(now());
        // A packet that is queued in the socket is not overwritten.
        this.#socket.send(Buffer.from(packet));
      }
    }
    await sleep(tailMs);
    this.#socket.off('message', receive);
    return { sent: times.length, echoes };
  }

  close(): void {
    this.#socket.close();
    this.#echo.kill('SIGKILL');
  }
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6;
