// 5 % loss and 30 ms of jitter, both ways, on the publisher's or on the viewer's link.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  allLayersFlow,
  launchChromium,
  type PeerStatistics,
  publish,
  type SentLayer,
  sentLayers,
  simulcast,
  statistics,
  subscribe,
} from './support/chromium.ts';
import { longestGap, seenFrames, widthHistory } from './support/frame-clock.ts';
import { type Link, openLink, type Shape } from './support/network.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

const frameRate = 24;
const topBitrate = 1_400_000;
/**
 * Chromium may take such a link of its own for one of 30 kbit/s, and gives up layers and frames: it sends one layer, and what counts is what
 * comes of the frames that it makes.
 */
const oneLayer: RTCRtpEncodingParameters[] = [{ maxBitrate: 700_000 }];
/** The viewer learns how late packets are, and waits for them; meanwhile it is sent fewer temporal layers of VP8. */
const settleMs = { H264: 4_000, VP8: 8_000 };
const measuredMs = 8_000;
const bad: Shape = { lossPercent: 5, delayMs: 30, jitterMs: 30 };

/** What came to a viewer between two readings. */
function difference(before: PeerStatistics, after: PeerStatistics) {
  const keys = ['framesDecoded', 'framesDropped', 'keyFramesDecoded', 'freezeCount', 'totalFreezesDuration'] as const;
  const more = ['bytesReceived', 'packetsLost', 'retransmittedPacketsReceived', 'nackSent', 'pliSent'] as const;
  return Object.fromEntries([...keys, ...more].map((key) => [key, after[key] - before[key]]));
}

/** Frames that a publisher has made; of some it may leave out the higher layers. */
const framesOf = (layers: SentLayer[]) => Math.max(...layers.map(({ framesEncoded }) => framesEncoded));

describe.skipIf(!openLink.available)('5 % loss and 30 ms of jitter both ways', timed, () => {
  let link: Link;
  let server: RunningServer;
  let near: Browser;
  let far: Browser;

  beforeAll(async () => {
    link = await openLink();
    server = await startServer({ args: ['--host', link.hostAddress] });
    const secureOrigin = server.endpoints.api;
    [near, far] = await Promise.all([
      launchChromium({ secureOrigin }),
      launchChromium({ secureOrigin, namespace: link.namespace }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([near?.close(), far?.close()]);
    await server?.dispose();
    await link?.dispose();
  });

  test.each([
    ['H264', 'viewer', 'in any order', { ...bad, reorder: true }],
    ['H264', 'viewer', 'in order', bad],
    ['H264', 'publisher', 'in order', bad],
    // Of its temporal layers.
    ['VP8', 'viewer', 'in any order', { ...bad, reorder: true }],
  ] as const)(
    "%s: on the %s's link, packets %s, leave video nine tenths of its frame rate",
    async (codec, badSide, _, shape) => {
      await link.shape({ down: {}, up: {} });
      const stageArn = await createStage(server);
      const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
      const publisher = await openTestPage(server, badSide === 'publisher' ? far : near);
      const viewer = await openTestPage(server, badSide === 'viewer' ? far : near);
      await publish(publisher, {
        url: server.endpoints.whip,
        token: alice.token,
        codec,
        clock: { width: 960, height: 544, frameRate },
        encodings: badSide === 'publisher' ? oneLayer : simulcast(topBitrate),
      });
      await allLayersFlow(publisher, badSide === 'publisher' ? 700_000 : topBitrate);
      await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id, clock: true });
      await link.shape({ down: shape, up: shape });
      await new Promise((resolve) => setTimeout(resolve, settleMs[codec]));
      await link.statistics();
      const [from, before, sentBefore] = [Date.now(), await statistics(viewer, alice.id), await sentLayers(publisher)];
      await new Promise((resolve) => setTimeout(resolve, measuredMs));
      const [to, after, sentAfter] = [Date.now(), await statistics(viewer, alice.id), await sentLayers(publisher)];
      const frames = await seenFrames(viewer, alice.id, from);
      const encoded = framesOf(sentAfter) - framesOf(sentBefore);
      const counted = await link.statistics();
      const facts = { encoded, ...difference(before, after), widths: widthHistory(frames, from), counted };
      const evidence = JSON.stringify({ ...facts, layers: sentAfter });
      // A publisher that is short of processors proves nothing.
      const leastShare = badSide === 'publisher' ? 0.15 : 0.8;
      expect(encoded, evidence).toBeGreaterThan((leastShare * ((to - from) * frameRate)) / 1_000);
      expect(after.framesDecoded - before.framesDecoded, evidence).toBeGreaterThan(0.9 * encoded);
      if (badSide === 'viewer') expect(longestGap(frames, from, to), evidence).toBeLessThan(1_000);
      // The link was as bad as it was to be.
      expect(counted.down.lost, evidence).toBeGreaterThan(0);
      expect(counted.up.lost, evidence).toBeGreaterThan(0);
    },
  );
});
