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

interface Session {
  stage_arn: string;
  session_id: string;
}

/** What began more often than it ended: of a connection that takes another's place the end of the other comes last. */
export async function selectUnfinished(reader: Kysely<Schema>): Promise<Unfinished[]> {
  // A session at a time: joined with them, all events that were ever kept would be read.
  const sessions = await reader
    .selectFrom('sessions')
    .select(['stage_arn', 'session_id'])
    .where('end_time', 'is', null)
    .execute();
  const found: Unfinished[] = [];
  for (const session of sessions) for (const pair of pairs) found.push(...(await selectPair(reader, session, ...pair)));
  return found;
}

async function selectPair(
  reader: Kysely<Schema>,
  session: Session,
  began: EventName,
  endName: EventName,
): Promise<Unfinished[]> {
  const rows = await reader
    .selectFrom('events')
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
    .where('events.stage_arn', '=', session.stage_arn)
    .where('events.session_id', '=', session.session_id)
    .where('events.name', 'in', [began, endName])
    .groupBy([
      ...(['participants.stage_arn', 'participants.session_id', 'participants.participant_id'] as const),
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
