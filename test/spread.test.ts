// One stage over two media workers: who comes while the publisher's own worker is busy is served by the other one.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { feed } from './support/feed.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken } from './support/stage.ts';
import { metric, stageStatistics } from './support/statistics.ts';
import { timed } from './support/timed.ts';
import { cleanUpPeers, WhipPeer } from './support/whip-peer.ts';
import { workerAt, workerPids } from './support/workers.ts';

/** A worker that was given more connections than this within a second is given no more (placement.ts). */
const BUSY_JOINS = 108;
const RUSH = BUSY_JOINS + 2;
/** In this time, in milliseconds, the main process has read the offers that are posted at once. */
const PLACING_MS = 1_000;

let server: RunningServer;

beforeEach(async () => {
  server = await startServer({ args: ['--media-workers', '2', '--no-ingest'] });
});

afterEach(() => server?.dispose());

afterAll(cleanUpPeers);

const portOf = ({ candidates }: WhipPeer) => candidates[0]?.port ?? 0;

/** A stage with a publisher whose frames flow. */
async function goLive() {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn);
  const publisher = new WhipPeer('SendOnly', '127.0.0.1');
  await publisher.connect(server.endpoints.whip, alice.token);
  const stop = feed(publisher);
  const url = `${server.endpoints.whip}/subscribe/${alice.id}`;
  const subscribe = async () => {
    const { token, id } = await createToken(server, stageArn);
    const peer = new WhipPeer('RecvOnly', '127.0.0.1');
    await peer.connect(url, token);
    return { peer, id };
  };
  return { stageArn, alice, publisher, stop, url, subscribe };
}

/**
 * Subscribes while a rush of offers, which nobody stands behind, waits at the publisher's own worker. That is stopped meanwhile: it
 * would work them off and say so, and how many are open at once would depend on how fast the machine is.
 */
async function subscribeElsewhere({ stageArn, publisher, url, subscribe }: Awaited<ReturnType<typeof goLive>>) {
  const body = await new WhipPeer('RecvOnly', '127.0.0.1').offer();
  const tokens = await Promise.all(Array.from({ length: RUSH }, () => createToken(server, stageArn)));
  const home = workerAt(server, portOf(publisher));
  process.kill(home, 'SIGSTOP');
  const rush = tokens.map(async ({ token }) => {
    const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
    await (await fetch(url, { method: 'POST', headers, body })).text();
  });
  await sleep(PLACING_MS);
  const subscribing = Array.from({ length: 2 }, subscribe);
  await sleep(PLACING_MS);
  process.kill(home, 'SIGCONT');
  const viewers = await Promise.all(subscribing);
  await Promise.all(rush);
  for (const { peer } of viewers) expect(portOf(peer)).not.toBe(portOf(publisher));
  return viewers;
}

test(
  'a stage is served by two workers, and loses only what one of them served when that is killed',
  timed,
  async () => {
    const live = await goLive();
    const { publisher, alice } = live;
    const near = await live.subscribe();
    expect(portOf(near.peer)).toBe(portOf(publisher));
    const far = await subscribeElsewhere(live);
    const [first] = far;
    if (!first) throw new Error('unreachable');
    const farPort = portOf(first.peer);

    // Both get packets and key frames.
    for (const { peer } of [near, ...far]) {
      const before = peer.videoPackets;
      await vi.waitUntil(() => peer.videoPackets > before + 50 && peer.keyFrames > 1, { timeout: 10_000 });
    }
    live.stop();
    const statistics = await vi.waitFor(async () => {
      const read = await stageStatistics(server, live.stageArn, alice.token);
      expect(read.publication(alice.id)?.tracks[0]?.layers[0]?.packetsReceived).toBe(publisher.sent);
      return read;
    }, 5_000);
    for (const { id } of [near, ...far]) {
      const [video] = statistics.subscription(id)?.tracks ?? [];
      expect(video?.packetsSent).toBeGreaterThan(50);
      expect(video?.keyFrames).toBeGreaterThan(0);
    }
    const connections = await metric(server, 'footlights_media_worker_connections');
    expect(connections[portOf(publisher)]).toBeGreaterThanOrEqual(2);
    expect(connections[farPort]).toBe(far.length);

    // The publisher's packets cross once, however many receive them there.
    const [sent, received] = [
      await metric(server, 'footlights_media_relay_packets_sent_total'),
      await metric(server, 'footlights_media_relay_packets_received_total'),
    ];
    expect(received[farPort]).toBe(sent[portOf(publisher)]);
    expect(received[farPort]).toBeGreaterThan(50);
    expect(received[farPort]).toBeLessThanOrEqual(publisher.sent);
    const forwarded = far.reduce((sum, { peer }) => sum + peer.videoPackets, 0);
    expect(forwarded).toBeGreaterThan(1.5 * (received[farPort] ?? 0));

    // A key frame that is wanted there is asked of the publisher.
    const asked = publisher.rtcp('pli').length;
    first.peer.sendRtcp({ type: 'pli', senderSsrc: 1, mediaSsrc: first.peer.video[0]?.readUInt32BE(8) ?? 0 });
    await vi.waitUntil(() => publisher.rtcp('pli').length > asked, { timeout: 5_000 });

    // The worker that only subscribers were in dies: nothing else does.
    const stop = feed(publisher);
    const survivor = workerAt(server, portOf(publisher));
    process.kill(workerAt(server, farPort), 'SIGKILL');
    await vi.waitFor(async () => {
      const read = await stageStatistics(server, live.stageArn, alice.token);
      for (const { id } of far) expect(read.subscription(id)).toBeUndefined();
      expect(read.publication(alice.id)).toMatchObject({ connected: true });
      expect(read.subscription(near.id)).toMatchObject({ connected: true });
    }, 5_000);
    const [before, sentBefore] = [near.peer.videoPackets, publisher.sent];
    await vi.waitUntil(() => near.peer.videoPackets > before + 50, { timeout: 5_000 });
    expect(near.peer.videoPackets - before).toBeGreaterThan(0.9 * (publisher.sent - sentBefore) - 5);
    expect(workerPids(server)).toContain(survivor);

    // Who comes back is served again.
    const again = await live.subscribe();
    await vi.waitUntil(() => again.peer.videoPackets > 20 && again.peer.keyFrames > 0, { timeout: 5_000 });
    stop();
  },
);
