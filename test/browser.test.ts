import {
  CreateParticipantTokenCommand,
  CreateStageCommand,
  DisconnectParticipantCommand,
  GetParticipantCommand,
  GetStageCommand,
  ListParticipantEventsCommand,
} from '@aws-sdk/client-ivs-realtime';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, publish, statistics, subscribe } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';

let server: RunningServer;
let browsers: Browser[];

beforeAll(async () => {
  [server, ...browsers] = await Promise.all([startServer(), launchChromium(), launchChromium()]);
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.dispose();
});

async function createStage(): Promise<string> {
  const { stage } = await server.client.send(new CreateStageCommand({ name: 'live' }));
  return stage?.arn ?? '';
}

async function createToken(stageArn: string, userId: string) {
  const { participantToken } = await server.client.send(new CreateParticipantTokenCommand({ stageArn, userId }));
  return { token: participantToken?.token ?? '', id: participantToken?.participantId ?? '' };
}

/** A page of the given browser on an origin that may use the camera; the other browser's pages know nothing of it. */
async function openPage(browser: number): Promise<Page> {
  const page = await (browsers[browser] as Browser).newPage();
  await page.goto(`${server.endpoints.api}/healthz`);
  return page;
}

async function eventNames(stageArn: string, participantId: string): Promise<(string | undefined)[]> {
  const { stage } = await server.client.send(new GetStageCommand({ arn: stageArn }));
  const { events } = await server.client.send(
    new ListParticipantEventsCommand({ stageArn, sessionId: stage?.activeSessionId, participantId }),
  );
  return (events ?? []).map(({ name }) => name).reverse();
}

describe.each(['H264', 'VP8'] as const)('%s from one Chromium to another', (codec) => {
  test('is decoded within two seconds, with sound, and goes on', async () => {
    const stageArn = await createStage();
    const [alice, bob] = [await createToken(stageArn, 'alice'), await createToken(stageArn, 'bob')];
    const [publisher, viewer] = [await openPage(0), await openPage(1)];
    await publish(publisher, { url: `${server.endpoints.whip}/publish/${alice.id}`, token: alice.token, codec });
    const firstFrameMs = await subscribe(viewer, {
      whip: server.endpoints.whip,
      token: bob.token,
      publisherId: alice.id,
    });
    expect(firstFrameMs).toBeLessThan(2000);
    const before = await statistics(viewer, alice.id);
    await vi.waitFor(
      async () => {
        const now = await statistics(viewer, alice.id);
        expect(now.framesDecoded).toBeGreaterThan(before.framesDecoded + 20);
        expect(now.audioEnergy).toBeGreaterThan(before.audioEnergy);
        expect(now.videoCodec).toBe(`video/${codec}`);
      },
      { timeout: 10_000, interval: 200 },
    );
    const { stage } = await server.client.send(new GetStageCommand({ arn: stageArn }));
    const { participant } = await server.client.send(
      new GetParticipantCommand({ stageArn, sessionId: stage?.activeSessionId, participantId: alice.id }),
    );
    expect(participant).toMatchObject({ published: true, state: 'CONNECTED', protocol: 'WHIP', userId: 'alice' });
    expect(participant?.browserVersion).toMatch(/^\d+\./);
    expect(participant?.osName).toBe('Linux');
    expect(await eventNames(stageArn, alice.id)).toEqual(['JOINED', 'PUBLISH_STARTED']);
    expect(await eventNames(stageArn, bob.id)).toEqual(['JOINED', 'SUBSCRIBE_STARTED']);
    await Promise.all([publisher.close(), viewer.close()]);
  });
});

test("H.264 is chosen when both are offered, and the publisher's bandwidth estimate grows", async () => {
  const stageArn = await createStage();
  const alice = await createToken(stageArn, 'alice');
  const page = await openPage(0);
  await publish(page, { url: server.endpoints.whip, token: alice.token, width: 1280 });
  await vi.waitFor(
    async () => {
      const now = await statistics(page, 'publish');
      expect(now.videoCodec).toBe('video/H264');
      expect(now.availableOutgoingBitrate).toBeGreaterThan(1_000_000);
    },
    { timeout: 20_000, interval: 500 },
  );
  await page.close();
});

test('a viewer that comes late makes the publisher send a key frame, and leaving is recorded', async () => {
  const stageArn = await createStage();
  const [alice, bob] = [await createToken(stageArn, 'alice'), await createToken(stageArn, 'bob')];
  const [publisher, viewer] = [await openPage(0), await openPage(1)];
  const location = await publish(publisher, { url: server.endpoints.whip, token: alice.token });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = await statistics(publisher, 'publish');
  expect(
    await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id }),
  ).toBeLessThan(2000);
  expect((await statistics(publisher, 'publish')).pliReceived).toBeGreaterThan(before.pliReceived);
  const deleted = await publisher.evaluate(
    ({ location, token }) =>
      fetch(location, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }).then((r) => r.status),
    { location, token: alice.token },
  );
  expect(deleted).toBe(200);
  expect(await eventNames(stageArn, alice.id)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']);
  await vi.waitFor(async () =>
    expect(await eventNames(stageArn, bob.id)).toEqual(['JOINED', 'SUBSCRIBE_STARTED', 'SUBSCRIBE_STOPPED', 'LEFT']),
  );
  await Promise.all([publisher.close(), viewer.close()]);
});

test('a tab that is closed without a word is gone within fifteen seconds', async () => {
  const stageArn = await createStage();
  const alice = await createToken(stageArn, 'alice');
  const page = await openPage(0);
  await publish(page, { url: server.endpoints.whip, token: alice.token });
  await page.close();
  await vi.waitFor(async () => expect(await eventNames(stageArn, alice.id)).toContain('LEFT'), {
    timeout: 15_000,
    interval: 200,
  });
});

test('DisconnectParticipant ends the media and bars the token', async () => {
  const stageArn = await createStage();
  const alice = await createToken(stageArn, 'alice');
  const page = await openPage(0);
  await publish(page, { url: server.endpoints.whip, token: alice.token });
  await server.client.send(new DisconnectParticipantCommand({ stageArn, participantId: alice.id }));
  await vi.waitFor(async () => expect((await statistics(page, 'publish')).state).not.toBe('connected'), {
    timeout: 15_000,
    interval: 200,
  });
  const again = publish(page, { url: server.endpoints.whip, token: alice.token });
  await expect(again).rejects.toThrow(/403 .*PARTICIPANT_DISCONNECTED/);
  await page.close();
});
