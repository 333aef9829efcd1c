// One measurement: what a server under load used, delivered and delayed, and whether it or the machine was the limit.
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { datagramsDropped, idleMs, load, socketsOf, type ThreadTimes, threadTimes } from './machine.ts';
import { type PeerProcess, type Received, receivedBy } from './peers.ts';
import { cell, percentage } from './table.ts';

/** V8 optimizes meanwhile, which is work of its own; what runs a few thousand times a second it optimizes late. */
const WARM_UP_MS = 20_000;
export const MEASURE_MS = 5_000;
/** Packets that are on their way for longer count as lost. */
const DRAIN_MS = 2_000;

/** What a server has done and used up to a moment of its own. */
export interface ServerSample {
  atMs: number;
  userMs: number;
  systemMs: number;
  /** Packets sent to viewers, and withheld from them; unknown of some servers. */
  forwarded?: number;
  withheld?: number;
  loopDelay?: { p50Ms: number; p99Ms: number; maxMs: number };
}

/** A load that is running. */
export interface Load {
  /** The server's process. */
  pid: number;
  sample(): Promise<ServerSample>;
  publishers: PeerProcess;
  viewers: readonly PeerProcess[];
  /** Viewers in all, and publisher of each that counts. */
  viewerCount: number;
  counted: readonly string[];
}

export interface Figures {
  /** Microseconds of the server's CPU for each packet that it forwarded, or, where it does not say, that was delivered. */
  userUs: number;
  systemUs: number;
  forwardedPerSecond: number;
  /** Of the packets that the counting viewers should have got. */
  deliveredShare: number;
  /** Of all that the server should have sent. */
  withheldShare: number | undefined;
  /** From the publisher's call that sends to the viewer's that receives. */
  latencyMs: { p50: number; p99: number };
  loopDelay: ServerSample['loopDelay'];
  limit: string;
  /** Of the machine before and after. */
  load: string;
}

/** Columns of a table of figures. */
export const figureTitles = [
  'forwarded/s',
  'us/packet',
  ' user',
  'system',
  'delivered',
  'withheld',
  'way p50',
  'p99 ms',
  'loop p50',
  'p99',
  'max ms',
  'load',
  'limit',
];

export function figureCells(figures: Figures): string[] {
  const { userUs, systemUs, loopDelay, latencyMs } = figures;
  return [
    cell(figures.forwardedPerSecond),
    cell(userUs + systemUs, 2),
    cell(userUs, 2),
    cell(systemUs, 2),
    percentage(figures.deliveredShare),
    percentage(figures.withheldShare),
    cell(latencyMs.p50, 1),
    cell(latencyMs.p99, 1),
    cell(loopDelay?.p50Ms, 1),
    cell(loopDelay?.p99Ms, 1),
    cell(loopDelay?.maxMs, 1),
    figures.load,
    figures.limit,
  ];
}

let rounds = 0;

export async function measure(running: Load): Promise<Figures> {
  if (process.env.FOOTLIGHTS_BENCH_REALTIME) preferToClients(running.pid);
  await sleep(WARM_UP_MS);
  const loadBefore = load();
  const watch = new MachineWatch(running);
  const round = ++rounds;
  await running.publishers.startRound(round);
  const before = await running.sample();
  await sleep(MEASURE_MS);
  const limit = watch.limit();
  const [sent, after] = await Promise.all([running.publishers.startRound(0), running.sample()]);
  const loadAfter = load();
  await sleep(DRAIN_MS);
  const received = await receivedBy(running.viewers, round);
  return { ...figures(running, before, after, sent, received), limit, load: `${loadBefore} ${loadAfter}` };
}

/** Clients that share the cores do not take the server's away: it is to show its own delay, not theirs. Needs root. */
function preferToClients(pid: number): void {
  execFileSync('chrt', ['--all-tasks', '--rr', '--pid', '5', `${pid}`]);
}

function figures(
  { counted, viewerCount }: Load,
  before: ServerSample,
  after: ServerSample,
  sent: Record<string, number>,
  { received, latencies }: Received,
): Omit<Figures, 'limit' | 'load'> {
  const due = counted.reduce((sum, publisher) => sum + (sent[publisher] ?? 0), 0);
  const deliveredShare = received / due;
  const dueToAll = (due * viewerCount) / counted.length;
  const forwarded = difference(before.forwarded, after.forwarded) ?? dueToAll * deliveredShare;
  const withheld = difference(before.withheld, after.withheld);
  return {
    userUs: ((after.userMs - before.userMs) * 1_000) / forwarded,
    systemUs: ((after.systemMs - before.systemMs) * 1_000) / forwarded,
    forwardedPerSecond: (forwarded * 1_000) / (after.atMs - before.atMs),
    deliveredShare,
    withheldShare: withheld === undefined ? undefined : withheld / (withheld + forwarded),
    latencyMs: { p50: latencies.quantile(0.5), p99: latencies.quantile(0.99) },
    loopDelay: after.loopDelay,
  };
}

const difference = (before: number | undefined, after: number | undefined) =>
  before === undefined || after === undefined ? undefined : after - before;

/** Finds out who was the limit: a server that has a core for itself, or a machine without enough of them. */
class MachineWatch {
  readonly #pid: number;
  readonly #sockets: ReadonlySet<string>;
  readonly #startedAt = performance.now();
  readonly #threads: ReadonlyMap<string, ThreadTimes>;
  readonly #idleMs = idleMs();
  readonly #dropped: number;

  constructor({ pid, viewers }: Load) {
    this.#pid = pid;
    this.#sockets = socketsOf(viewers.map((viewer) => viewer.pid));
    this.#threads = threadTimes(pid);
    this.#dropped = datagramsDropped(this.#sockets);
  }

  /**
   * Such as "runs 96%, waits 1%, idle 40%, drops 0: server": how long the server's busiest thread ran and waited for a
   * CPU, how much of a CPU had nothing to do, and the datagrams that clients did not fetch in time.
   */
  limit(): string {
    const elapsed = performance.now() - this.#startedAt;
    const { ranMs, waitedMs } = this.#busiestThread();
    const [ran, waited] = [ranMs / elapsed, waitedMs / elapsed];
    const idle = (idleMs() - this.#idleMs) / elapsed;
    const drops = datagramsDropped(this.#sockets) - this.#dropped;
    const facts = `runs ${percentage(ran, 0)}, waits ${percentage(waited, 0)}, idle ${percentage(idle, 0)}, drops ${drops}`;
    return `${facts}${verdict(ran, waited, drops)}`;
  }

  #busiestThread(): ThreadTimes {
    let busiest = { ranMs: 0, waitedMs: 0 };
    for (const [thread, { ranMs, waitedMs }] of threadTimes(this.#pid)) {
      const before = this.#threads.get(thread) ?? { ranMs: 0, waitedMs: 0 };
      const ran = ranMs - before.ranMs;
      if (ran > busiest.ranMs) busiest = { ranMs: ran, waitedMs: waitedMs - before.waitedMs };
    }
    return busiest;
  }
}

function verdict(ran: number, waited: number, drops: number): string {
  if (waited >= 0.1) return ': MACHINE';
  if (drops > 0) return ': CLIENTS';
  return ran >= 0.9 ? ': server' : '';
}
