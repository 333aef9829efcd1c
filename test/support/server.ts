import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IVSRealTimeClient } from '@aws-sdk/client-ivs-realtime';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const executable = join(root, 'bin/footlights');

/** What a started server tells of itself in its data folder. */
export interface Endpoints {
  api: string;
  whip: string;
  events: string;
  rtmp: string;
  rtmps: string;
  media: string[];
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** A Footlights server as a process of its own, on free ports. */
export interface RunningServer {
  process: ChildProcess;
  dataDir: string;
  endpoints: Endpoints;
  credentials: Credentials;
  /** AWS's own client, pointed at the server by nothing but endpoint, region and credentials. */
  client: IVSRealTimeClient;
  /** Everything that the process wrote so far. */
  output(): string;
  /** Sends the signal and returns the exit code once the process is gone; the data folder stays. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends the process if it still runs and removes the data folder. */
  dispose(): Promise<void>;
}

/** A folder that the test removes. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'footlights-test-'));

/** Starts the built server and waits until it is ready. */
export async function startServer(
  options: { args?: string[]; dataDir?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<RunningServer> {
  const dataDir = options.dataDir ?? temporaryFolder();
  rmSync(join(dataDir, 'endpoints.json'), { force: true });
  const args = [
    executable,
    'start',
    '--port',
    '0',
    '--media-port',
    '0',
    '--rtmp-port',
    '0',
    '--rtmps-port',
    '0',
    '--data-dir',
    dataDir,
    ...(options.args ?? []),
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...options.env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  await ready(child, dataDir, () => output);
  const endpoints = JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8')) as Endpoints;
  const credentials = readCredentials(dataDir);
  const client = new IVSRealTimeClient({ endpoint: endpoints.api, region: 'us-west-2', credentials, maxAttempts: 1 });
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exit = once(child, 'exit');
    child.kill(signal);
    return (await exit)[0] as number | null;
  };
  return {
    process: child,
    dataDir,
    endpoints,
    credentials,
    client,
    output: () => output,
    end,
    async dispose() {
      client.destroy();
      await end('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The environment without anything that would configure an AWS client or a Footlights server. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|FOOTLIGHTS)_/.test(name)));
}

async function ready(child: ChildProcess, dataDir: string, output: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!existsSync(join(dataDir, 'endpoints.json')) || !/ready/.test(output())) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the server is not ready after 20 s:\n${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readCredentials(dataDir: string): Credentials {
  const text = readFileSync(join(dataDir, 'credentials'), 'utf8');
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
}
