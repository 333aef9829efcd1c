import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { cleanEnvironment, executable, type RunningServer, startServer, temporaryFolder } from './support/server.ts';
import { createStage, createToken } from './support/stage.ts';

const secret = 'a secret';
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A webhook that answers as it is told to and keeps what it took, signature checked. */
class Receiver {
  readonly taken: Told[] = [];
  answer: (response: Parameters<RequestListener>[1]) => void = (response) => response.writeHead(204).end();
  tries = 0;
  readonly server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    this.tries += 1;
    const timestamp = request.headers['footlights-timestamp'];
    const expected = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    if (request.headers['footlights-signature'] !== `v1=${expected}`) throw new Error('a signature is wrong');
    response.once('finish', () => response.statusCode === 204 && this.taken.push(JSON.parse(body)));
    this.answer(response);
  });

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    cleanUps.push(() => {
      this.server.closeAllConnections();
      this.server.close();
    });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }
}

interface Told {
  id: string;
  resources: string[];
  detail: { event_name: string; participant_id: string; user_id: string; error_code: string };
}

/** The webhook first, and a server that sends to it. */
async function startWithWebhook(args: string[] = [], dataDir = temporaryFolder()) {
  const receiver = new Receiver();
  const url = await receiver.listen();
  const webhook = ['--events-webhook', url, '--events-webhook-secret', secret, '--media-workers', '1', '--no-ingest'];
  const start = async () => {
    const server = await startServer({ dataDir, args: [...webhook, ...args] });
    cleanUps.push(() => server.dispose());
    return server;
  };
  return { receiver, start, server: await start() };
}

/** Somebody who is joined and may not publish; each `refused` is an event of the bus. */
async function joinViewer(server: RunningServer, stageArn: string, userId = 'alice') {
  const { token, id } = await createToken(server, stageArn, { userId, capabilities: ['SUBSCRIBE'] });
  const socket = new WebSocket(server.endpoints.events, token);
  socket.on('error', () => {});
  await once(socket, 'message');
  cleanUps.push(() => socket.terminate());
  const refused = async () => {
    const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
    const { status } = await fetch(server.endpoints.whip, { method: 'POST', headers, body: 'v=0\r\n' });
    expect(status).toBe(403);
  };
  return { id, refused };
}

const seen = (receiver: Receiver) =>
  receiver.taken.map(({ detail }) => [detail.event_name, detail.user_id, detail.error_code]);
const error = (userId = 'alice') => ['Participant Publish Error', userId, 'INSUFFICIENT_CAPABILITIES'];

test('every sink is told, and one that hangs, fails or redirects holds up no other', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'events.jsonl');
  const { receiver, server } = await startWithWebhook(['--events-file', file, '--events-stdout']);
  let followed = false;
  const other = new Receiver();
  other.answer = () => (followed = true);
  const location = await other.listen();
  const answers: Receiver['answer'][] = [
    (response) => response.writeHead(500).end(),
    (response) => response.writeHead(302, { location }).end(),
    () => {},
  ];
  const good = receiver.answer;
  receiver.answer = (response) => (answers.shift() ?? good)(response);
  const stageArn = await createStage(server);
  const { id, refused } = await joinViewer(server, stageArn);
  await refused();
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
  await vi.waitFor(() => expect(lines()).toHaveLength(1), 5_000);
  const [line = ''] = lines();
  expect(JSON.parse(line)).toMatchObject({
    source: 'aws.ivs',
    resources: [stageArn],
    detail: { participant_id: id, user_id: 'alice', error_code: 'INSUFFICIENT_CAPABILITIES' },
  });
  await vi.waitFor(() => expect(server.output()).toContain(line), 5_000);
  // 500, 302, then an answer that does not come within 10 s: after each the event comes again.
  await vi.waitFor(() => expect(seen(receiver)).toEqual([error()]), 40_000);
  expect(receiver.tries).toBe(4);
  expect(followed).toBe(false);
  expect(server.output()).not.toContain(secret);
});

test('what was not taken when the server was killed comes from the next one, in its order', async () => {
  const { receiver, server, start } = await startWithWebhook();
  receiver.answer = (response) => response.writeHead(503).end();
  const stageArn = await createStage(server);
  const users = ['a', 'b', 'c', 'd', 'e'];
  for (const userId of users) await (await joinViewer(server, stageArn, userId)).refused();
  await vi.waitFor(() => expect(receiver.tries).toBeGreaterThan(0), 5_000);
  // The fifth is durable once whoever asks can see it.
  await vi.waitFor(async () => expect(await tail(server, ['--count', '5'])).toHaveLength(5), 10_000);
  await server.end('SIGKILL');
  receiver.answer = (response) => response.writeHead(204).end();
  await start();
  await vi.waitFor(() => expect(seen(receiver)).toEqual(users.map(error)), 15_000);
});

test('a server that is stopped in order leaves nothing that it could deliver', async () => {
  const { receiver, server } = await startWithWebhook();
  await (await joinViewer(server, await createStage(server))).refused();
  expect(await server.end('SIGTERM')).toBe(0);
  expect(seen(receiver)).toEqual([error()]);
});

const environmentOf = (server: RunningServer) => ({
  ...cleanEnvironment(),
  FOOTLIGHTS_DATA_DIR: server.dataDir,
  HOME: server.dataDir,
});

function spawnTail(
  server: RunningServer,
  args: string[] = [],
): { child: ChildProcess; lines(): Told[]; errors(): string } {
  const words = [executable, 'events', 'tail', ...args];
  const child = spawn(process.execPath, words, { env: environmentOf(server), stdio: ['ignore', 'pipe', 'pipe'] });
  cleanUps.push(() => child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const lines = () =>
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { child, lines, errors: () => err };
}

async function tail(server: RunningServer, args: string[]): Promise<Told[]> {
  const { child, lines } = spawnTail(server, args);
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await once(child, 'close');
  clearTimeout(timer);
  return lines();
}

test('events tail shows the last ones and those to come, over a restart, and ends with Ctrl-C', async () => {
  const { server, start } = await startWithWebhook();
  const stageArn = await createStage(server);
  const alice = await joinViewer(server, stageArn);
  for (let i = 0; i < 3; i++) await alice.refused();
  await (await joinViewer(server, await createStage(server), 'other')).refused();
  const running = spawnTail(server, ['--stage-arn', stageArn, '--last', '2']);
  await vi.waitFor(() => expect(running.lines()).toHaveLength(2), 10_000);
  await alice.refused();
  await vi.waitFor(() => expect(running.lines()).toHaveLength(3), 10_000);
  await server.end('SIGKILL');
  await vi.waitFor(() => expect(running.errors()).toMatch(/trying again/), 10_000);
  const next = await start();
  await (await joinViewer(next, stageArn, 'bob')).refused();
  await vi.waitFor(() => expect(running.lines().map(({ detail }) => detail.user_id)).toHaveLength(4), 10_000);
  expect(running.lines().map(({ detail }) => detail.user_id)).toEqual(['alice', 'alice', 'alice', 'bob']);
  expect(new Set(running.lines().map(({ id }) => id)).size).toBe(4);
  running.child.kill('SIGINT');
  const [code] = await once(running.child, 'close');
  expect(code).toBe(130);
  expect(running.errors().trim().split('\n')).toHaveLength(1);
});

test('only who signs sees events, and only well-formed questions are answered', async () => {
  const { server } = await startWithWebhook();
  const url = `${server.endpoints.api}/events/feed?last=1`;
  expect((await fetch(url)).status).toBe(403);
  const { child, errors } = spawnTail(server, ['--no-sign-request']);
  const [code] = await once(child, 'close');
  expect(code).toBe(254);
  expect(errors()).toContain('MissingAuthenticationToken');
});
