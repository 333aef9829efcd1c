// Network links with a rate, a queue, delay, jitter and loss, for real programs: a network namespace behind a pair of TUN
// devices that a user-space program joins (link.py). Nothing of the kernel is needed but namespaces and TUN, so results are
// the same on kernels with and without netem.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('link.py', import.meta.url));
const namespaces = '/run/netns';
/** 198.18.0.0/15, kept for tests of networks (RFC 2544), in pieces of four addresses: one pair for a link. */
const pairs = 1 << 15;

/** One direction of a link; what is absent is not limited. */
export interface Shape {
  /** Of IP packets, in kbit/s. */
  rateKbit?: number;
  /** What may wait for its turn at the rate, in milliseconds; what comes then is dropped. 200 when absent. */
  queueMs?: number;
  delayMs?: number;
  /** Added to the delay: a number from -jitterMs to jitterMs, all as likely, and no more than the delay; drawn anew every 40 ms. */
  jitterMs?: number;
  /** Draws it for each packet, so that they overtake each other, as tc-netem(8) does; else they keep their order. */
  reorder?: boolean;
  lossPercent?: number;
}

/** What one direction did since it was asked the last time. */
export interface DirectionStatistics {
  packets: number;
  /** Of IP packets. */
  bytes: number;
  /** Lost by lot. */
  lost: number;
  /** Because the queue was full. */
  dropped: number;
  /** How long after its time the link sent a packet: what its own measure is worth. */
  lateMeanMs: number;
  lateMaxMs: number;
}

/** `down` goes into the namespace, `up` comes out of it. */
export interface LinkStatistics {
  down: DirectionStatistics;
  up: DirectionStatistics;
}

const name = (pid: number, count: number) => `footlights-${pid}-${count}`;
const nameParts = /^footlights-(\d+)-\d+$/;

/** Why this machine has no links; undefined when it has. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root to make network namespaces';
  if (!existsSync(python)) return `${python} is not installed`;
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  const probe = name(process.pid, 0);
  const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  if (made.status !== 0) return `"ip netns add" fails: ${made.error?.message ?? made.stderr.trim()}`;
  ip('netns', 'delete', probe);
  return undefined;
}

const reason = obstacle();

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Where a device's IPv6 is turned off: its kernel solicits routers of its own accord, which would be counted and dropped. */
const ipv6 = (device: string) => `/proc/sys/net/ipv6/conf/${device}/disable_ipv6`;

/** A network namespace and the link to it. */
export class Link {
  readonly namespace: string;
  /** Of this side: what a server binds that the namespace is to reach. */
  readonly hostAddress: string;
  /** Of the namespace. */
  readonly address: string;
  readonly #program: ChildProcess;
  readonly #answers = new Map<number, (answer: LinkStatistics) => void>();
  #errors = '';
  #commands = 0;

  private constructor(namespace: string, device: string, pair: number, seed: number) {
    this.namespace = namespace;
    const first = pair * 4;
    const dotted = (host: number) => `198.${18 + (first >> 16)}.${(first >> 8) & 255}.${(first & 255) + host}`;
    [this.hostAddress, this.address] = [dotted(1), dotted(2)];
    this.#program = spawn(python, [script, namespace, device, String(seed)], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#program.stderr?.on('data', (chunk) => (this.#errors += chunk));
    createInterface({ input: this.#program.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line);
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    });
  }

  static async open(seed: number): Promise<Link> {
    if (reason) throw new Error(`no links here: ${reason}`);
    removeLeftovers();
    const count = freeCount();
    const namespace = name(process.pid, count);
    ip('netns', 'add', namespace);
    const link = new Link(namespace, `fl${process.pid}x${count}`, freePair(), seed);
    try {
      await link.#configure(`fl${process.pid}x${count}`);
      return link;
    } catch (error) {
      await link.dispose();
      throw error;
    }
  }

  async #configure(device: string): Promise<void> {
    await this.#answer(0);
    ip('address', 'add', this.hostAddress, 'peer', this.address, 'dev', device);
    // Nothing that the namespace sends goes beyond this machine.
    writeFileSync(`/proc/sys/net/ipv4/conf/${device}/forwarding`, '0');
    const quiet = `[ ! -e ${ipv6(device)} ] || echo 1 > ${ipv6(device)}`;
    execFileSync('sh', ['-c', quiet]);
    ip('netns', 'exec', this.namespace, 'sh', '-c', quiet);
    ip('link', 'set', device, 'multicast', 'off', 'up');
    const inside = ['-netns', this.namespace];
    ip(...inside, 'link', 'set', 'lo', 'up');
    ip(...inside, 'address', 'add', this.address, 'peer', this.hostAddress, 'dev', device);
    ip(...inside, 'link', 'set', device, 'multicast', 'off', 'up');
    // Browsers take the address of the default route for their own.
    ip(...inside, 'route', 'add', 'default', 'via', this.hostAddress);
  }

  /** Shapes the directions that are named anew; the others stay. */
  async shape(shape: { down?: Shape; up?: Shape }): Promise<void> {
    await this.#command({ shape });
  }

  /** What went through since this was asked the last time. */
  statistics(): Promise<LinkStatistics> {
    return this.#command({ statistics: true });
  }

  #command(command: object): Promise<LinkStatistics> {
    const id = ++this.#commands;
    const answer = this.#answer(id);
    this.#program.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    return answer;
  }

  /** The answer to the command of this number; 0: the first word of the program. */
  #answer(id: number): Promise<LinkStatistics> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`the link's program ended:\n${this.#errors}`));
      if (this.#program.exitCode !== null || this.#program.signalCode !== null) return ended();
      this.#program.once('exit', ended);
      this.#answers.set(id, (answer) => {
        this.#program.off('exit', ended);
        resolve(answer);
      });
    });
  }

  /** Ends what still runs in the namespace, and removes it and the link. */
  async dispose(): Promise<void> {
    removeNamespace(this.namespace);
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return;
    const exit = once(this.#program, 'exit');
    this.#program.kill('SIGKILL');
    await exit;
  }
}

/**
 * Makes a link to a new network namespace, unlimited until it is shaped. The same seed loses the same packets, counted in
 * the order in which they come. Throws when `openLink.available` is false; `openLink.reason` says why it is.
 */
export const openLink = Object.assign((seed = 1): Promise<Link> => Link.open(seed), {
  available: reason === undefined,
  reason: reason ?? '',
});

if (reason) console.warn(`skipped: no network links for tests: ${reason}`);

/** The lowest number from 1 that no namespace of this process has. */
function freeCount(): number {
  for (let count = 1; ; count++) if (!existsSync(join(namespaces, name(process.pid, count)))) return count;
}

/** A piece of the test network that no device of this machine has. */
function freePair(): number {
  const used = ip('-4', '-oneline', 'address');
  for (;;) {
    const pair = Math.floor(Math.random() * pairs);
    const [second, rest] = [18 + (pair >> 14), (pair * 4) & 0xffff];
    if (!used.includes(`198.${second}.${rest >> 8}.${(rest & 255) + 1} `)) return pair;
  }
}

/** Removes the namespaces of runs that were killed; their links went with them. */
function removeLeftovers(): void {
  for (const namespace of existsSync(namespaces) ? readdirSync(namespaces) : []) {
    const pid = nameParts.exec(namespace)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespace(namespace);
  }
}

function removeNamespace(namespace: string): void {
  const inside = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  for (const pid of (inside.stdout ?? '').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  spawnSync('ip', ['netns', 'delete', namespace]);
}
