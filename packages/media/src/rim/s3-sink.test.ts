import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { SinkError } from '../record/sink.ts';
import { partBytes, S3Sink, type S3SinkOptions } from './s3-sink.ts';

/** A server of S3 from npm, which has no types. */
interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;

const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const bucket = 'recordings';
const never = new AbortController().signal;
let folder: string;
let server: S3rver;
let endpoint: string;
const sinks: S3Sink[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
  const configureBuckets = [{ name: bucket }];
  server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, configureBuckets });
  endpoint = `http://127.0.0.1:${(await server.run()).port}`;
});

afterAll(async () => {
  for (const sink of sinks) await sink.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

function open(more: Partial<S3SinkOptions> = {}): S3Sink {
  const sink = new S3Sink({ bucket, region: 'us-east-1', endpoint, credentials, ...more });
  sinks.push(sink);
  return sink;
}

/** Resolves with its URL; it is closed after the test. */
async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function read(Key: string) {
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  try {
    const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    return { type: object.ContentType, bytes: Buffer.from((await object.Body?.transformToByteArray()) ?? []) };
  } finally {
    client.destroy();
  }
}

it('stores an object, and replaces it', async () => {
  const key = 'AbCdEf123456/st-1/p/2026-01-02T03-04-05Z/media/hls/high/playlist.m3u8';
  const sink = open();
  await sink.write(key, Buffer.from('#EXTM3U\n'), 'application/vnd.apple.mpegurl', never);
  await sink.write(key, Buffer.from('#EXTM3U\n#EXT-X-ENDLIST\n'), 'application/vnd.apple.mpegurl', never);
  const { type, bytes } = await read(key);
  expect(type).toBe('application/vnd.apple.mpegurl');
  expect(bytes.toString()).toBe('#EXTM3U\n#EXT-X-ENDLIST\n');
  await sink.write('empty', new Uint8Array(), 'application/json', never);
  expect((await read('empty')).bytes).toHaveLength(0);
});

it.each([partBytes, partBytes + 1, 2 * partBytes + 12_345])('stores %d bytes', async (size) => {
  const bytes = randomBytes(size);
  await open().write('0.mp4', new Uint8Array(bytes), 'video/mp4', never);
  const stored = await read('0.mp4');
  expect(stored.type).toBe('video/mp4');
  const hash = (content: Buffer) => createHash('sha256').update(content).digest('hex');
  expect([stored.bytes.length, hash(stored.bytes)]).toEqual([size, hash(bytes)]);
});

it('says why it could not store', async () => {
  const body = Buffer.from('x');
  const wrong = { accessKeyId: 'OTHER', secretAccessKey: 'S3RVER' };
  await expect(open({ bucket: 'none' }).write('a', body, 'text/plain', never)).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
  await expect(open({ credentials: wrong }).write('a', body, 'text/plain', never)).rejects.toMatchObject({
    code: 'AccessDeniedException',
  });
  const nobody = open({ endpoint: 'http://127.0.0.1:1' }).write('a', body, 'text/plain', never);
  expect(await nobody.catch((error: unknown) => error)).not.toBeInstanceOf(SinkError);
});

it('tries again when a server fails once, and gives up on one that always does', async () => {
  let tries = 0;
  let fails = 1;
  const flaky = createServer((request, response) => {
    request.resume().on('end', () => {
      tries += 1;
      response.writeHead(tries <= fails ? 503 : 200, { etag: '"e"' }).end();
    });
  });
  const sink = open({ endpoint: await listen(flaky) });
  await sink.write('a', Buffer.from('x'), 'text/plain', never);
  expect(tries).toBe(2);
  fails = 100;
  const failed = sink.write('a', Buffer.from('x'), 'text/plain', never);
  expect(await failed.catch((error: unknown) => error)).not.toBeInstanceOf(SinkError);
  expect(tries).toBe(5);
});

it('ends the request when a write is called off', async () => {
  let requests = 0;
  const mute = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.on('close', () => {
      requests -= 1;
    });
  });
  const sink = open({ endpoint: await listen(mute) });
  const controller = new AbortController();
  const writing = sink.write('a', Buffer.from('a'), 'text/plain', controller.signal);
  await vi.waitFor(() => expect(requests).toBe(1), { timeout: 5_000 });
  controller.abort();
  await expect(writing).rejects.toThrow(/abort/i);
  await vi.waitFor(() => expect(requests).toBe(0));
});

it('does not complete an upload in parts that is called off', async () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const slow = createServer((request, response) => {
    const { method, url = '' } = request;
    asked.push(`${method} ${url.replace(/.*[?]/, '').replace(/&x-id=.*/, '')}`);
    request.resume().on('end', () => {
      if (url.includes('uploads'))
        response.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
      else if (method === 'PUT') answers.push(() => response.writeHead(200, { etag: '"e"' }).end());
      else response.writeHead(204).end();
    });
  });
  const sink = open({ endpoint: await listen(slow) });
  const controller = new AbortController();
  const writing = sink.write('a', Buffer.alloc(partBytes + 1), 'text/plain', controller.signal);
  await vi.waitFor(() => expect(answers).toHaveLength(2), { timeout: 5_000 });
  controller.abort();
  await expect(writing).rejects.toThrow(/abort/i);
  for (const answer of answers) answer();
  await vi.waitFor(() => expect(asked).toContain('DELETE uploadId=u'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked.filter((one) => one === 'POST uploadId=u')).toEqual([]);
});
