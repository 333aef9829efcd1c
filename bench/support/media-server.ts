// Our media, with one worker, as the benchmarks use it.
import { resolve } from 'node:path';
import {
  awsMediaLimits,
  type ConnectionStatistics,
  type Media,
  startMedia,
  type WorkerStatistics,
} from '@footlights/media';
import type { ServerSample } from './measure.ts';
import type { Kind } from './packet-source.ts';
import type { PeerProcess } from './peers.ts';

/** The largest cases are more than a participant may send or be sent. */
const limits = { ...awsMediaLimits, publishBps: 1e9, subscribeBps: 1e9 };
/** A worker past its limit may take longer than the time that a question for statistics has. */
const STATISTICS_TRIES = 3;

/** One connection to be made. */
export interface Join {
  id: string;
  kinds: readonly Kind[];
  /** The publisher to watch; absent: the peer publishes. */
  publisher?: string;
  counted?: boolean;
  stage?: string;
}

export class MediaServer {
  readonly address: string;
  readonly #media: Media;
  readonly #waiting = new Map<string, { connected(): void; closed(reason: string): void }>();
  #lost = 0;

  private constructor(media: Media, address: string) {
    this.#media = media;
    this.address = address;
    media.on((event) => {
      if (event.type === 'connected') this.#waiting.get(event.connectionId)?.connected();
      else if (event.type === 'closed') this.#onClosed(event.connectionId, event.reason);
    });
  }

  static async start(address = '127.0.0.1'): Promise<MediaServer> {
    const workerPath = resolve(process.env.FOOTLIGHTS_MEDIA_WORKER ?? 'dist/media-worker.mjs');
    const log = { info() {}, warn() {}, error: console.error };
    const options = { workers: 1, listenIp: address, announceIps: [], port: 0, workerPath, limits, log };
    return new MediaServer(await startMedia(options), address);
  }

  /** Lets a process make a connection; resolves when it stands. A viewer who does not connect tries once more, as people do. */
  async join(peers: PeerProcess, join: Join): Promise<void> {
    await this.#joinOnce(peers, join).catch(async (error: Error) => {
      if (join.publisher === undefined) throw error;
      console.log(`${error.message}; it joins again`);
      peers.close(join.id);
      await this.#joinOnce(peers, { ...join, id: `${join.id} again` });
    });
  }

  async #joinOnce(peers: PeerProcess, join: Join): Promise<void> {
    const offer = await this.offer(peers, join);
    await this.accept(peers, join, offer);
    await peers.opened(join.id);
  }

  offer(peers: PeerProcess, { id, kinds, publisher, counted = false }: Join): Promise<string> {
    const role = publisher === undefined ? 'publish' : 'subscribe';
    return peers.describe({ id, role, kinds, address: this.address, counted });
  }

  /** Answers an offer; resolves when the worker says that the connection stands, rejects when it ends before. */
  async accept(peers: PeerProcess, { id, publisher, stage = 'stage' }: Join, offer: string): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => {
      const closed = (reason: string) => reject(new Error(`${id} did not connect: ${reason}`));
      this.#waiting.set(id, { connected: resolve, closed });
    });
    // Nobody waits for it when the offer is refused.
    connected.catch(() => {});
    const { answer } = await this.#media.accept({
      stageId: stage,
      connectionId: id,
      participantId: id,
      offer,
      role: publisher === undefined ? 'publish' : 'subscribe',
      ...(publisher !== undefined && { publisherConnectionId: publisher }),
    });
    peers.answer(id, answer);
    await connected;
  }

  async worker(): Promise<WorkerStatistics> {
    for (let i = 0; i < STATISTICS_TRIES; i++) {
      const [worker] = (await this.#media.statistics()).workers;
      if (worker) return worker;
    }
    throw new Error('the media worker gave no statistics');
  }

  /** The worker's counters, and its CPU time up to the same moment. */
  async sample(): Promise<ServerSample> {
    const { usage, loopDelay, connections } = await this.worker();
    const { uptimeMs: atMs, userCpuMs: userMs, systemCpuMs: systemMs } = usage;
    const sum = (count: (connection: ConnectionStatistics) => number) =>
      connections.reduce((total, connection) => total + count(connection), 0);
    const forwarded = sum(({ packetsSent }) => packetsSent);
    return {
      atMs,
      userMs,
      systemMs,
      loopDelay,
      forwarded,
      withheld: sum(withheldFrom),
    };
  }

  stop(): Promise<void> {
    return this.#media.shutdown();
  }

  #onClosed(id: string, reason: string): void {
    this.#waiting.get(id)?.closed(reason);
    // The first one tells enough: who publishes takes those along who watch.
    if (reason !== 'requested' && ++this.#lost === 1) console.log(`${id} was closed: ${reason}`);
  }
}

/** Packets that a viewer was not sent, because the worker was late or the way seemed too narrow. */
function withheldFrom({ tracks }: ConnectionStatistics): number {
  return tracks.reduce((sum, { dropped }) => sum + (dropped ? dropped.overload + dropped.congestion : 0), 0);
}
