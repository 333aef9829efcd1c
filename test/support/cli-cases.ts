// Runs a command line against a stub of the service, and keeps what it does: exit code, both outputs, requests.
// The same code records cases from Debian's awscli (scripts/record-cli-cases.mjs) and compares ours with them.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type HttpRequestParts, verifyRequest } from '@footlights/model';

/** What the stub does with one request. */
export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  text?: string;
  /** The connection ends without an answer. */
  close?: true;
  /** No answer comes at all. */
  silent?: true;
}

export interface Case {
  name: string;
  argv: string[];
  /** Null takes a variable away. */
  env?: Record<string, string | null>;
  /** Files by path: `~/…` in the home folder, others in the working folder. */
  files?: Record<string, string>;
  /** One answer for each request in turn, the last for all further ones. */
  answers?: Answer[];
  result?: Result;
  /** Where ours is different on purpose: what it writes instead, and why. */
  ours?: { stdout?: string; stderr?: string; why: string };
}

export interface Request {
  method: string;
  url: string;
  contentType?: string;
  body?: unknown;
  /** The access key and region of a signature that verifies; absent when the request is not signed. */
  signedBy?: string;
  sessionToken?: string;
}

export interface Result {
  exit: number | null;
  stdout: string;
  stderr: string;
  requests: Request[];
}

const keys: Readonly<Record<string, string>> = {
  AKIDENVIRONMENT0: 'secret/of+environment',
  AKIDDEFAULT00000: 'secret-of-default',
  AKIDSTUDIO000000: 'secret-of-studio',
  AKIDPROCESS00000: 'secret-of-process',
};
const regions = ['us-west-2', 'us-east-1', 'eu-west-1', 'eu-central-1', 'ap-northeast-1'];

const environment = {
  PATH: process.env.PATH ?? '',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  TERM: 'dumb',
  AWS_ACCESS_KEY_ID: 'AKIDENVIRONMENT0',
  AWS_SECRET_ACCESS_KEY: keys.AKIDENVIRONMENT0!,
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
};

/** Runs one case; `${URL}`, `${HOME}` and `${CLOSED}`, a port where nobody listens, stand in its texts. */
export async function runCase(command: readonly string[], given: Case): Promise<Result> {
  const requests: Request[] = [];
  const server = await startStub(given.answers ?? [{ body: {} }], requests);
  const folder = mkdtempSync(join(tmpdir(), 'footlights-case-'));
  const places: Record<string, string> = {
    URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    HOME: join(folder, 'home'),
    CLOSED: String(await closedPort()),
  };
  const fill = (text: string): string => text.replace(/\$\{(\w+)\}/g, (all, name) => places[name] ?? all);
  const hide = (text: string): string =>
    Object.entries(places).reduce((shown, [name, place]) => shown.replaceAll(place, `\${${name}}`), text);
  try {
    writeFiles(folder, given.files ?? {}, fill);
    const variables = Object.entries({ ...environment, HOME: places.HOME!, ...given.env });
    const env = Object.fromEntries(
      variables.flatMap(([name, value]) => (value === null ? [] : [[name, fill(value)] as const])),
    );
    const done = await execute([...command, ...given.argv.map(fill)], join(folder, 'work'), env);
    return { exit: done.exit, stdout: hide(done.stdout), stderr: hide(done.stderr), requests };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

function writeFiles(folder: string, files: Record<string, string>, fill: (text: string) => string): void {
  for (const place of ['home', 'work']) mkdirSync(join(folder, place));
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path.startsWith('~/') ? path.replace('~', 'home') : `work/${path}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, fill(text), { mode: 0o755 });
  }
}

const patience = 60_000;

function execute(
  [program = '', ...args]: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<Omit<Result, 'requests'>> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: patience });
  const outputs = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      outputs[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit) => resolve({ exit, ...outputs }));
  });
}

async function startStub(answers: readonly Answer[], requests: Request[]): Promise<Server> {
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)] ?? {};
      requests.push(describe(request, body));
      if (answer.silent) return;
      if (answer.close) return void response.destroy();
      const text = answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body));
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function describe({ method = '', url = '', headers }: IncomingMessage, body: Buffer): Request {
  const content = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
  if (uuid.test(content?.idempotencyToken ?? '')) content.idempotencyToken = 'UUID';
  const [rawPath = '', rawQuery = ''] = url.split('?');
  const parts = { method, rawPath, rawQuery, headers: headers as Record<string, string | undefined>, body };
  const signer = headers.authorization === undefined ? undefined : signerOf(parts);
  return {
    method,
    url,
    ...(content !== undefined && { contentType: headers['content-type'] ?? '', body: content }),
    ...(signer && { signedBy: signer }),
    ...(headers['x-amz-security-token'] && { sessionToken: String(headers['x-amz-security-token']) }),
  };
}

function signerOf(parts: HttpRequestParts): string {
  try {
    const options = { secretOf: (id: string) => keys[id], service: 'ivs', regions, now: new Date() };
    const { accessKeyId, region } = verifyRequest(parts, options);
    return `${accessKeyId} ${region}`;
  } catch (error) {
    return (error as Error).name;
  }
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
