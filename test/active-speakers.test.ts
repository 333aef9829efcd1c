// Who speaks is told on the events socket; who is muted does not speak.
import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { launchChromium, publish } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openPage } from './support/stage.ts';

let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

interface ActiveSpeakers {
  type: string;
  payload: { stageId: string; sequenceNumber: number; speakers: { participantId: string; level: number }[] };
}

test('who speaks is pushed to the events sockets of the stage', async () => {
  const stageArn = await createStage(server);
  const [beeps, muted, listener] = [
    await createToken(server, stageArn),
    await createToken(server, stageArn),
    await createToken(server, stageArn),
  ];
  const stageId = stageArn.split('/')[1];
  const socket = new WebSocket(`${server.endpoints.events}?topic=${stageId}/publishers`, listener.token);
  const told: ActiveSpeakers[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString()) as ActiveSpeakers;
    if (message.type === 'footlights:ACTIVE_SPEAKERS') told.push(message);
  });
  await once(socket, 'open');
  const pages = [await openPage(server, browser), await openPage(server, browser)] as const;
  await publish(pages[0], { url: server.endpoints.whip, token: beeps.token, width: 320 });
  await publish(pages[1], { url: server.endpoints.whip, token: muted.token, width: 320, muted: true });
  const speakers = () => told.flatMap(({ payload }) => payload.speakers);
  await vi.waitFor(() => expect(speakers().map(({ participantId }) => participantId)).toContain(beeps.id), {
    timeout: 10_000,
    interval: 100,
  });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(new Set(speakers().map(({ participantId }) => participantId))).toEqual(new Set([beeps.id]));
  for (const { level } of speakers()) {
    expect(level).toBeGreaterThan(0);
    expect(level).toBeLessThanOrEqual(1);
  }
  const numbers = told.map(({ payload }) => payload.sequenceNumber);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  expect(new Set(told.map(({ payload }) => payload.stageId))).toEqual(new Set([stageId]));
  // Silence is told too: nobody speaks once the one who did has left.
  await pages[0].close();
  await vi.waitFor(() => expect(told.at(-1)?.payload.speakers).toEqual([]), { timeout: 15_000, interval: 100 });
  socket.close();
  await pages[1].close();
});
