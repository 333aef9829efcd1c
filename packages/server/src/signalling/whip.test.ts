import { MediaError } from '@footlights/media';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { IceServers } from '../ice-servers.ts';
import { claimsFor, openTestStages } from './testing.ts';
import { maxBodyBytes, maxLayerRequestsPerSecond, maxOffersPerSecond, registerWhip } from './whip.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

const whipUrl = 'http://127.0.0.1:7070/whip';
const offer = 'v=0\r\na=ice-ufrag:abcd\r\n';

const iceConfig = { iceServers: ['stun:stun.example', 'turn:turn.example'], turnSecret: 'north', turnTtl: 60 };
const [stunLink, turnLink] = [
  '<stun:stun.example>; rel="ice-server"',
  // printf 1767323105:alice | openssl dgst -sha1 -hmac north -binary | base64
  '<turn:turn.example>; rel="ice-server"; username="1767323105:alice"; credential="tmBOrNHnUj1NeRYe4GxzJBSi0Pw="; credential-type="password"',
];

let opened: Stages;
let app: FastifyInstance;

beforeEach(async () => {
  opened = await openTestStages({ publishers: 1 });
  app = fastify();
  const iceServers = new IceServers(iceConfig, () => new Date('2026-01-02T03:04:05Z'));
  await registerWhip(app, { ...opened, iceServers, whipUrl: () => whipUrl });
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
  expect(response.headers['access-control-allow-methods']).toMatch(/GET, POST, PATCH, DELETE/);
  expect(response.headers['access-control-allow-headers']).toBe('authorization,content-type,x-stages-trace-id');
  expect(response.headers['accept-post']).toBe('application/sdp');
});

describe('ICE servers', () => {
  test('come with the answer to an offer, each in a Link header', async () => {
    const { headers } = await post('/whip', await tokenFor({ jti: 'alice' }));
    expect(headers.link).toEqual([stunLink, turnLink]);
    opened.media.connectLast();
    const subscribed = await post('/whip/subscribe/alice', await tokenFor());
    expect(subscribed.headers.link).toEqual([stunLink, expect.stringMatching(/^<turn:turn\.example>/)]);
  });

  test('are told to who asks first: TURN credentials only with a token, and nothing to a preflight', async () => {
    const ask = async (headers: Record<string, string>, url = '/whip') =>
      (await app.inject({ method: 'OPTIONS', url, headers })).headers.link;
    const authorization = `Bearer ${await tokenFor({ jti: 'alice' })}`;
    for (const url of ['/whip', '/whip/publish/alice', '/whip/subscribe/bob'])
      expect(await ask({ authorization }, url)).toEqual([stunLink, turnLink]);
    expect(await ask({})).toEqual([stunLink]);
    expect(await ask({ origin: 'https://app.example', 'access-control-request-method': 'POST' })).toBeUndefined();
    const bad = await app.inject({ method: 'OPTIONS', url: '/whip', headers: { authorization: 'Bearer x' } });
    expect([bad.statusCode, bad.headers.link]).toEqual([401, undefined]);
  });
});

describe('layers', () => {
  const layer = { width: 320, height: 180, framesPerSecond: 14.6, active: true, selected: false };
  const told = { bitrate: 150, width: 320, height: 180, framesPerSecond: 15 };

  /** Bob receives Alice; returns the path of the layers, Bob's token and what the answer said. */
  async function watchAlice(options: { layered?: boolean; preference?: string } = {}) {
    opened.media.layered = options.layered ?? true;
    const alice = await tokenFor({ jti: 'alice' });
    const published = await post('/whip', alice);
    opened.media.connectLast();
    const bob = await tokenFor({ jti: 'bob' });
    const subscribed = await app.inject({
      method: 'POST',
      url: '/whip/subscribe/alice',
      headers: {
        'content-type': 'application/sdp',
        authorization: `Bearer ${bob}`,
        ...(options.preference && { 'x-stages-initial-layer-pref': options.preference }),
      },
      payload: offer,
    });
    const id = opened.media.requests.at(-1)?.connectionId ?? '';
    opened.media.layersOf.set(id, {
      mediaId: '1',
      automatic: true,
      layers: [
        { ...layer, encodingId: 'low', bitrate: 149_600, selected: true },
        { ...layer, encodingId: 'mid', bitrate: 150_400 },
        { ...layer, encodingId: 'hi', bitrate: 0, active: false },
      ],
    });
    return { published, subscribed, alice, bob, url: `/whip/sessions/${id}/layers` };
  }

  const ask = (url: string, token: string, method: 'GET' | 'DELETE' = 'GET') =>
    app.inject({ method, url, headers: { authorization: `Bearer ${token}` } });
  const choose = (url: string, token: string, payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${token}`, 'content-type': type }, payload });

  test('have a Link on the answer to a subscriber of several, and there alone', async () => {
    const { published, subscribed, url } = await watchAlice();
    const links = [subscribed.headers.link].flat();
    expect(links.at(-1)).toBe(`<http://127.0.0.1:7070${url}>; rel="urn:ietf:params:whep:ext:core:layer"`);
    expect(String(published.headers.link)).not.toContain('core:layer');
    const single = await watchAlice({ layered: false });
    expect(String(single.subscribed.headers.link)).not.toContain('core:layer');
  });

  test.each([
    ['lowest', 'lowest'],
    ['highest', 'highest'],
    ['middle', undefined],
    ['', undefined],
  ])('begin with the wish %j as %j', async (preference, initialLayer) => {
    await watchAlice({ preference });
    expect(opened.media.requests.at(-1)?.initialLayer).toBe(initialLayer);
  });

  test('are listed while they are sent, in kbit/s', async () => {
    const { url, bob } = await watchAlice();
    expect((await ask(url, bob)).json()).toEqual({
      mediaId: '1',
      automatic: true,
      layers: [
        { encodingId: 'low', ...told, selected: true },
        { encodingId: 'mid', ...told, selected: false },
      ],
    });
  });

  test('are chosen, and given back to the server by {} or DELETE', async () => {
    const { url, bob } = await watchAlice();
    const mid = { automatic: false, layers: [{ selected: false }, { encodingId: 'mid', selected: true }] };
    const automatic = { automatic: true, layers: [{ selected: true }, { selected: false }] };
    expect((await choose(url, bob, '{"mediaId":"1","encodingId":"mid"}')).json()).toMatchObject(mid);
    expect((await choose(url, bob, '{}')).json()).toMatchObject(automatic);
    expect((await choose(url, bob, '{"encodingId":"mid"}')).json()).toMatchObject(mid);
    expect((await ask(url, bob, 'DELETE')).json()).toMatchObject(automatic);
  });

  test.each<[string, number, string, string?]>([
    ['{"mediaId":"1","encodingId":"uhd"}', 404, 'LAYER_NOT_FOUND'],
    ['{"mediaId":"0","encodingId":"mid"}', 404, 'LAYER_NOT_FOUND'],
    ['{"mediaId":"1"}', 400, 'INVALID_LAYER'],
    ['{"encodingId":7}', 400, 'INVALID_LAYER'],
    [`{"encodingId":"${'x'.repeat(256)}"}`, 400, 'INVALID_LAYER'],
    ['[{"encodingId":"mid"}]', 400, 'INVALID_LAYER'],
    ['null', 400, 'INVALID_LAYER'],
    ['{', 400, 'INVALID_LAYER'],
    ['', 400, 'INVALID_LAYER'],
    ['{}', 415, 'UNSUPPORTED_MEDIA_TYPE', 'application/sdp'],
    [' '.repeat(maxBodyBytes + 1), 413, 'BODY_TOO_LARGE'],
  ])('refuse the choice %.40j with %i %s', async (body, status, code, type) => {
    const { url, bob } = await watchAlice();
    const response = await choose(url, bob, body, type);
    expect([response.statusCode, response.json().code]).toEqual([status, code]);
  });

  test('are for the one who receives alone, and while it does', async () => {
    const { url, alice, bob } = await watchAlice();
    const code = async (path: string, token?: string) => (await ask(path, token ?? '')).json().code;
    expect(await code(url, alice)).toBe('TOKEN_WRONG_PARTICIPANT');
    expect(await code(url)).toBe('TOKEN_MISSING');
    const published = opened.media.requests.find(({ role }) => role === 'publish')?.connectionId;
    expect(await code(`/whip/sessions/${published}/layers`, alice)).toBe('LAYER_NOT_FOUND');
    opened.media.layersOf.clear();
    expect(await code(url, bob)).toBe('LAYER_NOT_FOUND');
    opened.media.close(opened.media.requests.at(-1)?.connectionId ?? '');
    expect(await code(url, bob)).toBe('RESOURCE_NOT_FOUND');
  });

  test('may be asked for often, not without end, and from any page', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
    const { url, bob } = await watchAlice();
    for (let i = 0; i < maxLayerRequestsPerSecond; i++) expect((await ask(url, bob)).statusCode).toBe(200);
    expect((await ask(url, bob)).json().code).toBe('TOO_MANY_REQUESTS');
    clock.mockRestore();
    const options = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://app.example' } });
    expect([options.statusCode, options.headers['accept-post']]).toEqual([204, 'application/json']);
    expect(options.headers['access-control-allow-methods']).toMatch(/^GET, POST/);
    const put = await app.inject({ method: 'PUT', url, headers: { authorization: `Bearer ${bob}` } });
    expect([put.statusCode, put.headers.allow]).toEqual([405, 'GET, POST, DELETE, OPTIONS']);
  });
});

test.each([
  ['v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 100\r\n', 'INVALID_VIDEO_CODEC'],
  ['v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n', 'INVALID_AUDIO_CODEC'],
])('an offer without a codec that fits is an event that names the kind: %#', async (payload, errorCode) => {
  const token = await tokenFor({ jti: 'alice' });
  await post('/whip', token);
  opened.media.connectLast();
  opened.media.failure = new MediaError('NOT_ACCEPTABLE', 'No codec in common.');
  expect((await post('/whip', token, { payload })).statusCode).toBe(406);
  const stage = await opened.stages.of(claimsFor(opened.stageArn));
  await stage.flushed();
  const { sessionId = '' } = stage;
  const page = await opened.store.listEvents(opened.stageArn, sessionId, 'alice', {});
  expect(page.items).toContainEqual(expect.objectContaining({ name: 'PUBLISH_ERROR', errorCode }));
});
