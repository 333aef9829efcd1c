// Clients of a media server in processes of their own, seen from the process that measures.
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Stream } from './packet-source.ts';
import { type Gaps, type Order, type PeerOptions, servePeers, type Told } from './peer-process.ts';
import { Histogram } from './stamp.ts';

/** Runs a benchmark: this process measures, others, which run the same file, are the clients. */
export async function benchmark(measure: () => Promise<void>): Promise<void> {
  if (process.argv[2] === 'peers') return servePeers();
  await measure();
  // The channels of clients that were ended may still be open.
  process.exit();
}

/** What the viewers of one or more processes got of a round. */
export interface Received {
  received: number;
  /** Came a second time. */
  again: number;
  latencies: Histogram;
}

const OPEN_TIMEOUT_MS = 60_000;

/** A process with clients in it. */
export class PeerProcess {
  readonly #process: ChildProcess;
  readonly #descriptions = new Map<string, (sdp: string) => void>();
  readonly #opened = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  #reply: ((told: Told) => void) | undefined;

  constructor() {
    this.#process = fork(process.argv[1]!, ['peers'], { serialization: 'advanced' });
    keepToOwnCpus(this.pid);
    this.#process.on('message', (told: Told) => this.#hear(told));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Makes a peer; resolves with its offer, or its answer to the one in the options. */
  describe(options: PeerOptions): Promise<string> {
    let resolve = () => {};
    const promise = new Promise<void>((done) => (resolve = done));
    this.#opened.set(options.id, { promise, resolve });
    return new Promise((described) => {
      this.#descriptions.set(options.id, described);
      this.#tell({ type: 'connect', options });
    });
  }

  answer(id: string, sdp: string): void {
    this.#tell({ type: 'answer', id, sdp });
  }

  close(id: string): void {
    this.#tell({ type: 'close', id });
  }

  /** Resolves when media can flow. */
  async opened(id: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${id} did not connect in time`)), OPEN_TIMEOUT_MS);
    });
    await Promise.race([this.#opened.get(id)?.promise, timeout]).finally(() => clearTimeout(timer));
  }

  /** Every publisher of the process sends from now on. */
  send(streams: readonly Stream[]): void {
    this.#tell({ type: 'send', streams });
  }

  /** One publisher more, with plain RTP to a UDP port. */
  sendPlain(id: string, stream: Stream, address: string, port: number): void {
    this.#tell({ type: 'send-plain', id, stream, address, port });
  }

  /** Nothing is sent until `resume`, which goes on with the next number. */
  pause(): void {
    this.#tell({ type: 'pause' });
  }

  resume(): void {
    this.#tell({ type: 'resume' });
  }

  /** The packets from now on belong to `round`; resolves with those of the round that ends, by publisher. */
  async startRound(round: number): Promise<Record<string, number>> {
    const told = await this.#ask({ type: 'round', round });
    if (told.type !== 'sent') throw new Error(`${told.type} in place of sent`);
    return told.packets;
  }

  async received(round: number): Promise<Omit<Received, 'latencies'> & { latencies: readonly number[] }> {
    const told = await this.#ask({ type: 'report', round });
    if (told.type !== 'received') throw new Error(`${told.type} in place of received`);
    return told;
  }

  /** Since this was asked the last time. */
  async gaps(): Promise<Gaps> {
    const told = await this.#ask({ type: 'gaps' });
    if (told.type !== 'gaps') throw new Error(`${told.type} in place of gaps`);
    return told;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }

  /** One question at a time. */
  #ask(order: Order): Promise<Told> {
    return new Promise((resolve) => {
      this.#reply = resolve;
      this.#tell(order);
    });
  }

  #tell(order: Order): void {
    this.#process.send(order);
  }

  #hear(told: Told): void {
    if (told.type === 'described') this.#descriptions.get(told.id)?.(told.sdp);
    else if (told.type === 'open') this.#opened.get(told.id)?.resolve();
    else this.#reply?.(told);
  }
}

/** The second half of the CPUs is for the clients, so that the server runs as if they were on other machines. */
function keepToOwnCpus(pid: number): void {
  const cpus = availableParallelism();
  if (cpus < 2) return;
  const { status } = spawnSync('taskset', ['-acp', `${Math.floor(cpus / 2)}-${cpus - 1}`, String(pid)]);
  if (status !== 0) console.log('taskset (Debian: util-linux) is missing: clients and server share all CPUs');
}

/** What all viewers got of a round. */
export async function receivedBy(viewers: readonly PeerProcess[], round: number): Promise<Received> {
  const sum: Received = { received: 0, again: 0, latencies: new Histogram() };
  for (const { received, again, latencies } of await Promise.all(viewers.map((viewer) => viewer.received(round)))) {
    sum.received += received;
    sum.again += again;
    sum.latencies.merge(latencies);
  }
  return sum;
}

/** Does the jobs in their order, at most `atOnce` of them at the same time. */
export async function inParallel(count: number, atOnce: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}
