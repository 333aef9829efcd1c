import fastify from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MediaSnapshots } from '../media-snapshots.ts';
import { connectionStatistics, idleWorker, layerStatistics } from '../media-statistics.testing.ts';
import type { Identity } from './participant.ts';
import { registerStatistics } from './statistics.ts';
import { claimsFor, createTestStage, openTestStages } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

let opened: Stages;
let app: ReturnType<typeof fastify>;
let asked: number;

beforeEach(async () => {
  opened = await openTestStages();
  app = fastify();
  asked = 0;
  registerStatistics(app, { ...opened, snapshots: new MediaSnapshots(opened.media) });
});

afterEach(async () => {
  await app.close();
  await opened.close();
});

const identity = (jti: string, stageArn = opened.stageArn): Identity => ({
  claims: claimsFor(stageArn, { jti, user_id: `user of ${jti}` }),
  client: {},
});

const idOf = (arn: string) => arn.split('/')[1] ?? '';

async function publish(who: Identity) {
  const stage = await opened.stages.of(who.claims);
  const connection = stage.admitPublish(who);
  stage.connected(connection.id);
  return connection.id;
}

async function subscribe(who: Identity, publisherId: string) {
  const stage = await opened.stages.of(who.claims);
  const { connection } = stage.admitSubscribe(who, publisherId);
  stage.connected(connection.id);
  return connection.id;
}

function workersHave(...connections: Parameters<typeof connectionStatistics>[0][]) {
  opened.media.statistics = async () => {
    asked += 1;
    const worker = { ...idleWorker, connections: connections.map(connectionStatistics) };
    return { workers: [worker] };
  };
}

async function get(stageArn: string, token?: string) {
  const headers = { ...(token && { authorization: `Bearer ${token}` }) };
  return app.inject({ url: `/stages/${idOf(stageArn)}/statistics`, headers });
}

const read = async (stageArn = opened.stageArn) =>
  (await get(stageArn, await opened.tokens.issue(claimsFor(stageArn)))).json();

test('are for the participants of that stage alone', async () => {
  workersHave();
  const other = await createTestStage(opened.store);
  const token = await opened.tokens.issue(claimsFor(opened.stageArn));
  const empty = { version: 1, stageId: idOf(opened.stageArn), speakers: [], participants: [] };
  expect((await get(opened.stageArn, token)).json()).toEqual({ ...empty, time: expect.stringMatching(/^20.*Z$/) });
  expect((await get(other, token)).json()).toMatchObject({ code: 'TOKEN_WRONG_STAGE' });
  expect((await get(opened.stageArn)).statusCode).toBe(401);
});

test('tell who is there, what each publishes and receives, and who speaks; never the id of a connection', async () => {
  const alice = await publish(identity('alice'));
  const bob = await subscribe(identity('bob'), 'alice');
  const published = [layerStatistics({ encodingId: 'low', bitrate: 150_000 })];
  const received = [{ kind: 'video' as const, codec: 'H264', layer: 'low', packetsSent: 40 }];
  workersHave(
    { connectionId: alice, packetsReceived: 50, tracks: [{ kind: 'video', codec: 'H264', layers: published }] },
    { connectionId: bob, role: 'subscribe', packetsSent: 40, estimatedBps: 700_000, tracks: received },
    { connectionId: 'of another stage', packetsReceived: 1 },
  );
  const speakers = [{ participantId: 'alice', level: 0.5 }];
  opened.media.emit({ type: 'speakers', stageId: idOf(opened.stageArn), speakers });
  const document = await read();
  expect(document).toMatchObject({
    version: 1,
    speakers,
    participants: [
      {
        participantId: 'alice',
        userId: 'user of alice',
        publication: { connected: true, packetsReceived: 50, tracks: [{ kind: 'video', layers: published }] },
        subscriptions: [],
      },
      {
        participantId: 'bob',
        subscriptions: [{ publisherId: 'alice', packetsSent: 40, estimatedBps: 700_000, tracks: received }],
      },
    ],
  });
  expect(document.participants[1]).not.toHaveProperty('publication');
  for (const id of [alice, bob, 'of another stage']) expect(JSON.stringify(document)).not.toContain(id);
});

test('have a replica and its viewers on the stage that shows it', async () => {
  const destinationStageArn = await createTestStage(opened.store);
  const alice = await publish(identity('alice'));
  await opened.stages.startReplication({
    sourceStageArn: opened.stageArn,
    destinationStageArn,
    participantId: 'alice',
    reconnectWindowSeconds: 0,
    attributes: {},
  });
  const carol = await subscribe(identity('carol', destinationStageArn), 'alice');
  workersHave({ connectionId: alice, packetsReceived: 50 }, { connectionId: carol, role: 'subscribe', packetsSent: 9 });
  expect((await read(destinationStageArn)).participants).toMatchObject([
    { participantId: 'alice', replicaOf: opened.stageArn, publication: { packetsReceived: 50 }, subscriptions: [] },
    { participantId: 'carol', subscriptions: [{ publisherId: 'alice', packetsSent: 9 }] },
  ]);
  expect((await read()).participants).toMatchObject([{ participantId: 'alice', subscriptions: [] }]);
});

test('are asked of the workers twice a second at most', async () => {
  workersHave();
  await Promise.all(Array.from({ length: 20 }, () => read()));
  expect(asked).toBe(1);
});
