// A viewer whose link gets narrow, narrower and wide again: it goes down and up in layers, and hardly stops.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allLayersFlow, launchChromium, publish, simulcast, statistics, subscribe } from './support/chromium.ts';
import { longestGap, seenFrames, widthHistory } from './support/frame-clock.ts';
import { type Link, openLink } from './support/network.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

const clock = { width: 960, height: 544, frameRate: 24 };
/** 1400, 392 and 112 kbit/s: of three layers one, two or all fit into the steps below. */
const topBitrate = 1_400_000;
const widths = { low: 240, mid: 480, hi: 960 };
const far = { delayMs: 20, queueMs: 300 };

describe.skipIf(!openLink.available)('a viewer behind a narrow link', timed, () => {
  let link: Link;
  let server: RunningServer;
  let browsers: Browser[] = [];

  beforeAll(async () => {
    link = await openLink();
    server = await startServer({ args: ['--host', link.hostAddress] });
    const secureOrigin = server.endpoints.api;
    browsers = await Promise.all([
      launchChromium({ secureOrigin }),
      launchChromium({ secureOrigin, namespace: link.namespace }),
    ]);
  });

  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await server?.dispose();
    await link?.dispose();
  });

  test('goes down and up in layers with less than a second of freeze a step', async () => {
    const stageArn = await createStage(server);
    const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
    const [publisher, viewer] = await Promise.all(browsers.map((browser) => openTestPage(server, browser)));
    if (!publisher || !viewer) throw new Error('no browsers');
    const encodings = simulcast(topBitrate);
    await publish(publisher, { url: server.endpoints.whip, token: alice.token, codec: 'H264', clock, encodings });
    await allLayersFlow(publisher, topBitrate);
    const steps: Record<string, unknown>[] = [];
    /** The widths that are seen in the last two seconds of a step, and the longest time without a frame in all of it. */
    const step = async (rateKbit: number | undefined, seconds: number) => {
      const [from, before] = [Date.now(), await statistics(viewer, alice.id)];
      await link.shape({ down: { ...far, ...(rateKbit && { rateKbit }) }, up: far });
      await sleep(seconds * 1_000);
      const [to, after] = [Date.now(), await statistics(viewer, alice.id)];
      const frames = await seenFrames(viewer, alice.id, from);
      const seen = [...new Set(frames.filter(({ at }) => at > to - 2_000).map(({ width }) => width))];
      const frozen = after.totalFreezesDuration - before.totalFreezesDuration;
      const result = {
        rateKbit,
        seen,
        gapMs: longestGap(frames, from, to),
        frozen,
        widths: widthHistory(frames, from),
      };
      steps.push({ ...result, link: (await link.statistics()).down });
      return result;
    };
    await link.shape({ down: { ...far, rateKbit: 1_000 }, up: far });
    await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id, clock: true });
    const narrow = await step(1_000, 8);
    const narrower = await step(300, 7);
    const free = await step(undefined, 10);
    const evidence = JSON.stringify(steps, undefined, 1);
    expect(narrow.seen, evidence).toEqual([widths.mid]);
    expect(narrower.seen, evidence).toEqual([widths.low]);
    expect(free.seen, evidence).toEqual([widths.hi]);
    for (const { gapMs, frozen } of [narrow, narrower, free]) {
      expect(gapMs, evidence).toBeLessThan(1_000);
      expect(frozen, evidence).toBeLessThan(1);
    }
  });
});
