import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LiveStage } from './live-stage.ts';
import type { Identity } from './participant.ts';
import { claimsFor, createTestStage, openTestStages } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

let opened: Stages;
let destinationArn: string;
let alice: Identity;
let source: LiveStage;

beforeEach(async () => {
  opened = await openTestStages({ publishers: 2 });
  destinationArn = await createTestStage(opened.store);
  alice = { claims: claimsFor(opened.stageArn, { user_id: 'alice', attributes: { a: '1', b: '2' } }), client: {} };
  source = await opened.stages.of(alice.claims);
});

afterEach(() => opened.close());

function publish() {
  const connection = source.admitPublish(alice);
  opened.stages.watch(connection.id, source);
  source.answered(connection);
  source.connected(connection.id);
  return connection;
}

const request = (more: object = {}) => ({
  sourceStageArn: opened.stageArn,
  destinationStageArn: destinationArn,
  participantId: alice.claims.jti,
  reconnectWindowSeconds: 0,
  attributes: { b: 'replica', c: '3' },
  ...more,
});

const viewer = (): Identity => ({ claims: claimsFor(destinationArn), client: {} });

async function eventsOf(stageArn: string, sessionId: string | undefined) {
  const { items } = await opened.store.listEvents(stageArn, sessionId ?? '', alice.claims.jti, {});
  return items.reverse();
}

const names = (events: { name: string }[]) => events.map(({ name }) => name);

describe('a replication', () => {
  test.each(['source', 'destination'])('is not started any more while its %s is being deleted', async (which) => {
    publish();
    const arn = which === 'source' ? opened.stageArn : destinationArn;
    const deleted = opened.stages.stageDeleted(arn);
    await expect(opened.stages.startReplication(request())).rejects.toThrow(`Stage not found: ${arn}`);
    await deleted;
  });

  test('shows the participant in the destination, whose viewers get its own media', async () => {
    const connection = publish();
    await opened.stages.startReplication(request());
    const bob = viewer();
    const destination = await opened.stages.of(bob.claims);
    expect(JSON.parse(destination.snapshot()).payload.participants).toMatchObject([
      { id: alice.claims.jti, userId: 'alice', attributes: { a: '1', b: 'replica', c: '3' }, isPublishing: true },
    ]);
    const { source: media } = destination.admitSubscribe(bob, alice.claims.jti);
    expect(media).toEqual({ connectionId: connection.id, stageId: source.id });
    const record = await opened.store.getParticipant(destinationArn, destination.sessionId ?? '', alice.claims.jti);
    expect(record).toMatchObject({
      published: true,
      replicationType: 'REPLICA',
      replicationState: 'ACTIVE',
      sourceStageArn: opened.stageArn,
      sourceSessionId: source.sessionId,
    });
    const original = await opened.store.getParticipant(opened.stageArn, source.sessionId ?? '', alice.claims.jti);
    expect(original).toMatchObject({ replicationType: 'SOURCE', replicationState: 'ACTIVE' });
    expect(await eventsOf(opened.stageArn, source.sessionId)).toMatchObject([
      { name: 'JOINED' },
      { name: 'PUBLISH_STARTED' },
      { name: 'REPLICATION_STARTED', destinationStageArn: destinationArn, destinationSessionId: destination.sessionId },
    ]);
    expect(await eventsOf(destinationArn, destination.sessionId)).toMatchObject([
      { name: 'JOINED', replica: true },
      { name: 'PUBLISH_STARTED', replica: true },
    ]);
  });

  test('is stopped by the API, and its records say so', async () => {
    publish();
    await opened.stages.startReplication(request());
    const destination = await opened.stages.of(viewer().claims);
    const session = destination.sessionId ?? '';
    expect(await opened.stages.stopReplication(request())).toBe(true);
    expect(await opened.stages.stopReplication(request())).toBe(false);
    expect(names(await eventsOf(destinationArn, session))).toEqual([
      'JOINED',
      'PUBLISH_STARTED',
      'PUBLISH_STOPPED',
      'LEFT',
    ]);
    expect(names(await eventsOf(opened.stageArn, source.sessionId))).toContain('REPLICATION_STOPPED');
    const record = await opened.store.getParticipant(destinationArn, session, alice.claims.jti);
    expect(record).toMatchObject({ state: 'DISCONNECTED', replicationType: 'REPLICA', replicationState: 'STOPPED' });
    const { items } = await opened.store.listReplications(opened.stageArn, alice.claims.jti, {});
    expect(items).toMatchObject([{ replicationState: 'STOPPED', destinationStageArn: destinationArn }]);
  });

  test('is heard where it is shown, and there no longer than it is shown', async () => {
    publish();
    await opened.stages.startReplication(request());
    const other = { claims: claimsFor(opened.stageArn), client: {} };
    const connection = source.admitPublish(other);
    source.connected(connection.id);
    const destination = await opened.stages.of(viewer().claims);
    const level = 0.5;
    const speakers = [alice, other].map(({ claims }) => ({ participantId: claims.jti, level }));
    opened.media.emit({ type: 'speakers', stageId: source.id, speakers });
    expect(JSON.parse(source.speakersFrame() ?? '').payload.speakers).toHaveLength(2);
    expect(JSON.parse(destination.speakersFrame() ?? '').payload).toEqual({
      stageId: destination.id,
      sequenceNumber: 1,
      speakers: [{ participantId: alice.claims.jti, level }],
    });
    await opened.stages.stopReplication(request());
    expect(destination.speakersFrame()).toBeUndefined();
    expect(source.speakersFrame()).toBeDefined();
  });

  test('carries mutes over', async () => {
    publish();
    await opened.stages.startReplication(request());
    const destination = await opened.stages.of(viewer().claims);
    source.setState(alice.claims.jti, { audioMuted: true });
    expect(JSON.parse(destination.snapshot()).payload.participants[0].audioMuted).toBe(true);
  });

  test('ends at once when the participant stops publishing and there is no window', async () => {
    const connection = publish();
    await opened.stages.startReplication(request());
    const destination = await opened.stages.of(viewer().claims);
    source.closed(connection.id);
    await vi.waitFor(() => expect(destination.counts().participants).toBe(0));
  });

  test('waits for the participant within the window', async () => {
    const connection = publish();
    await opened.stages.startReplication(request({ reconnectWindowSeconds: 1 }));
    const destination = await opened.stages.of(viewer().claims);
    source.closed(connection.id);
    expect(destination.counts()).toMatchObject({ participants: 1, publishers: 0 });
    const again = publish();
    const { source: media } = destination.admitSubscribe(viewer(), alice.claims.jti);
    expect(media.connectionId).toBe(again.id);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(destination.counts().publishers).toBe(1);
    source.closed(again.id);
    await vi.waitFor(() => expect(destination.counts().participants).toBe(0), 2000);
  });

  test('ends with either stage, and when the replica is disconnected by the API', async () => {
    publish();
    await opened.stages.startReplication(request());
    expect(await opened.stages.disconnectParticipant(destinationArn, alice.claims.jti)).toBe(true);
    expect(await opened.stages.stopReplication(request())).toBe(false);
    const third = await createTestStage(opened.store);
    await opened.stages.startReplication(request({ destinationStageArn: third }));
    await opened.stages.stageDeleted(third);
    expect(await opened.stages.stopReplication(request({ destinationStageArn: third }))).toBe(false);
    expect(source.counts().publishers).toBe(1);
  });
});

describe('a replication is refused', () => {
  test('of somebody who does not publish, or is not there', async () => {
    await expect(opened.stages.startReplication(request())).rejects.toMatchObject({
      shape: 'ResourceNotFoundException',
    });
    const connection = publish();
    source.closed(connection.id);
    await expect(opened.stages.startReplication(request())).rejects.toMatchObject({
      shape: 'ConflictException',
      message: `${alice.claims.jti} is not publishing`,
    });
  });

  test('to the stage itself, twice, and into a full stage', async () => {
    publish();
    const itself = opened.stages.startReplication(request({ destinationStageArn: opened.stageArn }));
    await expect(itself).rejects.toMatchObject({ shape: 'ValidationException' });
    await opened.stages.startReplication(request());
    await expect(opened.stages.startReplication(request())).rejects.toMatchObject({ shape: 'ConflictException' });
    const full = await createTestStage(opened.store);
    for (let i = 0; i < 2; i++) {
      const claims = claimsFor(full);
      (await opened.stages.of(claims)).admitPublish({ claims, client: {} });
    }
    const intoFull = opened.stages.startReplication(request({ destinationStageArn: full }));
    await expect(intoFull).rejects.toMatchObject({ shape: 'ServiceQuotaExceededException' });
  });

  test('above five at once', async () => {
    publish();
    for (let i = 0; i < 5; i++) {
      await opened.stages.startReplication(request({ destinationStageArn: await createTestStage(opened.store) }));
    }
    await expect(opened.stages.startReplication(request())).rejects.toMatchObject({
      shape: 'ServiceQuotaExceededException',
      message: expect.stringContaining('5 replications'),
    });
  });
});
