// A meeting: 12 participants who publish video and audio and watch the 11 others, all in one worker.
// Run: npm run bench -- meeting.
import { setTimeout as sleep } from 'node:timers/promises';
import { figureCells, figureTitles, measure } from './support/measure.ts';
import { type Join, MediaServer } from './support/media-server.ts';
import type { Stream } from './support/packet-source.ts';
import { benchmark, inParallel, PeerProcess } from './support/peers.ts';
import { Table } from './support/table.ts';

const participants = 12;
/** 2.6 Mbit/s of video, and an Opus stream. */
const streams: readonly Stream[] = [
  { kind: 'video', packetsPerSecond: 300, packetBytes: 1_100 },
  { kind: 'audio', packetsPerSecond: 50, packetBytes: 160 },
];
const kinds = streams.map(({ kind }) => kind);
/** Every third viewer looks at its packets. */
const countedStride = 3;
const joinsAtOnce = 16;

async function meet(server: MediaServer, publishers: PeerProcess, viewers: readonly PeerProcess[]): Promise<void> {
  const ids = Array.from({ length: participants }, (_, i) => `participant-${i}`);
  await inParallel(ids.length, joinsAtOnce, (i) => server.join(publishers, { id: ids[i]!, kinds }));
  const joins: Join[] = ids
    .flatMap((id) =>
      ids.filter((other) => other !== id).map((publisher) => ({ id: `${id} of ${publisher}`, publisher })),
    )
    .map((join, i) => ({ ...join, kinds, counted: i % countedStride === 0 }));
  await inParallel(joins.length, joinsAtOnce, (i) => server.join(viewers[i % viewers.length]!, joins[i]!));
  publishers.send(streams);
  await sleep(1_000);
  const { pid } = await server.worker();
  const figures = await measure({
    pid,
    sample: () => server.sample(),
    publishers,
    viewers,
    viewerCount: joins.length,
    counted: joins.flatMap(({ counted, publisher }) => (counted && publisher ? [publisher] : [])),
  });
  const table = new Table(['publishers', 'viewers', ...figureTitles]);
  table.print([String(participants), String(joins.length), ...figureCells(figures)]);
}

async function run(): Promise<void> {
  const server = await MediaServer.start();
  const publishers = new PeerProcess();
  const viewers = [new PeerProcess(), new PeerProcess()];
  try {
    await meet(server, publishers, viewers);
  } finally {
    for (const peers of [publishers, ...viewers]) peers.stop();
    await server.stop();
  }
}

await benchmark(run);
