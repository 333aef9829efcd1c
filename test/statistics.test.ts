import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerMessage } from '@footlights/model';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { launchChromium, publish, subscribe } from './support/chromium.ts';
import { type RunningServer, root, startServer } from './support/server.ts';
import { createStage, createToken, openPage } from './support/stage.ts';

let server: RunningServer;
let browser: Browser;
let stageArn: string;
let alice: { token: string; id: string };
let bob: { token: string; id: string };
let events: WebSocket;
const messages: ServerMessage[] = [];

/** Alice publishes the beeping fake device, Bob receives her; Alice's events socket hears everything. */
beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
  stageArn = await createStage(server);
  alice = await createToken(server, stageArn, { userId: 'alice' });
  bob = await createToken(server, stageArn, { userId: 'bob' });
  events = new WebSocket(server.endpoints.events, alice.token);
  events.on('message', (data) => messages.push(JSON.parse(String(data))));
  const [page, viewer] = [await openPage(server, browser), await openPage(server, browser)];
  await publish(page, { url: server.endpoints.whip, token: alice.token, width: 320 });
  await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id });
});

afterAll(async () => {
  events?.terminate();
  await browser?.close();
  await server?.dispose();
});

async function read() {
  const url = `${server.endpoints.api}/stages/${stageArn.split('/')[1]}/statistics`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${bob.token}` } });
  expect(response.status).toBe(200);
  return response.json();
}

/** What Alice sends and Bob gets of the video, as the document has it now. */
async function readVideo() {
  const { participants } = await read();
  const of = (id: string) => participants.find(({ participantId }: { participantId: string }) => participantId === id);
  const video = ({ kind }: { kind: string }) => kind === 'video';
  const [publication, [subscription]] = [of(alice.id).publication, of(bob.id).subscriptions];
  return { publication, subscription, sent: publication.tracks.find(video), received: subscription.tracks.find(video) };
}

/** Every member name of a JSON value, at any depth. */
function memberNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(memberNames);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...memberNames(inner)]);
}

test('the document has what flows, measured', async () => {
  await vi.waitFor(async () => {
    const { publication, subscription, sent, received } = await readVideo();
    expect(publication).toMatchObject({ connected: true, bytesReceived: expect.any(Number) });
    expect(subscription).toMatchObject({ publisherId: alice.id, connected: true });
    expect(sent).toMatchObject({ codec: 'H264', layers: [{ active: true, width: 320, height: 180 }] });
    expect(sent.layers[0].framesPerSecond).toBeGreaterThan(5);
    expect(sent.layers[0].bitrate).toBeGreaterThan(20_000);
    expect(sent.layers[0].keyFrames).toBeGreaterThan(0);
    expect(received.packetsSent).toBeGreaterThan(50);
    expect(received.keyFrames).toBeGreaterThan(0);
    expect(subscription.estimatedBps).toBeGreaterThan(100_000);
    expect(subscription.roundTripMs).toBeGreaterThanOrEqual(0);
  }, 60_000);
});

test('every member of it is explained', async () => {
  const text = readFileSync(join(root, 'docs/statistics.md'), 'utf8').replace(/```[\s\S]*?```/g, '');
  const explained = new Set([...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect([...new Set(memberNames(await read()))].filter((name) => !explained.has(name))).toEqual([]);
});

test('the metrics have the sums, and no label of a participant', async () => {
  const text = await (await fetch(`${server.endpoints.api}/metrics`)).text();
  const value = (series: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );
  expect(value('footlights_media_packets_total{direction="in"}')).toBeGreaterThan(100);
  expect(value('footlights_media_packets_total{direction="out"}')).toBeGreaterThan(100);
  expect(value('footlights_media_key_frames_total{direction="in"}')).toBeGreaterThan(0);
  expect(value('footlights_media_layers{layer="none"}')).toBe(1);
  expect(value('footlights_media_estimated_bps{le="+Inf"}')).toBe(1);
  for (const secret of [alice.id, bob.id, stageArn.split('/')[1] ?? '']) expect(text).not.toContain(secret);
});

test('who speaks is told, in the document too', async () => {
  await vi.waitFor(async () => {
    const told = messages.findLast((message) => message.type === 'footlights:ACTIVE_SPEAKERS');
    expect(told?.payload.speakers).toEqual([{ participantId: alice.id, level: expect.any(Number) }]);
  }, 60_000);
  await vi.waitFor(async () => {
    expect((await read()).speakers.map(({ participantId }: { participantId: string }) => participantId)).toEqual([
      alice.id,
    ]);
  }, 60_000);
});

test('stopped video is forwarded to nobody, until it is shown again', async () => {
  const setState = (videoStopped: boolean) => events.send(JSON.stringify({ type: 'SET_STATE', videoStopped }));
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1_200));
  setState(true);
  await pause();
  const stopped = await readVideo();
  await pause();
  const later = await readVideo();
  expect(later.received.packetsSent).toBe(stopped.received.packetsSent);
  expect(later.publication.packetsReceived).toBeGreaterThan(stopped.publication.packetsReceived);
  expect(later.subscription.packetsSent).toBeGreaterThan(stopped.subscription.packetsSent);
  setState(false);
  await vi.waitFor(async () => {
    expect((await readVideo()).received.packetsSent).toBeGreaterThan(later.received.packetsSent + 20);
  }, 60_000);
});
