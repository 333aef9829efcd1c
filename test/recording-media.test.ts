// What is recorded is what was published, whatever that is: pictures by their numbers, sound by its place beside them.
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { launchChromium, publish, subscribe } from './support/chromium.ts';
import { FlashAndBeep, median, stageCodecs, writeFlashAndBeep } from './support/flash-and-beep.ts';
import { seenFrames } from './support/frame-clock.ts';
import { clockDifference } from './support/picture-clock.ts';
import { activeRecording, isComplete, isSound, recordingEnds } from './support/recording-checks.ts';
import {
  createRecordedStage,
  encoderOf,
  flashesAndBeeps,
  packetTimes,
  picturesOf,
  type RecordingFolder,
  span,
} from './support/recordings.ts';
import { type RunningServer, root, startServer, temporaryFolder } from './support/server.ts';
import { createToken, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

const seconds = 6;
const folder = temporaryFolder();

let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** By how much sound comes after its picture, in milliseconds. */
async function lips(recording: RecordingFolder): Promise<number[]> {
  const { flashes, beeps } = await flashesAndBeeps(recording.bytes(recording.runs()[0]!));
  const differences = flashes.flatMap((flash) => beeps.map((beep) => (beep - flash) * 1_000));
  return differences.filter((ms) => Math.abs(ms) < 400);
}

describe('of an encoder no picture is lost, and sound stays with its picture', () => {
  test('over RTMP', timed, async () => {
    const stageArn = await createRecordedStage(server);
    const { url, id } = await encoderOf(server, stageArn);
    const encoder = new FlashAndBeep([...stageCodecs, '-f', 'flv', url]);
    onTestFinished(() => encoder.end());
    const recording = await activeRecording(server, stageArn, id);
    await sleep(seconds * 1_000);
    await encoder.end();
    await recordingEnds(server, stageArn, id);
    isComplete(await picturesOf(recording), (seconds - 1) * 30);
    const apart = await lips(recording);
    expect(apart.length).toBeGreaterThan(3);
    expect(Math.max(...apart.map(Math.abs)), `${apart}`).toBeLessThan(40);
  });

  test('over WebRTC (WHIP)', timed, async () => {
    const file = join(folder, 'source.mkv');
    await writeFlashAndBeep(file, seconds + 2, [...stageCodecs, '-c:a', 'libopus', '-ac', '2']);
    const stageArn = await createRecordedStage(server);
    const alice = await createToken(server, stageArn);
    const script = join(root, 'test/support/ffmpeg-send.mjs');
    const args = [script, file, 'whip', server.endpoints.whip, `authorization=${alice.token}`];
    const encoder: ChildProcess = spawn(process.execPath, args, { stdio: 'ignore' });
    onTestFinished(() => void encoder.kill('SIGKILL'));
    const recording = await activeRecording(server, stageArn, alice.id);
    await recordingEnds(server, stageArn, alice.id);
    isComplete(await picturesOf(recording), (seconds - 1) * 30);
    const apart = await lips(recording);
    expect(apart.length).toBeGreaterThan(3);
    expect(Math.abs(median(apart)), `${apart}`).toBeLessThan(40);
  });
});

describe('of a browser', () => {
  // The browser's encoders of VP9 and AV1 leave some pictures that neither a viewer nor the recording can read.
  test.each([
    ['H264', 0],
    ['VP8', 0],
    ['VP9', 0.1],
    ['AV1', 0.1],
  ] as const)('%s: all pictures that a viewer sees', timed, async (codec, unreadable) => {
    const stageArn = await createRecordedStage(server);
    const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
    const [page, viewer] = [await openTestPage(server, browser), await openTestPage(server, browser)];
    const clock = { width: 640, height: 360, frameRate: 20 };
    await publish(page, { url: server.endpoints.whip, token: alice.token, codec, clock, maxBitrate: 2_500_000 });
    await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id, clock: true });
    const recording = await activeRecording(server, stageArn, alice.id);
    await sleep(seconds * 1_000);
    const shown = (await seenFrames(viewer, alice.id)).map(({ counter }) => counter);
    const seen = new Set(shown);
    const blurred = shown.filter((counter) => counter < 0).length / shown.length;
    await page.evaluate(() => window.peers.publish?.close());
    await recordingEnds(server, stageArn, alice.id);
    for (const run of recording.runs()) await isSound(recording.bytes(run));
    const pictures = await picturesOf(recording);
    const counters = pictures.map(({ counter }) => counter);
    const read = pictures.filter(({ counter }) => counter >= 0);
    expect(read.length).toBeGreaterThan(seconds * 10);
    const unread = (pictures.length - read.length) / pictures.length;
    expect(unread, `the viewer cannot read ${blurred}`).toBeLessThanOrEqual(unreadable && blurred + unreadable / 2);
    const [first = 0, last = 0] = [read[0]?.counter, read.at(-1)?.counter];
    const due = [...seen].filter((one) => one > first && one < last);
    const missing = due.filter((one) => !counters.includes(one));
    expect(missing.length, `${missing}`).toBeLessThanOrEqual(unreadable * due.length);
    // Each is where it was made on the recording's line of time.
    const late = read.map(({ at, madeAt }) => clockDifference(at * 1_000 - madeAt)).sort((a, b) => a - b);
    const [least = 0, most = 0] = [late[Math.floor(late.length / 10)], late[Math.floor((late.length * 9) / 10)]];
    expect(most - least).toBeLessThan(100);
    expect(recording.text('media/hls/multivariant.m3u8')).toContain('RESOLUTION=640x360');
  });
});

describe('sound', () => {
  test('at 8 kHz stays with its picture', timed, async () => {
    const stageArn = await createRecordedStage(server);
    const { url, id } = await encoderOf(server, stageArn);
    const encoder = new FlashAndBeep([...stageCodecs, '-ar', '8000', '-f', 'flv', url]);
    onTestFinished(() => encoder.end());
    const recording = await activeRecording(server, stageArn, id);
    await sleep(seconds * 1_000);
    await encoder.end();
    await recordingEnds(server, stageArn, id);
    const apart = await lips(recording);
    expect(apart.length).toBeGreaterThan(3);
    expect(Math.max(...apart.map(Math.abs)), `${apart}`).toBeLessThan(40);
  });

  test('that is muted, or not sent while nobody speaks (DTX), is silence of the same length', timed, async () => {
    const stageArn = await createRecordedStage(server);
    const alice = await createToken(server, stageArn);
    const page = await openTestPage(server, browser);
    const mungeOffer: [string, string][] = [['useinbandfec=1', 'useinbandfec=1;usedtx=1']];
    await publish(page, { url: server.endpoints.whip, token: alice.token, codec: 'H264', mungeOffer });
    const recording = await activeRecording(server, stageArn, alice.id);
    const setMicrophone = (enabled: boolean) =>
      page.evaluate((on) => {
        for (const { track } of window.peers.publish?.getSenders() ?? [])
          if (track?.kind === 'audio') track.enabled = on;
      }, enabled);
    await sleep(2_000);
    await setMicrophone(false);
    await sleep(3_000);
    await setMicrophone(true);
    await sleep(2_000);
    await page.evaluate(() => window.peers.publish?.close());
    await recordingEnds(server, stageArn, alice.id);
    const [run, ...others] = recording.runs();
    expect(others).toEqual([]);
    const probed = await isSound(recording.bytes(run!));
    const [pictures, sounds] = [packetTimes(probed, 'video', 'pts_time'), packetTimes(probed, 'audio', 'pts_time')];
    expect(span(sounds)).toBeGreaterThan(6.5);
    expect(Math.abs(span(sounds) - span(pictures))).toBeLessThan(0.2);
    // 1,024 samples after 1,024 samples.
    const gaps = sounds.slice(1).map((at, index) => at - sounds[index]!);
    expect(Math.max(...gaps)).toBeLessThan(0.022);
    // The fake microphone beeps twice a second.
    const { beeps } = await flashesAndBeeps(recording.bytes(run!));
    const pauses = beeps.slice(1).map((at, index) => at - beeps[index]!);
    expect(Math.max(...pauses), `${beeps}`).toBeGreaterThan(2.5);
    expect(Math.max(...pauses), `${beeps}`).toBeLessThan(4.5);
  });
});

test('sound of a browser stays with its picture', timed, async () => {
  const stageArn = await createRecordedStage(server);
  const alice = await createToken(server, stageArn);
  const page = await openTestPage(server, browser);
  await publish(page, { url: server.endpoints.whip, token: alice.token, codec: 'H264', flashAndBeep: true });
  const recording = await activeRecording(server, stageArn, alice.id);
  await sleep(seconds * 1_000);
  await page.evaluate(() => window.peers.publish?.close());
  await recordingEnds(server, stageArn, alice.id);
  const apart = await lips(recording);
  expect(apart.length).toBeGreaterThan(3);
  expect(Math.max(...apart.map(Math.abs)), `${apart}`).toBeLessThan(40);
});

test('pictures that are broken end neither their recording nor another one', timed, async () => {
  const stageArn = await createRecordedStage(server);
  const [broken, whole] = [await encoderOf(server, stageArn), await encoderOf(server, stageArn)];
  // Every so many bytes one is changed.
  const noise = ['-bsf:v', 'noise=amount=5000'];
  const encoders = [
    new FlashAndBeep([...stageCodecs, ...noise, '-f', 'flv', broken.url]),
    new FlashAndBeep([...stageCodecs, '-f', 'flv', whole.url]),
  ];
  for (const encoder of encoders) onTestFinished(() => encoder.end());
  const recordings = [
    await activeRecording(server, stageArn, broken.id),
    await activeRecording(server, stageArn, whole.id),
  ];
  await sleep(seconds * 1_000);
  for (const encoder of encoders) await encoder.end();
  for (const { id } of [broken, whole]) await recordingEnds(server, stageArn, id);
  for (const recording of recordings)
    expect(recording.event('ended')).toMatchObject({ recording_status: 'RECORDING_ENDED' });
  isComplete(await picturesOf(recordings[1]!), (seconds - 1) * 30);
  expect(recordings[0]!.seconds).toBeGreaterThan(seconds - 3);
});
