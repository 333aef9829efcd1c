import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServerMessage } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { maxMessageBytes, maxMessagesPerSecond, registerEvents } from './events-socket.ts';
import { claimsFor, openTestStages } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

let opened: Stages;
let server: Server;
let clients: Client[];

beforeEach(async () => {
  opened = await openTestStages();
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
