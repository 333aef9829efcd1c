import type { CompiledQuery, Kysely, Transaction } from 'kysely';
import type { Announcement } from '../events/bus-event.ts';
import { ListCursor } from './list-cursor.ts';
import { OutboxTable } from './outbox.ts';
import { ResourceTable } from './resources.ts';
import {
  eventRecord,
  eventRow,
  participantRecord,
  participantRow,
  replicationRecord,
  replicationRow,
  sessionRecord,
  sessionRow,
  stageChangeRow,
  stageRecord,
  stageRow,
} from './rows.ts';
import type { Schema, StageRow } from './schema.ts';
import type {
  Counts,
  EventRecord,
  Page,
  PageRequest,
  ParticipantFilter,
  ParticipantRecord,
  ParticipantRecording,
  RecordingRecord,
  ReplicationRecord,
  Resources,
  Scope,
  SessionRecord,
  StageChange,
  StageRecord,
  Store,
  Unfinished,
} from './types.ts';
import { selectUnfinished } from './unfinished.ts';
import type { Writer } from './writer.ts';

/** The store in SQL that SQLite and PostgreSQL both speak. */
export class SqlStore implements Store {
  readonly #reader: Kysely<Schema>;
  readonly #writer: Writer<Schema>;
  readonly #close: () => Promise<void>;
  readonly #stageByArn: CompiledQuery<StageRow>;
  readonly outbox: OutboxTable;
  readonly storageConfigurations: Store['storageConfigurations'];
  readonly encoderConfigurations: Store['encoderConfigurations'];
  readonly ingestConfigurations: Store['ingestConfigurations'];
  readonly publicKeys: Store['publicKeys'];
  readonly compositions: Store['compositions'];

  /** `reader` sees what `writer` has committed, and nothing else. `close` is called when the last write has settled. */
  constructor(reader: Kysely<Schema>, writer: Writer<Schema>, close: () => Promise<void>) {
    this.#reader = reader;
    this.#writer = writer;
    this.#close = close;
    this.outbox = new OutboxTable(reader, writer);
    // The read behind every GetStage and every join: composed once.
    this.#stageByArn = reader.selectFrom('stages').selectAll().where('arn', '=', '').compile();
    const resources = resourcesIn(reader);
    this.storageConfigurations = resources.storageConfigurations;
    this.encoderConfigurations = resources.encoderConfigurations;
    this.ingestConfigurations = resources.ingestConfigurations;
    this.publicKeys = resources.publicKeys;
    this.compositions = resources.compositions;
  }

  createStage(record: StageRecord, limit?: number): Promise<boolean> {
    return this.#writer.write(async (transaction) => {
      if (limit !== undefined && (await countStages(transaction, record)) >= limit) return false;
      await transaction.insertInto('stages').values(stageRow(record)).execute();
      return true;
    });
  }

  async getStage(arn: string): Promise<StageRecord | undefined> {
    const { rows } = await this.#reader.executeQuery<StageRow>({ ...this.#stageByArn, parameters: [arn] });
    return rows[0] && stageRecord(rows[0]);
  }

  updateStage(
    arn: string,
    change: StageChange | ((current: StageRecord) => StageChange),
  ): Promise<StageRecord | undefined> {
    return this.#writer.write(async (transaction) => {
      const row = await transaction.selectFrom('stages').selectAll().where('arn', '=', arn).executeTakeFirst();
      if (!row) return undefined;
      const changed = stageChangeRow(typeof change === 'function' ? change(stageRecord(row)) : change);
      if (Object.keys(changed).length > 0)
        await transaction.updateTable('stages').set(changed).where('arn', '=', arn).execute();
      return stageRecord({ ...row, ...changed });
    });
  }

  deleteStage(arn: string): Promise<boolean> {
    return this.#writer.write(async (transaction) => {
      const { numDeletedRows } = await transaction
        .deleteFrom('stages')
        .where('arn', '=', arn)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    });
  }

  async listStages(scope: Scope, request: PageRequest): Promise<Page<StageRecord>> {
    const cursor = new ListCursor(
      {
        of: ['stages', scope.account, scope.region],
        columns: { created_at: 'string', arn: 'string' },
        direction: 'asc',
      },
      request,
    );
    const rows = await this.#reader
      .selectFrom('stages')
      .selectAll()
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .where(cursor.condition)
      .orderBy(cursor.orderBy)
      .limit(cursor.limit)
      .execute();
    return cursor.page(rows, stageRecord);
  }

  startSession(record: SessionRecord): Promise<void> {
    return this.#writer.write(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('stages')
        .set({ active_session_id: record.sessionId })
        .where('arn', '=', record.stageArn)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows > 0n) await transaction.insertInto('sessions').values(sessionRow(record)).execute();
    });
  }

  endSession(stageArn: string, sessionId: string, endTime: string): Promise<void> {
    return this.#writer.write(async (transaction) => {
      await transaction
        .updateTable('sessions')
        .set({ end_time: endTime })
        .where('stage_arn', '=', stageArn)
        .where('session_id', '=', sessionId)
        .where('end_time', 'is', null)
        .execute();
      await transaction
        .updateTable('stages')
        .set({ active_session_id: null })
        .where('arn', '=', stageArn)
        .where('active_session_id', '=', sessionId)
        .execute();
      await transaction
        .updateTable('participants')
        .set({ state: 'DISCONNECTED' })
        .where('stage_arn', '=', stageArn)
        .where('session_id', '=', sessionId)
        .where('state', '=', 'CONNECTED')
        .execute();
    });
  }

  endOpenSessions(endTime: string): Promise<number> {
    return this.#writer.write(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('sessions')
        .set({ end_time: endTime })
        .where('end_time', 'is', null)
        .executeTakeFirstOrThrow();
      await transaction
        .updateTable('stages')
        .set({ active_session_id: null })
        .where('active_session_id', 'is not', null)
        .execute();
      await transaction
        .updateTable('participants')
        .set({ state: 'DISCONNECTED' })
        .where('state', '=', 'CONNECTED')
        .execute();
      await transaction
        .updateTable('replications')
        .set({ replication_state: 'STOPPED' })
        .where('replication_state', '=', 'ACTIVE')
        .execute();
      await transaction
        .updateTable('participants')
        .set({ replication_state: 'STOPPED' })
        .where('replication_state', '=', 'ACTIVE')
        .execute();
      return Number(numUpdatedRows);
    });
  }

  unfinished(): Promise<Unfinished[]> {
    return selectUnfinished(this.#reader);
  }

  async getSession(stageArn: string, sessionId: string): Promise<SessionRecord | undefined> {
    const row = await this.#reader
      .selectFrom('sessions')
      .selectAll()
      .where('stage_arn', '=', stageArn)
      .where('session_id', '=', sessionId)
      .executeTakeFirst();
    return row && sessionRecord(row);
  }

  async listSessions(stageArn: string, request: PageRequest): Promise<Page<SessionRecord>> {
    const cursor = new ListCursor(
      { of: ['sessions', stageArn], columns: { start_time: 'string', session_id: 'string' }, direction: 'desc' },
      request,
    );
    const rows = await this.#reader
      .selectFrom('sessions')
      .selectAll()
      .where('stage_arn', '=', stageArn)
      .where(cursor.condition)
      .orderBy(cursor.orderBy)
      .limit(cursor.limit)
      .execute();
    return cursor.page(rows, sessionRecord);
  }

  putParticipant(record: ParticipantRecord, announcements: readonly Announcement[] = []): Promise<void> {
    const row = participantRow(record);
    const { recording_state, recording_bucket, recording_prefix, ...others } = row;
    const changed = record.recordingState === undefined ? others : row;
    return this.#announce(announcements, async (transaction) => {
      if (!(await sessionExists(transaction, record))) return;
      await transaction
        .insertInto('participants')
        .values(row)
        .onConflict((conflict) => conflict.columns(['stage_arn', 'session_id', 'participant_id']).doUpdateSet(changed))
        .execute();
    });
  }

  setParticipantRecording(
    stageArn: string,
    sessionId: string,
    participantId: string,
    { recordingState, recordingS3BucketName, recordingS3Prefix }: ParticipantRecording,
    announcements: readonly Announcement[] = [],
  ): Promise<void> {
    return this.#announce(announcements, async (transaction) => {
      await transaction
        .updateTable('participants')
        .set({
          recording_state: recordingState,
          recording_bucket: recordingS3BucketName,
          recording_prefix: recordingS3Prefix,
        })
        .where('stage_arn', '=', stageArn)
        .where('session_id', '=', sessionId)
        .where('participant_id', '=', participantId)
        .execute();
    });
  }

  putRecording(record: RecordingRecord): Promise<void> {
    const document = JSON.stringify(record);
    return this.#writer.write(async (transaction) => {
      await transaction
        .insertInto('recordings')
        .values({ id: record.id, document })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ document }))
        .execute();
    });
  }

  deleteRecording(id: string): Promise<void> {
    return this.#writer.write(async (transaction) => {
      await transaction.deleteFrom('recordings').where('id', '=', id).execute();
    });
  }

  async openRecordings(): Promise<RecordingRecord[]> {
    const rows = await this.#reader.selectFrom('recordings').selectAll().orderBy('id').execute();
    return rows.map(({ document }) => JSON.parse(document) as RecordingRecord);
  }

  async getParticipant(
    stageArn: string,
    sessionId: string,
    participantId: string,
  ): Promise<ParticipantRecord | undefined> {
    const row = await this.#reader
      .selectFrom('participants')
      .selectAll()
      .where('stage_arn', '=', stageArn)
      .where('session_id', '=', sessionId)
      .where('participant_id', '=', participantId)
      .executeTakeFirst();
    return row && participantRecord(row);
  }

  async listParticipants(
    stageArn: string,
    sessionId: string,
    filter: ParticipantFilter,
    request: PageRequest,
  ): Promise<Page<ParticipantRecord>> {
    const { userId, published, state, recordingState } = filter;
    const cursor = new ListCursor(
      {
        of: ['participants', stageArn, sessionId, userId, published, state, recordingState],
        columns: { first_join_time: 'string', participant_id: 'string' },
        direction: 'asc',
      },
      request,
    );
    let query = this.#reader
      .selectFrom('participants')
      .selectAll()
      .where('stage_arn', '=', stageArn)
      .where('session_id', '=', sessionId)
      .where(cursor.condition);
    if (userId !== undefined) query = query.where('user_id', '=', JSON.stringify(userId));
    if (published !== undefined) query = query.where('published', '=', Number(published));
    if (state !== undefined) query = query.where('state', '=', state);
    if (recordingState !== undefined) query = query.where('recording_state', '=', recordingState);
    const rows = await query.orderBy(cursor.orderBy).limit(cursor.limit).execute();
    return cursor.page(rows, participantRecord);
  }

  addEvents(records: readonly EventRecord[], announcements: readonly Announcement[] = []): Promise<void> {
    return this.#announce(announcements, async (transaction) => {
      for (const record of records)
        if (await sessionExists(transaction, record))
          await transaction.insertInto('events').values(eventRow(record)).execute();
    });
  }

  async listEvents(
    stageArn: string,
    sessionId: string,
    participantId: string,
    request: PageRequest,
  ): Promise<Page<EventRecord>> {
    const cursor = new ListCursor(
      { of: ['events', stageArn, sessionId, participantId], columns: { id: 'number' }, direction: 'desc' },
      request,
    );
    const rows = await this.#reader
      .selectFrom('events')
      .selectAll()
      .where('stage_arn', '=', stageArn)
      .where('session_id', '=', sessionId)
      .where('participant_id', '=', participantId)
      .where(cursor.condition)
      .orderBy(cursor.orderBy)
      .limit(cursor.limit)
      .execute();
    return cursor.page(rows, eventRecord);
  }

  putReplication(record: ReplicationRecord): Promise<void> {
    const row = replicationRow(record);
    const { sourceStageArn: stageArn, sourceSessionId: sessionId } = record;
    return this.#writer.write(async (transaction) => {
      if (!(await sessionExists(transaction, { stageArn, sessionId }))) return;
      await transaction
        .insertInto('replications')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['source_stage_arn', 'participant_id', 'source_session_id', 'destination_stage_arn'])
            .doUpdateSet(row),
        )
        .execute();
    });
  }

  async listReplications(
    sourceStageArn: string,
    participantId: string,
    request: PageRequest,
  ): Promise<Page<ReplicationRecord>> {
    const cursor = new ListCursor(
      {
        of: ['replications', sourceStageArn, participantId],
        columns: { started_at: 'string', source_session_id: 'string', destination_stage_arn: 'string' },
        direction: 'asc',
      },
      request,
    );
    const rows = await this.#reader
      .selectFrom('replications')
      .selectAll()
      .where('source_stage_arn', '=', sourceStageArn)
      .where('participant_id', '=', participantId)
      .where(cursor.condition)
      .orderBy(cursor.orderBy)
      .limit(cursor.limit)
      .execute();
    return cursor.page(rows, replicationRecord);
  }

  change<T>(run: (resources: Resources) => Promise<T>): Promise<T> {
    return this.#writer.write((transaction) => run(resourcesIn(transaction)));
  }

  /** A change and what is told of it: both or neither. */
  async #announce(
    announcements: readonly Announcement[],
    change: (transaction: Transaction<Schema>) => Promise<void>,
  ): Promise<void> {
    await this.#writer.write(async (transaction) => {
      await change(transaction);
      await this.outbox.insert(transaction, announcements);
    });
    this.outbox.added(announcements);
  }

  async counts(): Promise<Counts> {
    const count = (table: 'stages' | 'sessions' | 'participants') =>
      this.#reader.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'));
    const [stages, sessions, participants] = await Promise.all([
      count('stages').executeTakeFirstOrThrow(),
      count('sessions').where('end_time', 'is', null).executeTakeFirstOrThrow(),
      count('participants').where('state', '=', 'CONNECTED').executeTakeFirstOrThrow(),
    ]);
    return {
      stages: Number(stages.count),
      activeSessions: Number(sessions.count),
      connectedParticipants: Number(participants.count),
    };
  }

  async close(): Promise<void> {
    await this.#writer.idle();
    await this.#close();
  }
}

function resourcesIn(database: Kysely<Schema>): Resources {
  return {
    storageConfigurations: new ResourceTable(database, 'storageConfigurations'),
    encoderConfigurations: new ResourceTable(database, 'encoderConfigurations'),
    ingestConfigurations: new ResourceTable(database, 'ingestConfigurations'),
    publicKeys: new ResourceTable(database, 'publicKeys'),
    compositions: new ResourceTable(database, 'compositions'),
    async stage(arn) {
      const row = await database.selectFrom('stages').selectAll().where('arn', '=', arn).executeTakeFirst();
      return row && stageRecord(row);
    },
  };
}

async function countStages(transaction: Transaction<Schema>, { account, region }: Scope): Promise<number> {
  const { count } = await transaction
    .selectFrom('stages')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .where('region', '=', region)
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function sessionExists(
  transaction: Transaction<Schema>,
  { stageArn, sessionId }: { stageArn: string; sessionId: string },
): Promise<boolean> {
  const row = await transaction
    .selectFrom('sessions')
    .select('session_id')
    .where('stage_arn', '=', stageArn)
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  return row !== undefined;
}
