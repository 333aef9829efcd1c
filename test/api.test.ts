import {
  CreateParticipantTokenCommand,
  CreateStageCommand,
  DeleteStageCommand,
  DisconnectParticipantCommand,
  GetParticipantCommand,
  GetStageCommand,
  GetStageSessionCommand,
  IVSRealTimeClient,
  ListParticipantEventsCommand,
  ListParticipantsCommand,
  ListStageSessionsCommand,
  ListStagesCommand,
  ListTagsForResourceCommand,
  type Stage,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-ivs-realtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from './support/server.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ args: ['--session-end-delay', '1'] });
});

afterAll(() => server.dispose());

async function createStage(name = 'demo'): Promise<Stage & { arn: string }> {
  const { stage } = await server.client.send(new CreateStageCommand({ name }));
  return stage as Stage & { arn: string };
}

async function createToken(stageArn: string, more: object = {}) {
  const { participantToken } = await server.client.send(new CreateParticipantTokenCommand({ stageArn, ...more }));
  return participantToken ?? {};
}

/** Joins with the token until `leave` is called. */
async function join(token: string | undefined) {
  const socket = new WebSocket(`${server.endpoints.events}?topic=x`.replace('?topic=x', ''), token);
  await new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('error', reject);
  });
  return { leave: () => socket.close() };
}

const activeSession = async (arn: string) =>
  (await server.client.send(new GetStageCommand({ arn }))).stage?.activeSessionId;

describe('stages, with the AWS SDK for JavaScript', () => {
  test('are made with what is given and with defaults', async () => {
    const { stage, participantTokens } = await server.client.send(
      new CreateStageCommand({
        name: 'one',
        tags: { team: 'live' },
        participantTokenConfigurations: [
          { userId: 'alice', capabilities: ['PUBLISH'] },
          { userId: 'bob', duration: 1 },
        ],
      }),
    );
    expect(stage).toEqual({
      arn: expect.stringMatching(/^arn:aws:ivs:us-west-2:123456789012:stage\/[a-zA-Z0-9]{12}$/),
      name: 'one',
      tags: { team: 'live' },
      autoParticipantRecordingConfiguration: {
        storageConfigurationArn: '',
        mediaTypes: ['AUDIO_VIDEO'],
        thumbnailConfiguration: { targetIntervalSeconds: 60, storage: ['SEQUENTIAL'], recordingMode: 'DISABLED' },
        recordingReconnectWindowSeconds: 0,
        hlsConfiguration: { targetSegmentDurationSeconds: 6 },
        recordParticipantReplicas: true,
      },
      endpoints: {
        events: server.endpoints.events,
        whip: server.endpoints.whip,
        rtmp: server.endpoints.rtmp,
        rtmps: server.endpoints.rtmps,
      },
    });
    expect(participantTokens?.map(({ userId }) => userId)).toEqual(['alice', 'bob']);
    expect(participantTokens?.[0]?.token?.split('.')).toHaveLength(3);
    const { stage: again } = await server.client.send(new GetStageCommand({ arn: stage?.arn }));
    expect(again).toEqual(stage);
  });

  test('are renamed, listed page by page, and deleted', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => createStage()));
    const { stage } = await server.client.send(new UpdateStageCommand({ arn: made[0]?.arn, name: 'renamed' }));
    expect(stage?.name).toBe('renamed');
    const arns: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await server.client.send(new ListStagesCommand({ maxResults: 2, nextToken }));
      expect(page.stages?.length).toBeLessThanOrEqual(2);
      arns.push(...(page.stages ?? []).map(({ arn }) => arn));
      nextToken = page.nextToken;
    } while (nextToken);
    expect(new Set(arns).size).toBe(arns.length);
    expect(arns).toEqual(expect.arrayContaining(made.map(({ arn }) => arn)));
    for (const { arn } of made) await server.client.send(new DeleteStageCommand({ arn }));
    await expect(server.client.send(new GetStageCommand({ arn: made[0]?.arn }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404, requestId: expect.stringMatching(/\S/) },
    });
  });

  test('are tagged and untagged', async () => {
    const { arn: resourceArn } = await createStage();
    await server.client.send(new TagResourceCommand({ resourceArn, tags: { a: '1', 'b c/ü': '2' } }));
    await server.client.send(new UntagResourceCommand({ resourceArn, tagKeys: ['a', 'not there'] }));
    const { tags } = await server.client.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual({ 'b c/ü': '2' });
    await server.client.send(new UntagResourceCommand({ resourceArn, tagKeys: ['b c/ü'] }));
    expect((await server.client.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({});
  });
});

describe('a participant, with the AWS SDK for JavaScript', () => {
  test('joins, is listed with its events, and its session ends', async () => {
    const { arn: stageArn } = await createStage();
    const token = await createToken(stageArn, { userId: 'alice', attributes: { seat: '4' } });
    expect(token).toMatchObject({ userId: 'alice', attributes: { seat: '4' }, expirationTime: expect.any(Date) });
    expect(await activeSession(stageArn)).toBeUndefined();
    const { leave } = await join(token.token);
    const sessionId = await activeSession(stageArn);
    const { stageSession } = await server.client.send(new GetStageSessionCommand({ stageArn, sessionId }));
    expect(stageSession).toEqual({ sessionId, startTime: expect.any(Date) });
    const { participants } = await server.client.send(
      new ListParticipantsCommand({ stageArn, sessionId, filterByState: 'CONNECTED' }),
    );
    expect(participants).toMatchObject([
      { participantId: token.participantId, userId: 'alice', published: false, recordingState: 'DISABLED' },
    ]);
    leave();
    await vi.waitFor(async () => expect(await activeSession(stageArn)).toBeUndefined(), 5000);
    const { participant } = await server.client.send(
      new GetParticipantCommand({ stageArn, sessionId, participantId: token.participantId }),
    );
    expect(participant).toMatchObject({
      state: 'DISCONNECTED',
      attributes: { seat: '4' },
      recordingS3Prefix: '',
      replicationType: 'NONE',
    });
    const { events } = await server.client.send(
      new ListParticipantEventsCommand({ stageArn, sessionId, participantId: token.participantId }),
    );
    expect(events?.map(({ name }) => name)).toEqual(['LEFT', 'JOINED']);
    const { stageSessions } = await server.client.send(new ListStageSessionsCommand({ stageArn }));
    expect(stageSessions).toEqual([{ sessionId, startTime: expect.any(Date), endTime: expect.any(Date) }]);
  });

  test('is disconnected', async () => {
    const { arn: stageArn } = await createStage();
    const token = await createToken(stageArn);
    const { leave } = await join(token.token);
    await server.client.send(
      new DisconnectParticipantCommand({ stageArn, participantId: token.participantId, reason: 'bye' }),
    );
    const sessionId = await activeSession(stageArn);
    const { participants } = await server.client.send(new ListParticipantsCommand({ stageArn, sessionId }));
    expect(participants).toMatchObject([{ state: 'DISCONNECTED' }]);
    leave();
    const unknown = server.client.send(new DisconnectParticipantCommand({ stageArn, participantId: 'nobody' }));
    await expect(unknown).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('errors reach the AWS SDK for JavaScript', () => {
  const arn = 'arn:aws:ivs:us-west-2:123456789012:stage/abcdefghijkl';

  test('every finding of one request together', async () => {
    const bad = server.client.send(new CreateStageCommand({ name: 'no spaces', tags: { '': 'x' } }));
    await expect(bad).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/^2 validation errors detected: .*'name'.*; .*'tags/),
      $metadata: { httpStatusCode: 400 },
    });
  });

  test.each([
    ['GetStage', () => new GetStageCommand({ arn })],
    ['UpdateStage', () => new UpdateStageCommand({ arn })],
    ['DeleteStage', () => new DeleteStageCommand({ arn })],
    ['CreateParticipantToken', () => new CreateParticipantTokenCommand({ stageArn: arn })],
    ['DisconnectParticipant', () => new DisconnectParticipantCommand({ stageArn: arn, participantId: 'x' })],
    ['GetStageSession', () => new GetStageSessionCommand({ stageArn: arn, sessionId: 'st-abcdefghijklm' })],
    [
      'GetParticipant',
      () => new GetParticipantCommand({ stageArn: arn, sessionId: 'st-abcdefghijklm', participantId: 'x' }),
    ],
    ['TagResource', () => new TagResourceCommand({ resourceArn: arn, tags: { a: 'b' } })],
    ['UntagResource', () => new UntagResourceCommand({ resourceArn: arn, tagKeys: ['a'] })],
    ['ListTagsForResource', () => new ListTagsForResourceCommand({ resourceArn: arn })],
  ])('%s of what is not there', async (_name, command) => {
    // The SDK types each command's send on its own; what matters here is the error.
    const send = server.client.send(command() as GetStageCommand);
    await expect(send).rejects.toMatchObject({ name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } });
  });

  test('lists of a stage that is not there are empty', async () => {
    const sessionId = 'st-abcdefghijklm';
    expect((await server.client.send(new ListStageSessionsCommand({ stageArn: arn }))).stageSessions).toEqual([]);
    expect((await server.client.send(new ListParticipantsCommand({ stageArn: arn, sessionId }))).participants).toEqual(
      [],
    );
    const events = new ListParticipantEventsCommand({ stageArn: arn, sessionId, participantId: 'x' });
    expect((await server.client.send(events)).events).toEqual([]);
  });

  test.each([
    [
      'another key',
      { credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' } },
      'UnrecognizedClientException',
    ],
    [
      'another secret',
      () => ({ credentials: { ...server.credentials, secretAccessKey: 'x' } }),
      'InvalidSignatureException',
    ],
    ['another region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
    ['a clock that is six minutes late', { systemClockOffset: -360_000 }, 'InvalidSignatureException'],
  ])('with %s', async (_what, change, name) => {
    const options = typeof change === 'function' ? change() : change;
    const other = new IVSRealTimeClient({
      endpoint: server.endpoints.api,
      region: 'us-west-2',
      credentials: server.credentials,
      maxAttempts: 1,
      ...options,
    });
    await expect(other.send(new ListStagesCommand({}))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 403 },
    });
    other.destroy();
  });
});
