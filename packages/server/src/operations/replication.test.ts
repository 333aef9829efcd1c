import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParticipantRecord, ReplicationRecord } from '../store/index.ts';
import { account, Harness, region } from './harness.ts';

const notFound = { status: 404, error: 'ResourceNotFoundException' };
const invalid = { status: 400, error: 'ValidationException' };
const unknownStage = `arn:aws:ivs:${region}:${account}:stage/none`;
const sessionId = 'st-ABCDEFGHIJKLM';
const destinationSessionId = 'st-NOPQRSTUVWXYZ';
const time = '2026-01-01T00:00:00.000Z';

let api: Harness;
let sourceStageArn: string;
let destinationStageArn: string;
beforeEach(async () => {
  api = await Harness.open();
  [sourceStageArn, destinationStageArn] = [await api.newStage(), await api.newStage()];
  api.livePeople.add('alice');
  api.publishing.add(sourceStageArn);
});
afterEach(() => api.close());

const of = (more: object = {}) => ({ sourceStageArn, destinationStageArn, participantId: 'alice', ...more });

describe('StartParticipantReplication', () => {
  it('asks the live stages, and answers in headers', async () => {
    expect(await api.call('StartParticipantReplication', of())).toMatchObject({
      status: 200,
      body: {},
      headers: {
        'access-control-allow-origin': '*',
        'access-control-expose-headers': expect.stringContaining('x-amzn-requestid'),
        'cache-control': 'no-store, no-cache',
        'content-security-policy': "default-src 'self'; upgrade-insecure-requests;",
        'strict-transport-security': 'max-age:47304000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      },
    });
    const more = { reconnectWindowSeconds: 300, attributes: { role: 'guest' } };
    await api.output('StartParticipantReplication', of(more));
    expect(api.liveCalls).toEqual([
      ['startReplication', of({ reconnectWindowSeconds: 0, attributes: {} })],
      ['startReplication', of(more)],
    ]);
  });

  it('passes on what the live stages refuse', async () => {
    expect(await api.call('StartParticipantReplication', of({ participantId: 'bob' }))).toMatchObject({
      ...notFound,
      message: 'Participant not found: bob',
    });
    api.publishing.clear();
    expect(await api.call('StartParticipantReplication', of())).toMatchObject({
      ...{ status: 409, error: 'ConflictException' },
      message: 'alice is not publishing',
    });
  });

  it.each([
    { reconnectWindowSeconds: 301 },
    { reconnectWindowSeconds: -1 },
    { attributes: { k: 'x'.repeat(1024) } },
    { participantId: 'a_b' },
  ])('refuses %j', async (more) => {
    expect(await api.call('StartParticipantReplication', of(more))).toMatchObject(invalid);
    expect(api.liveCalls).toEqual([]);
  });
});

describe('StopParticipantReplication', () => {
  it('asks the live stages, and answers in headers', async () => {
    const { status, body, headers } = await api.call('StopParticipantReplication', of());
    expect([status, body, headers['x-frame-options']]).toEqual([200, {}, 'DENY']);
    expect(api.liveCalls).toEqual([['stopReplication', of()]]);
    expect(await api.call('StopParticipantReplication', of({ participantId: 'bob' }))).toMatchObject(notFound);
  });
});

describe.each(['StartParticipantReplication', 'StopParticipantReplication'] as const)('%s', (name) => {
  it('needs both stages', async () => {
    for (const stage of ['sourceStageArn', 'destinationStageArn'])
      for (const arn of [unknownStage, sourceStageArn.replace(account, '000000000000')])
        expect(await api.call(name, of({ [stage]: arn }))).toMatchObject({
          ...notFound,
          message: `Stage not found: ${arn}`,
        });
    expect(api.liveCalls).toEqual([]);
  });
});

describe('what replication leaves', () => {
  beforeEach(() => api.store.startSession({ stageArn: sourceStageArn, sessionId, startTime: time }));

  it('is listed page by page', async () => {
    const record = (i: number): ReplicationRecord => ({
      ...{ sourceStageArn, participantId: 'alice', sourceSessionId: sessionId, destinationSessionId, attributes: {} },
      destinationStageArn: `${destinationStageArn}${i}`,
      ...{ replicationState: i ? 'ACTIVE' : 'STOPPED', reconnectWindowSeconds: 0, startedAt: `${i}` },
    });
    for (const i of [0, 1]) await api.store.putReplication(record(i));
    const shown = [0, 1].map((i) => ({
      ...{ sourceStageArn, participantId: 'alice', sourceSessionId: sessionId, destinationSessionId },
      destinationStageArn: `${destinationStageArn}${i}`,
      replicationState: i ? 'ACTIVE' : 'STOPPED',
    }));
    const list = (more: object) => api.output('ListParticipantReplicas', { ...of(), ...more });
    expect(await list({})).toEqual({ replicas: shown });
    const { nextToken, replicas } = await list({ maxResults: 1 });
    expect([replicas, (await list({ nextToken })).replicas]).toEqual([[shown[0]], [shown[1]]]);
    for (const more of [{ participantId: 'bob' }, { sourceStageArn: unknownStage }])
      expect(await list(more)).toEqual({ replicas: [] });
    const elsewhere = sourceStageArn.replace(account, '000000000000');
    expect(await list({ sourceStageArn: elsewhere })).toEqual({ replicas: [] });
    expect(await api.call('ListParticipantReplicas', of({ maxResults: 51 }))).toMatchObject(invalid);
  });

  it('is shown of participants and their events', async () => {
    const replica = {
      ...{ replicationType: 'REPLICA', replicationState: 'ACTIVE', sourceStageArn: unknownStage },
      ...{ sourceSessionId: destinationSessionId, redundantIngest: true },
      ingestConfigurationArn: `arn:aws:ivs:${region}:${account}:ingest-configuration/a`,
    };
    const record = {
      ...{ stageArn: sourceStageArn, sessionId, participantId: 'alice', userId: '', attributes: {}, published: true },
      ...{ state: 'CONNECTED', firstJoinTime: time, protocol: 'RTMPS', client: {}, barred: false, ...replica },
    } as ParticipantRecord;
    await api.store.putParticipant(record);
    const input = { stageArn: sourceStageArn, sessionId, participantId: 'alice' };
    expect(await api.output('GetParticipant', input)).toEqual({ participant: expect.objectContaining(replica) });
    expect(await api.output('ListParticipants', input)).toEqual({ participants: [expect.objectContaining(replica)] });
    const base = { participantId: 'alice', eventTime: time };
    const started = { ...base, name: 'REPLICATION_STARTED' as const, destinationStageArn, destinationSessionId };
    const exchanged = {
      ...{ ...base, name: 'TOKEN_EXCHANGED' as const, replica: false },
      previousToken: { capabilities: ['PUBLISH' as const], attributes: { a: 'b' }, userId: 'a', expirationTime: time },
      newToken: { capabilities: [], attributes: {}, userId: '', expirationTime: time },
    };
    const at = { stageArn: sourceStageArn, sessionId };
    await api.store.addEvents([
      { ...at, ...started },
      { ...at, ...exchanged },
    ]);
    expect(await api.output('ListParticipantEvents', input)).toEqual({ events: [exchanged, started] });
  });
});
