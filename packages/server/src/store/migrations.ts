import { type Kysely, type Migration, sql } from 'kysely';

/** Every change of the schema, in the order of the names. One that was released is never edited. */
export const migrations: Record<string, Migration> = {
  '0001-stages': { up: createStages },
  '0002-sessions': { up: createSessions },
  '0003-participants': { up: createParticipants },
  '0004-events': { up: createEvents },
  '0005-replications': { up: createReplications },
  '0006-resources': { up: createResources },
  '0007-outbox': { up: createOutbox },
  '0008-recordings': { up: createRecordings },
};

// A migration sees the schema of its own time, not today's: hence `unknown`.
async function createStages(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stages')
    .addColumn('arn', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('recording', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('active_session_id', 'text')
    .execute();
  await db.schema
    .createIndex('stages_in_list_order')
    .on('stages')
    .columns(['account', 'region', 'created_at', 'arn'])
    .execute();
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sessions')
    .addColumn('stage_arn', 'text', (column) => column.notNull().references('stages.arn').onDelete('cascade'))
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('start_time', 'text', (column) => column.notNull())
    .addColumn('end_time', 'text')
    .addPrimaryKeyConstraint('sessions_key', ['stage_arn', 'session_id'])
    .execute();
  await db.schema
    .createIndex('sessions_in_list_order')
    .on('sessions')
    .columns(['stage_arn', 'start_time', 'session_id'])
    .execute();
  await db.schema
    .createIndex('sessions_open')
    .on('sessions')
    .column('session_id')
    .where(sql.ref('end_time'), 'is', null)
    .execute();
}

async function createParticipants(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('participants')
    .addColumn('stage_arn', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('attributes', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('first_join_time', 'text', (column) => column.notNull())
    .addColumn('published', 'integer', (column) => column.notNull())
    .addColumn('protocol', 'text', (column) => column.notNull())
    .addColumn('client', 'text', (column) => column.notNull())
    .addColumn('barred', 'integer', (column) => column.notNull())
    .addColumn('recording_state', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('participants_key', ['stage_arn', 'session_id', 'participant_id'])
    .addForeignKeyConstraint(
      'participants_session',
      ['stage_arn', 'session_id'],
      'sessions',
      ['stage_arn', 'session_id'],
      (key) => key.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('participants_in_list_order')
    .on('participants')
    .columns(['stage_arn', 'session_id', 'first_join_time', 'participant_id'])
    .execute();
  await db.schema
    .createIndex('participants_connected')
    .on('participants')
    .column('participant_id')
    .where(sql.ref('state'), '=', sql.lit('CONNECTED'))
    .execute();
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('events')
    // Never reused, so that a page token stays right after deletions.
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('stage_arn', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('event_time', 'text', (column) => column.notNull())
    .addColumn('remote_participant_id', 'text')
    .addColumn('error_code', 'text')
    .addForeignKeyConstraint(
      'events_session',
      ['stage_arn', 'session_id'],
      'sessions',
      ['stage_arn', 'session_id'],
      (key) => key.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('events_in_list_order')
    .on('events')
    .columns(['stage_arn', 'session_id', 'participant_id', 'id'])
    .execute();
}

async function createReplications(db: Kysely<unknown>): Promise<void> {
  for (const column of [
    'replication_type',
    'replication_state',
    'source_stage_arn',
    'source_session_id',
    'ingest_configuration_arn',
  ])
    await db.schema.alterTable('participants').addColumn(column, 'text').execute();
  await db.schema.alterTable('participants').addColumn('redundant_ingest', 'integer').execute();
  await db.schema
    .createIndex('participants_replicating')
    .on('participants')
    .column('participant_id')
    .where(sql.ref('replication_state'), '=', sql.lit('ACTIVE'))
    .execute();
  for (const column of ['destination_stage_arn', 'destination_session_id', 'previous_token', 'new_token'])
    await db.schema.alterTable('events').addColumn(column, 'text').execute();
  await db.schema.alterTable('events').addColumn('replica', 'integer').execute();
  await db.schema
    .createTable('replications')
    .addColumn('source_stage_arn', 'text', (column) => column.notNull())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('source_session_id', 'text', (column) => column.notNull())
    .addColumn('destination_stage_arn', 'text', (column) => column.notNull())
    .addColumn('destination_session_id', 'text', (column) => column.notNull())
    .addColumn('replication_state', 'text', (column) => column.notNull())
    .addColumn('reconnect_window_seconds', 'integer', (column) => column.notNull())
    .addColumn('attributes', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('replications_key', [
      'source_stage_arn',
      'participant_id',
      'source_session_id',
      'destination_stage_arn',
    ])
    .addForeignKeyConstraint(
      'replications_session',
      ['source_stage_arn', 'source_session_id'],
      'sessions',
      ['stage_arn', 'session_id'],
      (key) => key.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('replications_active')
    .on('replications')
    .column('source_stage_arn')
    .where(sql.ref('replication_state'), '=', sql.lit('ACTIVE'))
    .execute();
}

async function createRecordings(db: Kysely<unknown>): Promise<void> {
  for (const column of ['recording_bucket', 'recording_prefix'])
    await db.schema.alterTable('participants').addColumn(column, 'text').execute();
  await db.schema
    .createTable('recordings')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .execute();
}

async function createResources(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('resources')
    .addColumn('arn', 'text', (column) => column.primaryKey().notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('resources_in_list_order')
    .on('resources')
    .columns(['kind', 'account', 'region', 'created_at', 'arn'])
    .execute();
  await db.schema
    .createTable('resource_facts')
    .addColumn('arn', 'text', (column) => column.notNull().references('resources.arn').onDelete('cascade'))
    .addColumn('fact', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('resource_facts_key', ['arn', 'fact', 'value'])
    .execute();
  await db.schema.createIndex('resource_facts_found').on('resource_facts').columns(['fact', 'value', 'arn']).execute();
}

async function createOutbox(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outbox')
    // Never reused: readers remember the last one that they have seen.
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('stage_arn', 'text', (column) => column.notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('time', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('outbox_in_order').on('outbox').columns(['account', 'region', 'id']).execute();
  await db.schema
    .createTable('outbox_pending')
    .addColumn('sink', 'text', (column) => column.notNull())
    .addColumn('stage_arn', 'text', (column) => column.notNull())
    .addColumn('event_id', 'integer', (column) => column.notNull().references('outbox.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('outbox_pending_key', ['sink', 'stage_arn', 'event_id'])
    .execute();
  await db.schema.createIndex('outbox_pending_by_event').on('outbox_pending').columns(['event_id', 'sink']).execute();
}
