import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { RunningServer } from './server.ts';

/** Child processes whose command line names `program`. */
export function childrenOf(parent: number, program: string): number[] {
  const isChild = (name: string) => {
    try {
      const pid = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]);
      return pid === parent && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(program);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isChild(name))
    .map(Number);
}

/** The media workers of a server: children of its process. */
export const workerPids = ({ process: { pid = 0 } }: RunningServer): number[] => childrenOf(pid, 'media-worker');

/** The worker that listens on a UDP port. */
export function workerAt(server: RunningServer, port: number): number {
  const inodes = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16) === port)
    .map((fields) => fields[9]);
  const holds = (pid: number) => openFiles(pid).some((file) => inodes.some((inode) => file === `socket:[${inode}]`));
  const found = workerPids(server).find(holds);
  if (found === undefined) throw new Error(`no media worker has UDP port ${port}`);
  return found;
}

/** Memory that a process has in use, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return [];
    }
  });
}
