import { ApiError, formatArn, newResourceId, newSessionId } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordingStarted } from '../events/bus-event.ts';
import { keptEvents } from './outbox.ts';
import type {
  CompositionRecord,
  EventRecord,
  IngestConfigurationRecord,
  Page,
  PageRequest,
  ParticipantRecord,
  ReplicationRecord,
  SessionRecord,
  StageRecord,
  Store,
} from './types.ts';

const account = '123456789012';
const region = 'us-west-2';

/** Opens a store on one database, which the suite opens again to see what lasted. */
export interface StoreFactory {
  open(): Promise<Store>;
  /** Throws the database away. */
  remove(): Promise<void>;
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

export function stage(fields: Partial<StageRecord> = {}): StageRecord {
  return {
    arn: formatArn({ region, account, type: 'stage', id: newResourceId() }),
    account,
    region,
    name: 'name',
    tags: {},
    recording: {
      storageConfigurationArn: '',
      mediaTypes: ['AUDIO_VIDEO'],
      thumbnailConfiguration: { targetIntervalSeconds: 60, storage: ['SEQUENTIAL'], recordingMode: 'DISABLED' },
      recordingReconnectWindowSeconds: 0,
      hlsConfiguration: { targetSegmentDurationSeconds: 6 },
      recordParticipantReplicas: true,
    },
    createdAt: at(0),
    ...fields,
  };
}

const session = (stageArn: string, fields: Partial<SessionRecord> = {}): SessionRecord => ({
  stageArn,
  sessionId: newSessionId(),
  startTime: at(1),
  ...fields,
});

function participant(
  { stageArn, sessionId }: SessionRecord,
  fields: Partial<ParticipantRecord> = {},
): ParticipantRecord {
  return {
    stageArn,
    sessionId,
    participantId: newResourceId(),
    userId: '',
    attributes: {},
    state: 'CONNECTED',
    firstJoinTime: at(2),
    published: false,
    protocol: 'UNKNOWN',
    client: {},
    barred: false,
    recordingState: 'DISABLED',
    ...fields,
  };
}

function replication(
  { stageArn, sessionId, participantId }: ParticipantRecord,
  fields: Partial<ReplicationRecord> = {},
) {
  return {
    sourceStageArn: stageArn,
    participantId,
    sourceSessionId: sessionId,
    destinationStageArn: formatArn({ region, account, type: 'stage', id: newResourceId() }),
    destinationSessionId: newSessionId(),
    replicationState: 'ACTIVE' as const,
    reconnectWindowSeconds: 300,
    attributes: { 'k\u0000': 'v' },
    startedAt: at(3),
    ...fields,
  };
}

function ingest(fields: Partial<IngestConfigurationRecord> = {}): IngestConfigurationRecord {
  return {
    arn: formatArn({ region, account, type: 'ingest-configuration', id: newResourceId() }),
    ...{ account, region, name: '', tags: { 'ключ\u0000': '🎭' }, createdAt: at(0) },
    ...{ ingestProtocol: 'RTMPS', streamKey: 'rt_1_r_i_s', participantId: newResourceId(), stageArn: '' },
    ...{ state: 'INACTIVE', userId: 'a\u0000', attributes: {}, redundantIngest: false, redundantIngestCredentials: [] },
    ...fields,
  };
}

function composition(fields: Partial<CompositionRecord> = {}): CompositionRecord {
  return {
    arn: formatArn({ region, account, type: 'composition', id: newResourceId() }),
    ...{ account, region, name: '', tags: {}, createdAt: at(0), stageArn: 'stage', state: 'STARTING' },
    ...{ layout: {}, destinations: [], idempotencyToken: newResourceId(), requestDigest: '' },
    ...fields,
  };
}

const joined = ({ stageArn, sessionId, participantId }: ParticipantRecord, fields: Partial<EventRecord> = {}) => ({
  ...{ stageArn, sessionId, participantId, name: 'JOINED' as const, eventTime: at(2) },
  ...fields,
});

/** Every page of a list, with `between` run after each. */
async function pages<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  maxResults: number,
  between: () => Promise<unknown> = async () => {},
): Promise<T[][]> {
  const all: T[][] = [];
  let nextToken: string | undefined;
  do {
    const page = await list({ maxResults, nextToken });
    all.push(page.items);
    nextToken = page.nextToken;
    await between();
  } while (nextToken);
  return all;
}

/** What every database behind the store must do. */
export function storeSuite(name: string, newFactory: () => StoreFactory): void {
  describe(`store on ${name}`, () => {
    let factory: StoreFactory;
    let store: Store;
    beforeEach(async () => {
      factory = newFactory();
      store = await factory.open();
    });
    afterEach(async () => {
      await store.close();
      await factory.remove();
    });
    const reopen = async () => {
      await store.close();
      store = await factory.open();
    };
    const newStage = async (fields: Partial<StageRecord> = {}) => {
      const record = stage(fields);
      await store.createStage(record);
      return record;
    };
    const newSession = async (fields: Partial<SessionRecord> = {}) => {
      const record = session((await newStage()).arn, fields);
      await store.startSession(record);
      return record;
    };
    const newParticipant = async (of: SessionRecord, fields: Partial<ParticipantRecord> = {}) => {
      const record = participant(of, fields);
      await store.putParticipant(record);
      return record;
    };

    describe('stages', () => {
      it('gives back what it was given, also after it was opened anew', async () => {
        const record = await newStage({ name: '', tags: { __proto__x: '', 'ключ\u0000': 'wert\u0000🎭' } });
        expect(await store.getStage(record.arn)).toEqual(record);
        await reopen();
        expect(await store.getStage(record.arn)).toEqual(record);
        expect(await store.getStage(`${record.arn}x`)).toBeUndefined();
      });

      it('refuses an ARN that is taken', async () => {
        const record = await newStage();
        await expect(store.createStage({ ...record, name: 'second' })).rejects.toThrow();
        expect((await store.getStage(record.arn))?.name).toBe('name');
      });

      it('stops at the limit of the account in the region, however many come at once', async () => {
        await newStage({ region: 'eu-west-1' });
        await newStage({ account: '000000000000' });
        const created = await Promise.all(Array.from({ length: 20 }, () => store.createStage(stage(), 12)));
        expect(created.filter(Boolean)).toHaveLength(12);
        expect((await store.listStages({ account, region }, {})).items).toHaveLength(12);
        expect(await store.createStage(stage(), 13)).toBe(true);
      });

      it('changes what it is told and nothing else', async () => {
        const record = await newStage({ tags: { a: '1' } });
        const recording = { ...record.recording, recordParticipantReplicas: false };
        expect(await store.updateStage(record.arn, { name: 'new' })).toEqual({ ...record, name: 'new' });
        expect(await store.updateStage(record.arn, { recording })).toEqual({ ...record, name: 'new', recording });
        expect(await store.updateStage(record.arn, {})).toEqual({ ...record, name: 'new', recording });
        expect(await store.getStage(record.arn)).toEqual({ ...record, name: 'new', recording });
        expect(await store.updateStage(`${record.arn}x`, { name: 'new' })).toBeUndefined();
      });

      it('loses no change of two that read before they write', async () => {
        const { arn } = await newStage();
        const add = (key: string) => store.updateStage(arn, ({ tags }) => ({ tags: { ...tags, [key]: key } }));
        await Promise.all(Array.from({ length: 20 }, (_, i) => add(`k${i}`)));
        expect(Object.keys((await store.getStage(arn))?.tags ?? {})).toHaveLength(20);
      });

      it('writes nothing of a change that throws, and all that came with it', async () => {
        const record = await newStage();
        const error = new ApiError('ValidationException', 'too many');
        const failing = store.updateStage(record.arn, () => {
          throw error;
        });
        const others = [store.updateStage(record.arn, { name: 'kept' }), newStage()];
        await expect(failing).rejects.toBe(error);
        await Promise.all(others);
        expect(await store.getStage(record.arn)).toEqual({ ...record, name: 'kept' });
      });

      it('deletes a stage with all that belongs to it', async () => {
        const open = await newSession();
        const who = await newParticipant(open);
        await store.addEvents([joined(who)]);
        const other = await newStage();
        expect(await store.deleteStage(open.stageArn)).toBe(true);
        expect(await store.deleteStage(open.stageArn)).toBe(false);
        expect(await store.getStage(open.stageArn)).toBeUndefined();
        expect(await store.getSession(open.stageArn, open.sessionId)).toBeUndefined();
        expect(await store.getParticipant(open.stageArn, open.sessionId, who.participantId)).toBeUndefined();
        expect((await store.listEvents(open.stageArn, open.sessionId, who.participantId, {})).items).toEqual([]);
        expect(await store.getStage(other.arn)).toEqual(other);
        expect(await store.counts()).toEqual({ stages: 1, activeSessions: 0, connectedParticipants: 0 });
      });
    });

    describe('sessions', () => {
      it('makes a new session the active one and clears it at the end', async () => {
        const first = await newSession();
        expect((await store.getStage(first.stageArn))?.activeSessionId).toBe(first.sessionId);
        const who = await newParticipant(first);
        await store.endSession(first.stageArn, first.sessionId, at(9));
        expect(await store.getSession(first.stageArn, first.sessionId)).toEqual({ ...first, endTime: at(9) });
        expect(await store.getStage(first.stageArn)).not.toHaveProperty('activeSessionId');
        expect((await store.getParticipant(first.stageArn, first.sessionId, who.participantId))?.state).toBe(
          'DISCONNECTED',
        );
      });

      it('keeps the first end of a session, and the session that came after it', async () => {
        const first = await newSession();
        await store.endSession(first.stageArn, first.sessionId, at(3));
        const second = session(first.stageArn, { startTime: at(4) });
        await store.startSession(second);
        await store.endSession(first.stageArn, first.sessionId, at(5));
        expect((await store.getSession(first.stageArn, first.sessionId))?.endTime).toBe(at(3));
        expect((await store.getStage(first.stageArn))?.activeSessionId).toBe(second.sessionId);
      });

      it('ends what was left open', async () => {
        const [one, two] = [await newSession(), await newSession()];
        const who = await newParticipant(one);
        await reopen();
        expect(await store.counts()).toEqual({ stages: 2, activeSessions: 2, connectedParticipants: 1 });
        expect(await store.endOpenSessions(at(9))).toBe(2);
        expect(await store.endOpenSessions(at(10))).toBe(0);
        expect(await store.counts()).toEqual({ stages: 2, activeSessions: 0, connectedParticipants: 0 });
        expect((await store.getSession(two.stageArn, two.sessionId))?.endTime).toBe(at(9));
        expect(await store.getStage(one.stageArn)).not.toHaveProperty('activeSessionId');
        expect((await store.getParticipant(one.stageArn, one.sessionId, who.participantId))?.state).toBe(
          'DISCONNECTED',
        );
      });

      it('says what was under way in sessions that have not ended', async () => {
        const [open, ended] = [await newSession(), await newSession()];
        const [alice, bob] = [await newParticipant(open), await newParticipant(open, { userId: 'bob' })];
        const carol = await newParticipant(ended);
        const event = (who: ParticipantRecord, name: EventRecord['name'], more: Partial<EventRecord> = {}) => ({
          ...joined(who),
          ...more,
          name,
        });
        const replication = { destinationStageArn: ended.stageArn, destinationSessionId: ended.sessionId };
        await store.addEvents([
          ...[joined(alice), joined(bob), joined(carol), event(carol, 'PUBLISH_STARTED')],
          // Her second connection took the place of the first.
          ...(['PUBLISH_STARTED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED'] as const).map((name) => event(alice, name)),
          event(alice, 'REPLICATION_STARTED', replication),
          ...(['PUBLISH_STARTED', 'PUBLISH_STOPPED'] as const).map((name) => event(bob, name, { replica: true })),
          event(bob, 'SUBSCRIBE_STARTED', { remoteParticipantId: alice.participantId }),
          event(bob, 'SUBSCRIBE_STARTED', { remoteParticipantId: 'gone' }),
          event(bob, 'SUBSCRIBE_STOPPED', { remoteParticipantId: 'gone' }),
        ]);
        await store.endSession(ended.stageArn, ended.sessionId, at(5));
        const unfinished = await store.unfinished();
        expect(
          unfinished.map(({ endName, participant, details }) => [endName, participant.participantId, details]),
        ).toEqual([
          ['SUBSCRIBE_STOPPED', bob.participantId, { remoteParticipantId: alice.participantId }],
          ['PUBLISH_STOPPED', alice.participantId, {}],
          ['REPLICATION_STOPPED', alice.participantId, replication],
          ...[alice, bob]
            .map(({ participantId }) => participantId)
            .sort()
            .map((id) => ['LEFT', id, {}]),
        ]);
        expect(unfinished[0]?.participant).toEqual(bob);
        await store.endOpenSessions(at(9));
        expect(await store.unfinished()).toEqual([]);
      });

      it('drops what is written for a stage or a session that is gone', async () => {
        const ghost = session(stage().arn);
        await store.startSession(ghost);
        await store.putParticipant(participant(ghost));
        await store.addEvents([joined(participant(ghost))]);
        await store.endSession(ghost.stageArn, ghost.sessionId, at(1));
        expect(await store.getSession(ghost.stageArn, ghost.sessionId)).toBeUndefined();
        expect(await store.counts()).toEqual({ stages: 0, activeSessions: 0, connectedParticipants: 0 });
      });
    });

    describe('participants', () => {
      it('gives back what it was given, and what replaced it', async () => {
        const open = await newSession();
        const record = await newParticipant(open, {
          userId: 'a\u0000b 🎭',
          attributes: { 'k\u0000': 'v' },
          client: { browserName: 'Chrome', osName: 'Linux' },
          protocol: 'WHIP',
        });
        const get = () => store.getParticipant(open.stageArn, open.sessionId, record.participantId);
        expect(await get()).toEqual(record);
        const changed: ParticipantRecord = {
          ...{ ...record, published: true, barred: true, recordingState: 'ACTIVE' },
          ...{ replicationType: 'REPLICA', replicationState: 'ACTIVE', sourceStageArn: 'a', sourceSessionId: 'b' },
          ...{ redundantIngest: false, ingestConfigurationArn: 'c' },
        };
        await store.putParticipant(changed);
        expect(await get()).toEqual(changed);
        expect((await store.listParticipants(open.stageArn, open.sessionId, {}, {})).items).toEqual([changed]);
      });

      it('lists by each filter', async () => {
        const open = await newSession();
        const alice = await newParticipant(open, { userId: 'alice\u0000', published: true, firstJoinTime: at(2) });
        const bob = await newParticipant(open, { userId: 'alice', state: 'DISCONNECTED', firstJoinTime: at(3) });
        const carol = await newParticipant(open, { recordingState: 'ACTIVE', firstJoinTime: at(4) });
        const list = async (filter: Parameters<Store['listParticipants']>[2]) =>
          (await store.listParticipants(open.stageArn, open.sessionId, filter, {})).items;
        expect(await list({})).toEqual([alice, bob, carol]);
        expect(await list({ userId: 'alice\u0000' })).toEqual([alice]);
        expect(await list({ userId: '' })).toEqual([carol]);
        expect(await list({ published: true })).toEqual([alice]);
        expect(await list({ published: false })).toEqual([bob, carol]);
        expect(await list({ state: 'DISCONNECTED' })).toEqual([bob]);
        expect(await list({ recordingState: 'ACTIVE' })).toEqual([carol]);
        expect(await list({ recordingState: 'FAILED' })).toEqual([]);
      });
    });

    describe('events', () => {
      it('lists newest first, in the order in which they were added', async () => {
        const open = await newSession();
        const who = await newParticipant(open);
        const all = [
          joined(who),
          joined(who, { name: 'SUBSCRIBE_ERROR', remoteParticipantId: 'other', errorCode: 'PUBLISHER_NOT_FOUND' }),
          joined(who, { name: 'REPLICATION_STARTED', destinationStageArn: 'a', destinationSessionId: 'b' }),
          joined(who, {
            name: 'TOKEN_EXCHANGED',
            previousToken: {
              capabilities: ['PUBLISH'],
              attributes: { a: '\u0000' },
              userId: '',
              expirationTime: at(9),
            },
            newToken: {},
          }),
          joined(who, { name: 'LEFT', replica: false }),
        ];
        await store.addEvents(all.slice(0, 2));
        await store.addEvents(all.slice(2));
        await store.addEvents([]);
        const { items } = await store.listEvents(open.stageArn, open.sessionId, who.participantId, {});
        expect(items).toEqual(all.toReversed());
        expect((await store.listEvents(open.stageArn, open.sessionId, 'nobody', {})).items).toEqual([]);
      });
    });

    describe('replications', () => {
      const list = (of: ParticipantRecord, page: PageRequest = {}) =>
        store.listReplications(of.stageArn, of.participantId, page);

      it('are one for each session and destination, listed as they started', async () => {
        const who = await newParticipant(await newSession());
        const all = [5, 4, 6].map((second) => replication(who, { startedAt: at(second) }));
        for (const record of all) await store.putReplication(record);
        await store.putReplication(replication(await newParticipant(await newSession())));
        const stopped = { ...all[2]!, replicationState: 'STOPPED' as const };
        await store.putReplication(stopped);
        expect((await pages((page) => list(who, page), 1)).flat()).toEqual([all[1], all[0], stopped]);
        expect((await list({ ...who, participantId: 'nobody' })).items).toEqual([]);
      });

      it('are stopped by the end of what was left open, and go with their stage', async () => {
        const who = await newParticipant(await newSession(), { replicationType: 'SOURCE', replicationState: 'ACTIVE' });
        await store.putReplication(replication(who));
        await store.endOpenSessions(at(9));
        expect((await list(who)).items).toMatchObject([{ replicationState: 'STOPPED' }]);
        const stopped = await store.getParticipant(who.stageArn, who.sessionId, who.participantId);
        expect(stopped).toMatchObject({ replicationType: 'SOURCE', replicationState: 'STOPPED' });
        await store.deleteStage(who.stageArn);
        expect((await list(who)).items).toEqual([]);
        await store.putReplication(replication(who));
        expect((await list(who)).items).toEqual([]);
      });
    });

    describe('resources', () => {
      const insert = async (...records: IngestConfigurationRecord[]) =>
        store.change(async ({ ingestConfigurations }) => {
          for (const record of records) await ingestConfigurations.insert(record);
        });

      it('come back as they were given, under their own kind', async () => {
        const record = ingest();
        await insert(record);
        await reopen();
        expect(await store.ingestConfigurations.get(record.arn)).toEqual(record);
        expect(await store.publicKeys.get(record.arn)).toBeUndefined();
        expect(await store.publicKeys.all({})).toEqual([]);
        await expect(insert(record)).rejects.toThrow();
      });

      it('are found by facts, which change with them', async () => {
        const [one, two] = [ingest({ stageArn: 'a' }), ingest({ stageArn: 'b', createdAt: at(1) })];
        await insert(one, two);
        const found = async (filter: object) => (await store.ingestConfigurations.all(filter)).map(({ arn }) => arn);
        expect(await found({})).toEqual([one.arn, two.arn]);
        expect(await found({ state: 'INACTIVE', stageArn: 'b' })).toEqual([two.arn]);
        const changed = await store.change(({ ingestConfigurations }) =>
          ingestConfigurations.update(two.arn, ({ stageArn }) => ({ stageArn: `${stageArn}b`, state: 'ACTIVE' })),
        );
        expect(changed).toEqual({ ...two, stageArn: 'bb', state: 'ACTIVE' });
        expect(await found({ stageArn: 'b' })).toEqual([]);
        expect(await found({ stageArn: 'bb' })).toEqual([two.arn]);
        const elsewhere = { account, region: 'eu-west-1' };
        expect(await store.ingestConfigurations.all({}, elsewhere)).toEqual([]);
        expect(await store.ingestConfigurations.count(elsewhere)).toBe(0);
        expect(await store.ingestConfigurations.count({ account, region }, { state: 'ACTIVE' })).toBe(1);
      });

      it('are found once by a fact that they hold twice', async () => {
        const s3 = { storageConfigurationArn: 's', encoderConfigurationArns: ['e'] };
        const channel = { channelArn: 'c', encoderConfigurationArn: 'e' };
        const destinations = [{ s3 }, { channel }].map((configuration) => ({
          ...{ id: newResourceId(), state: 'STARTING' as const, configuration },
        }));
        const record = composition({ destinations });
        await store.change(({ compositions }) => compositions.insert(record));
        for (const filter of [
          { encoderConfigurationArn: 'e' },
          { storageConfigurationArn: 's' },
          { stageArn: 'stage' },
        ]) {
          expect(await store.compositions.all(filter)).toEqual([record]);
          expect(await store.compositions.count({ account, region }, filter)).toBe(1);
        }
        expect(await store.compositions.all({ storageConfigurationArn: 'e' })).toEqual([]);
      });

      it('are changed as one, or not at all', async () => {
        const record = ingest();
        const failing = store.change(async ({ ingestConfigurations }) => {
          await ingestConfigurations.insert(record);
          expect(await ingestConfigurations.get(record.arn)).toEqual(record);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        expect(await store.ingestConfigurations.get(record.arn)).toBeUndefined();
        const gone = await store.change(async ({ ingestConfigurations, stage }) => [
          await ingestConfigurations.update(record.arn, () => ({ name: 'x' })),
          await ingestConfigurations.delete(record.arn),
          await stage(record.arn),
        ]);
        expect(gone).toEqual([undefined, false, undefined]);
      });

      it('lose no change of two that read before they write', async () => {
        const record = ingest({ tags: {} });
        await insert(record);
        const add = (key: string) =>
          store.change(({ ingestConfigurations }) =>
            ingestConfigurations.update(record.arn, ({ tags }) => ({ tags: { ...tags, [key]: key } })),
          );
        await Promise.all(Array.from({ length: 20 }, (_, i) => add(`k${i}`)));
        expect(Object.keys((await store.ingestConfigurations.get(record.arn))?.tags ?? {})).toHaveLength(20);
      });

      it('are listed oldest first by each filter, with tokens of their own', async () => {
        const records = Array.from({ length: 5 }, (_, i) =>
          ingest({ createdAt: at(9 - i), stageArn: i % 2 ? 'a' : 'b' }),
        );
        await insert(...records, ingest({ region: 'eu-west-1' }));
        const scope = { account, region };
        const list = (filter: object) => (page: PageRequest) => store.ingestConfigurations.list(scope, page, filter);
        expect((await pages(list({}), 2)).flat()).toEqual(records.toReversed());
        expect((await pages(list({ stageArn: 'b' }), 2)).flat()).toEqual([records[4], records[2], records[0]]);
        const { nextToken } = await list({ stageArn: 'b' })({ maxResults: 1 });
        await expect(list({ stageArn: 'a' })({ nextToken })).rejects.toMatchObject({ shape: 'ValidationException' });
        await expect(store.compositions.list(scope, { nextToken })).rejects.toMatchObject({
          shape: 'ValidationException',
        });
      });
    });

    describe('pages', () => {
      const fill = async (count: number, of: (i: number) => Partial<StageRecord>) => {
        const records = Array.from({ length: count }, (_, i) => stage(of(i)));
        await Promise.all(records.map((record) => store.createStage(record)));
        return records;
      };
      const listStages = (page: PageRequest) => store.listStages({ account, region }, page);

      it('hold 50 items unless told otherwise, and the last one no token', async () => {
        await fill(51, () => ({}));
        const first = await listStages({});
        expect(first.items).toHaveLength(50);
        const second = await listStages({ nextToken: first.nextToken });
        expect(second).toEqual({ items: [expect.anything()] });
        expect((await listStages({ maxResults: 51 })).nextToken).toBeUndefined();
        expect((await listStages({ nextToken: '' })).items).toHaveLength(50);
      });

      it('list stages oldest first, and of one account and region', async () => {
        const records = await fill(9, (i) => ({ createdAt: at(9 - i) }));
        await newStage({ region: 'eu-west-1' });
        const all = await pages(listStages, 2);
        expect(all.map((page) => page.length)).toEqual([2, 2, 2, 2, 1]);
        expect(all.flat()).toEqual(records.toReversed());
      });

      it('neither skip nor repeat while stages come and go', async () => {
        const records = await fill(30, (i) => ({ createdAt: at(10 + (i % 3)) }));
        const doomed = records.filter((_, i) => i % 5 === 0).map(({ arn }) => arn);
        const kept = records.filter(({ arn }) => !doomed.includes(arn)).map(({ arn }) => arn);
        const all = await pages(listStages, 4, async () => {
          await Promise.all([newStage({ createdAt: at(0) }), newStage({ createdAt: at(59) })]);
          await store.deleteStage(doomed.pop() ?? '');
        });
        const seen = all.flat().map(({ arn }) => arn);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(expect.arrayContaining(kept));
      }, 20_000);

      it('go on behind an item that was deleted meanwhile', async () => {
        await fill(4, (i) => ({ createdAt: at(i) }));
        const first = await listStages({ maxResults: 2 });
        await Promise.all(first.items.map(({ arn }) => store.deleteStage(arn)));
        const rest = await listStages({ maxResults: 2, nextToken: first.nextToken });
        expect(rest.items.map(({ createdAt }) => createdAt)).toEqual([at(2), at(3)]);
      });

      it('list sessions newest first', async () => {
        const { arn } = await newStage();
        const records = Array.from({ length: 7 }, (_, i) => session(arn, { startTime: at(Math.floor(i / 2)) }));
        for (const record of records) await store.startSession(record);
        const listed = (await pages((page) => store.listSessions(arn, page), 3)).flat();
        const order = ({ startTime, sessionId }: SessionRecord) => `${startTime} ${sessionId}`;
        expect(listed.map(order)).toEqual(records.map(order).sort().reverse());
      });

      it('list participants as they joined, and events newest first, while more come', async () => {
        const open = await newSession();
        const { stageArn, sessionId } = open;
        const people = Array.from({ length: 7 }, (_, i) => participant(open, { firstJoinTime: at(i) }));
        await Promise.all(people.map((record) => store.putParticipant(record)));
        const listed = await pages(
          (page) => store.listParticipants(stageArn, sessionId, { state: 'CONNECTED' }, page),
          2,
        );
        expect(listed.flat()).toEqual(people);

        const who = people[0]!;
        const events = Array.from({ length: 7 }, (_, i) => joined(who, { eventTime: at(i) }));
        await store.addEvents(events);
        const seen = await pages(
          (page) => store.listEvents(stageArn, sessionId, who.participantId, page),
          2,
          () => store.addEvents([joined(who, { name: 'LEFT' })]),
        );
        expect(seen.flat()).toEqual(events.toReversed());
      });

      it('take no token but their own', async () => {
        const open = await newSession();
        const people = [participant(open), participant(open)];
        await Promise.all(people.map((record) => store.putParticipant(record)));
        const list = (filter: object, page: PageRequest, sessionId = open.sessionId) =>
          store.listParticipants(open.stageArn, sessionId, filter, { maxResults: 1, ...page });
        const { nextToken = '' } = await list({ published: false }, {});
        expect(nextToken).toMatch(/^[a-zA-Z0-9_-]{1,1024}$/);
        await expect(list({ published: false }, { nextToken })).resolves.toHaveProperty('items.length', 1);

        const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const [version, name, ...position] = JSON.parse(Buffer.from(nextToken, 'base64url').toString());
        const refused = [
          list({ published: true }, { nextToken }),
          list({}, { nextToken }),
          list({ published: false }, { nextToken }, newSessionId()),
          listStages({ nextToken }),
          store.listSessions(open.stageArn, { nextToken }),
          store.listEvents(open.stageArn, open.sessionId, 'x', { nextToken }),
          ...['x', '====', 'bnVsbA', nextToken.slice(1), nextToken.slice(0, -4)].map((token) =>
            list({ published: false }, { nextToken: token }),
          ),
          list({ published: false }, { nextToken: forged([version + 1, name, ...position]) }),
          list({ published: false }, { nextToken: forged([version, name]) }),
          list({ published: false }, { nextToken: forged([version, name, 1, true]) }),
          list({ published: false }, { nextToken: forged([version, name, ...position, 'more']) }),
        ];
        for (const result of await Promise.allSettled(refused))
          expect(result).toMatchObject({
            status: 'rejected',
            reason: { shape: 'ValidationException', message: expect.stringContaining("'nextToken'") },
          });
      });
    });

    describe('outbox', () => {
      const told = (participantId: string, stageArn = arn) => {
        const recording = { stageArn, sessionId: 'st', participantId, bucketName: 'b', prefix: 'p' };
        return recordingStarted(recording, new Date(at(1)));
      };
      const arn = formatArn({ region, account, type: 'stage', id: newResourceId() });
      const names = async (query: { after?: number; stageArn?: string } = {}) =>
        (await store.outbox.list({ account, region, limit: 20_000, ...query })).map(
          ({ event }) => event.detail.participant_id,
        );

      it('has what is told of a change exactly when the change is there', async () => {
        const record = stage();
        await store.createStage(record);
        const { arn: stageArn } = record;
        const { sessionId } = session(stageArn);
        await store.startSession({ stageArn, sessionId, startTime: at(1) });
        const event: EventRecord = { stageArn, sessionId, participantId: 'p', name: 'JOINED', eventTime: at(2) };
        await store.addEvents([event], [told('event')]);
        await store.putParticipant(participant({ stageArn, sessionId, startTime: at(1) }), [told('state')]);
        const broken = { ...event, name: null as unknown as EventRecord['name'] };
        await expect(store.addEvents([broken], [told('never')])).rejects.toThrow();
        expect(await names()).toEqual(['event', 'state']);
        await reopen();
        expect(await names()).toEqual(['event', 'state']);
      });

      it('tells whoever listens when an event is durable, and hands each sink its events in order', async () => {
        const heard: string[] = [];
        store.outbox.onAdded((stageArn) => heard.push(stageArn));
        await store.outbox.setSinks(['a', 'b']);
        await store.outbox.add([told('1'), told('2'), told('x', stage().arn)]);
        expect(heard).toHaveLength(3);
        const next = async (sink: string) => (await store.outbox.next(sink, arn))?.id;
        expect([await next('a'), await next('b'), await next('c')]).toEqual([1, 1, undefined]);
        await store.outbox.delivered('a', 1);
        expect([await next('a'), await next('b')]).toEqual([2, 1]);
        await store.outbox.delivered('a', 2);
        expect([await next('a'), await next('b')]).toEqual([undefined, 1]);
        expect([await store.outbox.waiting('a'), await store.outbox.waiting('b')]).toEqual([1, 3]);
        expect((await store.outbox.waitingStages('b')).sort()).toHaveLength(2);
      });

      it('keeps so many events, and those that a sink has yet to take', { timeout: 60_000 }, async () => {
        const add = (count: number) => store.outbox.add(Array.from({ length: count }, (_, i) => told(String(i))));
        await store.outbox.setSinks(['a']);
        await add(keptEvents + 500);
        expect(await names({ after: 0 })).toHaveLength(keptEvents + 500);
        expect(await store.outbox.setSinks([])).toBe(keptEvents + 500);
        await add(499);
        expect(await names({ after: 0 })).toHaveLength(keptEvents + 999);
        await add(1);
        expect(await names({ after: 0 })).toHaveLength(keptEvents);
      });
    });

    it('finishes the writes under way when it is closed', async () => {
      const records = Array.from({ length: 50 }, () => stage());
      const writes = Promise.all(records.map((record) => store.createStage(record)));
      await reopen();
      await writes;
      for (const record of records) expect(await store.getStage(record.arn)).toEqual(record);
    });
  });
}
