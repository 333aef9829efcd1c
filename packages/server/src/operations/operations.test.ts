import { newResourceId } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventRecord, ParticipantRecord, SessionRecord } from '../store/index.ts';
import { account, endpoints, Harness, region } from './harness.ts';

const unknownStage = `arn:aws:ivs:${region}:${account}:stage/none`;
const sessionId = 'st-ABCDEFGHIJKLM';

const notFound = { status: 404, error: 'ResourceNotFoundException' };
const invalid = { status: 400, error: 'ValidationException' };

const noRecording = {
  storageConfigurationArn: '',
  mediaTypes: ['AUDIO_VIDEO'],
  thumbnailConfiguration: { targetIntervalSeconds: 60, storage: ['SEQUENTIAL'], recordingMode: 'DISABLED' },
  recordingReconnectWindowSeconds: 0,
  hlsConfiguration: { targetSegmentDurationSeconds: 6 },
  recordParticipantReplicas: true,
};

const many = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
const tags = (count: number) => Object.fromEntries(many(count, (i) => [`key${i}`, '']));

let api: Harness;
beforeEach(async () => {
  api = await Harness.open();
});
afterEach(() => api.close());

describe('CreateStage', () => {
  it('returns a stage filled as AWS fills it', async () => {
    expect(await api.output('CreateStage')).toEqual({
      stage: {
        arn: expect.stringMatching(/^arn:aws:ivs:us-west-2:123456789012:stage\/[a-zA-Z0-9]{12}$/),
        name: '',
        tags: {},
        autoParticipantRecordingConfiguration: noRecording,
        endpoints,
      },
      participantTokens: [],
    });
  });

  it('makes tokens in the order of the request', async () => {
    const { participantTokens } = await api.output('CreateStage', {
      participantTokenConfigurations: [
        { userId: 'alice', duration: 1, attributes: { role: 'host' }, capabilities: ['SUBSCRIBE'] },
        {},
        { userId: '' },
      ],
    });
    expect(participantTokens).toEqual([
      {
        participantId: api.issued[0]?.jti,
        token: 'token-1',
        userId: 'alice',
        duration: 1,
        attributes: { role: 'host' },
        capabilities: ['SUBSCRIBE'],
        expirationTime: '2026-01-01T12:01:00.000Z',
      },
      { participantId: api.issued[1]?.jti, token: 'token-2', expirationTime: '2026-01-02T00:00:00.000Z' },
      { participantId: api.issued[2]?.jti, token: 'token-3', userId: '', expirationTime: '2026-01-02T00:00:00.000Z' },
    ]);
  });

  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ name: 'a-Z_9'.padEnd(128, 'x') }, { name: 'x'.repeat(129) }],
    [{ name: '' }, { name: 'a b' }],
    [{ tags: tags(50) }, { tags: tags(51) }],
    [{ tags: { ['k'.repeat(128)]: 'v'.repeat(256) } }, { tags: { ['k'.repeat(129)]: '' } }],
    [{ tags: { '🎭': '🎭'.repeat(256) } }, { tags: { k: 'v'.repeat(257) } }],
    [{ tags: { Aws: '', xaws: '' } }, { tags: { 'AWS:x': '' } }],
    [{ tags: {} }, { tags: { '': '' } }],
    [
      { participantTokenConfigurations: many(12, () => ({})) },
      { participantTokenConfigurations: many(13, () => ({})) },
    ],
    [
      { participantTokenConfigurations: [{ duration: 20_160 }, { duration: 1 }] },
      { participantTokenConfigurations: [{ duration: 20_161 }] },
    ],
    [
      { participantTokenConfigurations: [{ attributes: { k: 'x'.repeat(1023) } }] },
      { participantTokenConfigurations: [{ attributes: { k: 'x'.repeat(1024) } }] },
    ],
    [
      { autoParticipantRecordingConfiguration: { storageConfigurationArn: '' } },
      { autoParticipantRecordingConfiguration: {} },
    ],
    [
      { autoParticipantRecordingConfiguration: { storageConfigurationArn: '', recordingReconnectWindowSeconds: 300 } },
      { autoParticipantRecordingConfiguration: { storageConfigurationArn: '', recordingReconnectWindowSeconds: 301 } },
    ],
  ])('accepts %j and not what lies beyond', async (good, bad) => {
    expect(await api.call('CreateStage', good)).toMatchObject({ status: 200 });
    expect(await api.call('CreateStage', bad)).toMatchObject(invalid);
    expect((await api.output('ListStages')).stages).toHaveLength(1);
  });

  it('resets what was given beside an empty storage configuration', async () => {
    const { stage } = await api.output('CreateStage', {
      autoParticipantRecordingConfiguration: { storageConfigurationArn: '', mediaTypes: ['NONE'] },
    });
    expect(stage).toHaveProperty('autoParticipantRecordingConfiguration', noRecording);
  });

  it('refuses a storage configuration, of which there is none', async () => {
    const storageConfigurationArn = `arn:aws:ivs:${region}:${account}:storage-configuration/abc`;
    const answer = await api.call('CreateStage', {
      autoParticipantRecordingConfiguration: { storageConfigurationArn },
    });
    expect(answer).toMatchObject({
      ...invalid,
      message: `Storage configuration not found: ${storageConfigurationArn}`,
    });
  });

  it('refuses the 1001st stage with the name of the quota, and no tokens', async () => {
    const { store } = api;
    const model = (await store.getStage(await api.newStage()))!;
    await Promise.all(many(998, (i) => store.createStage({ ...model, arn: `${model.arn}${i}` })));
    const last = await Promise.all(many(3, () => api.call('CreateStage')));
    expect(last.map(({ status }) => status).sort()).toEqual([200, 402, 402]);
    expect(last.find(({ status }) => status === 402)).toMatchObject({
      error: 'ServiceQuotaExceededException',
      message: expect.stringMatching(/1000 stages, which is the quota stages of this server: .*--quota stages=/),
    });
    await api.output('DeleteStage', { arn: model.arn });
    expect((await api.call('CreateStage')).status).toBe(200);
  }, 20_000);
});

describe('GetStage', () => {
  it('returns what CreateStage returned, and the active session', async () => {
    const { stage } = await api.output('CreateStage', { name: 'demo', tags: { a: 'b' } });
    const { arn } = stage as { arn: string };
    expect(await api.output('GetStage', { arn })).toEqual({ stage });
    await api.store.startSession({ stageArn: arn, sessionId, startTime: '2026-01-01T00:00:00.000Z' });
    expect(await api.output('GetStage', { arn })).toEqual({
      stage: { ...(stage as object), activeSessionId: sessionId },
    });
  });

  it('knows no other stages, nor those of another account or region', async () => {
    expect(await api.call('GetStage', { arn: unknownStage })).toMatchObject(notFound);
    const record = (await api.store.getStage(await api.newStage()))!;
    const cases = [
      [record.arn.replace(region, 'eu-west-1'), notFound],
      [record.arn.replace(account, '000000000000'), notFound],
      [record.arn.replace('stage/', 'stage/x'), { status: 200 }],
    ] as const;
    for (const [arn, expected] of cases) {
      await api.store.createStage({ ...record, arn });
      expect(await api.call('GetStage', { arn })).toMatchObject(expected);
    }
    expect(await api.call('GetStage', { arn: record.arn.replace('stage', 'channel') })).toMatchObject(invalid);
    expect(await api.call('GetStage', { arn: 'x'.repeat(129) })).toMatchObject(invalid);
  });
});

describe('ListStages', () => {
  it('pages through summaries', async () => {
    const arns: string[] = [];
    for (let i = 0; i < 3; i++) {
      api.time += 1;
      arns.push(await api.newStage({ name: `n${i}`, tags: { i: String(i) } }));
    }
    const first = await api.output('ListStages', { maxResults: 2 });
    expect(first.stages).toEqual([
      { arn: arns[0], name: 'n0', tags: { i: '0' } },
      { arn: arns[1], name: 'n1', tags: { i: '1' } },
    ]);
    const second = await api.output('ListStages', { maxResults: 2, nextToken: first.nextToken });
    expect(second).toEqual({ stages: [{ arn: arns[2], name: 'n2', tags: { i: '2' } }] });
  });

  it.each([
    { maxResults: 0 },
    { maxResults: 101 },
    { nextToken: 'bad' },
    { nextToken: 'a b' },
    { nextToken: 'x'.repeat(1025) },
  ])('refuses %j', async (input) => {
    expect(await api.call('ListStages', input)).toMatchObject(invalid);
  });
});

describe('UpdateStage', () => {
  it('changes the name and keeps the rest', async () => {
    const { stage } = await api.output('CreateStage', { name: 'old', tags: { a: 'b' } });
    const { arn } = stage as { arn: string };
    const changed = { stage: { ...(stage as object), name: 'new' } };
    expect(await api.output('UpdateStage', { arn, name: 'new' })).toEqual(changed);
    expect(await api.output('UpdateStage', { arn })).toEqual(changed);
    const off = { storageConfigurationArn: '', mediaTypes: ['AUDIO_ONLY'] };
    expect(await api.output('UpdateStage', { arn, autoParticipantRecordingConfiguration: off })).toEqual(changed);
    expect(await api.output('GetStage', { arn })).toEqual(changed);
  });

  it('refuses unknown stages, bad names and storage configurations', async () => {
    const arn = await api.newStage();
    const storageConfigurationArn = `arn:aws:ivs:${region}:${account}:storage-configuration/abc`;
    expect(await api.call('UpdateStage', { arn: unknownStage, name: 'a' })).toMatchObject(notFound);
    expect(await api.call('UpdateStage', { arn, name: 'ü' })).toMatchObject(invalid);
    expect(
      await api.call('UpdateStage', { arn, autoParticipantRecordingConfiguration: { storageConfigurationArn } }),
    ).toMatchObject({ ...notFound, message: `Storage configuration not found: ${storageConfigurationArn}` });
  });
});

describe('DeleteStage', () => {
  it('lets the live stage end first, then forgets it', async () => {
    const arn = await api.newStage();
    expect(await api.output('DeleteStage', { arn })).toEqual({});
    expect(api.liveCalls).toEqual([['stageDeleted', arn, expect.objectContaining({ arn })]]);
    for (const name of ['GetStage', 'DeleteStage'] as const)
      expect(await api.call(name, { arn })).toMatchObject(notFound);
  });

  it('succeeds once when asked twice at once', async () => {
    const arn = await api.newStage();
    const both = await Promise.all([api.call('DeleteStage', { arn }), api.call('DeleteStage', { arn })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 404]);
  });
});

describe('CreateParticipantToken', () => {
  it('signs the claims of the request, and repeats only what was given', async () => {
    const stageArn = await api.newStage();
    const { participantToken } = await api.output('CreateParticipantToken', { stageArn });
    const [claims] = api.issued;
    expect(claims).toEqual({
      iat: api.time / 1000,
      exp: api.time / 1000 + 720 * 60,
      jti: expect.stringMatching(/^[a-zA-Z0-9]{12}$/),
      resource: stageArn,
      topic: stageArn.split('/')[1],
      events_url: endpoints.events,
      whip_url: endpoints.whip,
      capabilities: { allow_publish: true, allow_subscribe: true },
      version: '1.0',
    });
    expect(participantToken).toEqual({
      participantId: claims?.jti,
      token: 'token-1',
      expirationTime: '2026-01-02T00:00:00.000Z',
    });
  });

  it('takes everything that can be given', async () => {
    const stageArn = await api.newStage();
    const given = {
      userId: '🎭'.repeat(128),
      attributes: { 'schlüssel\u0000': 'wert' },
      duration: 20_160,
      capabilities: ['PUBLISH'],
    };
    const { participantToken } = await api.output('CreateParticipantToken', { stageArn, ...given });
    expect(participantToken).toMatchObject({ ...given, expirationTime: '2026-01-15T12:00:00.000Z' });
    expect(api.issued[0]).toMatchObject({
      user_id: given.userId,
      attributes: given.attributes,
      capabilities: { allow_publish: true },
    });
    expect(api.issued[0]?.capabilities).not.toHaveProperty('allow_subscribe');
  });

  it('counts the bytes of attributes, keys and values together', async () => {
    const stageArn = await api.newStage();
    const attributes = (value: string) => ({ stageArn, attributes: { ab: 'é'.repeat(511), '': value } });
    expect((await api.call('CreateParticipantToken', attributes(''))).status).toBe(200);
    expect(await api.call('CreateParticipantToken', attributes('x'))).toMatchObject(invalid);
  });

  it.each([
    { duration: 0 },
    { duration: 20_161 },
    { userId: 'x'.repeat(129) },
    { capabilities: ['publish'] },
    { capabilities: ['PUBLISH', 'SUBSCRIBE', 'PUBLISH'] },
    { attributes: { a: null } },
  ])('refuses %j', async (input) => {
    expect(await api.call('CreateParticipantToken', { stageArn: await api.newStage(), ...input })).toMatchObject(
      invalid,
    );
  });

  it('refuses unknown stages', async () => {
    expect(await api.call('CreateParticipantToken', { stageArn: unknownStage })).toMatchObject(notFound);
    expect(api.issued).toEqual([]);
  });
});

describe('DisconnectParticipant', () => {
  it('asks the live stage', async () => {
    const stageArn = await api.newStage();
    api.livePeople.add('alice');
    expect(
      await api.output('DisconnectParticipant', { stageArn, participantId: 'alice', reason: 'r'.repeat(128) }),
    ).toEqual({});
    expect(api.liveCalls).toEqual([['disconnectParticipant', stageArn, 'alice', 'r'.repeat(128)]]);
  });

  it('refuses unknown participants and stages, and long reasons', async () => {
    const stageArn = await api.newStage();
    expect(await api.call('DisconnectParticipant', { stageArn, participantId: 'bob' })).toMatchObject({
      ...notFound,
      message: 'Participant not found: bob',
    });
    expect(await api.call('DisconnectParticipant', { stageArn: unknownStage, participantId: 'bob' })).toMatchObject(
      notFound,
    );
    const input = { stageArn, participantId: 'bob', reason: 'r'.repeat(129) };
    expect(await api.call('DisconnectParticipant', input)).toMatchObject(invalid);
  });
});

describe('sessions and participants', () => {
  let stageArn: string;
  const of = (id = sessionId) => ({ stageArn, sessionId: id });
  const time = (second: number) => `2026-01-01T00:00:0${second}.000Z`;

  beforeEach(async () => {
    stageArn = await api.newStage();
  });

  const start = (fields: Partial<SessionRecord> = {}) =>
    api.store.startSession({ ...of(), startTime: time(0), ...fields });
  const join = async (fields: Partial<ParticipantRecord> = {}) => {
    const record: ParticipantRecord = {
      ...of(),
      participantId: newResourceId(),
      userId: '',
      attributes: {},
      state: 'CONNECTED',
      firstJoinTime: time(1),
      published: false,
      protocol: 'UNKNOWN',
      client: {},
      barred: false,
      ...fields,
    };
    await api.store.putParticipant(record);
    return record;
  };

  it('shows sessions, newest first', async () => {
    const newer = 'st-NOPQRSTUVWXYZ';
    await start();
    await api.store.endSession(stageArn, sessionId, time(5));
    await start({ sessionId: newer, startTime: time(6) });
    const [one, two] = [
      { sessionId: newer, startTime: time(6) },
      { sessionId, startTime: time(0), endTime: time(5) },
    ];
    expect(await api.output('GetStageSession', of())).toEqual({ stageSession: two });
    expect(await api.output('GetStageSession', of(newer))).toEqual({ stageSession: one });
    expect(await api.output('ListStageSessions', { stageArn })).toEqual({ stageSessions: [one, two] });
    const first = await api.output('ListStageSessions', { stageArn, maxResults: 1 });
    const rest = await api.output('ListStageSessions', { stageArn, nextToken: first.nextToken });
    expect([first.stageSessions, rest.stageSessions]).toEqual([[one], [two]]);
  });

  it('shows a participant filled as AWS fills it', async () => {
    await start();
    const client = {
      browserName: 'Chrome',
      browserVersion: '141.0',
      osName: 'Linux',
      osVersion: '6',
      sdkVersion: '1.39.0',
    };
    const { participantId } = await join({
      userId: 'alice',
      attributes: { a: 'b' },
      published: true,
      protocol: 'WHIP',
      client,
    });
    const summary = {
      participantId,
      userId: 'alice',
      state: 'CONNECTED',
      firstJoinTime: time(1),
      published: true,
      recordingState: 'DISABLED',
      replicationType: 'NONE',
    };
    expect(await api.output('GetParticipant', { ...of(), participantId })).toEqual({
      participant: {
        ...summary,
        ...client,
        attributes: { a: 'b' },
        protocol: 'WHIP',
        recordingS3BucketName: '',
        recordingS3Prefix: '',
      },
    });
    expect(await api.output('ListParticipants', of())).toEqual({ participants: [summary] });
  });

  it('lists participants by each filter, and pages', async () => {
    await start();
    const alice = await join({ userId: 'alice', published: true });
    const bob = await join({ userId: 'bob', state: 'DISCONNECTED', firstJoinTime: time(2), recordingState: 'STOPPED' });
    const ids = async (input: object) => {
      const { participants } = await api.output('ListParticipants', { ...of(), ...input });
      return (participants as { participantId: string }[]).map(({ participantId }) => participantId);
    };
    expect(await ids({})).toEqual([alice.participantId, bob.participantId]);
    expect(await ids({ filterByUserId: 'bob' })).toEqual([bob.participantId]);
    expect(await ids({ filterByPublished: true })).toEqual([alice.participantId]);
    expect(await ids({ filterByPublished: false })).toEqual([bob.participantId]);
    expect(await ids({ filterByState: 'CONNECTED' })).toEqual([alice.participantId]);
    expect(await ids({ filterByRecordingState: 'STOPPED' })).toEqual([bob.participantId]);
    const { nextToken } = await api.output('ListParticipants', { ...of(), maxResults: 1 });
    expect(await ids({ nextToken })).toEqual([bob.participantId]);
    expect(await api.call('ListParticipants', { ...of(), nextToken, filterByUserId: 'bob' })).toMatchObject(invalid);
  });

  it.each([
    { filterByUserId: 'a', filterByPublished: false },
    { filterByState: 'CONNECTED', filterByUserId: '' },
    { filterByRecordingState: 'ACTIVE', filterByState: 'CONNECTED' },
  ])('takes one filter at a time, not %j', async (filters) => {
    const { error, message } = await api.call('ListParticipants', { ...of(), ...filters });
    expect([error, message]).toEqual(['ValidationException', expect.stringMatching(/^Only one of filterByUserId, /)]);
  });

  it('lists the events of one participant, newest first', async () => {
    await start();
    const { participantId } = await join();
    const event = (fields: Partial<EventRecord>): EventRecord => ({
      ...of(),
      participantId,
      name: 'JOINED',
      eventTime: time(1),
      ...fields,
    });
    const remoteParticipantId = newResourceId();
    await api.store.addEvents([
      event({}),
      event({ name: 'SUBSCRIBE_ERROR', remoteParticipantId, errorCode: 'PUBLISHER_NOT_FOUND', eventTime: time(2) }),
    ]);
    const [newer, older] = [
      {
        name: 'SUBSCRIBE_ERROR',
        participantId,
        eventTime: time(2),
        remoteParticipantId,
        errorCode: 'PUBLISHER_NOT_FOUND',
      },
      { name: 'JOINED', participantId, eventTime: time(1) },
    ];
    const input = { ...of(), participantId };
    expect(await api.output('ListParticipantEvents', input)).toEqual({ events: [newer, older] });
    const first = await api.output('ListParticipantEvents', { ...input, maxResults: 1 });
    expect(first.events).toEqual([newer]);
    expect(await api.output('ListParticipantEvents', { ...input, nextToken: first.nextToken })).toEqual({
      events: [older],
    });
    expect(
      await api.call('ListParticipantEvents', { ...input, participantId: 'x', nextToken: first.nextToken }),
    ).toMatchObject(invalid);
  });

  it('lists nothing of what it does not know, and finds none of it', async () => {
    const elsewhere = stageArn.replace(account, '000000000000');
    for (const arn of [stageArn, unknownStage, elsewhere]) {
      const input = { stageArn: arn, sessionId, participantId: 'x' };
      expect(await api.output('ListStageSessions', input)).toEqual({ stageSessions: [] });
      expect(await api.output('ListParticipants', input)).toEqual({ participants: [] });
      expect(await api.output('ListParticipantEvents', input)).toEqual({ events: [] });
      expect(await api.call('GetStageSession', input)).toMatchObject(notFound);
      expect(await api.call('GetParticipant', input)).toMatchObject(notFound);
    }
  });

  it.each([
    { sessionId: 'st-short' },
    { sessionId: 'st-ABCDEFGHIJKLMN' },
    { sessionId: 'xx-ABCDEFGHIJKLM' },
    { maxResults: 101 },
    { maxResults: 0 },
    { filterByState: 'AWAY' },
    { filterByRecordingState: 'DISABLED' },
    { filterByPublished: 'true' },
  ])('refuses %j', async (input) => {
    expect(await api.call('ListParticipants', { ...of(), ...input })).toMatchObject(invalid);
  });
});

describe('tags', () => {
  let resourceArn: string;
  const present = async () => (await api.output('ListTagsForResource', { resourceArn })).tags;

  beforeEach(async () => {
    resourceArn = await api.newStage({ tags: { a: '1', b: '2' } });
  });

  it('are added, replaced and taken away', async () => {
    expect(await api.output('TagResource', { resourceArn, tags: { b: 'two', 'c/d é': '3' } })).toEqual({});
    expect(await present()).toEqual({ a: '1', b: 'two', 'c/d é': '3' });
    expect(await api.output('UntagResource', { resourceArn, tagKeys: ['a', 'c/d é', 'absent'] })).toEqual({});
    expect(await present()).toEqual({ b: 'two' });
    expect((await api.output('GetStage', { arn: resourceArn })).stage).toMatchObject({ tags: { b: 'two' } });
  });

  it('are 50 at most, counted after merging', async () => {
    await api.output('TagResource', { resourceArn, tags: { ...tags(48), a: 'again' } });
    expect(await api.call('TagResource', { resourceArn, tags: { another: '' } })).toMatchObject({
      ...invalid,
      message: expect.stringContaining('at most 50 tags'),
    });
    expect(await api.call('TagResource', { resourceArn, tags: tags(51) })).toMatchObject(invalid);
    expect(Object.keys((await present()) as object)).toHaveLength(50);
    await api.output('TagResource', { resourceArn, tags: { a: 'replaced' } });
  });

  it('do not lose each other when they are added at once', async () => {
    await Promise.all(many(10, (i) => api.output('TagResource', { resourceArn, tags: { [`t${i}`]: '' } })));
    expect(Object.keys((await present()) as object)).toHaveLength(12);
  });

  it('refuse names that AWS keeps for itself', async () => {
    expect(await api.call('TagResource', { resourceArn, tags: { 'aws:x': '' } })).toMatchObject({
      ...invalid,
      message: "Tag keys must not begin with 'aws:', which is reserved: 'aws:x'",
    });
  });

  it.each(['ListTagsForResource', 'TagResource', 'UntagResource'] as const)(
    '%s needs a resource that exists',
    async (name) => {
      const input = { tags: { a: 'b' }, tagKeys: ['a'] };
      for (const arn of [
        unknownStage,
        unknownStage.replace('stage', 'composition'),
        resourceArn.replace(region, 'eu-west-1'),
        resourceArn.replace('stage', 'unheard-of'),
      ])
        expect(await api.call(name, { ...input, resourceArn: arn })).toMatchObject(notFound);
      expect(await api.call(name, { ...input, resourceArn: 'no-arn' })).toMatchObject(invalid);
    },
  );
});
