import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Callers } from '../callers.ts';
import { createHttpApp } from '../http.ts';
import { openStore, type Store } from '../store/index.ts';
import { recordingStarted } from './bus-event.ts';
import { feedLimit, feedWaiters, feedWaitSeconds, registerFeed } from './feed.ts';

const own = { account: '123456789012', region: 'us-west-2' };
let folder: string;
let store: Store;
let app: FastifyInstance;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
  store = await openStore(join(folder, 'footlights.db'));
  app = createHttpApp();
  const callers = new Callers({ auth: false, own, keyOf: () => undefined, now: () => new Date() });
  registerFeed(app, { outbox: store.outbox, callers });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  await app.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const arnOf = (stage: string, account = own.account) => `arn:aws:ivs:us-west-2:${account}:stage/${stage}`;

function add(participantId: string, stageArn = arnOf('one')): Promise<void> {
  const recording = { stageArn, sessionId: 'st', participantId, bucketName: 'b', prefix: 'p' };
  return store.outbox.add([recordingStarted(recording, new Date())]);
}

async function ask(query: Record<string, string | number>) {
  const words = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const response = await fetch(`${url}/events/feed?${words}`);
  const body = (await response.json()) as {
    events?: { event: { detail: { participant_id: string } } }[];
    next?: number;
  };
  return {
    status: response.status,
    seen: body.events?.map(({ event }) => event.detail.participant_id),
    next: body.next,
  };
}

describe('the feed', () => {
  it('has the newest ones, those after a number, and those of one stage', async () => {
    for (const name of ['a', 'b', 'c']) await add(name);
    await add('other', arnOf('two'));
    expect(await ask({ last: 2 })).toEqual({ status: 200, seen: ['c', 'other'], next: 4 });
    expect(await ask({ after: 1 })).toEqual({ status: 200, seen: ['b', 'c', 'other'], next: 4 });
    expect(await ask({ last: 2, stage: arnOf('one') })).toEqual({ status: 200, seen: ['b', 'c'], next: 3 });
    expect(await ask({ after: 4 })).toEqual({ status: 200, seen: [], next: 4 });
    expect(await ask({ last: 0 })).toEqual({ status: 200, seen: [], next: 4 });
  });

  it('has none of another account', async () => {
    await add('other', arnOf('one', '999999999999'));
    expect(await ask({ last: 10 })).toEqual({ status: 200, seen: [], next: 0 });
  });

  it('waits for an event, and no longer than it is told', async () => {
    const waiting = ask({ after: 0, wait: 10 });
    setTimeout(() => void add('late'), 100);
    expect(await waiting).toEqual({ status: 200, seen: ['late'], next: 1 });
    expect(await ask({ after: 1, wait: 1 })).toEqual({ status: 200, seen: [], next: 1 });
  });

  it('lets so many wait, and answers the others at once', { timeout: 20_000 }, async () => {
    const abort = new AbortController();
    const waiting = Array.from({ length: feedWaiters }, () =>
      fetch(`${url}/events/feed?after=0&wait=20`, { signal: abort.signal }).catch(() => undefined),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await ask({ after: 0, wait: 20 })).toEqual({ status: 200, seen: [], next: 0 });
    abort.abort();
    await Promise.all(waiting);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // Whoever leaves makes room.
    const next = ask({ after: 0, wait: 10 });
    setTimeout(() => void add('late'), 100);
    expect((await next).seen).toEqual(['late']);
  });

  it('keeps no stop of the server waiting', async () => {
    const waiting = ask({ after: 0, wait: 30 });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const began = performance.now();
    await app.close();
    expect((await waiting).seen).toEqual([]);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.each([
    [{ last: feedLimit }, 200],
    [{ last: feedLimit + 1 }, 400],
    [{ last: -1 }, 400],
    [{ after: 'x' }, 400],
    [{ after: 0, wait: feedWaitSeconds + 1 }, 400],
    [{ after: Number.MAX_SAFE_INTEGER }, 200],
  ])('asked for %j answers %d', async (query, status) => expect((await ask(query)).status).toBe(status));
});
