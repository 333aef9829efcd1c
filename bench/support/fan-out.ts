// One publisher and many viewers of it, against any media server.
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from './machine.ts';
import { type Figures, figureCells, figureTitles, measure, type ServerSample } from './measure.ts';
import { MediaServer } from './media-server.ts';
import type { Stream } from './packet-source.ts';
import { inParallel, PeerProcess } from './peers.ts';
import { cell, Table } from './table.ts';

/** What a fan-out needs of a server. */
export interface FanOutServer {
  readonly pid: number;
  connectPublisher(peers: PeerProcess): Promise<void>;
  connectViewer(peers: PeerProcess, id: string, counted: boolean): Promise<void>;
  /** Lets the publisher send; its packets are counted as those of PUBLISHER. */
  send(peers: PeerProcess, stream: Stream): void;
  sample(): Promise<ServerSample>;
  stop(): Promise<void>;
}

export const PUBLISHER = 'publisher';
export const PACKET_BYTES = 1_100;
/**
 * Of more viewers, every second, third … looks at its packets and gives feedback on them: that costs a client more than
 * to receive.
 */
const MAX_COUNTED = 100;
const VIEWERS_PER_PROCESS = 250;
const JOINS_AT_ONCE = 16;
/** Fills the caches that all viewers share, so that they do not show as memory of the viewers. */
const FILL_MS = 2_000;

export interface FanOutCase {
  viewers: number;
  packetsPerSecond: number;
}

export interface FanOutFigures extends FanOutCase, Figures {
  /** Of the server: when the viewers have joined, and under load, less what it had before. */
  bytesPerViewer: { joined: number; loaded: number };
}

/** Measures one case, and ends the server. */
export async function runFanOut(server: FanOutServer, fanOut: FanOutCase): Promise<FanOutFigures> {
  const publishers = new PeerProcess();
  const processes = Math.ceil(fanOut.viewers / VIEWERS_PER_PROCESS);
  const viewers = Array.from({ length: processes }, () => new PeerProcess());
  try {
    return await load(server, fanOut, publishers, viewers);
  } finally {
    for (const peers of [publishers, ...viewers]) peers.stop();
    await server.stop();
  }
}

async function load(
  server: FanOutServer,
  fanOut: FanOutCase,
  publishers: PeerProcess,
  viewers: readonly PeerProcess[],
): Promise<FanOutFigures> {
  const stream: Stream = { kind: 'video', packetsPerSecond: fanOut.packetsPerSecond, packetBytes: PACKET_BYTES };
  const { viewers: count } = fanOut;
  await server.connectPublisher(publishers);
  server.send(publishers, stream);
  await sleep(FILL_MS);
  publishers.pause();
  const before = residentBytes(server.pid);
  const stride = Math.ceil(count / MAX_COUNTED);
  await inParallel(count, JOINS_AT_ONCE, (i) =>
    server.connectViewer(viewers[i % viewers.length]!, `viewer-${i}`, i % stride === 0),
  );
  await sleep(1_000);
  const joined = residentBytes(server.pid);
  publishers.resume();
  const figures = await measure({
    pid: server.pid,
    sample: () => server.sample(),
    publishers,
    viewers,
    viewerCount: count,
    counted: Array<string>(Math.ceil(count / stride)).fill(PUBLISHER),
  });
  const loaded = residentBytes(server.pid);
  const perViewer = (bytes: number) => (bytes - before) / count;
  return { ...fanOut, ...figures, bytesPerViewer: { joined: perViewer(joined), loaded: perViewer(loaded) } };
}

/** Our own media worker. */
export class FootlightsFanOut implements FanOutServer {
  readonly pid: number;
  readonly #server: MediaServer;

  private constructor(server: MediaServer, pid: number) {
    this.#server = server;
    this.pid = pid;
  }

  static async start(address?: string): Promise<FootlightsFanOut> {
    const server = await MediaServer.start(address);
    return new FootlightsFanOut(server, (await server.worker()).pid);
  }

  connectPublisher(peers: PeerProcess): Promise<void> {
    return this.#server.join(peers, { id: PUBLISHER, kinds: ['video'] });
  }

  connectViewer(peers: PeerProcess, id: string, counted: boolean): Promise<void> {
    return this.#server.join(peers, { id, kinds: ['video'], publisher: PUBLISHER, counted });
  }

  send(peers: PeerProcess, stream: Stream): void {
    peers.send([stream]);
  }

  sample(): Promise<ServerSample> {
    return this.#server.sample();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

export const fanOutTable = () =>
  new Table(['server'.padEnd(13), 'viewers', 'packets/s', 'KiB/viewer', 'loaded', ...figureTitles]);

export function fanOutRow(name: string, figures: FanOutFigures): string[] {
  const { viewers, packetsPerSecond, bytesPerViewer } = figures;
  const kib = (bytes: number) => cell(bytes / 1_024);
  const memory = [kib(bytesPerViewer.joined), kib(bytesPerViewer.loaded)];
  return [name.padEnd(13), cell(viewers), cell(packetsPerSecond), ...memory, ...figureCells(figures)];
}
