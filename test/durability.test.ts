import { rmSync } from 'node:fs';
import {
  CreateParticipantTokenCommand,
  CreateStageCommand,
  GetStageCommand,
  GetStageSessionCommand,
  ListStagesCommand,
} from '@aws-sdk/client-ivs-realtime';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer, temporaryFolder } from './support/server.ts';

/** Creates stages over `clients` connections at once until the server is gone; returns the ARNs of those that were acknowledged. */
async function createUntilGone(server: Awaited<ReturnType<typeof startServer>>, clients: number): Promise<string[]> {
  const acknowledged: string[] = [];
  const one = async (client: number) => {
    for (let i = 0; ; i++) {
      const { stage } = await server.client.send(new CreateStageCommand({ name: `stage-${client}-${i}` }));
      acknowledged.push(stage?.arn ?? '');
    }
  };
  await Promise.allSettled(Array.from({ length: clients }, (_, client) => one(client)));
  return acknowledged;
}

test('nothing that was acknowledged is lost when the server is killed in the middle of a burst', async () => {
  const dataDir = temporaryFolder();
  try {
    const known = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const server = await startServer({ dataDir });
      setTimeout(() => void server.end('SIGKILL'), 400);
      for (const arn of await createUntilGone(server, 8)) known.add(arn);
      server.client.destroy();
    }
    expect(known.size).toBeGreaterThan(20);
    const server = await startServer({ dataDir });
    for (const arn of known) {
      const { stage } = await server.client.send(new GetStageCommand({ arn }));
      expect(stage?.arn).toBe(arn);
    }
    await server.dispose();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a session that was open when the server was killed is ended at the next start', async () => {
  const dataDir = temporaryFolder();
  try {
    const first = await startServer({ dataDir });
    const { stage } = await first.client.send(new CreateStageCommand({}));
    const stageArn = stage?.arn;
    const { participantToken } = await first.client.send(new CreateParticipantTokenCommand({ stageArn }));
    const socket = new WebSocket(first.endpoints.events, participantToken?.token);
    await new Promise((resolve) => socket.once('message', resolve));
    const { stage: live } = await first.client.send(new GetStageCommand({ arn: stageArn }));
    await first.end('SIGKILL');
    const second = await startServer({ dataDir });
    expect((await second.client.send(new GetStageCommand({ arn: stageArn }))).stage?.activeSessionId).toBeUndefined();
    const session = await second.client.send(
      new GetStageSessionCommand({ stageArn, sessionId: live?.activeSessionId }),
    );
    expect(session.stageSession?.endTime).toBeInstanceOf(Date);
    expect((await second.client.send(new ListStagesCommand({}))).stages).toHaveLength(1);
    await second.dispose();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
