import { rmSync } from 'node:fs';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium, publish } from './support/chromium.ts';
import { createRecordedStage, toldEvents } from './support/recordings.ts';
import { openS3rver, s3Credentials, s3Environment } from './support/s3rver.ts';
import { type RunningServer, startServer, temporaryFolder } from './support/server.ts';
import { createToken, openPage } from './support/stage.ts';

const bucket = 'recordings';
const directory = temporaryFolder();
const s3rver = openS3rver(directory, [bucket]);
let client: S3Client;
let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  const endpoint = `http://127.0.0.1:${(await s3rver.run()).port}`;
  client = new S3Client({ endpoint, region: 'us-west-2', credentials: s3Credentials, forcePathStyle: true });
  const args = ['--buckets', 's3', '--s3-endpoint', endpoint, '--events-stdout', '--media-workers', '1', '--no-ingest'];
  [server, browser] = await Promise.all([startServer({ args, env: s3Environment }), launchChromium()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  client?.destroy();
  await s3rver.close();
  rmSync(directory, { recursive: true, force: true });
});

const told = () => toldEvents(server);

test('a participant is recorded into S3, and sinks are told of it in order', async () => {
  const stageArn = await createRecordedStage(server);
  const { token, id } = await createToken(server, stageArn, { userId: 'alice' });
  const page = await openPage(server, browser);
  await publish(page, { url: server.endpoints.whip, token, width: 320 });
  await vi.waitFor(() => expect(told()).toHaveLength(2), { timeout: 30_000, interval: 200 });
  await new Promise((resolve) => setTimeout(resolve, 8_000));
  await page.evaluate(() => window.peers.publish?.close());
  await vi.waitFor(() => expect(told()).toHaveLength(4), { timeout: 45_000, interval: 200 });
  const names = told().map(({ event_name }) => event_name);
  expect([...names].sort()).toEqual([
    'Participant Published',
    'Participant Unpublished',
    'Recording End',
    'Recording Start',
  ]);
  expect(names.at(-1)).toBe('Recording End');
  const end = told().at(-1);
  expect(end).toMatchObject({ participant_id: id, recording_s3_bucket_name: bucket });
  expect(end?.recording_duration_ms).toBeGreaterThan(3_000);
  const prefix = `${end?.recording_s3_key_prefix}`;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }));
  const keys = Contents.map(({ Key = '' }) => Key.slice(prefix.length + 1));
  for (const key of ['events/recording-started.json', 'events/recording-ended.json', 'media/hls/high/init-0.mp4'])
    expect(keys).toContain(key);
  const Key = `${prefix}/media/hls/high/playlist.m3u8`;
  const playlist = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
  expect(playlist.ContentType).toBe('application/vnd.apple.mpegurl');
  expect(await playlist.Body?.transformToString()).toContain('#EXT-X-ENDLIST');
});
