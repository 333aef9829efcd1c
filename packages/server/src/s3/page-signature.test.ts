import { type HttpRequestParts, verifyPresigned } from '@footlights/model';
import { expect, it } from 'vitest';
import { presign } from '../pages/presign.ts';

const keys = { accessKeyId: 'FLKEY', secretAccessKey: 'secret/+' };
const now = new Date('2026-01-02T03:04:05Z');

it.each([
  'http://127.0.0.1:7070/s3/',
  'http://127.0.0.1:7070/s3/bucket?list-type=2&prefix=a%2Fb%20c&delimiter=%2F',
  "https://[::1]/s3/bucket/a%20b+c/%C3%A9(1)!*'.mp4",
])('a URL that a page has signed is believed: %s', async (text) => {
  const { pathname: rawPath, search, host } = await presign(new URL(text), keys, now);
  const parts: HttpRequestParts = {
    method: 'GET',
    rawPath,
    rawQuery: search.slice(1),
    headers: { host },
    body: new Uint8Array(),
  };
  const secretOf = () => keys.secretAccessKey;
  expect(verifyPresigned(parts, { secretOf, service: 's3', now })).toMatchObject({ accessKeyId: 'FLKEY' });
});
