import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from './errors.ts';
import type { HttpRequestParts } from './http.ts';
import { anyText } from './inputs.testing.ts';
import { operations } from './operations.ts';
import { encodeRequest } from './rest-json.ts';
import {
  isPresigned,
  MAX_CANONICAL_ECHO_LENGTH,
  MAX_CLOCK_SKEW_MINUTES,
  MAX_PRESIGNED_SECONDS,
  MAX_SIGNING_KEYS,
  SignatureError,
  signRequest,
  verifyPresigned,
  verifyRequest,
} from './sigv4.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const region = 'us-west-2';
const service = 'ivs';
const now = new Date('2026-11-23T10:20:30.456Z');
const arn = 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh';

const options = {
  secretOf: (id: string) => (id === credentials.accessKeyId ? credentials.secretAccessKey : undefined),
  service,
  regions: [region],
  now,
};

type Change = Partial<HttpRequestParts>;

function request(change: Change = {}): HttpRequestParts {
  return {
    method: 'POST',
    rawPath: '/GetStage',
    rawQuery: '',
    headers: { host: '127.0.0.1:8080', 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ arn })),
    ...change,
  };
}

function signed(change: Change = {}, time = now): HttpRequestParts {
  const parts = request(change);
  const added = signRequest(parts, { credentials, region, service, now: time });
  return { ...parts, headers: { ...parts.headers, ...added } };
}

function withHeaders(parts: HttpRequestParts, headers: Record<string, string | undefined>): HttpRequestParts {
  return { ...parts, headers: { ...parts.headers, ...headers } };
}

function refusal(parts: HttpRequestParts, change: Partial<typeof options> = {}): [string, string] | undefined {
  try {
    verifyRequest(parts, { ...options, ...change });
  } catch (error) {
    if (error instanceof ApiError) return [error.shape, error.message];
    throw error;
  }
  return undefined;
}

class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: string | Uint8Array) {
    this.hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.hash.digest());
  }
  reset() {}
}

/** The same request, signed by AWS's own signer for JavaScript. */
async function signedByAws(
  parts: HttpRequestParts,
  query: Record<string, string | string[]> = {},
  sessionToken?: string,
) {
  const signer = new SignatureV4({
    credentials: { ...credentials, ...(sessionToken === undefined ? {} : { sessionToken }) },
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const { headers } = await signer.sign(
    {
      method: parts.method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: 8080,
      path: parts.rawPath,
      query,
      headers: { ...parts.headers } as Record<string, string>,
      body: parts.body.length > 0 ? parts.body : undefined,
    },
    { signingDate: now },
  );
  return { ...parts, headers };
}

describe('AWS’s own signer', () => {
  const host = { host: '127.0.0.1:8080' };
  const tags = encodeRequest(operations.UntagResource, { resourceArn: arn, tagKeys: ['b c', 'a+é', '~!*'] });
  const cases: [string, HttpRequestParts, Record<string, string | string[]>][] = [
    ['a JSON request', request(), {}],
    [
      'a GET of an ARN in the path',
      request({
        ...encodeRequest(operations.ListTagsForResource, { resourceArn: arn }),
        headers: host,
        body: Buffer.of(),
      }),
      {},
    ],
    [
      'a DELETE with a query',
      request({ ...tags, headers: host, body: Buffer.of() }),
      { tagKeys: ['b c', 'a+é', '~!*'] },
    ],
    ['a header with spaces in it', request({ headers: { ...host, 'x-amz-note': '  a   b  ' } }), {}],
  ];

  test.each(cases)('%s: is believed, and we sign the same', async (_, parts, query) => {
    const theirs = await signedByAws(parts, query);
    expect(verifyRequest(theirs, options)).toEqual({ accessKeyId: 'AKIDEXAMPLE', region });
    const ours = signRequest(parts, { credentials, region, service, now });
    expect(ours.authorization).toBe(theirs.headers.authorization);
  });

  test('with a session token', async () => {
    const theirs = await signedByAws(request(), {}, 'session');
    expect(verifyRequest(theirs, options).accessKeyId).toBe('AKIDEXAMPLE');
    const ours = signRequest(request(), {
      credentials: { ...credentials, sessionToken: 'session' },
      region,
      service,
      now,
    });
    expect(ours).toMatchObject({ 'x-amz-security-token': 'session', authorization: theirs.headers.authorization });
  });
});

describe('refusals', () => {
  const authorization = signed().headers.authorization ?? '';
  const sent = (text: string | undefined) => refusal(withHeaders(signed(), { authorization: text }));

  test('no signature', () => {
    expect(sent(undefined)?.[0]).toBe('MissingAuthenticationToken');
    expect(sent('')?.[0]).toBe('MissingAuthenticationToken');
  });

  test.each([
    ['another algorithm', 'Bearer x', /must begin with 'AWS4-HMAC-SHA256'/],
    ['SigV4A', authorization.replace('HMAC', 'ECDSA-P256'), /must begin with 'AWS4-HMAC-SHA256'/],
    ['no credential', 'AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0', /no 'Credential='/],
    ['no headers', 'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=0', /no 'SignedHeaders='/],
    ['no signature', authorization.replace(/, Signature.*/, ''), /no 'Signature='/],
    ['a short signature', authorization.slice(0, -1), /must read 'AWS4-HMAC-SHA256 Credential=/],
    ['a scope of four parts', authorization.replace('/ivs/', '/'), /must read/],
    ['headers out of order', authorization.replace('content-type;host', 'host;content-type'), /ascending order/],
    ['a header twice', authorization.replace('host;', 'host;host;'), /ascending order/],
    ['a header that is not there', authorization.replace('host;', 'host;x-a;'), /'x-a' is not in the request/],
    [
      'a header of the prototype',
      authorization.replace('SignedHeaders=', 'SignedHeaders=constructor;'),
      /ascending|'constructor' is not/,
    ],
    ['host not signed', authorization.replace('host;', ''), /must name 'host'/],
    ['date not signed', authorization.replace(';x-amz-date', ''), /must name 'x-amz-date'/],
  ])('%s', (_, text, message) => {
    const [shape, said] = sent(text) ?? [];
    expect(shape).toBe('IncompleteSignature');
    expect(said).toMatch(message);
  });

  test('an unknown access key', () => {
    expect(refusal(signed(), { secretOf: () => undefined })?.[0]).toBe('UnrecognizedClientException');
  });

  test('no region, where none is asked for', () => {
    const parts = request();
    const added = signRequest(parts, { credentials, region: 'eu-west-1', service, now });
    const theirs = { ...parts, headers: { ...parts.headers, ...added } };
    const { regions: _regions, ...anywhere } = options;
    expect(verifyRequest(theirs, anywhere)).toEqual({ accessKeyId: 'AKIDEXAMPLE', region: 'eu-west-1' });
  });

  test('a scope of another service, region or day', () => {
    expect(refusal(signed(), { service: 's3' })).toEqual([
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 's3'",
    ]);
    expect(refusal(signed(), { regions: ['eu-west-1', 'us-east-1'] })?.[1]).toContain('eu-west-1, us-east-1');
    expect(sent(authorization.replace('/20261123/', '/20261122/'))?.[1]).toMatch(/20261122 is not 20261123/);
  });

  test('a signature that does not match helps to find out why, without the session token', () => {
    const parts = withHeaders(
      request(),
      signRequest(request(), { credentials: { ...credentials, sessionToken: 'hide-me' }, region, service, now }),
    );
    const [shape, message = ''] = refusal({ ...parts, body: Buffer.from('{}') }) ?? [];
    expect(shape).toBe('InvalidSignatureException');
    expect(message).toContain('does not match');
    expect(message).toContain('POST\n/GetStage\n\ncontent-type:application/json\nhost:127.0.0.1:8080\n');
    expect(message).not.toContain('hide-me');
    expect(message).not.toContain(credentials.secretAccessKey);
  });

  test('the canonical request in a message is bounded', () => {
    const long = signed({ headers: { host: 'h', 'x-amz-long': 'x'.repeat(10_000) } });
    const [, message = ''] = refusal({ ...long, method: 'PUT' }) ?? [];
    expect(message.length).toBeLessThan(MAX_CANONICAL_ECHO_LENGTH + 300);
  });

  test('a clock that is more than five minutes off', () => {
    const at = (seconds: number) =>
      refusal(signed({}, new Date(Math.floor(now.getTime() / 1000) * 1000 + seconds * 1000)), {
        now: new Date(Math.floor(now.getTime() / 1000) * 1000),
      });
    const edge = MAX_CLOCK_SKEW_MINUTES * 60;
    expect([at(-edge), at(edge)]).toEqual([undefined, undefined]);
    expect(at(-edge - 1)).toEqual([
      'InvalidSignatureException',
      expect.stringMatching(/^Signature expired: 20261123T101529Z .*5 minutes/),
    ]);
    expect(at(edge + 1)).toEqual([
      'InvalidSignatureException',
      expect.stringMatching(/^Signature not yet current: .*5 minutes/),
    ]);
  });

  test.each(['', '20261123', '2026-11-23T10:20:30Z', '20261323T102030Z', 'Mon, 23 Nov 2026 10:20:30 GMT'])(
    'x-amz-date %j',
    (date) => {
      expect(refusal(withHeaders(signed(), { 'x-amz-date': date }))?.[0]).toBe('IncompleteSignature');
    },
  );
});

describe('Date in place of X-Amz-Date', () => {
  /** Signs by hand, since we never sign that way ourselves. */
  function signedWithDate(date: string | undefined): HttpRequestParts {
    const canonical = `POST\n/GetStage\n\ndate:${date}\nhost:h\n\ndate;host\n${createHash('sha256').update('').digest('hex')}`;
    const scope = `20261123/${region}/ivs/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n20261123T102030Z\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
    const key = ['20261123', region, 'ivs', 'aws4_request'].reduce<Buffer>(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      Buffer.from(`AWS4${credentials.secretAccessKey}`),
    );
    const signature = createHmac('sha256', key).update(text).digest('hex');
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope},SignedHeaders=date;host,Signature=${signature}`;
    return request({ headers: { host: 'h', date, authorization }, body: Buffer.of() });
  }

  test('is believed', () => {
    for (const date of ['Mon, 23 Nov 2026 10:20:30 GMT', '20261123T102030Z'])
      expect(refusal(signedWithDate(date))).toBeUndefined();
    expect(refusal(signedWithDate('Mon, 23 Nov 2026 10:00:00 GMT'))?.[0]).toBe('InvalidSignatureException');
  });

  test('is refused when it is none', () => {
    for (const date of ['yesterday', '', undefined, '+275760-09-13T00:00:00.000Z'])
      expect(refusal(signedWithDate(date))?.[0]).toBe('IncompleteSignature');
  });
});

describe('x-amz-content-sha256', () => {
  const headersWith = (hash: string) => ({ ...request().headers, 'x-amz-content-sha256': hash });
  const actual = createHash('sha256').update(request().body).digest('hex');

  test('may be the hash of the body', () => {
    expect(refusal(signed({ headers: headersWith(actual) }))).toBeUndefined();
    expect(refusal(signed({ headers: headersWith('0'.repeat(64)) }))?.[1]).toContain(
      `'x-amz-content-sha256' is not the SHA-256 of the body, ${actual}`,
    );
  });

  test('may say that the body is not signed, but only to who signed so', () => {
    const unsigned = signed({ headers: headersWith('UNSIGNED-PAYLOAD') });
    expect(refusal({ ...unsigned, body: Buffer.from('other') })).toBeUndefined();
    expect(refusal(withHeaders(signed(), { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }))?.[0]).toBe(
      'InvalidSignatureException',
    );
  });
});

describe('any request', () => {
  const token = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  const parts = fc.record({
    method: fc.constantFrom('GET', 'POST', 'DELETE'),
    rawPath: fc.stringMatching(/^\/[A-Za-z0-9%:._~/!*'()@&=+$,-]{0,40}$/),
    rawQuery: fc.stringMatching(/^[A-Za-z0-9%._~!*'()&=+-]{0,40}$/),
    headers: fc.dictionary(
      token.map((name) => `x-amz-meta-${name}`),
      fc.stringMatching(/^[!-~]( ?[!-~]){0,20}$/),
      { maxKeys: 3 },
    ),
    body: fc.uint8Array({ maxLength: 60 }),
  });
  const signedParts = parts.map((p) => signed({ ...p, headers: { ...p.headers, host: 'example.test' } }));

  test('that is signed is believed', () => {
    fc.assert(
      fc.property(signedParts, (value) => {
        expect(refusal(value)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  const flip = (bytes: Uint8Array, bit: number) => {
    const copy = Buffer.from(bytes);
    const at = (bit >> 3) % copy.length;
    copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
    return copy;
  };
  const flipText = (text: string, bit: number) => flip(Buffer.from(text, 'latin1'), bit).toString('latin1');

  test('of which one bit of path, method, body, or a signed header has changed is refused', () => {
    fc.assert(
      fc.property(signedParts, fc.nat(), fc.nat(), (value, which, bit) => {
        const names = Object.keys(value.headers).filter((name) => name !== 'authorization');
        const name = names[which % names.length] ?? 'host';
        const header = flipText(value.headers[name] ?? '', bit);
        const changed: (HttpRequestParts | undefined)[] = [
          { ...value, rawPath: flipText(value.rawPath, bit) },
          { ...value, method: flipText(value.method, bit) },
          value.body.length > 0 ? { ...value, body: flip(value.body, bit) } : undefined,
          // Space around a value, and how much of it there is inside, are not signed.
          canonical(header) === canonical(value.headers[name] ?? '')
            ? undefined
            : withHeaders(value, { [name]: header }),
        ];
        for (const one of changed) if (one !== undefined) expect(refusal(one)).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
  const canonical = (text: string) => text.trim().replace(/\s+/g, ' ');

  test('with any Authorization header is read or refused', () => {
    const text = fc.oneof(
      anyText,
      fc.tuple(fc.nat(), fc.nat()).map(([, bit]) => flipText(signed().headers.authorization ?? '', bit)),
      fc
        .array(
          fc.constantFrom(
            'AWS4-HMAC-SHA256',
            ' ',
            ',',
            'Credential=',
            'SignedHeaders=',
            'Signature=',
            '/',
            ';',
            'host',
            '20261123',
          ),
        )
        .map((a) => a.join('')),
    );
    fc.assert(
      fc.property(text, (authorization) => {
        expect(refusal(withHeaders(signed(), { authorization }))).toBeDefined();
      }),
      {
        numRuns: 500,
      },
    );
  });

  test('in any form never throws anything but an ApiError', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, anyText, (rawPath, rawQuery, host, date) => {
        refusal(withHeaders({ ...signed(), rawPath, rawQuery }, { host, 'x-amz-date': date }));
        refusal(signed({ rawPath, rawQuery, headers: { host } }));
      }),
    );
  });
});

test('a header of hostile length is refused in no time', () => {
  const start = performance.now();
  for (const text of [
    ' '.repeat(100_000),
    ','.repeat(100_000),
    `Credential=${'/'.repeat(100_000)}`,
    `Credential=a/20261123/b/c/aws4_request${' '.repeat(100_000)}`,
  ])
    refusal(withHeaders(signed(), { authorization: `AWS4-HMAC-SHA256 ${text}` }));
  expect(performance.now() - start).toBeLessThan(1000);
});

test('signing keys are kept for a bounded number of secrets, and a changed secret counts at once', () => {
  for (let i = 0; i < MAX_SIGNING_KEYS * 2; i += 1) {
    const secretAccessKey = `secret-${i}`;
    const parts = request();
    const headers = signRequest(parts, { credentials: { accessKeyId: 'AKID', secretAccessKey }, region, service, now });
    const one = withHeaders(parts, headers);
    expect(refusal(one, { secretOf: () => secretAccessKey })).toBeUndefined();
    expect(refusal(one, { secretOf: () => `secret-${i + 1}` })?.[0]).toBe('InvalidSignatureException');
  }
});

describe('a request to S3', () => {
  // The examples of AWS's "Signature calculations: transferring payload in a single chunk" and "using query parameters".
  const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
  const at = new Date('2013-05-24T00:00:00Z');
  const s3 = {
    secretOf: (id: string) => (id === key.accessKeyId ? key.secretAccessKey : undefined),
    service: 's3',
    now: at,
  };
  const get = (change: Change): HttpRequestParts => ({
    method: 'GET',
    rawPath: '/test.txt',
    rawQuery: '',
    headers: { host: 'examplebucket.s3.amazonaws.com' },
    body: Buffer.alloc(0),
    ...change,
  });
  const faultOf = (parts: HttpRequestParts, change: Partial<typeof s3> = {}) => {
    try {
      verifyPresigned(parts, { ...s3, ...change });
    } catch (error) {
      return error instanceof SignatureError ? error.fault : error;
    }
    return undefined;
  };

  test("is believed with the signature of AWS's example", () => {
    const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const authorization =
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
    const parts = get({
      headers: {
        host: 'examplebucket.s3.amazonaws.com',
        range: 'bytes=0-9',
        'x-amz-content-sha256': emptyHash,
        'x-amz-date': '20130524T000000Z',
        authorization,
      },
    });
    expect(verifyRequest(parts, s3)).toEqual({ accessKeyId: key.accessKeyId, region: 'us-east-1' });
  });

  const query = (more: Record<string, string> = {}) =>
    Object.entries({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request',
      'X-Amz-Date': '20130524T000000Z',
      'X-Amz-Expires': '86400',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
      ...more,
    })
      .map(([name, value]) => `${name}=${value}`)
      .join('&');

  test("with the URL of AWS's example is believed from a little before its time to its end", () => {
    const parts = get({ rawQuery: query() });
    expect(isPresigned(parts)).toBe(true);
    expect(verifyPresigned(parts, s3)).toEqual({ accessKeyId: key.accessKeyId, region: 'us-east-1' });
    const after = (seconds: number) => ({ now: new Date(at.getTime() + seconds * 1000) });
    expect(faultOf(parts, after(86_400))).toBeUndefined();
    expect(faultOf(parts, after(86_401))).toBe('time');
    expect(faultOf(parts, after(-MAX_CLOCK_SKEW_MINUTES * 60))).toBeUndefined();
    expect(faultOf(parts, after(-MAX_CLOCK_SKEW_MINUTES * 60 - 1))).toBe('time');
  });

  test.each([
    [{ rawPath: '/test2.txt' }, 'mismatch'],
    [{ method: 'HEAD' }, 'mismatch'],
    [{ headers: { host: 'other' } }, 'mismatch'],
    [{ rawQuery: query({ 'X-Amz-Expires': '86401' }) }, 'mismatch'],
    [{ rawQuery: `${query()}&response-content-type=text%2Fhtml` }, 'mismatch'],
    [{ rawQuery: query({ 'X-Amz-Expires': String(MAX_PRESIGNED_SECONDS) }) }, 'mismatch'],
    [{ rawQuery: query({ 'X-Amz-Expires': String(MAX_PRESIGNED_SECONDS + 1) }) }, 'malformed'],
    [{ rawQuery: query({ 'X-Amz-Expires': '0' }) }, 'malformed'],
    [{ rawQuery: query({ 'X-Amz-Expires': '-1' }) }, 'malformed'],
    [{ rawQuery: query({ 'X-Amz-SignedHeaders': 'range' }) }, 'malformed'],
    [{ rawQuery: query({ 'X-Amz-Signature': 'x' }) }, 'malformed'],
    [{ rawQuery: `${query()}&X-Amz-Date=20130525T000000Z` }, 'malformed'],
    [{ rawQuery: query({ 'X-Amz-Date': '20130525T000000Z' }) }, 'scope'],
    [{ rawQuery: query().replace('AKIAIOS', 'AKIAIOT') }, 'unknown-key'],
    [{ rawQuery: query().replace('%2Fs3%2F', '%2Fivs%2F') }, 'scope'],
    [{ rawQuery: 'X-Amz-Signature=%' }, 'malformed'],
  ])('with another URL is not: %j', (change, fault) =>
    expect(faultOf(get({ rawQuery: query(), ...change }))).toBe(fault),
  );
});
