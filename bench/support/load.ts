// A server (dist/) and the load on it, each a process of its own: the load signs nothing and parses little, so that it is
// never what is measured.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Credentials,
  decodeResponse,
  encodeRequest,
  type Operation,
  type OperationName,
  operations,
  signRequest,
} from '@footlights/model';

export const region = 'us-west-2';

/** How requests are sent. */
export interface Phase {
  name: string;
  seconds: number;
  /** Requests a second, on a fixed schedule; absent: each connection asks again at once. */
  rate?: number;
  /** Each request is sent once, and then the phase is over. */
  once?: boolean;
  /** The answer that counts as good; 200 when absent. */
  status?: number;
}

/** What came of it. */
export interface Result {
  answered: number;
  failed: number;
  seconds: number;
  /** Milliseconds; with a rate, from when the request was due. */
  p50: number;
  p99: number;
}

/** Runs a benchmark: this process measures, a second one, which runs the same file, makes the load. */
export async function benchmark(measure: () => Promise<void>): Promise<void> {
  if (process.argv[2] === 'load') await serveLoad();
  else await measure();
}

// ---- the server

/** A server under test. */
export class Server {
  readonly dataDir: string;
  readonly host: string;
  readonly credentials: Credentials;
  readonly process: ChildProcess;

  private constructor(dataDir: string, child: ChildProcess) {
    this.dataDir = dataDir;
    this.process = child;
    this.host = new URL(JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8')).api).host;
    const text = readFileSync(join(dataDir, 'credentials'), 'utf8');
    const secret = (name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? '';
    this.credentials = { accessKeyId: secret('aws_access_key_id'), secretAccessKey: secret('aws_secret_access_key') };
  }

  static async start(args: readonly string[] = [], dataDir = mkdtempSync(join(tmpdir(), 'footlights-bench-'))) {
    const path = join(dataDir, 'endpoints.json');
    rmSync(path, { force: true });
    const ports = ['--port=0', '--media-port=0', '--no-ingest'];
    const options = [...ports, `--data-dir=${dataDir}`, `--region=${region}`, '--log-level=error'];
    const child = spawn(process.execPath, ['bin/footlights', 'start', ...options, '--media-workers=1', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (text) => (output += text));
    for (const deadline = Date.now() + 15_000; !existsSync(path); await sleep(50))
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`the server did not start:\n${output}`);
    return new Server(dataDir, child);
  }

  /** One signed request, ready for the wire. */
  request(name: OperationName, input: Record<string, unknown> = {}): string {
    const { method, rawPath, rawQuery, headers, body } = this.#signed(name, input);
    const all = { ...headers, 'content-length': String(body.length) };
    const lines = Object.entries(all).map(([header, value]) => `${header}: ${value}\r\n`);
    return `${method} ${rawPath}${rawQuery && `?${rawQuery}`} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
  }

  /** The output of one call, which must succeed. */
  async call(name: OperationName, input: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { method, rawPath, rawQuery, headers, body } = this.#signed(name, input);
    const url = `http://${this.host}${rawPath}${rawQuery && `?${rawQuery}`}`;
    const response = await fetch(url, { method, headers, ...(method === 'POST' && { body }) });
    const answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
    const decoded = decodeResponse(operations[name], answer);
    if ('error' in decoded) throw new Error(`${name}: ${decoded.error.message}`);
    return decoded.output;
  }

  /** Ends the process; the data folder goes too unless it is kept. */
  async stop({ keep = false } = {}): Promise<void> {
    const exit = once(this.process, 'exit');
    this.process.kill();
    await exit;
    if (!keep) rmSync(this.dataDir, { recursive: true });
  }

  #signed(name: OperationName, input: Record<string, unknown>) {
    const operation: Operation = operations[name];
    const { headers, body = '', ...line } = encodeRequest(operation, input);
    const parts = { ...line, headers: { ...headers, host: this.host }, body: Buffer.from(body) };
    const { credentials } = this;
    const signature = signRequest(parts, { credentials, region, service: 'ivs', now: new Date() });
    return { ...parts, headers: { ...parts.headers, ...signature } };
  }
}

// ---- the load, seen from the process that measures

/** The process that makes the load. */
export class Load {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(host: string, connections: number): Promise<Load> {
    const child = fork(process.argv[1]!, ['load']);
    child.send({ host, connections });
    await once(child, 'message');
    return new Load(child);
  }

  async run(requests: readonly string[], phase: Phase): Promise<Result> {
    this.#process.send({ requests, phase });
    return (await once(this.#process, 'message'))[0] as Result;
  }

  stop(): void {
    this.#process.kill();
  }
}

// ---- the load, in its own process

/** One keep-alive connection with one request under way at most. */
class Connection {
  readonly #socket: Socket;
  #received = '';
  #done: ((status: number) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#read(text));
  }

  static async open(host: string): Promise<Connection> {
    const [hostname = '', port = ''] = host.split(':');
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  send(request: string): Promise<number> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.write(request);
    });
  }

  #read(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1]);
    if (this.#received.length < end + 4 + length) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = '';
    this.#done?.(status);
  }
}

async function serveLoad(): Promise<void> {
  const [{ host, connections }] = (await once(process, 'message')) as [{ host: string; connections: number }];
  const pool = await Promise.all(Array.from({ length: connections }, () => Connection.open(host)));
  process.on('message', async ({ requests, phase }: { requests: string[]; phase: Phase }) =>
    process.send?.(await runPhase(pool, requests, phase)),
  );
  process.send?.('ready');
}

async function runPhase(pool: readonly Connection[], requests: readonly string[], phase: Phase): Promise<Result> {
  const times: number[] = [];
  let failed = 0;
  let next = 0;
  const started = performance.now();
  const end = started + phase.seconds * 1000;
  const dueAt = () => (phase.rate ? started + (next / phase.rate) * 1000 : performance.now());
  const worker = async (connection: Connection) => {
    for (let due = dueAt(); due < end && performance.now() < end; due = dueAt()) {
      if (phase.once && next >= requests.length) return;
      const request = requests[next++ % requests.length]!;
      if (due > performance.now()) await sleep(due - performance.now());
      if ((await connection.send(request)) !== (phase.status ?? 200)) failed++;
      times.push(performance.now() - due);
    }
  };
  await Promise.all(pool.map(worker));
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return { answered: times.length, failed, seconds, p50: at(0.5), p99: at(0.99) };
}
