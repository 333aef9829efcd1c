import { MediaError } from '@footlights/media';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { claimsFor, openTestStages } from './testing.ts';
import { maxBodyBytes, maxOffersPerSecond, registerWhip } from './whip.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

const whipUrl = 'http://127.0.0.1:7070/whip';
const offer = 'v=0\r\na=ice-ufrag:abcd\r\n';

let opened: Stages;
let app: FastifyInstance;

beforeEach(async () => {
  opened = await openTestStages({ publishers: 1 });
  app = fastify();
  await registerWhip(app, { ...opened, whipUrl: () => whipUrl });
});

afterEach(async () => {
  await app.close();
  await opened.close();
});

const tokenFor = (more: Parameters<typeof claimsFor>[1] = {}) => opened.tokens.issue(claimsFor(opened.stageArn, more));

function post(url: string, token: string | undefined, more: { payload?: string | Buffer; type?: string } = {}) {
  const headers = {
    'content-type': more.type ?? 'application/sdp',
    ...(token && { authorization: `Bearer ${token}` }),
  };
  return app.inject({ method: 'POST', url, headers, payload: more.payload ?? offer });
}

const at = (location: unknown) => new URL(String(location)).pathname;

describe('publishing', () => {
  test.each(['/whip', '/whip/publish/me'])('at %s answers 201 with an absolute Location and an ETag', async (url) => {
    const response = await post(url, await tokenFor({ jti: 'me' }));
    expect(response.statusCode).toBe(201);
    expect(response.headers['content-type']).toBe('application/sdp');
    expect(response.headers.location).toMatch(/^http:\/\/127\.0\.0\.1:7070\/whip\/sessions\/[a-zA-Z0-9]{24}$/);
    expect(response.headers.etag).toMatch(/^"[a-zA-Z0-9]{24}"$/);
    expect(response.headers['access-control-expose-headers']).toMatch(/Location, Link, ETag/);
    expect(response.body).toBe('v=0\r\n');
    expect(opened.media.requests).toMatchObject([{ participantId: 'me', role: 'publish', offer }]);
  });

  test('ends with DELETE, once, and only by its own participant', async () => {
    const token = await tokenFor();
    const { headers } = await post('/whip', token);
    opened.media.connectLast();
    expect(opened.stages.counts().publishers).toBe(1);
    const end = (bearer: string) =>
      app.inject({ method: 'DELETE', url: at(headers.location), headers: { authorization: `Bearer ${bearer}` } });
    expect((await end(await tokenFor())).json().code).toBe('TOKEN_WRONG_PARTICIPANT');
    expect((await end(token)).statusCode).toBe(200);
    expect(opened.stages.counts().publishers).toBe(0);
    expect((await end(token)).statusCode).toBe(404);
  });

  test('takes trickled candidates, refuses an ICE restart, a stale ETag and what is no fragment', async () => {
    const token = await tokenFor();
    const { headers } = await post('/whip', token);
    const patch = (payload: string, more: Record<string, string> = {}) =>
      app.inject({
        method: 'PATCH',
        url: at(headers.location),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/trickle-ice-sdpfrag', ...more },
        payload,
      });
    const fragment =
      'a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 UDP 2114977791 127.0.0.1 41624 typ host\r\n';
    expect((await patch(fragment)).statusCode).toBe(204);
    expect((await patch(fragment, { 'if-match': String(headers.etag) })).statusCode).toBe(204);
    expect((await patch(fragment, { 'if-match': '"other"' })).json().code).toBe('PRECONDITION_FAILED');
    expect((await patch(fragment.replace('abcd', 'wxyz'))).json()).toMatchObject({ code: 'ICE_RESTART_UNSUPPORTED' });
    expect((await patch('a=candidate:nonsense\u0000')).statusCode).toBe(400);
    expect((await patch(fragment, { 'content-type': 'application/sdp' })).statusCode).toBe(415);
  });
});

test('a participant that makes too many offers a second is refused, others are not', async () => {
  // One second of the server's, however long the requests take.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
  const token = await tokenFor({ jti: 'alice' });
  for (let i = 0; i < maxOffersPerSecond; i++) expect((await post('/whip', token)).statusCode).toBe(201);
  const refused = await post('/whip/subscribe/bob', token);
  expect([refused.statusCode, refused.headers['retry-after'], refused.json().code]).toEqual([
    429,
    '1',
    'TOO_MANY_REQUESTS',
  ]);
  expect((await post('/whip/subscribe/alice', await tokenFor())).json().code).toBe('PUBLISHER_NOT_FOUND');
  clock.mockReturnValue(performance.now() + 1_000);
  expect((await post('/whip', token)).statusCode).toBe(201);
  clock.mockRestore();
});

describe('a refusal is JSON with code and message', () => {
  const cases: [string, number, string, () => Promise<{ statusCode: number; json(): unknown }>][] = [
    ['no token', 401, 'TOKEN_MISSING', () => post('/whip', undefined)],
    ['no JWT', 401, 'TOKEN_MALFORMED', () => post('/whip', 'nonsense')],
    ['an expired token', 401, 'TOKEN_EXPIRED', async () => post('/whip', await tokenFor({ iat: 1, exp: 2 }))],
    [
      "another participant's URL",
      403,
      'TOKEN_WRONG_PARTICIPANT',
      async () => post('/whip/publish/other', await tokenFor()),
    ],
    [
      'a token that may not publish',
      403,
      'INSUFFICIENT_CAPABILITIES',
      async () => post('/whip', await tokenFor({ capabilities: { allow_subscribe: true } })),
    ],
    [
      'a token that may not subscribe',
      403,
      'INSUFFICIENT_CAPABILITIES',
      async () => post('/whip/subscribe/x', await tokenFor({ capabilities: { allow_publish: true } })),
    ],
    ['nobody who publishes', 404, 'PUBLISHER_NOT_FOUND', async () => post('/whip/subscribe/x', await tokenFor())],
    ['an unknown URL', 404, 'RESOURCE_NOT_FOUND', async () => post('/whip/elsewhere', await tokenFor())],
    [
      'another media type',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      async () => post('/whip', await tokenFor(), { type: 'application/json' }),
    ],
    [
      'a body that is not UTF-8',
      400,
      'INVALID_OFFER',
      async () => post('/whip', await tokenFor(), { payload: Buffer.from([0xff, 0xfe]) }),
    ],
    [
      'a body above the limit',
      413,
      'BODY_TOO_LARGE',
      async () => post('/whip', await tokenFor(), { payload: 'v'.repeat(maxBodyBytes + 1) }),
    ],
    [
      'another method',
      405,
      'METHOD_NOT_ALLOWED',
      async () =>
        app.inject({ method: 'PUT', url: '/whip', headers: { 'content-type': 'application/sdp' }, payload: offer }),
    ],
  ];
  test.each(cases)('%s: %i %s', async (_what, status, code, request) => {
    const response = await request();
    expect(response.statusCode).toBe(status);
    expect(response.json()).toEqual({ code, message: expect.stringMatching(/\w{3,}.*\.$/) });
  });

  test('at the limit of the body an offer is still looked at', async () => {
    expect((await post('/whip', await tokenFor(), { payload: 'v'.repeat(maxBodyBytes) })).statusCode).toBe(201);
  });

  test('of media keeps its code, gives the place back and records the event', async () => {
    const token = await tokenFor({ jti: 'alice' });
    opened.media.failure = new MediaError('NOT_ACCEPTABLE', 'No codec in common.');
    expect(await post('/whip', token).then((response) => [response.statusCode, response.json().code])).toEqual([
      406,
      'NOT_ACCEPTABLE',
    ]);
    opened.media.failure = new Error('broke');
    expect(await post('/whip', token).then((response) => [response.statusCode, response.json().code])).toEqual([
      500,
      'INTERNAL',
    ]);
    opened.media.failure = undefined;
    expect((await post('/whip', await tokenFor())).statusCode).toBe(201);
    expect(await post('/whip', token).then((response) => [response.statusCode, response.json().code])).toEqual([
      409,
      'QUOTA_EXCEEDED',
    ]);
  });

  test('of an offer whose connection ended while it was answered is 409', async () => {
    const accept = opened.media.accept.bind(opened.media);
    opened.media.accept = async (request) => {
      const accepted = await accept(request);
      opened.media.close(request.connectionId);
      return accepted;
    };
    const response = await post('/whip', await tokenFor());
    expect([response.statusCode, response.json().code]).toEqual([409, 'CONNECTION_CLOSED']);
    expect(opened.stages.counts().publishers).toBe(0);
  });

  test('of a deleted stage is 404 STAGE_DELETED', async () => {
    await opened.stages.stageDeleted(opened.stageArn);
    expect(
      await post('/whip', await tokenFor()).then((response) => [response.statusCode, response.json().code]),
    ).toEqual([404, 'STAGE_DELETED']);
  });
});

test('browsers may ask first: preflights list what is allowed', async () => {
  const response = await app.inject({
    method: 'OPTIONS',
    url: '/whip/subscribe/x',
    headers: {
      origin: 'https://app.example',
      'access-control-request-headers': 'authorization,content-type,x-stages-trace-id',
    },
  });
  expect(response.statusCode).toBe(204);
  expect(response.headers['access-control-allow-origin']).toBe('*');
  expect(response.headers['access-control-allow-methods']).toMatch(/POST, PATCH, DELETE/);
  expect(response.headers['access-control-allow-headers']).toBe('authorization,content-type,x-stages-trace-id');
  expect(response.headers['accept-post']).toBe('application/sdp');
});
