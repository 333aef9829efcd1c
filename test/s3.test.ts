import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { CreateStorageConfigurationCommand } from '@aws-sdk/client-ivs-realtime';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from './support/server.ts';

const Bucket = 'recordings';
const prefix = 'AbCdEf123456/st-1/p1/2026-01-02T03-04-05Z';
const segment = randomBytes(3_000_000);
let server: RunningServer;
let s3: S3Client;

const clientOf = (secretAccessKey = server.credentials.secretAccessKey, accessKeyId = server.credentials.accessKeyId) =>
  new S3Client({
    endpoint: `${server.endpoints.api}/s3`,
    region: 'us-west-2',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });

const bucketFolder = () => join(server.dataDir, 'buckets', Bucket);

function put(key: string, body: string | Buffer): void {
  mkdirSync(dirname(join(bucketFolder(), key)), { recursive: true });
  writeFileSync(join(bucketFolder(), key), body);
}

beforeAll(async () => {
  server = await startServer({ args: ['--media-workers', '1', '--no-ingest'] });
  await server.client.send(new CreateStorageConfigurationCommand({ s3: { bucketName: Bucket } }));
  s3 = clientOf();
  put(`${prefix}/media/hls/high/0.mp4`, segment);
  put(`${prefix}/media/hls/high/playlist.m3u8`, '#EXTM3U\n');
  put(`${prefix}/events/recording-started.json`, '{}');
  put('odd/a b+c&<é𝄞>%.json', '{"odd":true}');
  put('empty', '');
  writeFileSync(join(server.dataDir, 'outside'), 'outside');
  symlinkSync(join(server.dataDir, 'outside'), join(bucketFolder(), 'link'));
  symlinkSync(server.dataDir, join(bucketFolder(), 'folder-link'));
});

afterAll(async () => {
  s3?.destroy();
  await server?.dispose();
});

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) => [error.$metadata?.httpStatusCode, error.name],
  );

describe("AWS's client", () => {
  test('reads an object whole, in parts and on conditions', async () => {
    const Key = `${prefix}/media/hls/high/0.mp4`;
    const whole = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(whole).toMatchObject({ ContentType: 'video/mp4', ContentLength: segment.length, AcceptRanges: 'bytes' });
    const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(hash((await whole.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(hash(segment));
    const part = await s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=1000-1999' }));
    expect(part).toMatchObject({ ContentRange: `bytes 1000-1999/${segment.length}`, ContentLength: 1000 });
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? [])).toEqual(segment.subarray(1000, 2000));
    expect(part.$metadata.httpStatusCode).toBe(206);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ETag: whole.ETag, ContentLength: segment.length, LastModified: whole.LastModified });
    expect(await code(s3.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: whole.ETag })))).toContain(304);
    expect(await code(s3.send(new GetObjectCommand({ Bucket, Key, IfModifiedSince: whole.LastModified })))).toContain(
      304,
    );
    const changed = new GetObjectCommand({ Bucket, Key, IfMatch: '"other"' });
    expect(await code(s3.send(changed))).toEqual([412, 'PreconditionFailed']);
    const beyond = new GetObjectCommand({ Bucket, Key, Range: `bytes=${segment.length}-` });
    expect(await code(s3.send(beyond))).toEqual([416, 'InvalidRange']);
    const nothing = await s3.send(new GetObjectCommand({ Bucket, Key: 'empty' }));
    expect(await nothing.Body?.transformToString()).toBe('');
  });

  test('lists, with pages, delimiters and odd names', async () => {
    const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${prefix}/`, Delimiter: '/' }));
    expect(list.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual([`${prefix}/events/`, `${prefix}/media/`]);
    const keys: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket }))
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
    expect(keys).toEqual([
      `${prefix}/events/recording-started.json`,
      `${prefix}/media/hls/high/0.mp4`,
      `${prefix}/media/hls/high/playlist.m3u8`,
      'empty',
      'odd/a b+c&<é𝄞>%.json',
    ]);
    const odd = await s3.send(new GetObjectCommand({ Bucket, Key: keys.at(-1) }));
    expect(odd.ContentType).toBe('application/json');
    expect(await odd.Body?.transformToString()).toBe('{"odd":true}');
    const encoded = new ListObjectsV2Command({ Bucket, Prefix: 'odd/', EncodingType: 'url' });
    const [object] = (await s3.send(encoded)).Contents ?? [];
    expect(decodeURIComponent(object?.Key ?? '')).toBe('odd/a b+c&<é𝄞>%.json');
    const after = new ListObjectsV2Command({ Bucket, StartAfter: 'empty', MaxKeys: 1 });
    expect(await s3.send(after)).toMatchObject({ KeyCount: 1, IsTruncated: false });
    const { Buckets } = await s3.send(new ListBucketsCommand());
    expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
    expect((await s3.send(new HeadBucketCommand({ Bucket }))).$metadata.httpStatusCode).toBe(200);
  });

  test('is told in S3’s words what is not there, and what cannot be done', async () => {
    expect(await code(s3.send(new GetObjectCommand({ Bucket, Key: 'none' })))).toEqual([404, 'NoSuchKey']);
    expect(await code(s3.send(new GetObjectCommand({ Bucket, Key: prefix })))).toEqual([404, 'NoSuchKey']);
    expect(await code(s3.send(new GetObjectCommand({ Bucket: 'none', Key: 'a' })))).toEqual([404, 'NoSuchBucket']);
    expect(await code(s3.send(new ListObjectsV2Command({ Bucket: 'none' })))).toEqual([404, 'NoSuchBucket']);
    expect(await code(s3.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toEqual([404, 'NotFound']);
    expect(await code(s3.send(new GetObjectCommand({ Bucket, Key: 'k'.repeat(1024) })))).toEqual([404, 'NoSuchKey']);
    expect(await code(s3.send(new GetObjectCommand({ Bucket, Key: 'k'.repeat(1025) })))).toEqual([
      400,
      'KeyTooLongError',
    ]);
    expect(await code(s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' })))).toEqual([501, 'NotImplemented']);
    expect(await code(s3.send(new DeleteObjectCommand({ Bucket, Key: 'empty' })))).toEqual([501, 'NotImplemented']);
    expect(await code(s3.send(new ListObjectsCommand({ Bucket })))).toEqual([501, 'NotImplemented']);
    expect(await code(s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'empty' })))).toEqual([501, 'NotImplemented']);
    const token = new ListObjectsV2Command({ Bucket, ContinuationToken: 'x' });
    expect(await code(s3.send(token))).toEqual([400, 'InvalidArgument']);
    expect(readFileSync(join(bucketFolder(), 'empty'), 'utf8')).toBe('');
  });

  test('is believed with the right key alone', async () => {
    const command = new GetObjectCommand({ Bucket, Key: 'empty' });
    expect(await code(clientOf('wrong').send(command))).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await code(clientOf(undefined, 'FLKEYOTHER').send(command))).toEqual([403, 'InvalidAccessKeyId']);
  });
});

describe('a presigned URL', () => {
  const sign = (Key: string, expiresIn = 60) => getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn });

  test('is all that a player needs, on pages of other sites too', async () => {
    const url = await sign('odd/a b+c&<é𝄞>%.json');
    const headers = { origin: 'https://player.example', range: 'bytes=0-3' };
    const response = await fetch(url, { headers });
    expect([response.status, await response.text()]).toEqual([206, '{"od']);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('content-range');
    const preflight = await fetch(url, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('range');
  });

  test('of Signature Version 2 is refused with the way out', async () => {
    const response = await fetch(`${server.endpoints.api}/s3/${Bucket}/empty?AWSAccessKeyId=a&Signature=b&Expires=1`);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('signature_version s3v4')]);
  });

  test('is good for what was signed, until its time', async () => {
    const url = await sign('empty', 1);
    expect((await fetch(url.replace('/empty?', '/link?'))).status).toBe(403);
    expect((await fetch(url.replace('X-Amz-Expires=1&', 'X-Amz-Expires=100&'))).status).toBe(403);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(403);
    expect((await fetch(url)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const late = await fetch(url);
    expect(late.status).toBe(403);
    expect(await late.text()).toContain('<Code>AccessDenied</Code><Message>Request has expired');
  });
});

describe('nothing outside of the bucket', () => {
  /** Node's own client sends the path as it is, and signs nothing: the server is another one, without signatures. */
  let open: RunningServer;
  beforeAll(async () => {
    open = await startServer({ args: ['--no-auth', '--media-workers', '1', '--no-ingest'] });
    const folder = join(open.dataDir, 'buckets', Bucket, 'a');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'b'), 'inside');
    writeFileSync(join(open.dataDir, 'buckets', 'beside'), 'outside');
    symlinkSync(open.dataDir, join(open.dataDir, 'buckets', Bucket, 'up'));
    symlinkSync('../beside', join(open.dataDir, 'buckets', Bucket, 'file'));
  });
  afterAll(() => open?.dispose());

  const get = (path: string) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const { hostname, port } = new URL(open.endpoints.api);
      request({ hostname, port, path }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      })
        .on('error', reject)
        .end();
    });

  test('is read', async () => {
    expect(await get(`/s3/${Bucket}/a/b`)).toEqual({ status: 200, body: 'inside' });
    for (const path of [
      `/s3/${Bucket}/../beside`,
      `/s3/${Bucket}/%2e%2e/beside`,
      `/s3/${Bucket}/a/../../beside`,
      `/s3/${Bucket}/a/..%2f..%2fbeside`,
      `/s3/${Bucket}/a%2fb`,
      `/s3/${Bucket}//a/b`,
      `/s3/${Bucket}/./a/b`,
      `/s3/${Bucket}/a/b/`,
      `/s3/${Bucket}/a/b%00`,
      `/s3/${Bucket}/up/credentials`,
      `/s3/${Bucket}/up/buckets/${Bucket}/a/b`,
      `/s3/${Bucket}/file`,
      '/s3/../credentials',
      '/s3/..%2fcredentials',
      '/s3/%2e%2e/credentials',
      '/s3/beside',
      '/s3/beside/a',
    ]) {
      const { status, body } = await get(path);
      expect([path, status, body.includes('<Error>')]).toEqual([path, 404, true]);
    }
  });

  test('and pages of other sites read nothing where nobody signs', async () => {
    const response = await fetch(`${open.endpoints.api}/s3/${Bucket}/a/b`, {
      headers: { origin: 'https://x.example' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});
