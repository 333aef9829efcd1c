import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ChildHandle } from '../channel.ts';
import { CLOCK_VARIABLE, clockOffsetMs } from './clock.ts';

/** Starts `path` as a child process with a message channel. Its stdout goes nowhere: ours may be a document. */
export function forkChild<Sent extends object, Said>(path: string): ChildHandle<Sent, Said> {
  const child = fork(path, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    env: { ...process.env, [CLOCK_VARIABLE]: String(clockOffsetMs) },
  });
  return {
    pid: child.pid ?? 0,
    send(message) {
      if (child.connected) child.send(message, ignoreClosedChannel);
    },
    onMessage: (listener) => child.on('message', (message) => listener(message as Said)),
    onExit: (listener) => onceGone(child, listener),
    onComplaint(listener) {
      if (child.stderr) createInterface({ input: child.stderr }).on('line', listener);
    },
    kill: () => child.kill('SIGKILL'),
  };
}

/** A message can lose the race against the end of the process, which is told by its own event. */
function ignoreClosedChannel(): void {}

function onceGone(child: ChildProcess, listener: (how: string) => void): void {
  let told = false;
  const tell = (how: string) => {
    if (!told) listener(how);
    told = true;
  };
  child.on('exit', (code, signal) => tell(signal ? `signal ${signal}` : `exit code ${code}`));
  child.on('error', (error) => tell(error.message));
}
