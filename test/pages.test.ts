import { DeleteStageCommand, DisconnectParticipantCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken } from './support/stage.ts';

let server: RunningServer;
let browser: Browser;
let pages: Page[] = [];
let broken: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.close()));
  expect(broken).toEqual([]);
  [pages, broken] = [[], []];
});

afterAll(async () => {
  await browser.close();
  await server.dispose();
});

/** Opens one of the pages as a person does, with the token in the fragment. */
async function open(path: '/publish' | '/watch', token?: string): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => broken.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) broken.push(message.text());
  });
  pages.push(page);
  await page.goto(server.endpoints.api + path + (token ? `#token=${token}` : ''));
  return page;
}

async function goLive(page: Page): Promise<void> {
  await page.locator('#publish:not([disabled])').click();
  await page.locator('#live[data-state=live]').waitFor();
}

describe('from the publish page to the watch page', () => {
  test('picture and sound arrive; mute, stop and another publisher are seen', async () => {
    const stageArn = await createStage(server);
    const [alice, bob] = [
      await createToken(server, stageArn, { userId: 'alice' }),
      await createToken(server, stageArn, { userId: 'bob', capabilities: ['SUBSCRIBE'] }),
    ];
    const watch = await open('/watch', bob.token);
    await watch.locator('#empty').waitFor();
    const publish = await open('/publish', alice.token);
    await goLive(publish);
    const tile = watch.locator(`.tile[data-participant-id="${alice.id}"]`);
    await watch.locator(`.tile[data-participant-id="${alice.id}"][data-state=live]`).waitFor();
    await watch.locator('#unmute').click();
    await vi.waitFor(async () => {
      expect(Number(await tile.getAttribute('data-frames-decoded'))).toBeGreaterThan(10);
      expect(Number(await tile.getAttribute('data-audio-energy'))).toBeGreaterThan(0);
    }, 10_000);
    expect(await tile.getAttribute('data-codec')).toMatch(/H264/);
    expect(Number(await tile.getAttribute('data-first-frame-ms'))).toBeLessThan(2000);
    await publish.locator('#mute').click();
    await watch.locator(`.tile[data-participant-id="${alice.id}"][data-audio-muted=true]`).waitFor();
    await publish.locator('#publish').click();
    await tile.waitFor({ state: 'detached' });
    await watch.locator('#empty').waitFor();
  });

  test('a publisher that is thrown out by the API reads why', async () => {
    const stageArn = await createStage(server);
    const alice = await createToken(server, stageArn, { userId: 'alice' });
    const page = await open('/publish', alice.token);
    await goLive(page);
    await server.client.send(new DisconnectParticipantCommand({ stageArn, participantId: alice.id }));
    await page.locator('#problem[data-code=PARTICIPANT_DISCONNECTED]').waitFor();
    expect(await page.locator('#problem').textContent()).toMatch(/\w{4,}/);
  });

  test('a viewer of a stage that is deleted reads so', async () => {
    const stageArn = await createStage(server);
    const page = await open('/watch', (await createToken(server, stageArn, { userId: 'bob' })).token);
    await page.locator('#status[data-state=connected]').waitFor();
    await server.client.send(new DeleteStageCommand({ arn: stageArn }));
    await page.locator('#problem[data-code=STAGE_DELETED]').waitFor();
  });
});

describe('what is wrong is said in words', () => {
  test('a token that is no token', async () => {
    const page = await open('/publish', 'nonsense');
    await page.locator('#problem:not([hidden])').waitFor();
    expect(await page.locator('#problem').textContent()).toMatch(/token/i);
  });

  test('a token that may only watch, on the publish page', async () => {
    const { token } = await createToken(server, await createStage(server), {
      userId: 'bob',
      capabilities: ['SUBSCRIBE'],
    });
    const page = await open('/publish', token);
    await page.locator('#problem:not([hidden])').waitFor();
    expect(await page.locator('#problem').textContent()).toMatch(/publish/i);
  });

  test('without a token the page asks for one', async () => {
    const page = await open('/watch');
    await page.locator('#token').fill((await createToken(server, await createStage(server), { userId: 'bob' })).token);
    await page.locator('#token-form button[type=submit]').click();
    await page.locator('#status[data-state=connected]').waitFor();
  });
});
