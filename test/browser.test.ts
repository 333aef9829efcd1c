import { DisconnectParticipantCommand, GetParticipantCommand, GetStageCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, publish, statistics, subscribe } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, eventNames, openPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

let server: RunningServer;
let browsers: Browser[];

beforeAll(async () => {
  [server, ...browsers] = await Promise.all([startServer(), launchChromium(), launchChromium()]);
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.dispose();
});

/** Two browsers, whose pages know nothing of each other. */
const browser = (index: number) => browsers[index] as Browser;

/** Names of a participant's events in the active session, oldest first. */
async function events(stageArn: string, participantId: string) {
  const { stage } = await server.client.send(new GetStageCommand({ arn: stageArn }));
  return eventNames(server, stageArn, stage?.activeSessionId, participantId);
}

describe.each(['H264', 'VP8'] as const)('%s from one Chromium to another', (codec) => {
  test('is decoded within two seconds, with sound, and goes on', timed, async () => {
    const stageArn = await createStage(server);
    const [alice, bob] = [
      await createToken(server, stageArn, { userId: 'alice' }),
      await createToken(server, stageArn, { userId: 'bob' }),
    ];
    const [publisher, viewer] = [await openPage(server, browser(0)), await openPage(server, browser(1))];
    await publish(publisher, { url: `${server.endpoints.whip}/publish/${alice.id}`, token: alice.token, codec });
    const { firstFrameMs } = await subscribe(viewer, {
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
    expect(await events(stageArn, alice.id)).toEqual(['JOINED', 'PUBLISH_STARTED']);
    expect(await events(stageArn, bob.id)).toEqual(['JOINED', 'SUBSCRIBE_STARTED']);
    await Promise.all([publisher.close(), viewer.close()]);
  });
});

test("H.264 is chosen when both are offered, and the publisher's bandwidth estimate grows", async () => {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn, { userId: 'alice' });
  const page = await openPage(server, browser(0));
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

test('a viewer that comes late makes the publisher send a key frame, and leaving is recorded', timed, async () => {
  const stageArn = await createStage(server);
  const [alice, bob] = [
    await createToken(server, stageArn, { userId: 'alice' }),
    await createToken(server, stageArn, { userId: 'bob' }),
  ];
  const [publisher, viewer] = [await openPage(server, browser(0)), await openPage(server, browser(1))];
  const location = await publish(publisher, { url: server.endpoints.whip, token: alice.token });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = await statistics(publisher, 'publish');
  const { firstFrameMs } = await subscribe(viewer, {
    whip: server.endpoints.whip,
    token: bob.token,
    publisherId: alice.id,
  });
  expect(firstFrameMs).toBeLessThan(2000);
  expect((await statistics(publisher, 'publish')).pliReceived).toBeGreaterThan(before.pliReceived);
  const deleted = await publisher.evaluate(
    ({ location, token }) =>
      fetch(location, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }).then((r) => r.status),
    { location, token: alice.token },
  );
  expect(deleted).toBe(200);
  expect(await events(stageArn, alice.id)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']);
  await vi.waitFor(async () =>
    expect(await events(stageArn, bob.id)).toEqual(['JOINED', 'SUBSCRIBE_STARTED', 'SUBSCRIBE_STOPPED', 'LEFT']),
  );
  await Promise.all([publisher.close(), viewer.close()]);
});

test('a tab that is closed without a word is gone within fifteen seconds', async () => {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn, { userId: 'alice' });
  const page = await openPage(server, browser(0));
  await publish(page, { url: server.endpoints.whip, token: alice.token });
  await page.close();
  await vi.waitFor(async () => expect(await events(stageArn, alice.id)).toContain('LEFT'), {
    timeout: 15_000,
    interval: 200,
  });
});

test('DisconnectParticipant ends the media and bars the token', async () => {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn, { userId: 'alice' });
  const page = await openPage(server, browser(0));
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
