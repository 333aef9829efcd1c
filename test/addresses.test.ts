import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken } from './support/stage.ts';
import { cleanUpPeers, WhipPeer } from './support/whip-peer.ts';

const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
const hasLoopback6 = addresses.some(({ address }) => address === '::1');
if (!hasLoopback6) console.warn('SKIPPED: this machine has no ::1, nothing is tested over IPv6');

let servers: RunningServer[] = [];
let peers: WhipPeer[] = [];

afterEach(async () => {
  for (const peer of peers) peer.close();
  await Promise.all(servers.map((server) => server.dispose()));
  [servers, peers] = [[], []];
});

afterAll(cleanUpPeers);

async function start(...args: string[]): Promise<RunningServer> {
  const server = await startServer({ args });
  servers.push(server);
  return server;
}

/** Publishes from one address of this machine and receives at another; resolves when media has gone all the way. */
async function sendThrough(server: RunningServer, from: string, to: string) {
  const stageArn = await createStage(server);
  const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
  const [publisher, viewer] = [new WhipPeer('SendOnly', from), new WhipPeer('RecvOnly', to)];
  peers.push(publisher, viewer);
  await publisher.connect(server.endpoints.whip, alice.token);
  await viewer.connect(`${server.endpoints.whip}/subscribe/${alice.id}`, bob.token);
  await vi.waitUntil(
    () => {
      publisher.send(true);
      return viewer.videoPackets > 3;
    },
    { timeout: 10_000, interval: 20 },
  );
  return { publisher, viewer };
}

const mediaPort = (server: RunningServer): number => Number(/\d+$/.exec(server.endpoints.media[0] ?? '')?.[0]);

describe.skipIf(!hasLoopback6)('over IPv6', () => {
  test('API, signalling and media work on ::1', async () => {
    const server = await start('--host', '::1');
    expect(server.endpoints.api).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(server.endpoints.media[0]).toMatch(/^udp:\/\/\[::1\]:\d+$/);
    const { publisher } = await sendThrough(server, '::1', '::1');
    expect(publisher.candidates).toMatchObject([{ address: '::1', port: mediaPort(server) }]);
  });

  test('one server takes both families, and announces several addresses, the first as the best', async () => {
    const server = await start('--host', '::', '--announce-ip', '::1', '--announce-ip', '127.0.0.1');
    expect(server.endpoints.api).toMatch(/^http:\/\/\[::1\]:\d+$/);
    const { publisher, viewer } = await sendThrough(server, '::1', '127.0.0.1');
    const port = mediaPort(server);
    expect(publisher.candidates).toMatchObject([
      { address: '::1', port },
      { address: '127.0.0.1', port },
    ]);
    const [first, second] = publisher.candidates;
    expect(first?.priority).toBeGreaterThan(second?.priority ?? 0);
    expect([publisher.remoteAddress, viewer.remoteAddress]).toEqual(['::1', '127.0.0.1']);
  });
});

test('over IPv4, an announced address replaces the bound one', async () => {
  const server = await start('--host', '0.0.0.0', '--announce-ip', '127.0.0.1');
  const { publisher } = await sendThrough(server, '127.0.0.1', '127.0.0.1');
  expect(publisher.candidates.map(({ address }) => address)).toEqual(['127.0.0.1']);
});
