import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';

const seconds = 4;
const prefix = 'AbCdEf123456/st-1/Gh1jK2lM3n4o/2026-01-02T03-04-05Z';
const quick = ['--media-workers', '1', '--no-ingest'];
let server: RunningServer;
let browser: Browser;
const pages: Page[] = [];
const broken: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ args: quick }), launchChromium()]);
  record(server);
});

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
  expect(broken.splice(0)).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

/** A recording as it lies in a bucket, made by FFmpeg. */
function record({ dataDir }: RunningServer): void {
  const folder = join(dataDir, 'buckets/recordings', prefix);
  for (const path of ['events', 'media/hls/high', 'media/thumbnails/high'])
    mkdirSync(join(folder, path), { recursive: true });
  const high = join(folder, 'media/hls/high');
  const sources = [
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=320x180:r=30:d=${seconds}`,
    '-f',
    'lavfi',
    '-i',
    `sine=d=${seconds}`,
  ];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  const hls = ['-f', 'hls', '-hls_time', '1', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'];
  const names = ['-hls_fmp4_init_filename', 'init-0.mp4', '-hls_segment_filename', join(high, '%d.mp4')];
  const common = ['-nostdin', '-loglevel', 'error'];
  execFileSync('ffmpeg', [...common, ...sources, ...codecs, ...hls, ...names, join(high, 'playlist.m3u8')]);
  const thumbnails = join(folder, 'media/thumbnails/high/%d.jpg');
  execFileSync('ffmpeg', [...common, ...sources.slice(0, 4), '-r', '1', thumbnails]);
  writeFileSync(
    join(folder, 'media/hls/multivariant.m3u8'),
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.42C00C,mp4a.40.2"\nhigh/playlist.m3u8\n',
  );
  const renditions = [{ path: 'high' }];
  const metadata = {
    version: 'v1',
    recording_status: 'RECORDING_ENDED',
    media: {
      hls: { path: 'media/hls', playlist: 'multivariant.m3u8', duration_ms: seconds * 1000, renditions },
      thumbnails: { path: 'media/thumbnails', renditions },
    },
  };
  writeFileSync(join(folder, 'events/recording-started.json'), '{}');
  writeFileSync(join(folder, 'events/recording-ended.json'), JSON.stringify(metadata));
}

async function open(on: RunningServer): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => broken.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) broken.push(message.text());
  });
  pages.push(page);
  await page.goto(`${on.endpoints.api}/recordings`);
  return page;
}

async function giveKeys(page: Page, accessKeyId: string, secretAccessKey: string): Promise<void> {
  await page.locator('#access-key-id').fill(accessKeyId);
  await page.locator('#secret-access-key').fill(secretAccessKey);
  await page.locator('#keys-form button').click();
}

test('with the keys of the server a recording plays to its end, thumbnails below it', async () => {
  const page = await open(server);
  await giveKeys(page, server.credentials.accessKeyId, 'wrong');
  await page.locator('#problem[data-code=SignatureDoesNotMatch]').waitFor();
  await giveKeys(page, server.credentials.accessKeyId, server.credentials.secretAccessKey);
  await page.locator('#stage option').waitFor({ state: 'attached' });
  expect(await page.locator('#stage option').allTextContents()).toEqual(['AbCdEf123456 in recordings']);
  await page.locator(`.recording[data-prefix="${prefix}/"]`).click();
  await page.locator('#recording').waitFor();
  expect(await page.locator('#recording-facts').textContent()).toBe('recording ended · 4.0 s');
  await page.locator('video').evaluate((video: HTMLVideoElement) => {
    video.playbackRate = 2;
    return video.play();
  });
  await page.waitForFunction(() => document.querySelector('video')?.ended, undefined, { timeout: 30_000 });
  const played = await page.locator('video').evaluate(({ duration, videoWidth }: HTMLVideoElement) => ({
    duration,
    videoWidth,
  }));
  expect(played.duration).toBeCloseTo(seconds, 0);
  expect(played.videoWidth).toBe(320);
  await vi.waitFor(async () => {
    const widths = await page
      .locator('#thumbnails img')
      .evaluateAll((all) => (all as HTMLImageElement[]).map(({ naturalWidth }) => naturalWidth));
    expect(widths.length).toBeGreaterThanOrEqual(seconds);
    expect(new Set(widths)).toEqual(new Set([320]));
  }, 10_000);
  expect(await page.locator('#problem').isVisible()).toBe(false);
  // The keys stay with the window.
  await page.reload();
  await page.locator('.recording').waitFor();
});

test('a server that asks for no signatures asks for no keys, and says when nothing is recorded', async () => {
  const other = await startServer({ args: [...quick, '--no-auth'] });
  try {
    const page = await open(other);
    await page.locator('#empty').waitFor();
    record(other);
    await page.reload();
    await page.locator('.recording').waitFor();
    expect(await page.locator('#keys-form').isVisible()).toBe(false);
  } finally {
    await other.dispose();
  }
});

test('a server with buckets in S3 says so', async () => {
  const other = await startServer({ args: [...quick, '--buckets', 's3'] });
  try {
    await (await open(other)).locator('#problem[data-code=NO_LOCAL_BUCKETS]').waitFor();
  } finally {
    await other.dispose();
  }
});
