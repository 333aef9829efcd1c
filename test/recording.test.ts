import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { CreateIngestConfigurationCommand, StartParticipantReplicationCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { launchChromium, publish, setLayerActive, simulcast } from './support/chromium.ts';
import { activeRecording, isSound, recordingEnds } from './support/recording-checks.ts';
import {
  createRecordedStage,
  getParticipant,
  packetTimes,
  probe,
  RecordingFolder,
  span,
} from './support/recordings.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});

afterAll(async () => {
  await browser.close();
  await server.dispose();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const waitFor = <T>(check: () => Promise<T> | T, ms = 15_000) => vi.waitFor(check, { timeout: ms, interval: 100 });

const ends = (stageArn: string, id: string, state?: string) => recordingEnds(server, stageArn, id, state);

const folderOf = (stageArn: string, id: string) => activeRecording(server, stageArn, id);

/** Publishes from a page of its own; resolves with how to stop. */
async function startPublisher(token: string, codec: 'H264' | 'VP8' = 'H264'): Promise<() => Promise<void>> {
  const page = await openTestPage(server, browser);
  await publish(page, { url: server.endpoints.whip, token, codec });
  return () => page.evaluate(() => window.peers.publish?.close());
}

describe('a browser that publishes', () => {
  test.each(['H264', 'VP8'] as const)('%s is recorded as long as it was there', timed, async (codec) => {
    const stageArn = await createRecordedStage(server);
    const alice = await createToken(server, stageArn);
    const page = await openTestPage(server, browser);
    await publish(page, { url: server.endpoints.whip, token: alice.token, codec });
    const began = Date.now();
    await waitFor(async () => expect((await getParticipant(server, stageArn, alice.id)).recordingState).toBe('ACTIVE'));
    const { recordingS3BucketName, recordingS3Prefix } = await getParticipant(server, stageArn, alice.id);
    expect(recordingS3BucketName).toBe('recordings');
    expect(recordingS3Prefix).toMatch(
      new RegExp(`^${stageArn.split('/')[1]}/st-\\w{13}/${alice.id}/\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ$`),
    );
    const folder = new RecordingFolder(server, recordingS3Prefix);
    expect(folder.event('started')).toMatchObject({ stage_arn: stageArn, recording_status: 'RECORDING_STARTED' });
    await waitFor(() => expect(folder.playlist).toContain('1.mp4'));
    expect(folder.playlist).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    await sleep(4_000);
    await page.evaluate(() => window.peers.publish?.close());
    const wall = (Date.now() - began) / 1_000;
    await ends(stageArn, alice.id);
    expect(folder.playlist).toContain('#EXT-X-ENDLIST');
    const [run, ...others] = folder.runs();
    expect(others).toEqual([]);
    const probed = await isSound(folder.bytes(run!));
    expect(probed.streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
    const [video, audio] = [packetTimes(probed, 'video', 'pts_time'), packetTimes(probed, 'audio', 'pts_time')];
    // The first key frame may be some hundred milliseconds behind the connection.
    expect(Math.abs(folder.seconds - wall)).toBeLessThan(1);
    expect(Math.abs(span(video) - folder.seconds)).toBeLessThan(0.1);
    // A connection that is closed at once takes its last packets of sound along.
    expect(Math.abs(span(audio) - folder.seconds)).toBeLessThan(0.2);
    // The first one is long when the recorder's process has just started: it asks for a key frame once it has seen pictures.
    for (const [index, { seconds }] of run!.segments.slice(0, -1).entries())
      expect(seconds, folder.playlist).toBeLessThan(index === 0 ? 3 : codec === 'H264' ? 2.5 : 2.7);
    expect(folder.event('ended')).toMatchObject({
      recording_status: 'RECORDING_ENDED',
      media: { hls: { duration_ms: Math.round(folder.seconds * 1_000) } },
    });
    expect(folder.list('events')).toEqual(['recording-ended.json', 'recording-started.json']);
  });
});

/** What is recorded of an FFmpeg over RTMP with these lavfi sources, which is there until segment `until` is. */
async function recordEncoder(source: { picture: string; sound: string; until: string }): Promise<RecordingFolder> {
  const stageArn = await createRecordedStage(server);
  const { ingestConfiguration } = await server.client.send(
    new CreateIngestConfigurationCommand({ ingestProtocol: 'RTMP', insecureIngest: true, stageArn }),
  );
  const { participantId: id = '', streamKey } = ingestConfiguration ?? {};
  const inputs = ['-re', '-f', 'lavfi', '-i', source.picture, '-f', 'lavfi', '-i', source.sound];
  const video = '-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -profile:v baseline -g 30';
  const output = ['-c:a', 'aac', '-f', 'flv', `${server.endpoints.rtmp}${streamKey}`];
  const encoder = spawn('ffmpeg', ['-v', 'error', ...inputs, ...video.split(' '), ...output], { stdio: 'ignore' });
  onTestFinished(() => void encoder.kill('SIGKILL'));
  const folder = await folderOf(stageArn, id);
  await waitFor(() => expect(folder.has(`media/hls/high/${source.until}`)).toBe(true));
  encoder.kill('SIGKILL');
  await ends(stageArn, id);
  return folder;
}

test('an encoder over RTMP is recorded', timed, async () => {
  const folder = await recordEncoder({ picture: 'testsrc2=size=640x360:rate=30', sound: 'sine=f=440', until: '2.mp4' });
  const [run, ...others] = folder.runs();
  expect(others).toEqual([]);
  const probed = await isSound(folder.bytes(run!));
  expect(probed.streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
  const frames = packetTimes(probed, 'video', 'pts_time');
  // Nothing was lost on the way: a frame is there for every thirtieth of a second.
  expect(frames.length).toBeCloseTo(span(frames) * 30 + 1, -0.5);
  // At first the encoder is faster or slower than its time.
  for (const { seconds } of run!.segments.slice(1, -1)) expect(seconds).toBeCloseTo(2, 1);
});

test('the highest layer of a simulcast is recorded, and another one when it is stopped', timed, async () => {
  const stageArn = await createRecordedStage(server);
  const alice = await createToken(server, stageArn);
  const page = await openTestPage(server, browser);
  const encodings = simulcast(1_500_000).filter(({ rid }) => rid !== 'mid');
  await publish(page, { url: server.endpoints.whip, token: alice.token, codec: 'H264', encodings });
  const folder = await folderOf(stageArn, alice.id);
  await waitFor(() => expect(folder.text('media/hls/multivariant.m3u8')).toContain('RESOLUTION=640x360'), 30_000);
  await sleep(3_000);
  const before = folder.runs().length;
  await setLayerActive(page, 'hi', false);
  await waitFor(() => expect(folder.runs().length).toBeGreaterThan(before));
  await page.evaluate(() => window.peers.publish?.close());
  await ends(stageArn, alice.id);
  const widths: (number | undefined)[] = [];
  for (const run of folder.runs()) {
    const { streams } = await isSound(folder.bytes(run));
    widths.push(streams.find(({ codec_type }) => codec_type === 'video')?.width);
  }
  expect(widths).toContain(640);
  expect(widths.at(-1)).toBe(160);
});

describe('what is recorded', () => {
  test('thumbnails alone, numbered and the latest', timed, async () => {
    const thumbnailConfiguration = {
      recordingMode: 'INTERVAL' as const,
      targetIntervalSeconds: 2,
      storage: ['SEQUENTIAL' as const, 'LATEST' as const],
    };
    const stageArn = await createRecordedStage(server, { mediaTypes: ['NONE'], thumbnailConfiguration });
    const alice = await createToken(server, stageArn);
    const stop = await startPublisher(alice.token);
    const folder = await folderOf(stageArn, alice.id);
    await waitFor(() => expect(folder.list('media/thumbnails/high')).toEqual(['1.jpg', '2.jpg', '3.jpg']));
    await stop();
    await ends(stageArn, alice.id);
    expect(folder.list('media').sort()).toEqual(['latest_thumbnail', 'thumbnails']);
    expect(folder.list('media/latest_thumbnail/high')).toEqual(['thumb.jpg']);
    expect(folder.event('ended')).toMatchObject({
      media: {
        thumbnails: { path: 'media/thumbnails', renditions: [{ path: 'high' }] },
        latest_thumbnail: { path: 'media/latest_thumbnail', renditions: [{ path: 'high' }] },
      },
    });
    const picture = await probe(folder.file('media/thumbnails/high/1.jpg'));
    expect(picture.streams).toMatchObject([{ codec_name: 'mjpeg', width: 640, height: 360 }]);
  });

  test('sound alone', timed, async () => {
    const stageArn = await createRecordedStage(server, { mediaTypes: ['AUDIO_ONLY'] });
    const alice = await createToken(server, stageArn);
    const stop = await startPublisher(alice.token);
    const folder = await folderOf(stageArn, alice.id);
    await waitFor(() => expect(folder.has('media/hls/high/1.mp4')).toBe(true));
    await stop();
    await ends(stageArn, alice.id);
    const [run] = folder.runs();
    const probed = await isSound(folder.bytes(run!));
    expect(probed.streams.map(({ codec_name }) => codec_name)).toEqual(['aac']);
    expect(Math.abs(span(packetTimes(probed, 'audio', 'pts_time')) - folder.seconds)).toBeLessThan(0.05);
    expect(folder.text('media/hls/multivariant.m3u8')).toContain('CODECS="mp4a.40.2"\n');
  });

  test('nothing of a stage without a storage configuration', async () => {
    const stageArn = await createStage(server);
    const alice = await createToken(server, stageArn);
    await startPublisher(alice.token);
    await waitFor(async () => expect((await getParticipant(server, stageArn, alice.id)).published).toBe(true));
    expect(await getParticipant(server, stageArn, alice.id)).toMatchObject({
      recordingState: 'DISABLED',
      recordingS3BucketName: '',
      recordingS3Prefix: '',
    });
  });
});

describe('a participant that comes back', () => {
  test('within the window goes on in the same recording', timed, async () => {
    const stageArn = await createRecordedStage(server, { recordingReconnectWindowSeconds: 5 });
    const alice = await createToken(server, stageArn);
    const stop = await startPublisher(alice.token);
    const folder = await folderOf(stageArn, alice.id);
    await waitFor(() => expect(folder.has('media/hls/high/0.mp4')).toBe(true));
    await stop();
    await sleep(1_500);
    expect(folder.has('events/recording-ended.json')).toBe(false);
    const stopAgain = await startPublisher(alice.token);
    await waitFor(() => expect(folder.runs()).toHaveLength(2));
    await stopAgain();
    await ends(stageArn, alice.id);
    expect((await getParticipant(server, stageArn, alice.id)).recordingS3Prefix).toBe(
      folder.path.split('/buckets/recordings/')[1],
    );
    const runs = folder.runs();
    expect(runs.map(({ map }) => map)).toEqual(['init-0.mp4', 'init-1.mp4']);
    const uris = runs.flatMap(({ segments }) => segments.map(({ uri }) => uri));
    expect(uris).toEqual(uris.map((_, index) => `${index}.mp4`));
    const [first, second] = runs.map(({ startedAt }) => startedAt);
    expect(second! - first!).toBeGreaterThan(1_500);
    for (const run of runs) await isSound(folder.bytes(run));
    expect(folder.event('ended').media.hls.duration_ms).toBe(Math.round(folder.seconds * 1_000));
  });

  test('without a window begins another recording', timed, async () => {
    const stageArn = await createRecordedStage(server);
    const alice = await createToken(server, stageArn);
    const stop = await startPublisher(alice.token);
    const folder = await folderOf(stageArn, alice.id);
    await stop();
    await ends(stageArn, alice.id);
    await startPublisher(alice.token);
    const other = await folderOf(stageArn, alice.id);
    expect(other.path).not.toBe(folder.path);
    expect(folder.has('events/recording-ended.json')).toBe(true);
  });
});

describe('a replica', () => {
  test.each([true, false])('is recorded in the destination stage: %s', timed, async (recordParticipantReplicas) => {
    const sourceStageArn = await createStage(server);
    const destinationStageArn = await createRecordedStage(server, { recordParticipantReplicas });
    const alice = await createToken(server, sourceStageArn);
    const stop = await startPublisher(alice.token);
    await server.client.send(
      new StartParticipantReplicationCommand({ sourceStageArn, destinationStageArn, participantId: alice.id }),
    );
    if (!recordParticipantReplicas) {
      await sleep(1_000);
      expect((await getParticipant(server, destinationStageArn, alice.id)).recordingState).toBe('DISABLED');
      return;
    }
    const folder = await folderOf(destinationStageArn, alice.id);
    await waitFor(() => expect(folder.has('media/hls/high/1.mp4')).toBe(true));
    await stop();
    await ends(destinationStageArn, alice.id);
    await isSound(folder.bytes(folder.runs()[0]!));
  });
});

test('a recording fails whose bucket is gone', timed, async () => {
  const other = await startServer();
  onTestFinished(() => other.dispose());
  const stageArn = await createRecordedStage(other);
  rmSync(new RecordingFolder(other).path, { recursive: true });
  const alice = await createToken(other, stageArn);
  const page = await openTestPage(other, browser);
  await publish(page, { url: other.endpoints.whip, token: alice.token, codec: 'H264' });
  const failed = async () => expect((await getParticipant(other, stageArn, alice.id)).recordingState).toBe('FAILED');
  await waitFor(failed, 25_000);
  expect(other.output()).toContain('bucket not found');
});
