import { afterEach, beforeEach, expect, test } from 'vitest';
import { account, claimsFor, createTestStage, openTestStages, region } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

let opened: Stages;
beforeEach(async () => {
  opened = await openTestStages({ publishers: 1 });
});
afterEach(() => opened.close());

/** What event sinks would be told, the oldest first. */
async function told() {
  const events = await opened.store.outbox.list({ account, region, limit: 100 });
  return events.map(({ event: { resources, detail } }) => ({ stage: resources[0], ...detail }));
}

test('sinks are told who publishes, of errors, replicas and exchanged tokens, and of nothing else', async () => {
  const destinationArn = await createTestStage(opened.store);
  const { stageArn, stages } = opened;
  const alice = { claims: claimsFor(stageArn, { user_id: 'alice' }), client: {} };
  const bob = { claims: claimsFor(stageArn, { user_id: 'bob' }), client: {} };
  const stage = await stages.of(alice.claims);
  const id = alice.claims.jti;
  const socket = { send: () => {}, close: () => {} };
  stage.join(bob, socket);
  const connection = stage.admitPublish(alice);
  stages.watch(connection.id, stage);
  stage.connected(connection.id);
  expect(() => stage.admitPublish(bob)).toThrow();
  const replication = { sourceStageArn: stageArn, destinationStageArn: destinationArn, participantId: id };
  await stages.startReplication({ ...replication, reconnectWindowSeconds: 0, attributes: {} });
  await stages.stopReplication(replication);
  stage.exchangeToken(bob.claims.jti, { ...bob, claims: { ...bob.claims, user_id: 'robert' } });
  stage.closed(connection.id);
  stage.leave(bob.claims.jti, socket, true);
  await stage.flushed();
  const common = { session_id: stage.sessionId, participant_id: id, user_id: 'alice' };
  const replica = { replica: true, source_stage_arn: stageArn, source_session_id: stage.sessionId };
  const destination = { destination_stage_arn: destinationArn, destination_session_id: expect.stringMatching(/^st-/) };
  const of = (arn: string, events: Awaited<ReturnType<typeof told>>) => events.filter(({ stage }) => stage === arn);
  const events = await told();
  expect(of(stageArn, events)).toMatchObject([
    { event_name: 'Participant Published', ...common },
    { event_name: 'Participant Publish Error', user_id: 'bob', error_code: 'QUOTA_EXCEEDED' },
    { event_name: 'Participant Replication Start', ...common, ...destination },
    { event_name: 'Participant Replication End', ...common, ...destination },
    {
      event_name: 'Token Exchanged',
      user_id: 'robert',
      previous_token: { user_id: 'bob' },
      new_token: { user_id: 'robert' },
    },
    { event_name: 'Participant Unpublished', ...common },
  ]);
  expect(of(stageArn, events)[0]).not.toHaveProperty('replica');
  expect(of(destinationArn, events)).toMatchObject([
    { event_name: 'Participant Published', participant_id: id, user_id: 'alice', ...replica },
    { event_name: 'Participant Unpublished', participant_id: id, user_id: 'alice', ...replica },
  ]);
});
