// Opus in its forms, from browser to browser: with redundancy, in stereo, with discontinuous transmission.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium, type PublishOptions, publish, type SubscribeOptions, subscribe } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openTestPage } from './support/stage.ts';
import { stageStatistics } from './support/statistics.ts';
import { timed } from './support/timed.ts';

const RED = ['audio/red', 'audio/opus'];

let server: RunningServer;
let browsers: Browser[];

beforeAll(async () => {
  [server, ...browsers] = await Promise.all([
    startServer({ args: ['--no-ingest'] }),
    launchChromium(),
    launchChromium(),
  ]);
});

afterAll(async () => {
  await Promise.all(browsers?.map((browser) => browser.close()) ?? []);
  await server?.dispose();
});

/** A publisher, and how to watch it. */
async function goLive(options: Partial<PublishOptions>) {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn);
  const page = await openTestPage(server, browsers[0] as Browser);
  await publish(page, { url: server.endpoints.whip, token: alice.token, width: 320, ...options });
  const watch = async (more: Partial<SubscribeOptions>) => {
    const { token } = await createToken(server, stageArn);
    const viewer = await openTestPage(server, browsers[1] as Browser);
    await subscribe(viewer, { whip: server.endpoints.whip, token, publisherId: alice.id, ...more });
    return { page: viewer, audio: () => audioStatistics(viewer, alice.id) };
  };
  /** Audio packets that the server has from it. */
  const packets = async () => {
    const { publication } = await stageStatistics(server, stageArn, alice.token);
    return publication(alice.id)?.tracks.find(({ kind }) => kind === 'audio')?.layers[0]?.packetsReceived ?? 0;
  };
  return { id: alice.id, audio: () => audioStatistics(page, 'publish'), watch, packets };
}

/** What a page's peer connection says of its audio; of what is received the counters, of both the codec. */
function audioStatistics(page: Page, name: string) {
  return page.evaluate(async (name) => {
    const all = [...((await window.peers[name]?.getStats()) ?? new Map()).values()];
    const stream = all.find(({ type, kind }) => /^(in|out)bound-rtp$/.test(type) && kind === 'audio');
    const codec = all.find(({ id }) => id === stream?.codecId);
    return {
      codec: `${codec?.mimeType}`,
      fmtp: `${codec?.sdpFmtpLine}`,
      packets: Number(stream?.packetsReceived ?? stream?.packetsSent ?? 0),
      bytes: Number(stream?.bytesReceived ?? stream?.bytesSent ?? 0),
      energy: Number(stream?.totalAudioEnergy ?? 0),
      samples: Number(stream?.totalSamplesReceived ?? 0),
      concealed: Number(stream?.concealedSamples ?? 0) - Number(stream?.silentConcealedSamples ?? 0),
    };
  }, name);
}

type Audio = Awaited<ReturnType<typeof audioStatistics>>;

/** What came between two readings. */
async function during(audio: () => Promise<Audio>, ms: number) {
  const before = await audio();
  await sleep(ms);
  const after = await audio();
  const packets = after.packets - before.packets;
  return {
    ...after,
    packets,
    packetBytes: (after.bytes - before.bytes) / packets,
    energy: after.energy - before.energy,
    concealedShare: (after.concealed - before.concealed) / (after.samples - before.samples),
  };
}

test('redundant audio is forwarded as it came, and to who cannot read it without the redundancy', timed, async () => {
  const live = await goLive({ audioCodecs: RED });
  const [bob, carol] = [await live.watch({ audioCodecs: RED }), await live.watch({ audioCodecs: ['audio/opus'] })];
  await sleep(2_000);
  const [sent, red, plain] = await Promise.all([
    during(live.audio, 4_000),
    during(bob.audio, 4_000),
    during(carol.audio, 4_000),
  ]);
  for (const heard of [red, plain]) {
    expect(heard.packets).toBeGreaterThan(0.8 * sent.packets);
    expect(heard.energy).toBeGreaterThan(0);
    expect(heard.concealedShare).toBeLessThan(0.1);
  }
  // The frame before goes along once more; browsers name the codec inside.
  expect(sent.packetBytes).toBeGreaterThan(1.4 * plain.packetBytes);
  expect(red.packetBytes).toBeGreaterThan(1.4 * plain.packetBytes);
});

/** The loudness of each side of what a page hears, 0 to 1. */
function sides(page: Page, name: string): Promise<number[]> {
  return page.evaluate(async (name) => {
    const track = window.peers[name]?.getReceivers().find((receiver) => receiver.track.kind === 'audio')?.track;
    if (!track) throw new Error('no audio is received');
    const context = new AudioContext({ sampleRate: 48_000 });
    const splitter = context.createChannelSplitter(2);
    const source = context.createMediaStreamSource(new MediaStream([track]));
    source.connect(splitter);
    const analysers = [0, 1].map((side) => {
      const analyser = context.createAnalyser();
      splitter.connect(analyser, side);
      return analyser;
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return analysers.map((analyser) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    });
  }, name);
}

test('stereo arrives as stereo', timed, async () => {
  const stereo: [string, string][] = [['useinbandfec=1', 'useinbandfec=1;stereo=1;sprop-stereo=1']];
  const live = await goLive({ tone: 'left', mungeOffer: stereo });
  const bob = await live.watch({ mungeOffer: [['useinbandfec=1', 'useinbandfec=1;stereo=1']] });
  const [sent, heard] = [await live.audio(), await bob.audio()];
  expect(sent.fmtp).toContain('stereo=1');
  expect(heard.fmtp).toContain('stereo=1');
  await vi.waitFor(async () => {
    const [left = 0, right = 0] = await sides(bob.page, live.id);
    expect(left).toBeGreaterThan(0.1);
    expect(right).toBeLessThan(0.1 * left);
  }, 15_000);
});

test('silence with DTX costs next to nothing, and ends nothing', timed, async () => {
  const live = await goLive({ tone: 'silence', mungeOffer: [['useinbandfec=1', 'useinbandfec=1;usedtx=1']] });
  const bob = await live.watch({});
  const { fmtp } = await live.audio();
  expect(fmtp).toContain('usedtx=1');
  await sleep(3_000);
  const [packets, heard] = [await live.packets(), await bob.audio()];
  await sleep(4_000);
  const [later, heardLater] = [await live.packets(), await bob.audio()];
  // Of 50 packets a second a few are left.
  expect(later - packets).toBeGreaterThan(0);
  expect(later - packets).toBeLessThan(4 * 15);
  expect(heardLater.packets - heard.packets).toBeGreaterThan(0);
  expect(heardLater.packets - heard.packets).toBeLessThan(4 * 15);
});
