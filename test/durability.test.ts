import { rmSync } from 'node:fs';
import {
  CreateParticipantTokenCommand,
  CreateStageCommand,
  GetStageCommand,
  GetStageSessionCommand,
  ListStagesCommand,
  TagResourceCommand,
} from '@aws-sdk/client-ivs-realtime';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer, temporaryFolder } from './support/server.ts';

/** How often the server is killed; KILL_ROUNDS makes it more. */
const rounds = Number(process.env.KILL_ROUNDS ?? 10);

/** Creates stages with a tag over `clients` connections at once until the server is gone; returns the ARNs that were acknowledged. */
async function writeUntilGone(server: RunningServer, clients: number): Promise<string[]> {
  const acknowledged: string[] = [];
  const one = async () => {
    for (;;) {
      const { stage } = await server.client.send(new CreateStageCommand({ name: 'demo' }));
      await server.client.send(new TagResourceCommand({ resourceArn: stage?.arn, tags: { kept: 'yes' } }));
      acknowledged.push(stage?.arn ?? '');
    }
  };
  await Promise.allSettled(Array.from({ length: clients }, one));
  return acknowledged;
}

/** Each stage that there is, with its tags. */
async function allStages({ client }: RunningServer): Promise<Map<string, Record<string, string>>> {
  const found = new Map<string, Record<string, string>>();
  for (let nextToken: string | undefined, first = true; first || nextToken; first = false) {
    const page = await client.send(new ListStagesCommand({ nextToken, maxResults: 100 }));
    for (const { arn = '', tags = {} } of page.stages ?? []) found.set(arn, tags);
    nextToken = page.nextToken;
  }
  return found;
}

test(
  `nothing that was acknowledged is lost when the server is killed in the middle of a burst, ${rounds} times`,
  async () => {
    const dataDir = temporaryFolder();
    const args = ['--quota', 'stages=1000000', '--log-level', 'warn', '--media-workers', '1'];
    try {
      const known: string[] = [];
      for (let round = 0; round < rounds; round++) {
        const server = await startServer({ dataDir, args });
        // Another moment each time, so that no one step of a commit is always the one that is cut.
        setTimeout(() => void server.end('SIGKILL'), 60 + ((round * 37) % 100));
        known.push(...(await writeUntilGone(server, 8)));
        server.client.destroy();
      }
      expect(known.length).toBeGreaterThan(10);
      const server = await startServer({ dataDir, args });
      const found = await allStages(server);
      expect(known.filter((arn) => found.get(arn)?.kept !== 'yes')).toEqual([]);
      expect(new Set(known).size).toBe(known.length);
      await server.dispose();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
  30_000 + rounds * 5_000,
);

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
