// Many who listen to a few: 10 speakers in one worker, every listener with a connection to each of them.
// Run: npm run bench -- audio; FOOTLIGHTS_AUDIO=10x500 measures that case alone, or several with commas between.
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from './support/machine.ts';
import { figureCells, figureTitles, measure } from './support/measure.ts';
import { type Join, MediaServer } from './support/media-server.ts';
import type { Stream } from './support/packet-source.ts';
import { benchmark, inParallel, PeerProcess } from './support/peers.ts';
import { cell, Table } from './support/table.ts';

/** Speakers x listeners. 500 listeners of ten make 5,000 connections, which is more than one worker takes. */
const cases = (process.env.FOOTLIGHTS_AUDIO ?? '10x50,10x100').split(',').map((text) => text.split('x').map(Number));
const streams: readonly Stream[] = [{ kind: 'audio', packetsPerSecond: 50, packetBytes: 100 }];
const connectionsPerProcess = 500;
const maxCounted = 100;
const joinsAtOnce = 16;

async function listen(speakers: number, listeners: number): Promise<string[]> {
  const server = await MediaServer.start();
  const publishers = new PeerProcess();
  const connections = speakers * listeners;
  const processes = Math.ceil(connections / connectionsPerProcess);
  const viewers = Array.from({ length: processes }, () => new PeerProcess());
  try {
    return await load(server, publishers, viewers, speakers, connections);
  } finally {
    for (const peers of [publishers, ...viewers]) peers.stop();
    await server.stop();
  }
}

async function load(
  server: MediaServer,
  publishers: PeerProcess,
  viewers: readonly PeerProcess[],
  speakers: number,
  connections: number,
): Promise<string[]> {
  await inParallel(speakers, joinsAtOnce, (i) => server.join(publishers, { id: `speaker-${i}`, kinds: ['audio'] }));
  const { pid } = await server.worker();
  const before = residentBytes(pid);
  const stride = Math.ceil(connections / maxCounted);
  const joins = Array.from({ length: connections }, (_, i): Join => {
    const [speaker, listener] = [i % speakers, Math.floor(i / speakers)];
    const id = `listener-${listener} of ${speaker}`;
    return { id, kinds: ['audio'], publisher: `speaker-${speaker}`, counted: listener % stride === 0 };
  });
  await inParallel(connections, joinsAtOnce, (i) => server.join(viewers[i % viewers.length]!, joins[i]!));
  publishers.send(streams);
  await sleep(1_000);
  const figures = await measure({
    pid,
    sample: () => server.sample(),
    publishers,
    viewers,
    viewerCount: connections,
    counted: joins.flatMap(({ counted, publisher }) => (counted && publisher ? [publisher] : [])),
  });
  const kib = (residentBytes(pid) - before) / connections / 1_024;
  return [cell(speakers), cell(connections / speakers), cell(connections), cell(kib), ...figureCells(figures)];
}

async function run(): Promise<void> {
  const table = new Table(['speakers', 'listeners', 'connections', 'KiB each', ...figureTitles]);
  for (const [speakers = 0, listeners = 0] of cases) table.print(await listen(speakers, listeners));
}

await benchmark(run);
