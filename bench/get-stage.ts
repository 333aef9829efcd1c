// GetStage through SigV4 and SQLite: how many a second one core answers, and how fast at half of the target.
//
// Three processes: this one, the server (dist/), and the load, which signs beforehand and speaks HTTP over bare sockets so
// that the second core does not limit the first. Run: npm run bench.
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
  operations,
  signRequest,
} from '@footlights/model';

const region = 'us-west-2';
const stages = 100;
const connections = 32;
const target = 4_000;
const phases: readonly Phase[] = [
  { name: 'warm-up', seconds: 1.5 },
  { name: 'as fast as it can', seconds: 4 },
  { name: `at ${target / 2} a second`, seconds: 3, rate: target / 2 },
];

interface Phase {
  name: string;
  seconds: number;
  /** Requests a second, on a fixed schedule; absent: each connection asks again at once. */
  rate?: number;
}

interface Result {
  answered: number;
  failed: number;
  seconds: number;
  /** Milliseconds; with a rate, from when the request was due. */
  p50: number;
  p99: number;
}

/** One signed request, ready for the wire. */
function wireRequest(
  operation: Operation,
  input: Record<string, unknown>,
  host: string,
  credentials: Credentials,
): string {
  const { method, rawPath, rawQuery, headers, body = '' } = encodeRequest(operation, input);
  const parts = { method, rawPath, rawQuery, headers: { ...headers, host }, body: Buffer.from(body) };
  const signed = signRequest(parts, { credentials, region, service: 'ivs', now: new Date() });
  const all = { ...parts.headers, ...signed, 'content-length': String(parts.body.length) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${rawPath} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

// ---- the load process

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

async function runPhase(pool: readonly Connection[], requests: readonly string[], phase: Phase): Promise<Result> {
  const times: number[] = [];
  let failed = 0;
  let next = 0;
  const started = performance.now();
  const end = started + phase.seconds * 1000;
  const dueAt = () => (phase.rate ? started + (next / phase.rate) * 1000 : performance.now());
  const worker = async (connection: Connection) => {
    for (let due = dueAt(); due < end && performance.now() < end; due = dueAt()) {
      const request = requests[next++ % requests.length]!;
      if (due > performance.now()) await sleep(due - performance.now());
      if ((await connection.send(request)) !== 200) failed++;
      times.push(performance.now() - due);
    }
  };
  await Promise.all(pool.map(worker));
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return { answered: times.length, failed, seconds, p50: at(0.5), p99: at(0.99) };
}

async function load(host: string, requests: readonly string[]): Promise<void> {
  const pool = await Promise.all(Array.from({ length: connections }, () => Connection.open(host)));
  process.on('message', async (phase: Phase) => process.send?.(await runPhase(pool, requests, phase)));
  process.send?.('ready');
}

// ---- the process that measures

async function startServer(dataDir: string): Promise<{ server: ChildProcess; host: string; credentials: Credentials }> {
  const options = ['--port=0', '--media-port=0', `--data-dir=${dataDir}`, `--region=${region}`, '--log-level=warn'];
  const server = spawn(process.execPath, ['bin/footlights', 'start', ...options, '--media-workers=1'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const path = join(dataDir, 'endpoints.json');
  for (const deadline = Date.now() + 15_000; !existsSync(path); await sleep(50))
    if (Date.now() > deadline || server.exitCode !== null) throw new Error('the server did not start');
  const host = new URL(JSON.parse(readFileSync(path, 'utf8')).api).host;
  const secret = (name: string) =>
    new RegExp(`^${name} = (.*)$`, 'm').exec(readFileSync(join(dataDir, 'credentials'), 'utf8'))?.[1] ?? '';
  const credentials = { accessKeyId: secret('aws_access_key_id'), secretAccessKey: secret('aws_secret_access_key') };
  return { server, host, credentials };
}

async function createStage(host: string, credentials: Credentials): Promise<string> {
  const {
    method,
    rawPath,
    headers,
    body = '',
  } = encodeRequest(operations.CreateStage, { name: 'bench', tags: { a: 'b' } });
  const parts = { method, rawPath, rawQuery: '', headers: { ...headers, host }, body: Buffer.from(body) };
  const signed = signRequest(parts, { credentials, region, service: 'ivs', now: new Date() });
  const response = await fetch(`http://${host}${rawPath}`, { method, headers: { ...headers, ...signed }, body });
  const answer = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
  const decoded = decodeResponse(operations.CreateStage, answer);
  if ('error' in decoded) throw new Error(decoded.error.message);
  return (decoded.output.stage as { arn: string }).arn;
}

/** Seconds of processor time that a process has used; undefined where there is no /proc. */
function cpuSeconds(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

async function measure(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'footlights-bench-'));
  const { server, host, credentials } = await startServer(dataDir);
  const loader = fork(process.argv[1]!, ['load']);
  try {
    const arns = await Promise.all(Array.from({ length: stages }, () => createStage(host, credentials)));
    loader.send({ host, requests: arns.map((arn) => wireRequest(operations.GetStage, { arn }, host, credentials)) });
    await once(loader, 'message');
    console.log(`GetStage, signed, ${stages} stages in SQLite, ${connections} connections`);
    console.log('phase                 requests/s   server CPU   per CPU second      p50      p99   failed');
    for (const phase of phases) {
      const before = cpuSeconds(server.pid);
      loader.send(phase);
      const [result] = (await once(loader, 'message')) as [Result];
      const used = (cpuSeconds(server.pid) ?? Number.NaN) - (before ?? Number.NaN);
      print(phase, result, used);
    }
  } finally {
    loader.kill();
    server.kill();
    await once(server, 'exit');
    rmSync(dataDir, { recursive: true });
  }
}

function print(phase: Phase, { answered, failed, seconds, p50, p99 }: Result, cpu: number): void {
  const columns = [
    (answered / seconds).toFixed(0).padStart(10),
    `${((100 * cpu) / seconds).toFixed(0)} %`.padStart(12),
    (answered / cpu).toFixed(0).padStart(16),
    `${p50.toFixed(2)} ms`.padStart(8),
    `${p99.toFixed(2)} ms`.padStart(8),
    String(failed).padStart(8),
  ];
  console.log([phase.name.padEnd(21), ...columns].join(' '));
}

if (process.argv[2] === 'load') {
  const [{ host, requests }] = (await once(process, 'message')) as [{ host: string; requests: string[] }];
  await load(host, requests);
} else {
  await measure();
}
