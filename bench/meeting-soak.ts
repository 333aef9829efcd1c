// A long meeting: 12 publishers with 12 viewers each. Prints over time whether memory grows and whether any viewer's picture
// or sound stood still; fails when one did.
// Run: npm run bench -- meeting-soak; FOOTLIGHTS_SOAK_MINUTES says for how long, 10 when not given.
import { setTimeout as sleep } from 'node:timers/promises';
import { Growth } from './support/growth.ts';
import { residentBytes } from './support/machine.ts';
import { type Join, MediaServer } from './support/media-server.ts';
import type { Stream } from './support/packet-source.ts';
import { GAP_MS } from './support/peer-process.ts';
import { benchmark, inParallel, PeerProcess, receivedBy } from './support/peers.ts';
import { cell, percentage, Table } from './support/table.ts';

const minutes = Number(process.env.FOOTLIGHTS_SOAK_MINUTES ?? 10);
const publisherCount = 12;
const viewersPerPublisher = 12;
/** Together what two cores carry with room to spare, clients and all. */
const streams: readonly Stream[] = [
  { kind: 'video', packetsPerSecond: 100, packetBytes: 1_100 },
  { kind: 'audio', packetsPerSecond: 50, packetBytes: 160 },
];
const kinds = streams.map(({ kind }) => kind);
const joinsAtOnce = 16;
/** All at once is more than a server that has just started does in time: its code is compiled as it runs. */
const settleMs = 20_000;
const rows = 20;
/** Rows at the beginning in which caches fill and code is compiled: they say nothing of growth. */
const warmUpRows = rows / 4;
/** Packets that are on their way for longer count as lost. */
const drainMs = 2_000;

async function join(server: MediaServer, publishers: PeerProcess, viewers: readonly PeerProcess[]): Promise<string[]> {
  const ids = Array.from({ length: publisherCount }, (_, i) => `publisher-${i}`);
  await inParallel(ids.length, joinsAtOnce, (i) => server.join(publishers, { id: ids[i]!, kinds }));
  const joins: Join[] = ids.flatMap((publisher) =>
    Array.from({ length: viewersPerPublisher }, (_, i) => ({
      id: `viewer-${i} of ${publisher}`,
      publisher,
      kinds,
      counted: true,
    })),
  );
  await inParallel(joins.length, joinsAtOnce, (i) => server.join(viewers[i % viewers.length]!, joins[i]!));
  return joins.map(({ publisher }) => publisher!);
}

async function soak(server: MediaServer, publishers: PeerProcess, viewers: readonly PeerProcess[]): Promise<void> {
  const watched = await join(server, publishers, viewers);
  publishers.send(streams);
  await sleep(settleMs);
  await publishers.startRound(1);
  const gaps = await watch(server, viewers);
  const sent = await publishers.startRound(0);
  await sleep(drainMs);
  const { received } = await receivedBy(viewers, 1);
  const due = watched.reduce((sum, publisher) => sum + (sent[publisher] ?? 0), 0);
  console.log(`delivered ${percentage(received / due, 3)} of ${due} packets; gaps of more than ${GAP_MS} ms: ${gaps}`);
  if (gaps > 0) process.exitCode = 1;
}

/** Prints a row in equal intervals; returns the gaps. */
async function watch(server: MediaServer, viewers: readonly PeerProcess[]): Promise<number> {
  const table = new Table(['minutes', 'forwarded/s', 'resident MB', 'gaps', 'longest ms', 'loop p99 ms', 'max ms'], 8);
  const growth = new Growth();
  await Promise.all(viewers.map((viewer) => viewer.gaps()));
  const { pid } = await server.worker();
  const started = performance.now();
  let before = await server.sample();
  let count = 0;
  for (let row = 1; row <= rows; row++) {
    await sleep(Math.max(0, started + (minutes * 60_000 * row) / rows - performance.now()));
    const now = await server.sample();
    const seen = await Promise.all(viewers.map((viewer) => viewer.gaps()));
    const gaps = seen.reduce((sum, gap) => sum + gap.count, 0);
    const hours = (performance.now() - started) / 3_600_000;
    const megabytes = residentBytes(pid) / 1024 ** 2;
    if (row > warmUpRows) growth.add({ hours, megabytes });
    count += gaps;
    table.print([
      cell(hours * 60, 1),
      cell((((now.forwarded ?? 0) - (before.forwarded ?? 0)) * 1_000) / (now.atMs - before.atMs)),
      cell(megabytes, 1),
      cell(gaps),
      cell(Math.max(...seen.map(({ longestMs }) => longestMs))),
      cell(now.loopDelay?.p99Ms, 1),
      cell(now.loopDelay?.maxMs, 1),
    ]);
    before = now;
  }
  console.log(`resident memory grows by ${cell(growth.perHour, 1)} MB an hour, after the first ${warmUpRows} rows`);
  return count;
}

async function run(): Promise<void> {
  if (!(minutes > 0)) throw new Error(`FOOTLIGHTS_SOAK_MINUTES is ${minutes}, not a number above 0`);
  const server = await MediaServer.start();
  const publishers = new PeerProcess();
  const viewers = [new PeerProcess(), new PeerProcess()];
  try {
    await soak(server, publishers, viewers);
  } finally {
    for (const peers of [publishers, ...viewers]) peers.stop();
    await server.stop();
  }
}

await benchmark(run);
