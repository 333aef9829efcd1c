import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium, publish, statistics, subscribe } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openPage } from './support/stage.ts';

const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
const hasLoopback6 = addresses.some(({ address }) => address === '::1');
const hasOther6 = addresses.some(
  ({ address, family, internal }) => family === 'IPv6' && !internal && !/^fe8/.test(address),
);
const ipv6 = hasLoopback6 && hasOther6;
if (!ipv6) console.warn('SKIPPED: Chromium over IPv6 needs ::1 and another IPv6 address on this machine');

let browser: Browser;
let servers: RunningServer[] = [];

beforeAll(async () => {
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.dispose()));
  servers = [];
});

afterAll(() => browser?.close());

async function start(...args: string[]): Promise<RunningServer> {
  const server = await startServer({ args });
  servers.push(server);
  return server;
}

test.skipIf(!ipv6)('Chromium publishes and watches over IPv6 alone', async () => {
  const server = await start('--host', '::1');
  const stageArn = await createStage(server);
  const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
  const [page, viewer] = [await openPage(server, browser), await openPage(server, browser)];
  await publish(page, { url: server.endpoints.whip, token: alice.token });
  await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id });
  await vi.waitFor(async () => {
    expect((await statistics(viewer, alice.id)).framesDecoded).toBeGreaterThan(5);
  }, 10_000);
  await Promise.all([page.close(), viewer.close()]);
});

test('Chromium is told of ICE servers before its offer, and asks them', async () => {
  const asked: Buffer[] = [];
  const stun = createSocket('udp4', (message) => asked.push(message));
  await new Promise<void>((resolve) => stun.bind(0, '127.0.0.1', resolve));
  const url = `stun:127.0.0.1:${stun.address().port}`;
  const server = await start('--ice-server', url, '--ice-server=turn:127.0.0.1:9', '--turn-secret=north');
  const { token, id } = await createToken(server, await createStage(server), { userId: 'alice' });
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const Original = window.RTCPeerConnection;
    window.peers = {};
    window.RTCPeerConnection = class extends Original {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        window.peers.page = this;
      }
    };
  });
  await page.goto(`${server.endpoints.api}/publish#token=${token}`);
  await page.locator('#publish:not([disabled])').click();
  await page.locator('#live[data-state=live]').waitFor();
  const configured = await page.evaluate(() => window.peers.page?.getConfiguration().iceServers);
  expect(configured).toMatchObject([
    { urls: [url] },
    {
      urls: ['turn:127.0.0.1:9'],
      username: expect.stringMatching(new RegExp(`^\\d+:${id}$`)),
      credential: expect.stringMatching(/^\S{28}$/),
    },
  ]);
  // A STUN binding request: type 1, then the magic cookie (RFC 8489 section 5).
  await vi.waitUntil(() => asked.some((message) => message.readUInt16BE(0) === 1), { timeout: 10_000 });
  expect(asked[0]?.readUInt32BE(4)).toBe(0x2112a442);
  expect(server.output()).not.toContain('north');
  await page.close();
  stun.close();
});
