// FFmpeg 8, as node-av has it, publishes over WHIP, and over Enhanced RTMP with several tracks; Chromium sees and hears it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateIngestConfigurationCommand, GetParticipantCommand, GetStageCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium, statistics, subscribe } from './support/chromium.ts';
import { writeFlashAndBeep } from './support/flash-and-beep.ts';
import { seenFrames } from './support/frame-clock.ts';
import { clockOnScreen } from './support/picture-clock.ts';
import { type RunningServer, startServer, temporaryFolder } from './support/server.ts';
import { createStage, createToken, eventNames, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

const script = fileURLToPath(new URL('support/ffmpeg-send.mjs', import.meta.url));
const within = { timeout: 15_000, interval: 200 };
const folder = temporaryFolder();
const file = join(folder, 'source.mkv');

let server: RunningServer;
let browser: Browser;
const encoders: ChildProcess[] = [];

beforeAll(async () => {
  const video = [
    '-c:v',
    'libx264',
    '-profile:v',
    'baseline',
    '-preset',
    'ultrafast',
    '-g',
    '30',
    '-pix_fmt',
    'yuv420p',
  ];
  await writeFlashAndBeep(file, 60, [...video, '-c:a', 'libopus', '-ac', '2']);
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});

afterAll(async () => {
  for (const encoder of encoders) encoder.kill('SIGKILL');
  await browser?.close();
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a file once, from its beginning. */
function encode(...args: string[]) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  encoders.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  return { exit: once(child, 'exit'), output: () => output, kill: () => child.kill('SIGKILL') };
}

test("FFmpeg's WHIP muxer is seen and heard, and leaves", timed, async () => {
  const stageArn = await createStage(server);
  const alice = await createToken(server, stageArn, { userId: 'ffmpeg' });
  const encoder = encode(file, 'whip', server.endpoints.whip, `authorization=${alice.token}`);
  await vi.waitFor(() => expect(encoder.output()).toContain('connected'), within);
  const page = await openTestPage(server, browser);
  const { token } = await createToken(server, stageArn);
  const subscription = { whip: server.endpoints.whip, token, publisherId: alice.id };
  await vi.waitFor(() => subscribe(page, subscription), within);
  await vi.waitFor(async () => {
    const now = await statistics(page, alice.id);
    expect(now.framesDecoded).toBeGreaterThan(60);
    expect(now.audioEnergy).toBeGreaterThan(0.001);
    expect(now).toMatchObject({ videoCodec: 'video/H264', frameWidth: 640 });
  }, within);
  const { counter } = await clockOnScreen(page);
  expect(counter).toBeGreaterThan(30);
  await vi.waitFor(async () => expect((await clockOnScreen(page)).counter).toBeGreaterThan(counter), within);
  const { stage } = await server.client.send(new GetStageCommand({ arn: stageArn }));
  const session = { stageArn, sessionId: stage?.activeSessionId };
  const { participant } = await server.client.send(new GetParticipantCommand({ ...session, participantId: alice.id }));
  expect(participant).toMatchObject({ protocol: 'WHIP', published: true, userId: 'ffmpeg' });
  encoder.kill();
  await vi.waitFor(
    async () => expect(await eventNames(server, stageArn, session.sessionId, alice.id)).toContain('PUBLISH_STOPPED'),
    { timeout: 20_000, interval: 500 },
  );
});

test('a token that is none is refused, and FFmpeg says so', async () => {
  const encoder = encode(file, 'whip', server.endpoints.whip, 'authorization=x.y.z');
  await encoder.exit;
  expect(encoder.output()).toMatch(/40[0-9]/);
});

test('video tracks of Enhanced RTMP are layers that each viewer chooses from', timed, async () => {
  const stageArn = await createStage(server);
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn };
  const { ingestConfiguration } = await server.client.send(new CreateIngestConfigurationCommand(input));
  const { streamKey, participantId: publisherId = '' } = ingestConfiguration ?? {};
  const encoder = encode(makeTracks(), 'flv', `${server.endpoints.rtmp}${streamKey}`);
  const page = await openTestPage(server, browser);
  const { token } = await createToken(server, stageArn);
  const subscription = { whip: server.endpoints.whip, token, publisherId, clock: true };
  const { layersUrl = '' } = await vi
    .waitFor(() => subscribe(page, subscription), within)
    .catch((error: Error) => {
      throw new Error(`${error.message}\n${encoder.output()}`);
    });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  await vi.waitFor(async () => {
    const { layers } = (await (await fetch(layersUrl, { headers })).json()) as {
      layers: { encodingId: string; width: number }[];
    };
    expect(layers.map(({ encodingId, width }) => [encodingId, width]).sort()).toEqual([
      ['hi', 640],
      ['low', 160],
      ['mid', 320],
    ]);
  }, within);
  for (const [encodingId, width] of [
    ['low', 160],
    ['hi', 640],
    ['mid', 320],
  ] as const) {
    const body = JSON.stringify({ mediaId: '1', encodingId });
    expect((await fetch(layersUrl, { method: 'POST', headers, body })).status).toBe(200);
    await vi.waitFor(
      async () => expect((await seenFrames(page, publisherId, Date.now() - 1_000)).at(-1)).toMatchObject({ width }),
      within,
    );
  }
  expect((await statistics(page, publisherId)).audioEnergy).toBeGreaterThan(0);
});

/** One sound and the picture in three sizes. */
function makeTracks(): string {
  const path = join(folder, 'tracks.mkv');
  const input = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=640x360:rate=24:duration=40',
    '-f',
    'lavfi',
    '-i',
    'sine=duration=40',
  ];
  const scale = ['-filter_complex', '[0:v]split=3[a][b][c];[b]scale=320:180[m];[c]scale=160:90[l]'];
  const maps = ['-map', '[a]', '-map', '[m]', '-map', '[l]', '-map', '1:a'];
  const video = [
    '-c:v',
    'libx264',
    '-profile:v',
    'baseline',
    '-preset',
    'ultrafast',
    '-g',
    '24',
    '-pix_fmt',
    'yuv420p',
  ];
  execFileSync('/usr/bin/ffmpeg', [
    '-y',
    '-loglevel',
    'error',
    ...input,
    ...scale,
    ...maps,
    ...video,
    '-c:a',
    'aac',
    path,
  ]);
  return path;
}

test(
  "FFmpeg's WHIP muxer, which answers no connectivity checks, is still there when their consent would have expired",
  timed,
  async () => {
    const stageArn = await createStage(server);
    const alice = await createToken(server, stageArn);
    const encoder = encode(file, 'whip', server.endpoints.whip, `authorization=${alice.token}`);
    await vi.waitFor(() => expect(encoder.output()).toContain('connected'), within);
    const connectedAt = Date.now();
    const page = await openTestPage(server, browser);
    const { token } = await createToken(server, stageArn);
    await vi.waitFor(() => subscribe(page, { whip: server.endpoints.whip, token, publisherId: alice.id }), within);
    // RFC 7675 section 5.1: 30 s after the last answer.
    await new Promise((resolve) => setTimeout(resolve, connectedAt + 36_000 - Date.now()));
    const { framesDecoded } = await statistics(page, alice.id);
    await vi.waitFor(
      async () => expect((await statistics(page, alice.id)).framesDecoded).toBeGreaterThan(framesDecoded + 30),
      within,
    );
    expect(encoder.output()).not.toContain('Consent');
  },
);
