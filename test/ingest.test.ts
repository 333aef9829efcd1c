// What encoders send over RTMP and RTMPS, seen and heard by Chromium, and what they are told when it is not taken.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateIngestConfigurationCommand,
  GetIngestConfigurationCommand,
  GetParticipantCommand,
  GetStageCommand,
  type IngestConfiguration,
  ListParticipantEventsCommand,
  ListParticipantsCommand,
} from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { launchChromium, statistics, subscribe } from './support/chromium.ts';
import { FlashAndBeep, median, skews, stageCodecs, watchOnsets } from './support/flash-and-beep.ts';
import { longestGap, seenFrames } from './support/frame-clock.ts';
import { clockOnScreen } from './support/picture-clock.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, eventNames, openPage, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

let server: RunningServer;
let transcoding: RunningServer;
let browser: Browser;
const encoders: Encoder[] = [];
const within = { timeout: 15_000, interval: 200 };

beforeAll(async () => {
  [server, transcoding, browser] = await Promise.all([
    startServer(),
    startServer({ args: ['--ingest-transcode'] }),
    launchChromium(),
  ]);
});

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.end();
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([server?.dispose(), transcoding?.dispose()]);
});

/** Debian's FFmpeg as an encoder: a moving picture and a tone. */
class Encoder {
  readonly process: ChildProcess;
  output = '';

  constructor(url: string, video: readonly string[] = baseline, audio: readonly string[] = aac, size = '640x360') {
    const picture = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`];
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
    const args = ['-hide_banner', '-loglevel', 'verbose', ...picture, ...tone, ...video, ...audio, '-f', 'flv', url];
    this.process = spawn('/usr/bin/ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr?.on('data', (text) => (this.output += text));
    encoders.push(this);
  }

  get isOver(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  async end(): Promise<void> {
    if (this.isOver) return;
    const exit = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exit;
  }
}

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '60'];
const baseline = [...x264, '-profile:v', 'baseline', '-b:v', '800k'];
const aac = ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'];

async function configure(
  { client }: RunningServer,
  stageArn: string,
  ingestProtocol: 'RTMP' | 'RTMPS' = 'RTMP',
): Promise<IngestConfiguration> {
  const { ingestConfiguration } = await client.send(
    new CreateIngestConfigurationCommand({
      ingestProtocol,
      stageArn,
      insecureIngest: ingestProtocol === 'RTMP',
      userId: 'encoder',
      attributes: { place: 'studio' },
    }),
  );
  if (!ingestConfiguration) throw new Error('no ingest configuration was made');
  return ingestConfiguration;
}

const stateOf = async ({ client }: RunningServer, { arn }: IngestConfiguration) =>
  (await client.send(new GetIngestConfigurationCommand({ arn }))).ingestConfiguration?.state;

const sessionOf = async ({ client }: RunningServer, arn: string) =>
  (await client.send(new GetStageCommand({ arn }))).stage?.activeSessionId;

/** Waits until the encoder's stream is on the stage. */
const live = (on: RunningServer, configuration: IngestConfiguration) =>
  vi.waitFor(async () => expect(await stateOf(on, configuration)).toBe('ACTIVE'), { timeout: 15_000, interval: 200 });

/** A viewer in Chromium; resolves once picture and sound have come. */
async function watch(on: RunningServer, stageArn: string, publisherId: string) {
  const { token } = await createToken(on, stageArn);
  const page = await openPage(on, browser);
  const { firstFrameMs } = await vi.waitFor(() => subscribe(page, { whip: on.endpoints.whip, token, publisherId }), {
    timeout: 15_000,
    interval: 500,
  });
  await vi.waitFor(
    async () => {
      const now = await statistics(page, publisherId);
      expect(now.framesDecoded).toBeGreaterThan(30);
      expect(now.audioEnergy).toBeGreaterThan(0.001);
    },
    { timeout: 15_000, interval: 200 },
  );
  return { page, firstFrameMs, statistics: () => statistics(page, publisherId) };
}

describe.each(['RTMP', 'RTMPS'] as const)('FFmpeg over %s', (protocol) => {
  test('is seen and heard, is a participant with its events, and leaves', async () => {
    const stageArn = await createStage(server);
    const configuration = await configure(server, stageArn, protocol);
    const { participantId = '', streamKey = '' } = configuration;
    const url = `${protocol === 'RTMP' ? server.endpoints.rtmp : server.endpoints.rtmps}${streamKey}`;
    const encoder = new FlashAndBeep([...stageCodecs, '-f', 'flv', url]);
    onTestFinished(() => encoder.end());
    await live(server, configuration);
    const viewer = await watch(server, stageArn, participantId);
    expect((await viewer.statistics()).videoCodec).toBe('video/H264');
    await vi.waitFor(async () => {
      const { counter, ageMs } = await clockOnScreen(viewer.page);
      expect(counter).toBeGreaterThan(30);
      expect(ageMs).toBeLessThan(300);
    }, within);
    const sessionId = await sessionOf(server, stageArn);
    const { participant } = await server.client.send(new GetParticipantCommand({ stageArn, sessionId, participantId }));
    expect(participant).toMatchObject({
      protocol,
      userId: 'encoder',
      attributes: { place: 'studio' },
      published: true,
      state: 'CONNECTED',
      ingestConfigurationArn: configuration.arn,
    });
    await encoder.end();
    await vi.waitFor(async () => expect(await stateOf(server, configuration)).toBe('INACTIVE'), 5_000);
    expect(await eventNames(server, stageArn, sessionId, participantId)).toEqual([
      'JOINED',
      'PUBLISH_STARTED',
      'PUBLISH_STOPPED',
      'LEFT',
    ]);
    await viewer.page.close();
  });
});

test('a viewer that comes between two key frames sees the picture at once, and no late one', timed, async () => {
  const stageArn = await createStage(server);
  const configuration = await configure(server, stageArn);
  new Encoder(`${server.endpoints.rtmp}${configuration.streamKey}`);
  await live(server, configuration);
  const page = await openPage(server, browser);
  const { token } = await createToken(server, stageArn);
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  const publisherId = configuration.participantId ?? '';
  const { firstFrameMs } = await subscribe(page, { whip: server.endpoints.whip, token, publisherId });
  // A key frame comes every 2 s.
  expect(firstFrameMs).toBeLessThan(1_000);
  await vi.waitFor(
    async () => {
      const { framesDecoded, jitterBufferDelayMs = 0 } = (await statistics(page, publisherId)) as {
        framesDecoded: number;
        jitterBufferDelayMs?: number;
      };
      expect(framesDecoded).toBeGreaterThan(60);
      expect(jitterBufferDelayMs).toBeLessThan(1_000);
    },
    { timeout: 15_000, interval: 200 },
  );
  await page.close();
});

test(
  'of two encoders with redundant ingest viewers see one, and the other within a second of its end',
  timed,
  async () => {
    const stageArn = await createStage(server);
    const { ingestConfiguration } = await server.client.send(
      new CreateIngestConfigurationCommand({
        ...{ ingestProtocol: 'RTMP', insecureIngest: true, stageArn, userId: 'studio', redundantIngest: true },
      }),
    );
    const { participantId: both = '', redundantIngestCredentials: ways = [] } = ingestConfiguration ?? {};
    expect(ways).toHaveLength(2);
    const [firstUrl = '', secondUrl = ''] = ways.map(({ streamKey }) => `${server.endpoints.rtmp}${streamKey}`);
    const first = new Encoder(firstUrl);
    const page = await openTestPage(server, browser);
    const { token, id: viewerId } = await createToken(server, stageArn);
    const subscription = { whip: server.endpoints.whip, token, publisherId: both, clock: true };
    await vi.waitFor(() => subscribe(page, subscription), { timeout: 15_000, interval: 500 });
    const second = new Encoder(secondUrl);
    const sessionId = await sessionOf(server, stageArn);
    const participantIds = [both, ...ways.map(({ participantId = '' }) => participantId)];
    await vi.waitFor(async () => {
      const { participants = [] } = await server.client.send(new ListParticipantsCommand({ stageArn, sessionId }));
      const found = participants.filter(({ participantId }) => participantId !== viewerId);
      expect(found.map(({ participantId }) => participantId).sort()).toEqual(participantIds.sort());
      expect(found.every(({ redundantIngest, published }) => redundantIngest && published)).toBe(true);
    }, within);
    await sleep(3_000);

    /** The longest time without a new picture, from now to five seconds later. */
    const stillMs = async (happens: () => unknown) => {
      const from = Date.now();
      await happens();
      await sleep(5_000);
      return longestGap(await seenFrames(page, both, from), from, Date.now());
    };
    // It says nothing any more, as one whose network is gone.
    expect(await stillMs(() => first.process.kill('SIGSTOP'))).toBeLessThan(1_000);
    await first.end();
    const again = new Encoder(firstUrl);
    await vi.waitFor(() => expect(again.output).toContain('frame='), within);
    await sleep(2_500);
    expect(await stillMs(() => second.end())).toBeLessThan(1_000);
    expect(await statistics(page, both)).toMatchObject({ state: 'connected', frameWidth: 640 });
    expect(await eventNames(server, stageArn, sessionId, both)).toEqual(['JOINED', 'PUBLISH_STARTED']);
    await again.end();
    await vi.waitFor(
      async () =>
        expect((await eventNames(server, stageArn, sessionId, both)).slice(-2)).toEqual(['PUBLISH_STOPPED', 'LEFT']),
      within,
    );
  },
);

test('sound and picture of an encoder are less than 40 ms apart, and shown soon', {
  ...timed,
  timeout: 90_000,
}, async () => {
  const stageArn = await createStage(server);
  const configuration = await configure(server, stageArn);
  const source = new FlashAndBeep([...stageCodecs, '-f', 'flv', `${server.endpoints.rtmp}${configuration.streamKey}`]);
  onTestFinished(() => source.end());
  await live(server, configuration);
  const page = await openTestPage(server, browser);
  const { token } = await createToken(server, stageArn);
  const publisherId = configuration.participantId ?? '';
  const subscription = { whip: server.endpoints.whip, token, publisherId, clock: true };
  await vi.waitFor(() => subscribe(page, subscription), within);
  await watchOnsets(page);
  // Chromium finds out how late sound and picture are, and puts them together by and by: the more slowly, the busier the machine.
  const lastApart = async () => (await skews(page)).slice(-5);
  await vi.waitFor(
    async () => {
      const apart = await lastApart();
      expect(apart).toHaveLength(5);
      expect(Math.abs(median(apart)), apart.map(Math.round).join(' ')).toBeLessThan(40);
    },
    { timeout: 45_000, interval: 1_000 },
  );
  const ages = (await seenFrames(page, publisherId, Date.now() - 5_000)).map(({ ageMs }) => ageMs);
  expect(median(ages)).toBeLessThan(500);
});

/** Names and codes of the errors of a participant. */
async function errorsOf(on: RunningServer, stageArn: string, participantId: string) {
  const sessionId = await sessionOf(on, stageArn);
  const { events = [] } = await on.client.send(
    new ListParticipantEventsCommand({ stageArn, sessionId, participantId }),
  );
  return events.flatMap(({ name, errorCode }) => (errorCode ? [`${name} ${errorCode}`] : []));
}

describe('an encoder is told why', () => {
  test.each([
    [
      'B-frames',
      [...x264.filter((word) => word !== '-tune' && word !== 'zerolatency'), '-bf', '2'],
      aac,
      '640x360',
      'B_FRAME_PRESENT',
    ],
    ['a picture that is too large', baseline, aac, '1920x1080', 'RESOLUTION_EXCEEDED'],
    ['MP3', baseline, ['-c:a', 'libmp3lame', '-ar', '44100'], '640x360', 'INVALID_AUDIO_CODEC'],
    ['no sound', [...baseline, '-an'], [], '640x360', 'audio'],
  ] as const)('%s', async (_, video, audio, size, code) => {
    const stageArn = await createStage(server);
    const configuration = await configure(server, stageArn);
    const encoder = new Encoder(`${server.endpoints.rtmp}${configuration.streamKey}`, video, audio, size);
    await vi.waitFor(() => expect(encoder.isOver).toBe(true), { timeout: 20_000, interval: 100 });
    expect(encoder.output).toContain(code);
    await vi.waitFor(async () => expect(await stateOf(server, configuration)).toBe('INACTIVE'), 5_000);
  });

  test('a key that nobody has, a key that is in use, and RTMP where RTMPS is asked for', async () => {
    const stageArn = await createStage(server);
    const [plain, secure] = [await configure(server, stageArn), await configure(server, stageArn, 'RTMPS')];
    const refused = async (key: string | undefined, code: string) => {
      const encoder = new Encoder(`${server.endpoints.rtmp}${key}`);
      await vi.waitFor(() => expect(encoder.isOver).toBe(true), { timeout: 15_000, interval: 100 });
      expect(encoder.output).toContain(code);
    };
    await refused('rt_123456789012_us-west-2_AbCdEfGh1234_nobody', 'INVALID_STREAM_KEY');
    // Nobody is on the stage yet: the owner finds the refusal all the same.
    await refused(secure.streamKey, 'INVALID_PROTOCOL');
    expect(await errorsOf(server, stageArn, secure.participantId ?? '')).toEqual(['PUBLISH_ERROR INVALID_PROTOCOL']);
    const ofAnotherAccount = plain.streamKey?.replace(/^rt_\d+_/, 'rt_999999999999_');
    await refused(ofAnotherAccount, 'INVALID_STREAM_KEY');
    new Encoder(`${server.endpoints.rtmp}${plain.streamKey}`);
    await live(server, plain);
    await refused(plain.streamKey, 'REUSE_OF_STREAM_KEY');
    expect(await stateOf(server, plain)).toBe('ACTIVE');
  });
});

test.each([
  ['BITRATE_EXCEEDED', ['--max-publish-bitrate', '100000']],
  ['STREAM_DURATION_EXCEEDED', ['--max-duration', '4']],
])('a stream that goes on beyond its limit is ended with %s, and both ends are told', async (code, args) => {
  const limited = await startServer({ args });
  onTestFinished(() => limited.dispose());
  const stageArn = await createStage(limited);
  const configuration = await configure(limited, stageArn);
  const encoder = new Encoder(`${limited.endpoints.rtmp}${configuration.streamKey}`);
  await vi.waitFor(() => expect(encoder.isOver).toBe(true), { timeout: 30_000, interval: 200 });
  expect(encoder.output).toContain(code);
  await vi.waitFor(
    async () =>
      expect(await errorsOf(limited, stageArn, configuration.participantId ?? '')).toEqual([`PUBLISH_ERROR ${code}`]),
    within,
  );
  expect(limited.output()).toContain(code);
  expect(await stateOf(limited, configuration)).toBe('INACTIVE');
});

test('timestamps that jump by an hour hardly stop the picture', timed, async () => {
  const stageArn = await createStage(server);
  const configuration = await configure(server, stageArn);
  // FFmpeg's muxer takes no jump back: that is with the timeline's own tests.
  // In milliseconds, from the fifth second on: 30 pictures, and 44,100 samples in units of 1,024.
  const jump = (unit: number) => `setts=ts=if(gte(N\\,${unit})\\,TS+3600000\\,TS)`;
  const filters = ['-bsf:v', jump(5 * 30), '-bsf:a', jump(Math.round((5 * 44_100) / 1_024))];
  new Encoder(`${server.endpoints.rtmp}${configuration.streamKey}`, [...baseline, ...filters]);
  await live(server, configuration);
  const publisherId = configuration.participantId ?? '';
  const page = await openTestPage(server, browser);
  const { token } = await createToken(server, stageArn);
  await vi.waitFor(() => subscribe(page, { whip: server.endpoints.whip, token, publisherId, clock: true }), within);
  const from = Date.now();
  await sleep(10_000);
  const frames = await seenFrames(page, publisherId, from);
  expect(longestGap(frames, from, Date.now())).toBeLessThan(1_500);
  expect(frames.length).toBeGreaterThan(10 * 30 * 0.7);
  expect((await statistics(page, publisherId)).audioEnergy).toBeGreaterThan(0.001);
  expect(await stateOf(server, configuration)).toBe('ACTIVE');
});

test('with --ingest-transcode B-frames and a large picture are encoded anew, and seen', async () => {
  const stageArn = await createStage(transcoding);
  const configuration = await configure(transcoding, stageArn);
  const withBFrames = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '30', '-bf', '2'];
  new Encoder(`${transcoding.endpoints.rtmp}${configuration.streamKey}`, withBFrames, aac, '480x270');
  await live(transcoding, configuration);
  const viewer = await watch(transcoding, stageArn, configuration.participantId ?? '');
  expect((await viewer.statistics()).frameWidth).toBe(480);
  await viewer.page.close();
});
