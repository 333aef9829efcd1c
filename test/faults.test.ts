import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GetStageCommand, ListStagesCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, publish, statistics, subscribe } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, eventNames, openPage } from './support/stage.ts';
import { workerPids } from './support/workers.ts';

let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServer({ args: ['--publishers-per-stage', '2', '--media-workers', '1'] }),
    launchChromium(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await server.dispose();
});

/** A publisher and a viewer whose picture moves; `moves` waits until it has moved on. */
async function openCall(stageArn: string) {
  const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
  const [publisher, viewer] = [await openPage(server, browser), await openPage(server, browser)];
  await publish(publisher, { url: server.endpoints.whip, token: alice.token });
  await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id });
  const moves = async () => {
    const before = await statistics(viewer, alice.id);
    await vi.waitFor(
      async () => expect((await statistics(viewer, alice.id)).framesDecoded).toBeGreaterThan(before.framesDecoded + 15),
      8000,
    );
  };
  const close = () => Promise.all([publisher.close(), viewer.close()]);
  return { alice, bob, publisher, viewer, moves, close };
}

/** An offer that is good but for what `change` does to it. Nobody answers behind it. */
function offer(change: (sdp: string) => string = (sdp) => sdp): string {
  const media = (kind: string, mid: number, payload: string) =>
    `m=${kind} 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:${mid}\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n` +
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}\r\na=setup:actpass\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 ${payload}\r\n`;
  const session = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n';
  return change(session + media('audio', 0, 'opus/48000/2') + media('video', 1, 'VP8/90000'));
}

async function post(token: string, body: string) {
  const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
  const response = await fetch(server.endpoints.whip, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

describe('an offer that is wrong', () => {
  test.each([
    ['is empty', () => '', 400],
    ['is no SDP', () => 'hello', 400],
    ['has no fingerprint', (sdp: string) => sdp.replace(/a=fingerprint.*\r\n/g, ''), 400],
    [
      'has a SHA-1 fingerprint alone',
      (sdp: string) => sdp.replace(/a=fingerprint.*/g, `a=fingerprint:sha-1 ${Array(20).fill('AB').join(':')}`),
      400,
    ],
    [
      'has 300 m-lines',
      (sdp: string) => sdp + 'm=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 opus/48000/2\r\n'.repeat(300),
      400,
    ],
    ['has a line break in its ufrag', (sdp: string) => sdp.replace(/a=ice-ufrag:abcd/g, 'a=ice-ufrag:ab\rcd'), 400],
    ['has a blank in its ufrag', (sdp: string) => sdp.replace(/a=ice-ufrag:abcd/g, 'a=ice-ufrag:ab cd'), 400],
    [
      'has a ufrag of 5,000 characters',
      (sdp: string) => sdp.replace(/a=ice-ufrag:abcd/g, `a=ice-ufrag:${'a'.repeat(5000)}`),
      400,
    ],
    ['has a password of one character', (sdp: string) => sdp.replace(/a=ice-pwd:.*/g, 'a=ice-pwd:x'), 400],
    [
      'has no codec of ours',
      (sdp: string) => sdp.replace('opus/48000/2', 'PCMU/8000').replace('VP8/90000', 'H265/90000'),
      406,
    ],
  ])('because it %s is refused in words', async (_what, change, status) => {
    const { token } = await createToken(server, await createStage(server));
    const response = await post(token, offer(change));
    expect(response.status, response.text).toBe(status);
    expect(JSON.parse(response.text).message).toMatch(/\w{3,}/);
  });

  test('but for which nothing is wrong is taken', async () => {
    const { token } = await createToken(server, await createStage(server));
    expect((await post(token, offer())).status).toBe(201);
  });
});

test('a client that never finishes ICE loses its place among the publishers', async () => {
  const stageArn = await createStage(server);
  const tokens = [
    await createToken(server, stageArn),
    await createToken(server, stageArn),
    await createToken(server, stageArn),
  ];
  for (const { token } of tokens.slice(0, 2)) expect((await post(token, offer())).status).toBe(201);
  const third = tokens[2]?.token ?? '';
  expect((await post(third, offer())).status).toBe(409);
  await vi.waitFor(async () => expect((await post(third, offer())).status).toBe(201), {
    timeout: 25_000,
    interval: 500,
  });
});

test('random datagrams on the media port disturb nobody', async () => {
  const call = await openCall(await createStage(server));
  const [host, port] = (server.endpoints.media[0] ?? '').replace('udp://', '').split(':');
  const socket = createSocket('udp4');
  for (let burst = 0; burst < 50; burst++) {
    for (let i = 0; i < 100; i++) socket.send(randomBytes(1 + ((burst * 100 + i) % 1400)), Number(port), host);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  socket.close();
  await call.moves();
  await call.close();
});

test('a thousand half-open HTTP connections keep nobody from the API', async () => {
  const { port } = new URL(server.endpoints.api);
  const sockets: Socket[] = [];
  for (let i = 0; i < 1000; i++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
    socket.write(
      i % 2
        ? 'POST /GetStage HTTP/1.1\r\nHost: x\r\n'
        : 'POST /GetStage HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{',
    );
    sockets.push(socket);
    if (i % 100 === 0) await once(socket, 'connect');
  }
  const started = performance.now();
  for (let i = 0; i < 20; i++) await server.client.send(new ListStagesCommand({}));
  expect(performance.now() - started).toBeLessThan(5000);
  for (const socket of sockets) socket.destroy();
});

describe('a media worker that is killed', () => {
  const workerPid = (): number => {
    const pids = workerPids(server);
    expect(pids).toHaveLength(1);
    return pids[0] ?? 0;
  };

  test('is replaced; its participants are told and come back; the API never goes away', async () => {
    const stageArn = await createStage(server);
    const call = await openCall(stageArn);
    const pid = workerPid();
    process.kill(pid, 'SIGKILL');
    const { stage } = await server.client.send(new GetStageCommand({ arn: stageArn }));
    const sessionId = stage?.activeSessionId;
    const names = (participantId: string) => eventNames(server, stageArn, sessionId, participantId);
    await vi.waitFor(
      async () => expect(await names(call.alice.id)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']),
      5000,
    );
    expect(await names(call.bob.id)).toEqual(['JOINED', 'SUBSCRIBE_STARTED', 'SUBSCRIBE_STOPPED', 'LEFT']);
    await vi.waitFor(() => expect(workerPid()).not.toBe(pid), 5000);
    await vi.waitFor(() => publish(call.publisher, { url: server.endpoints.whip, token: call.alice.token }), {
      timeout: 10_000,
      interval: 300,
    });
    await subscribe(call.viewer, { whip: server.endpoints.whip, token: call.bob.token, publisherId: call.alice.id });
    await call.moves();
    await call.close();
  });
});
