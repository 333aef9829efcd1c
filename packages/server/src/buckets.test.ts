import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { S3Buckets } from './buckets.ts';

/** Answers HeadBucket with a status for each bucket, as S3 does: without a body. */
const statuses: Record<string, number> = { '/there': 200, '/elsewhere': 301, '/of-others': 403, '/broken': 500 };
const asked: string[] = [];
let server: Server;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\/?(\?.*)?$/, '');
    asked.push(`${request.method} ${path} ${/Credential=[^,]+/.exec(request.headers.authorization ?? '')?.[0]}`);
    response.writeHead(statuses[path] ?? 404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

beforeEach(() => asked.splice(0));

afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

describe('a bucket of S3', () => {
  const open = (name: string) => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new S3Buckets({ endpoint, region: 'eu-west-1' }).open(name);
  };

  test('is taken when it is there, asked for with a signature', async () => {
    await open('there');
    expect(asked).toEqual([
      expect.stringMatching(/^HEAD \/there Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/s3\/aws4_request$/),
    ]);
  });

  test.each([
    ['absent', 'there is no such bucket'],
    ['of-others', 'this server may not use it'],
    ['elsewhere', 'it is in another region'],
  ])('that is %s is refused in words', async (name, why) => {
    const message = `The bucket ${name} cannot be used: ${why}`;
    await expect(open(name)).rejects.toMatchObject({ shape: 'ValidationException', message });
  });

  test('is no fault of the caller when S3 fails', async () => {
    await expect(open('broken')).rejects.not.toHaveProperty('shape');
  });

  test('must have a name that S3 admits', async () => {
    await expect(open('a..b')).rejects.toMatchObject({ shape: 'ValidationException' });
    expect(asked).toEqual([]);
  });
});
