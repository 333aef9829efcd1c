import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { promisify } from 'node:util';
import { newResourceId, type ServerMessage } from '@footlights/model';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createLog } from '../log.ts';
import { maxMessageBytes, maxMessagesPerSecond, registerEvents } from './events-socket.ts';
import { account, claimsFor, openTestStages, region } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

let opened: Stages;
let server: Server;
let clients: Client[];
let lines: string[];

beforeEach(async () => {
  lines = [];
  const log = createLog({ level: 'info', terminal: false, output: { write: (line: string) => void lines.push(line) } });
  opened = await openTestStages({ log });
  server = createServer();
  registerEvents(server, opened);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  clients = [];
});

afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  server.close();
  await opened.close();
});

/** A client as browsers are: all it can show is a subprotocol. */
class Client {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  closed: number | undefined;

  constructor(path: string, token: string | undefined) {
    this.socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, token);
    this.socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    this.socket.on('close', (code) => {
      this.closed = code;
    });
    this.socket.on('error', () => {});
    clients.push(this);
  }

  message<T extends ServerMessage['type']>(type: T): Promise<Extract<ServerMessage, { type: T }>> {
    return vi.waitFor(() => {
      const found = this.messages.findLast((message) => message.type === type);
      if (found === undefined) throw new Error(`no ${type} among ${JSON.stringify(this.messages)}`);
      return found as Extract<ServerMessage, { type: T }>;
    });
  }

  participants() {
    const state = this.messages.findLast((message) => message.type === 'STAGE_STATE');
    return state?.type === 'STAGE_STATE' ? state.payload.participants : undefined;
  }

  closeCode(): Promise<number> {
    return vi.waitFor(() => this.closed ?? Promise.reject(new Error('open')));
  }
}

const stageId = () => opened.stageArn.split('/')[1];
const query = () => `/events?error_over_ws=1&topic=${stageId()}/publishers&traceid=1-abcdef01-abcdef0123456789abcdef01`;

const openConnections = () => promisify(server.getConnections.bind(server))();

/** What a WebSocket client begins with, for clients that do not behave like one afterwards. */
function upgradeRequest(path: string, token = 'none'): string {
  const head = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'];
  const key = [
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${token}`,
  ];
  return [...head, ...key, '', ''].join('\r\n');
}

async function connect(more: Parameters<typeof claimsFor>[1] = {}, path = query()) {
  const claims = claimsFor(opened.stageArn, more);
  return { client: new Client(path, await opened.tokens.issue(claims)), id: claims.jti };
}

describe('a participant', () => {
  test.each([() => query(), () => `/events/${stageId()}`])('gets a snapshot at once (%#)', async (path) => {
    const { client, id } = await connect({ user_id: 'alice', attributes: { a: 'b' } }, path());
    const state = await client.message('STAGE_STATE');
    expect(state.payload.stageId).toBe(stageId());
    expect(state.payload.sequenceNumber).toBeGreaterThan(0);
    expect(state.payload.participants).toEqual([
      { id, userId: 'alice', attributes: { a: 'b' }, isPublishing: false, audioMuted: false, videoStopped: false },
    ]);
    expect((await opened.store.getStage(opened.stageArn))?.activeSessionId).toMatch(/^st-/);
  });

  test('hears who speaks after the snapshot, when somebody does', async () => {
    const stage = await opened.stages.of(claimsFor(opened.stageArn));
    const alice = { claims: claimsFor(opened.stageArn, { jti: 'alice' }), client: {} };
    stage.connected(stage.admitPublish(alice).id);
    opened.media.emit({ type: 'speakers', stageId: stage.id, speakers: [{ participantId: 'alice', level: 0.5 }] });
    const client = new Client(query(), await opened.tokens.issue(claimsFor(opened.stageArn)));
    const { payload } = await client.message('footlights:ACTIVE_SPEAKERS');
    expect(payload.speakers).toEqual([{ participantId: 'alice', level: 0.5 }]);
    expect(client.messages.map(({ type }) => type).slice(0, 2)).toEqual(['STAGE_STATE', 'footlights:ACTIVE_SPEAKERS']);
  });

  test('sees others come, change and go', async () => {
    const { client: alice, id: aliceId } = await connect();
    const { client: bob } = await connect();
    await vi.waitFor(() => expect(alice.participants()).toHaveLength(2));
    alice.socket.send(JSON.stringify({ type: 'SET_STATE', version: '0', audioMuted: true, videoStopped: false }));
    await vi.waitFor(() => expect(bob.participants()?.find(({ id }) => id === aliceId)?.audioMuted).toBe(true));
    alice.socket.close();
    await vi.waitFor(() => expect(bob.participants()).toHaveLength(1));
  });

  test('is answered PING with PONG, and what is unknown or broken is ignored', async () => {
    const { client } = await connect();
    await once(client.socket, 'open');
    for (const text of [
      '{',
      '[]',
      '{"type":"aws:ivs:SOMETHING"}',
      '{"type":"SET_STATE","audioMuted":"yes"}',
      'x'.repeat(1000),
    ]) {
      client.socket.send(text);
    }
    client.socket.send(Buffer.from([0xff, 0x00]));
    client.socket.send('{"type":"PING"}');
    expect(await client.message('PONG')).toEqual({ type: 'PONG' });
    expect(client.closed).toBeUndefined();
  });

  test('that is disconnected by the API hears why, and is refused when it comes back', async () => {
    const claims = claimsFor(opened.stageArn);
    const token = await opened.tokens.issue(claims);
    const client = new Client(query(), token);
    await client.message('STAGE_STATE');
    await opened.stages.disconnectParticipant(opened.stageArn, claims.jti);
    expect((await client.message('aws:ivs:DISCONNECT')).payload.code).toBe('PARTICIPANT_DISCONNECTED');
    await client.closeCode();
    const again = new Client(query(), token);
    expect((await again.message('aws:ivs:JOIN_ERROR')).payload.code).toBe('PARTICIPANT_DISCONNECTED');
  });
});

describe('a refused join is told after the upgrade', () => {
  test.each([
    ['no token', async () => undefined, 'TOKEN_INVALID'],
    ['no JWT', async () => 'nonsense', 'TOKEN_INVALID'],
    [
      'an expired one',
      async () => opened.tokens.issue(claimsFor(opened.stageArn, { iat: 1, exp: 2 })),
      'TOKEN_EXPIRED',
    ],
    [
      'one of a stage that is gone',
      async () => opened.tokens.issue(claimsFor(`${opened.stageArn.slice(0, -12)}abcdefghijkl`)),
      'STAGE_DELETED',
    ],
  ])('%s', async (_what, token, code) => {
    const client = new Client('/events', await token());
    const { payload } = await client.message('aws:ivs:JOIN_ERROR');
    expect(payload.code).toBe(code);
    expect(payload.message.length).toBeGreaterThan(10);
    expect(await client.closeCode()).toBe(1000);
  });

  test("a topic that is not the token's stage", async () => {
    const { client } = await connect({}, '/events?topic=anotherStage/publishers');
    expect((await client.message('aws:ivs:JOIN_ERROR')).payload).toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('anotherStage'),
    });
  });

  test('another path is no events endpoint', async () => {
    const client = new Client('/elsewhere', undefined);
    expect(await client.closeCode()).toBe(1006);
  });
});

describe('a client that is gone before it is answered', () => {
  test.each(['/elsewhere', '/events'])('does no harm (%s)', async (path) => {
    for (let i = 0; i < 20; i++) {
      const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(upgradeRequest(path), () => socket.resetAndDestroy());
    }
    await vi.waitFor(async () => expect(await openConnections()).toBe(0));
    const { client } = await connect();
    await client.message('STAGE_STATE');
  });

  test('or does not close its side of a refused upgrade, is closed', async () => {
    const socket = connectTcp({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    socket.resume().on('error', () => {});
    socket.write(upgradeRequest('/elsewhere'));
    await once(socket, 'end');
    await vi.waitFor(async () => expect(await openConnections()).toBe(0));
    socket.destroy();
  });

  test('or does not answer a close, is cut off', async () => {
    const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk)).on('error', () => {});
    socket.write(upgradeRequest(query(), await opened.tokens.issue(claimsFor(opened.stageArn))));
    await vi.waitFor(() => expect(Buffer.concat(received).toString()).toContain('STAGE_STATE'));
    await opened.stages.drain();
    await vi.waitFor(async () => expect(await openConnections()).toBe(0), 5_000);
    socket.destroy();
  }, 10_000);
});

describe('a client that breaks the rules', () => {
  test('with a message above the limit is closed with 1009, at the limit it is not', async () => {
    const { client } = await connect();
    await client.message('STAGE_STATE');
    client.socket.send('x'.repeat(maxMessageBytes));
    client.socket.send('{"type":"PING"}');
    await client.message('PONG');
    client.socket.send('x'.repeat(1024 * 1024));
    expect(await client.closeCode()).toBe(1009);
  });

  test('with ten thousand messages at once is closed with 1008 while others go on', async () => {
    const { client: other } = await connect();
    const { client: flood } = await connect();
    await flood.message('STAGE_STATE');
    for (let i = 0; i < 10_000; i++) flood.socket.send('{"type":"PING"}');
    expect(await flood.closeCode()).toBe(1008);
    expect(flood.messages.filter((message) => message.type === 'PONG').length).toBeLessThanOrEqual(
      maxMessagesPerSecond,
    );
    other.socket.send('{"type":"PING"}');
    await other.message('PONG');
  });
});

test('refused clients cannot flood the log', async () => {
  const [{ claims }, viewer] = [{ claims: claimsFor(opened.stageArn) }, { allow_subscribe: true }];
  const stage = await opened.stages.of(claims);
  const refused = Array.from({ length: 50 }, () => new Client('/events', 'nonsense'));
  for (const client of refused) await client.message('aws:ivs:JOIN_ERROR');
  for (let i = 0; i < 50; i++) {
    expect(() => stage.admitPublish({ claims: { ...claims, capabilities: viewer }, client: {} })).toThrow();
  }
  expect(lines.filter((line) => line.includes('join refused')).length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(40);
});

describe('a token exchange', () => {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  let arn: string;

  beforeEach(async () => {
    arn = `arn:aws:ivs:${region}:${account}:public-key/${newResourceId()}`;
    const publicKeyMaterial = own.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const createdAt = new Date().toISOString();
    const key = { arn, account, region, name: '', tags: {}, createdAt, publicKeyMaterial, fingerprint: '' };
    await opened.store.change(({ publicKeys }) => publicKeys.insert(key));
  });

  const sign = (claims: object, kid = arn) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES384', kid }).sign(own.privateKey);

  async function join() {
    const claims = claimsFor(opened.stageArn, { user_id: 'alice', attributes: { role: 'guest' } });
    const token = await sign(claims);
    const client = new Client(query(), token);
    await client.message('STAGE_STATE');
    const exchange = async (newToken: string, oldToken = token) => {
      const before = client.messages.length;
      const payload = { oldToken, newToken, requestId: `request-${before}`, traceId: '1-a-b' };
      client.socket.send(JSON.stringify({ type: 'aws:ivs:EXCHANGE_TOKEN', payload }));
      const answer = await vi.waitFor(() => {
        const found = client.messages.slice(before).find(({ type }) => type === 'aws:ivs:EXCHANGE_TOKEN');
        if (found?.type !== 'aws:ivs:EXCHANGE_TOKEN') throw new Error('no answer');
        return found.payload;
      });
      expect(answer.requestId).toBe(payload.requestId);
      return answer;
    };
    return { claims, token, client, exchange };
  }

  test('changes attributes, user and capabilities at once, unpublishes, and is recorded', async () => {
    const { claims, exchange } = await join();
    const { client: bob } = await connect();
    const stage = await opened.stages.of(claims);
    const connection = stage.admitPublish({ claims, client: {} });
    opened.stages.watch(connection.id, stage);
    stage.connected(connection.id);
    const next = {
      ...claims,
      user_id: 'alicia',
      attributes: { role: 'viewer' },
      capabilities: { allow_subscribe: true },
    };
    expect(await exchange(await sign(next))).not.toHaveProperty('code');
    await vi.waitFor(() => expect(bob.participants()?.find(({ id }) => id === claims.jti)).toBeUndefined());
    expect(stage.counts().publishers).toBe(0);
    expect(() => stage.admitPublish({ claims, client: {} })).toThrow();
    const session = stage.sessionId ?? '';
    const { items } = await opened.store.listEvents(opened.stageArn, session, claims.jti, {});
    expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(['TOKEN_EXCHANGED', 'PUBLISH_STOPPED']));
    expect(items.find(({ name }) => name === 'TOKEN_EXCHANGED')).toMatchObject({
      previousToken: { userId: 'alice', attributes: { role: 'guest' }, capabilities: ['PUBLISH', 'SUBSCRIBE'] },
      newToken: { userId: 'alicia', attributes: { role: 'viewer' }, capabilities: ['SUBSCRIBE'] },
    });
    const record = await opened.store.getParticipant(opened.stageArn, session, claims.jti);
    expect(record).toMatchObject({ userId: 'alicia', attributes: { role: 'viewer' } });
  });

  test('can follow another one, from the token of the one before', async () => {
    const { claims, token, exchange } = await join();
    const second = await sign({ ...claims, user_id: 'two' });
    const third = await sign({ ...claims, user_id: 'three' });
    expect(await exchange(second)).not.toHaveProperty('code');
    expect(await exchange(third, token)).toMatchObject({ code: 'TOKEN_EXCHANGE_REFUSED' });
    expect(await exchange(third, second)).not.toHaveProperty('code');
  });

  test.each([
    ['jti', { jti: 'another' }],
    ['whip_url', { whip_url: 'https://elsewhere.example/whip' }],
    ['events_url', { events_url: 'wss://elsewhere.example' }],
  ])('cannot change %s', async (name, change) => {
    const { claims, exchange } = await join();
    expect(await exchange(await sign({ ...claims, ...change }))).toMatchObject({
      code: 'TOKEN_EXCHANGE_REFUSED',
      message: expect.stringContaining(name),
    });
  });

  test('is refused for tokens of this server, for broken and for expired ones', async () => {
    const { claims, exchange } = await join();
    expect(await exchange(await opened.tokens.issue(claims))).toMatchObject({ code: 'TOKEN_EXCHANGE_REFUSED' });
    expect(await exchange('a.b.c')).toMatchObject({ code: 'TOKEN_MALFORMED' });
    expect(await exchange(await sign({ ...claims, iat: 1, exp: 2 }))).toMatchObject({ code: 'TOKEN_EXPIRED' });
  });
});
