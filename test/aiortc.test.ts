import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { GetParticipantCommand, GetStageCommand } from '@aws-sdk/client-ivs-realtime';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken } from './support/stage.ts';

const script = fileURLToPath(new URL('support/aiortc_client.py', import.meta.url));

let server: RunningServer;
let running: ChildProcess[] = [];

beforeAll(async () => {
  server = await startServer();
});

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running = [];
});

afterAll(() => server.dispose());

/** Runs the client with Debian's own Python, which has Debian's aiortc. */
function run(...args: string[]) {
  const child = spawn('/usr/bin/python3', [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  running.push(child);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const lines = () =>
    output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, lines, errors: () => errors };
}

test.each(['H264', 'VP8'])('aiortc publishes %s, and aiortc receives picture and sound', async (codec) => {
  const stageArn = await createStage(server);
  const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
  const publisher = run('publish', server.endpoints.whip, alice.token, codec);
  await vi.waitFor(() => expect(publisher.lines(), publisher.errors()).toContainEqual({ state: 'connected' }), 20_000);
  const subscriber = run('subscribe', `${server.endpoints.whip}/subscribe/${alice.id}`, bob.token, '30');
  const [code] = await once(subscriber.child, 'exit');
  expect(code, subscriber.errors()).toBe(0);
  const seen = subscriber.lines().at(-1);
  expect(seen).toMatchObject({ frames: 30, width: 320, height: 240 });
  expect(seen?.loudest).toBeGreaterThan(2000);
  const { stage: live } = await server.client.send(new GetStageCommand({ arn: stageArn }));
  const { participant } = await server.client.send(
    new GetParticipantCommand({ stageArn, sessionId: live?.activeSessionId, participantId: alice.id }),
  );
  expect(participant).toMatchObject({ published: true, protocol: 'WHIP' });
  publisher.child.stdin?.end();
  await once(publisher.child, 'exit');
});
