// Simulcast as IVS's browser client sends it: every layer arrives, and each viewer gets one, by its bandwidth or by its wish.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  allLayersFlow,
  launchChromium,
  publish,
  type Subscription,
  sentLayers,
  setLayerActive,
  simulcast,
  statistics,
  subscribe,
} from './support/chromium.ts';
import { longestGap, seenFrames, switchGaps, widthHistory } from './support/frame-clock.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openPage, openTestPage } from './support/stage.ts';
import { stageStatistics } from './support/statistics.ts';
import { timed } from './support/timed.ts';

// Three layers of 1280x720 at 30 frames a second take more than half of a small machine: these have the same proportions.
const clock = { width: 960, height: 544, frameRate: 24 };
const topBitrate = 1_400_000;
const widths = { low: 240, mid: 480, hi: 960 };
type Rid = keyof typeof widths;
/** What Chromium calls a freeze: a frame that comes 150 ms later than usual. */
const freezeMs = 150 + 1_000 / clock.frameRate;

let server: RunningServer;
let browsers: Browser[];

beforeAll(async () => {
  [server, ...browsers] = await Promise.all([startServer(), launchChromium(), launchChromium()]);
});

afterAll(async () => {
  await Promise.all(browsers?.map((browser) => browser.close()) ?? []);
  await server?.dispose();
});

const open = (index: number): Promise<Page> => openTestPage(server, browsers[index] as Browser);

/** A publisher whose layers all flow, and the tokens of its stage. */
async function goLive(codec: 'H264' | 'VP8', maxBitrate = topBitrate) {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn, { userId: 'alice' });
  const page = await openPage(server, browsers[0] as Browser);
  const encodings = simulcast(maxBitrate);
  await publish(page, { url: server.endpoints.whip, token: alice.token, codec, clock, encodings });
  await allLayersFlow(page, maxBitrate);
  return { page, stageArn, publisherId: alice.id, viewerToken: () => createToken(server, stageArn) };
}

/** A viewer, and what it can be asked and told. */
async function watch(live: Awaited<ReturnType<typeof goLive>>, initialLayer?: 'lowest' | 'highest') {
  const { token, id } = await live.viewerToken();
  const page = await open(1);
  const { publisherId } = live;
  const options = {
    whip: server.endpoints.whip,
    token,
    publisherId,
    clock: true,
    ...(initialLayer && { initialLayer }),
  };
  const subscription = await subscribe(page, options);
  return {
    page,
    frames: (since = 0) => seenFrames(page, publisherId, since),
    statistics: () => statistics(page, publisherId),
    /** What the server says that it sends. */
    forwarded: () => forwarded(live.stageArn, id, token),
    layers: () => layersOf(subscription, token),
    choose: (wish: object) => layersOf(subscription, token, wish),
    /** Waits until the last frame has the layer's width. */
    sees: (rid: Rid, timeout = 5_000) =>
      vi.waitFor(
        async () =>
          expect((await seenFrames(page, publisherId, Date.now() - 1_000)).at(-1)).toMatchObject({
            width: widths[rid],
          }),
        { timeout, interval: 100 },
      ),
  };
}

/** The video of a viewer's subscription, in the statistics document of its stage. */
async function forwarded(stageArn: string, viewerId: string, token: string) {
  const url = `${server.endpoints.api}/stages/${stageArn.split('/')[1]}/statistics`;
  const { participants } = (await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json()) as {
    participants: {
      participantId: string;
      subscriptions: { tracks: { kind: string; layer?: string; layerSwitches?: number }[] }[];
    }[];
  };
  const viewer = participants.find(({ participantId }) => participantId === viewerId);
  return viewer?.subscriptions[0]?.tracks.find(({ kind }) => kind === 'video');
}

interface Layer {
  encodingId: string;
  bitrate: number;
  width: number;
  height: number;
  framesPerSecond: number;
  selected: boolean;
}

async function layersOf({ layersUrl }: Subscription, token: string, wish?: object): Promise<Layer[]> {
  const headers = { authorization: `Bearer ${token}`, ...(wish && { 'content-type': 'application/json' }) };
  const method = wish ? 'POST' : 'GET';
  const response = await fetch(layersUrl ?? '', { method, headers, ...(wish && { body: JSON.stringify(wish) }) });
  expect(response.status, await response.clone().text()).toBe(200);
  return wish ? [] : ((await response.json()) as { layers: Layer[] }).layers;
}

describe.each(['H264', 'VP8'] as const)('a simulcast of %s', timed, (codec) => {
  let live: Awaited<ReturnType<typeof goLive>>;

  beforeAll(async () => {
    live = await goLive(codec);
  });

  afterAll(() => live?.page.close());

  test('is seen from the highest layer when that is asked for', async () => {
    const viewer = await watch(live, 'highest');
    // The frame that is shown reaches the reader of frames a little later.
    const [first] = await vi.waitUntil(async () => {
      const frames = await viewer.frames();
      return frames.length > 0 && frames;
    });
    expect(first).toMatchObject({ width: widths.hi });
    await vi.waitFor(
      async () => expect(await viewer.forwarded()).toMatchObject({ layer: 'hi', layerSwitches: 0 }),
      2_000,
    );
  });

  test('is seen from the lowest layer, then in each layer that is asked for, without a freeze', async () => {
    const viewer = await watch(live, 'lowest');
    // It may have gone up before anything was shown.
    await vi.waitFor(async () => {
      const { layer, layerSwitches } = (await viewer.forwarded()) ?? {};
      expect(layer === 'low' || (layerSwitches ?? 0) > 0, `${layer} after ${layerSwitches} switches`).toBe(true);
    }, 2_000);
    const started = Date.now();
    for (const rid of ['mid', 'hi', 'low', 'mid'] as const) {
      await viewer.choose({ mediaId: '1', encodingId: rid });
      await viewer.sees(rid);
      // Nothing else takes over: bandwidth would be there for all.
      const settled = Date.now();
      await sleep(1_000);
      expect(new Set((await viewer.frames(settled)).map(({ width }) => width))).toEqual(new Set([widths[rid]]));
      await vi.waitFor(async () =>
        expect((await viewer.layers()).filter(({ selected }) => selected).map(({ encodingId }) => encodingId)).toEqual([
          rid,
        ]),
      );
    }
    await viewer.choose({});
    await viewer.sees('hi', 10_000);
    const frames = await viewer.frames(started);
    expect(longestGap(frames, started, Date.now())).toBeLessThan(500);
    expect(frames.filter(({ counter }) => counter < 0)).toEqual([]);
    const gaps = switchGaps(frames);
    expect(gaps.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...gaps), gaps.join(' ')).toBeLessThan(freezeMs);
    const { framesDecoded, totalFreezesDuration } = await viewer.statistics();
    expect(totalFreezesDuration).toBeLessThan(0.5);
    expect(framesDecoded).toBeGreaterThan(((Date.now() - started) * clock.frameRate * 0.9) / 1_000);
  });

  test('is described by what it is', async () => {
    const viewer = await watch(live, 'highest');
    await vi.waitFor(async () => {
      const layers = (await viewer.layers()).toSorted((a, b) => a.width - b.width);
      expect(layers.map(({ encodingId, width, height }) => ({ encodingId, width, height }))).toEqual([
        { encodingId: 'low', width: 240, height: 136 },
        { encodingId: 'mid', width: 480, height: 272 },
        { encodingId: 'hi', width: 960, height: 544 },
      ]);
      const sent = await sentLayers(live.page);
      for (const [i, { bitrate, framesPerSecond }] of layers.entries()) {
        expect(framesPerSecond).toBeGreaterThan(clock.frameRate * 0.8);
        expect(framesPerSecond).toBeLessThan(clock.frameRate * 1.2);
        expect(bitrate * 1_000).toBeGreaterThan((sent[i]?.targetBitrate ?? 0) * 0.5);
        expect(bitrate * 1_000).toBeLessThan((sent[i]?.targetBitrate ?? 0) * 1.5);
      }
    }, 10_000);
  });

  test('is left within 500 ms where its publisher stops sending, and found again', async () => {
    await setLayerActive(live.page, 'hi', true);
    await allLayersFlow(live.page, topBitrate);
    const viewer = await watch(live, 'highest');
    await viewer.sees('hi', 10_000);
    const stopped = Date.now();
    await setLayerActive(live.page, 'hi', false);
    await viewer.sees('mid');
    const frames = await viewer.frames(stopped - 500);
    // 500 ms, and what a key frame and the decoder take.
    expect(longestGap(frames, stopped - 400, Date.now())).toBeLessThan(800);
    await setLayerActive(live.page, 'hi', true);
    const again = Date.now();
    await viewer.sees('hi', 10_000);
    expect(longestGap(await viewer.frames(again), again, Date.now())).toBeLessThan(500);
  });
});

test('a viewer that estimates itself (REMB) gets the layer that this carries', {
  ...timed,
  timeout: 100_000,
}, async () => {
  const live = await goLive('VP8', 700_000);
  onTestFinished(() => live.page.close());
  const { token, id } = await live.viewerToken();
  const page = await open(1);
  const transportFeedback = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
  const subscription = await subscribe(page, {
    whip: server.endpoints.whip,
    token,
    publisherId: live.publisherId,
    clock: true,
    mungeOffer: [
      ['^a=rtcp-fb:\\d+ transport-cc\\r\\n', ''],
      [`^a=extmap:\\d+ ${transportFeedback}\\r\\n`, ''],
    ],
  });
  const read = async () => (await stageStatistics(server, live.stageArn, token)).subscription(id);
  // Such an estimate is half as much again as what comes, at most: the way up takes its time. Three seconds at the top are enough.
  await vi.waitFor(
    async () => {
      const frames = await seenFrames(page, live.publisherId, Date.now() - 3_000);
      const { estimatedBps = 0 } = (await read()) ?? {};
      const layers = await layersOf(subscription, token);
      const evidence = JSON.stringify({ estimatedBps, layers, widths: widthHistory(frames, 0) });
      const widest = frames.filter(({ width }) => width === widths.hi);
      expect(widest.length, evidence).toBeGreaterThan(0.7 * 3 * clock.frameRate);
      expect(estimatedBps, evidence).toBeGreaterThan(layers.at(-1)?.bitrate ?? 0);
    },
    { timeout: 60_000, interval: 500 },
  );
  // The browser makes one: with transport-wide feedback it does not.
  expect((await statistics(page, live.publisherId)).availableIncomingBitrate).toBeGreaterThan(0);
});

// Chromium's first probes decide: a machine that is busy for their few milliseconds shows them a narrow way, and a steady rise takes longer.
test("a simulcast lets the publisher's bandwidth estimate reach 2.5 Mbit/s within five seconds", {
  retry: 5,
}, async () => {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn);
  const page = await open(0);
  const encodings = simulcast();
  await publish(page, { url: server.endpoints.whip, token: alice.token, codec: 'H264', clock, encodings });
  await vi.waitFor(
    async () => expect((await statistics(page, 'publish')).availableOutgoingBitrate).toBeGreaterThan(2_500_000),
    { timeout: 5_000, interval: 100 },
  );
});

test.each(['VP9', 'AV1'] as const)('%s is seen, and refused to who cannot decode it', timed, async (codec) => {
  const stageArn = await createStage(server);
  const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
  const [publisher, viewer] = [await open(0), await open(1)];
  // What browsers have beside the standard: temporal layers of one stream.
  const encodings = [{ maxBitrate: 500_000, scalabilityMode: 'L1T3' } as RTCRtpEncodingParameters];
  const small = { width: 480, height: 272, frameRate: 24 };
  await publish(publisher, { url: server.endpoints.whip, token: alice.token, codec, clock: small, encodings });
  const subscription = { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id, clock: true };
  await expect(subscribe(viewer, { ...subscription, codecs: ['H264', 'VP8'] })).rejects.toThrow(/406 \{"code":"\w+"/);
  await subscribe(viewer, subscription);
  const from = Date.now();
  await sleep(2_000);
  const [frames, seen] = [await seenFrames(viewer, alice.id, from), await statistics(viewer, alice.id)];
  expect(seen).toMatchObject({ videoCodec: `video/${codec}`, frameWidth: 480 });
  expect(frames.filter(({ counter }) => counter >= 0).length).toBeGreaterThan(0.8 * 2 * small.frameRate);
});
