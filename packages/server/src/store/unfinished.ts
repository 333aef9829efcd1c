import { type Kysely, sql } from 'kysely';
import { participantRecord } from './rows.ts';
import type { Schema } from './schema.ts';
import type { EventName, Unfinished } from './types.ts';

/** What ends what has begun, in the order in which a participant leaves. */
const pairs: readonly (readonly [began: EventName, ended: EventName])[] = [
  ['SUBSCRIBE_STARTED', 'SUBSCRIBE_STOPPED'],
  ['PUBLISH_STARTED', 'PUBLISH_STOPPED'],
  ['REPLICATION_STARTED', 'REPLICATION_STOPPED'],
  ['JOINED', 'LEFT'],
];

/** What began more often than it ended: of a connection that takes another's place the end of the other comes last. */
export async function selectUnfinished(reader: Kysely<Schema>): Promise<Unfinished[]> {
  const found = await Promise.all(pairs.map(([began, ended]) => selectPair(reader, began, ended)));
  return found.flat();
}

async function selectPair(reader: Kysely<Schema>, began: EventName, endName: EventName): Promise<Unfinished[]> {
  const rows = await reader
    .selectFrom('events')
    .innerJoin('sessions', (join) =>
      join.onRef('sessions.stage_arn', '=', 'events.stage_arn').onRef('sessions.session_id', '=', 'events.session_id'),
    )
    .innerJoin('participants', (join) =>
      join
        .onRef('participants.stage_arn', '=', 'events.stage_arn')
        .onRef('participants.session_id', '=', 'events.session_id')
        .onRef('participants.participant_id', '=', 'events.participant_id'),
    )
    .selectAll('participants')
    .select(({ fn, ref }) => [
      'events.remote_participant_id',
      'events.destination_stage_arn',
      fn.max('events.destination_session_id').as('destination_session_id'),
      fn.max('events.replica').as('replica'),
      sql<number>`sum(case when ${ref('events.name')} = ${began} then 1 else -1 end)`.as('open'),
    ])
    .where('sessions.end_time', 'is', null)
    .where('events.name', 'in', [began, endName])
    .groupBy([
      ...(['events.stage_arn', 'events.session_id', 'events.participant_id'] as const),
      ...(['events.remote_participant_id', 'events.destination_stage_arn'] as const),
    ])
    .having(({ ref }) => sql`sum(case when ${ref('events.name')} = ${began} then 1 else -1 end)`, '>', 0)
    .execute();
  return rows.map((row) => ({
    endName,
    participant: participantRecord(row),
    details: {
      ...(row.remote_participant_id !== null && { remoteParticipantId: row.remote_participant_id }),
      ...(row.destination_stage_arn !== null && { destinationStageArn: row.destination_stage_arn }),
      ...(row.destination_session_id !== null && { destinationSessionId: row.destination_session_id }),
      ...(row.replica !== null && { replica: row.replica === 1 }),
    },
  }));
}
