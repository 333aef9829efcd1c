import {
  GetParticipantCommand,
  GetStageCommand,
  ListParticipantEventsCommand,
  ListParticipantReplicasCommand,
  StartParticipantReplicationCommand,
  StopParticipantReplicationCommand,
} from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium, publish, statistics, subscribe } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openPage } from './support/stage.ts';

let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  // Two workers: source and destination may live in different ones.
  [server, browser] = await Promise.all([startServer({ args: ['--media-workers', '2'] }), launchChromium()]);
});

afterAll(async () => {
  await browser.close();
  await server.dispose();
});

async function session(arn: string): Promise<string | undefined> {
  return (await server.client.send(new GetStageCommand({ arn }))).stage?.activeSessionId;
}

test('a replicated publisher is seen on the other stage, and gone after StopParticipantReplication', async () => {
  const [sourceStageArn, destinationStageArn] = [await createStage(server), await createStage(server)];
  const [alice, bob] = [await createToken(server, sourceStageArn), await createToken(server, destinationStageArn)];
  const [publisher, viewer] = [await openPage(server, browser), await openPage(server, browser)];
  await publish(publisher, { url: server.endpoints.whip, token: alice.token });
  const replication = { sourceStageArn, destinationStageArn, participantId: alice.id };
  const started = await server.client.send(
    new StartParticipantReplicationCommand({ ...replication, attributes: { seat: '1' } }),
  );
  expect(started).toMatchObject({
    xFrameOptions: 'DENY',
    cacheControl: 'no-store, no-cache',
    xContentTypeOptions: 'nosniff',
  });
  await subscribe(viewer, { whip: server.endpoints.whip, token: bob.token, publisherId: alice.id });
  const before = await statistics(viewer, alice.id);
  await vi.waitFor(
    async () => expect((await statistics(viewer, alice.id)).framesDecoded).toBeGreaterThan(before.framesDecoded + 15),
    10_000,
  );
  const [sourceSessionId, destinationSessionId] = [await session(sourceStageArn), await session(destinationStageArn)];
  const { replicas } = await server.client.send(
    new ListParticipantReplicasCommand({ sourceStageArn, participantId: alice.id }),
  );
  expect(replicas).toEqual([{ ...replication, sourceSessionId, destinationSessionId, replicationState: 'ACTIVE' }]);
  const { participant } = await server.client.send(
    new GetParticipantCommand({
      stageArn: destinationStageArn,
      sessionId: destinationSessionId,
      participantId: alice.id,
    }),
  );
  expect(participant).toMatchObject({
    replicationType: 'REPLICA',
    sourceStageArn,
    sourceSessionId,
    attributes: { seat: '1' },
    published: true,
  });
  await server.client.send(new StopParticipantReplicationCommand(replication));
  const { events } = await server.client.send(
    new ListParticipantEventsCommand({ stageArn: sourceStageArn, sessionId: sourceSessionId, participantId: alice.id }),
  );
  expect(events?.map(({ name }) => name)).toEqual([
    'REPLICATION_STOPPED',
    'REPLICATION_STARTED',
    'PUBLISH_STARTED',
    'JOINED',
  ]);
  expect(events?.[0]).toMatchObject({ destinationStageArn, destinationSessionId });
  await expect(server.client.send(new StopParticipantReplicationCommand(replication))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  await Promise.all([publisher.close(), viewer.close()]);
});
