// Viewers that join at once, and on a schedule: from the offer to the connection, and the worker's CPU for each. Their
// offers are made before, and the publisher is silent, so that joining is all that is measured.
// Run: npm run bench -- join-storm.
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './support/machine.ts';
import { type Join, MediaServer } from './support/media-server.ts';
import { benchmark, inParallel, PeerProcess } from './support/peers.ts';
import { Histogram, monotonicMs } from './support/stamp.ts';
import { cell, Table } from './support/table.ts';

const phases = [
  { name: '500 at once', viewers: 500, perSecond: Number.POSITIVE_INFINITY },
  { name: '60 a second', viewers: 300, perSecond: 60 },
];
const processes = 2;

interface Joining {
  join: Join;
  peers: PeerProcess;
  offer: string;
}

interface Storm {
  seconds: number;
  failed: number;
  /** From the offer to the connection as the worker says it. */
  times: Histogram;
}

async function makeOffers(server: MediaServer, viewers: readonly PeerProcess[], count: number): Promise<Joining[]> {
  const joining: Joining[] = [];
  await inParallel(count, 32, async (i) => {
    const join: Join = { id: `viewer-${i}`, kinds: ['audio', 'video'], publisher: 'publisher' };
    const peers = viewers[i % viewers.length]!;
    joining.push({ join, peers, offer: await server.offer(peers, join) });
  });
  return joining;
}

/** All of them, each when it is due. */
async function storm(server: MediaServer, joining: readonly Joining[], perSecond: number): Promise<Storm> {
  const times = new Histogram();
  const started = monotonicMs();
  let failed = 0;
  const outcomes = joining.map(async ({ join, peers, offer }, i) => {
    const due = started + (i * 1_000) / perSecond;
    if (due > monotonicMs()) await sleep(due - monotonicMs());
    await server.accept(peers, join, offer).then(
      () => times.add(monotonicMs() - due),
      () => (failed += 1),
    );
  });
  await Promise.all(outcomes);
  return { seconds: (monotonicMs() - started) / 1_000, failed, times };
}

async function measure(server: MediaServer, peers: readonly PeerProcess[], phase: (typeof phases)[number]) {
  const [publishers, ...viewers] = peers;
  await server.join(publishers!, { id: 'publisher', kinds: ['audio', 'video'] });
  const joining = await makeOffers(server, viewers, phase.viewers);
  const before = await server.worker();
  const { seconds, failed, times } = await storm(server, joining, phase.perSecond);
  const { usage, loopDelay } = await server.worker();
  const joined = phase.viewers - failed;
  const cpuMs = usage.userCpuMs + usage.systemCpuMs - before.usage.userCpuMs - before.usage.systemCpuMs;
  return [
    phase.name.padEnd(12),
    cell(joined / seconds, 1),
    cell(times.quantile(0.5)),
    cell(times.quantile(0.99)),
    cell(failed),
    cell(cpuMs / joined, 2),
    cell((usage.residentBytes - before.usage.residentBytes) / joined / 1_024),
    cell(loopDelay.maxMs),
    load(),
  ];
}

async function run(): Promise<void> {
  const titles = ['joins/s', 'p50 ms', 'p99 ms', 'failed', 'CPU ms/join', 'KiB/viewer', 'loop max ms', 'load'];
  const table = new Table([''.padEnd(12), ...titles]);
  for (const phase of phases) {
    const server = await MediaServer.start();
    const peers = Array.from({ length: processes + 1 }, () => new PeerProcess());
    try {
      table.print(await measure(server, peers, phase));
    } finally {
      for (const each of peers) each.stop();
      await server.stop();
    }
  }
}

await benchmark(run);
