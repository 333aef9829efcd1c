import { stageUpdate } from '../events/bus-event.ts';
import type { Log } from '../log.ts';
import type { EventRecord, Store, Unfinished } from '../store/types.ts';
import { resetIngestConfigurations } from './ingest.ts';

/** Ends what an earlier process left open when it died, and tells so: of publications, subscriptions, replications and presence, as of now, then of sessions. */
export async function endEarlierRun(store: Store, log: Log, now: Date): Promise<void> {
  const eventTime = now.toISOString();
  const ends = (await store.unfinished()).map((one) => ({ record: endOf(one, eventTime), subject: subjectOf(one) }));
  const told = ends.map(({ record, subject }) => stageUpdate(record, subject)).filter((one) => one !== undefined);
  // All at once: a transaction for each of thousands who were there would hold the start up.
  await store.addEvents(
    ends.map(({ record }) => record),
    told,
  );
  const ended = await store.endOpenSessions(eventTime);
  if (ended > 0) log.warn({ sessions: ended }, 'sessions that an earlier run left open were ended');
  await resetIngestConfigurations(store);
}

function endOf({ endName: name, participant, details }: Unfinished, eventTime: string): EventRecord {
  const { stageArn, sessionId, participantId } = participant;
  return { stageArn, sessionId, participantId, name, eventTime, ...details };
}

function subjectOf({ participant: { userId, replicationType, sourceStageArn, sourceSessionId } }: Unfinished) {
  const isReplica = replicationType === 'REPLICA' && sourceStageArn !== undefined && sourceSessionId !== undefined;
  return { userId, ...(isReplica && { source: { stageArn: sourceStageArn, sessionId: sourceSessionId } }) };
}
