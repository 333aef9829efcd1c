import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessKey } from '../credentials.ts';
import { createHttpApp } from '../http.ts';
import { createLog } from '../log.ts';
import { openStore, type Store } from '../store/index.ts';
import { registerS3 } from './index.ts';
import { ObjectFolders } from './objects.ts';

let folder: string;
let store: Store;
let app: FastifyInstance;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
  store = await openStore(join(folder, 'footlights.db'));
  mkdirSync(join(folder, 'buckets/bucket/a'), { recursive: true });
  writeFileSync(join(folder, 'buckets/bucket/a/b'), 'inside');
  writeFileSync(join(folder, 'buckets/bucket/c'), 'inside');
  writeFileSync(join(folder, 'secret'), 'outside');
  symlinkSync(join(folder, 'secret'), join(folder, 'buckets/bucket/link'));
  app = open(false);
  await app.ready();
});

afterAll(async () => {
  await app.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function open(auth: boolean): FastifyInstance {
  const opened = createHttpApp();
  registerS3(opened, {
    folders: new ObjectFolders(join(folder, 'buckets')),
    callers: {
      auth,
      own: { account: '123456789012', region: 'us-west-2' },
      keyOf: (id): AccessKey | undefined => (id === 'KEY' ? { accessKeyId: 'KEY', secretAccessKey: 'x' } : undefined),
      now: () => new Date(),
    },
    storageConfigurations: store.storageConfigurations,
    log: createLog({ level: 'silent' }),
  });
  return opened;
}

const word = fc.oneof(
  fc.constantFrom('bucket', 'a', 'b', 'c', 'link', '..', '.', '%2e%2e', '%2f', '%00', '%ff', 'x'.repeat(300), 'secret'),
  fc.string({ maxLength: 8 }).map(encodeURIComponent),
);
const path = fc.array(word, { maxLength: 6 }).map((words) => `/s3/${words.join('/')}`);
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'list-type',
        'prefix',
        'delimiter',
        'max-keys',
        'continuation-token',
        'start-after',
        'acl',
        'X-Amz-Signature',
      ),
      fc.oneof(fc.constantFrom('2', '0', '-1', '1001', 'a/', '/', '..', 'eyJrZXkiOjF9'), fc.string({ maxLength: 8 })),
    ),
    { maxLength: 5 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'));
const headers = fc.record(
  {
    range: fc.oneof(
      fc.constantFrom('bytes=0-', 'bytes=-1', 'bytes=9-', 'bytes=0-0,2-3'),
      fc.string({ unit: 'grapheme-ascii' }),
    ),
    'if-none-match': fc.string({ unit: 'grapheme-ascii' }),
    'if-modified-since': fc.string({ unit: 'grapheme-ascii' }),
  },
  { requiredKeys: [] },
);

describe('any request', () => {
  it('is answered, with nothing from outside of the buckets', async () => {
    const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE');
    await fc.assert(
      fc.asyncProperty(method, path, query, headers, async (method, path, query, headers) => {
        const url = query === '' ? path : `${path}?${query}`;
        const answer = await app.inject({ method: method as 'GET', url, headers });
        expect([200, 206, 304, 400, 404, 412, 416, 501]).toContain(answer.statusCode);
        expect(answer.body).not.toContain('outside');
      }),
      { numRuns: 400 },
    );
  });

  it('that is not signed reads nothing', async () => {
    const closed = open(true);
    await fc.assert(
      fc.asyncProperty(path, query, headers, async (path, query, headers) => {
        const answer = await closed.inject({ method: 'GET', url: `${path}?${query}`, headers });
        // A path that leads out of /s3 is no longer one of it: nobody's here.
        expect([400, 403, 404, 501]).toContain(answer.statusCode);
        expect(answer.body).not.toContain('inside');
      }),
      { numRuns: 200 },
    );
    await closed.close();
  });
});

describe('a key of another account', () => {
  it('reads the buckets that its account has named', async () => {
    const { signRequest } = await import('@footlights/model');
    const opened = createHttpApp();
    registerS3(opened, {
      folders: new ObjectFolders(join(folder, 'buckets')),
      callers: {
        auth: true,
        own: { account: '123456789012', region: 'us-west-2' },
        keyOf: () => ({ accessKeyId: 'KEY', secretAccessKey: 'x', accountId: '999999999999' }),
        now: () => new Date(),
      },
      storageConfigurations: store.storageConfigurations,
      log: createLog({ level: 'silent' }),
    });
    const get = async (url: string) => {
      const parts = { method: 'GET', rawPath: url, rawQuery: '', headers: { host: 'h' }, body: new Uint8Array() };
      const credentials = { accessKeyId: 'KEY', secretAccessKey: 'x' };
      const signed = signRequest(parts, { credentials, region: 'eu-west-1', service: 's3', now: new Date() });
      const { statusCode, body } = await opened.inject({ method: 'GET', url, headers: { host: 'h', ...signed } });
      return [statusCode, body.includes('bucket')];
    };
    expect(await get('/s3/bucket/c')).toEqual([403, true]);
    expect(await get('/s3/')).toEqual([200, false]);
    await store.change(({ storageConfigurations }) =>
      storageConfigurations.insert({
        arn: 'arn:aws:ivs:eu-west-1:999999999999:storage-configuration/AbCdEf123456',
        account: '999999999999',
        region: 'eu-west-1',
        name: '',
        tags: {},
        createdAt: new Date().toISOString(),
        bucketName: 'bucket',
      }),
    );
    expect((await get('/s3/bucket/c'))[0]).toBe(200);
    expect(await get('/s3/')).toEqual([200, true]);
    await opened.close();
  });
});
