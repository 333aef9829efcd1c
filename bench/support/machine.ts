// What Linux tells of the machine and of processes under measurement.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux counts CPU time in these. */
const JIFFY_MS = 10;

const fields = (path: string) => readFileSync(path, 'utf8').trim().split(/\s+/);

/** Runnable and waiting tasks of the last minute, as in `uptime`. */
export const load = () => fields('/proc/loadavg')[0] ?? '';

/** CPU time that a process has used. */
export function cpuTimes(pid: number): { userMs: number; systemMs: number } {
  const numbers = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { userMs: Number(numbers[11]) * JIFFY_MS, systemMs: Number(numbers[12]) * JIFFY_MS };
}

/** How long a thread has run, and has waited for a CPU although it could run. */
export interface ThreadTimes {
  ranMs: number;
  waitedMs: number;
}

/** Of each thread of a process, by its id. */
export function threadTimes(pid: number): Map<string, ThreadTimes> {
  const times = new Map<string, ThreadTimes>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ran = 0, waited = 0] = fields(`/proc/${pid}/task/${thread}/schedstat`).map(Number);
    times.set(thread, { ranMs: ran / 1e6, waitedMs: waited / 1e6 });
  }
  return times;
}

/** How long all CPUs together had nothing to do. */
export function idleMs(): number {
  const [, , , , idle, waiting] = fields('/proc/stat').map(Number);
  return ((idle ?? 0) + (waiting ?? 0)) * JIFFY_MS;
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

/** The sockets of processes, by inode. */
export function socketsOf(pids: readonly number[]): Set<string> {
  const inodes = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
    ),
  );
  return new Set(inodes);
}

/** Datagrams that came for these sockets and were dropped, because their process did not fetch them in time. */
export function datagramsDropped(sockets: ReadonlySet<string>): number {
  let sum = 0;
  for (const line of readFileSync('/proc/net/udp', 'utf8').trim().split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (sockets.has(columns[9] ?? '')) sum += Number(columns[12]);
  }
  return sum;
}

/** Files of a process come and go while they are listed. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
