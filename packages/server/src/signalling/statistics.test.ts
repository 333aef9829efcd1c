import fastify from 'fastify';
import { expect, test } from 'vitest';
import { registerStatistics } from './statistics.ts';
import { claimsFor, createTestStage, openTestStages } from './testing.ts';

test('the counters of a stage are for the participants of that stage alone', async () => {
  const opened = await openTestStages();
  const app = fastify();
  registerStatistics(app, opened);
  const [own, other] = [opened.stageArn, await createTestStage(opened.store)].map((arn) => arn.split('/')[1] ?? '');
  const connection = {
    participantId: 'alice',
    role: 'publish' as const,
    connected: true,
    packetsReceived: 7,
    bytesReceived: 700,
  };
  const zero = {
    packetsSent: 0,
    bytesSent: 0,
    packetsLost: 0,
    nacksReceived: 0,
    retransmissions: 0,
    plisReceived: 0,
    droppedByOverload: 0,
  };
  opened.media.statistics = async () => ({
    workers: [
      {
        pid: 1,
        port: 1,
        loopDelayMs: 0,
        connections: [own, other].map((stageId, i) => ({
          connectionId: `secret-${i}`,
          stageId: stageId ?? '',
          ...connection,
          ...zero,
        })),
      },
    ],
  });
  const get = async (stageId = own, token?: string) =>
    app.inject({
      url: `/stages/${stageId}/statistics`,
      headers: { ...(token && { authorization: `Bearer ${token}` }) },
    });
  const token = await opened.tokens.issue(claimsFor(opened.stageArn));
  expect((await get(own, token)).json()).toEqual({ stageId: own, connections: [{ ...connection, ...zero }] });
  expect((await get(other, token)).json()).toMatchObject({ code: 'TOKEN_WRONG_STAGE' });
  expect((await get(own)).statusCode).toBe(401);
  await app.close();
  await opened.close();
});
