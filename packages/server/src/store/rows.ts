import type { Selectable } from 'kysely';
import type { EventRow, ParticipantRow, ReplicationRow, SessionRow, StageRow } from './schema.ts';
import type {
  EventRecord,
  ParticipantRecord,
  ReplicationRecord,
  SessionRecord,
  StageChange,
  StageRecord,
} from './types.ts';

/** Records to rows of the tables, and back. */
export function stageRow(record: StageRecord): StageRow {
  return {
    arn: record.arn,
    account: record.account,
    region: record.region,
    name: record.name,
    tags: JSON.stringify(record.tags),
    recording: JSON.stringify(record.recording),
    created_at: record.createdAt,
    active_session_id: record.activeSessionId ?? null,
  };
}

export function stageChangeRow(change: StageChange): Partial<StageRow> {
  return {
    ...(change.name !== undefined && { name: change.name }),
    ...(change.tags && { tags: JSON.stringify(change.tags) }),
    ...(change.recording && { recording: JSON.stringify(change.recording) }),
  };
}

export function stageRecord(row: StageRow): StageRecord {
  return {
    arn: row.arn,
    account: row.account,
    region: row.region,
    name: row.name,
    tags: JSON.parse(row.tags),
    recording: JSON.parse(row.recording),
    createdAt: row.created_at,
    ...(row.active_session_id !== null && { activeSessionId: row.active_session_id }),
  };
}

export function sessionRow(record: SessionRecord): SessionRow {
  return {
    stage_arn: record.stageArn,
    session_id: record.sessionId,
    start_time: record.startTime,
    end_time: record.endTime ?? null,
  };
}

export function sessionRecord(row: SessionRow): SessionRecord {
  return {
    stageArn: row.stage_arn,
    sessionId: row.session_id,
    startTime: row.start_time,
    ...(row.end_time !== null && { endTime: row.end_time }),
  };
}

export function participantRow(record: ParticipantRecord): ParticipantRow {
  return {
    stage_arn: record.stageArn,
    session_id: record.sessionId,
    participant_id: record.participantId,
    user_id: JSON.stringify(record.userId),
    attributes: JSON.stringify(record.attributes),
    state: record.state,
    first_join_time: record.firstJoinTime,
    published: Number(record.published),
    protocol: record.protocol,
    client: JSON.stringify(record.client),
    barred: Number(record.barred),
    recording_state: record.recordingState ?? 'DISABLED',
    recording_bucket: record.recordingS3BucketName ?? null,
    recording_prefix: record.recordingS3Prefix ?? null,
    replication_type: record.replicationType ?? null,
    replication_state: record.replicationState ?? null,
    source_stage_arn: record.sourceStageArn ?? null,
    source_session_id: record.sourceSessionId ?? null,
    redundant_ingest: flag(record.redundantIngest),
    ingest_configuration_arn: record.ingestConfigurationArn ?? null,
  };
}

export function participantRecord(row: ParticipantRow): ParticipantRecord {
  return {
    stageArn: row.stage_arn,
    sessionId: row.session_id,
    participantId: row.participant_id,
    userId: JSON.parse(row.user_id),
    attributes: JSON.parse(row.attributes),
    state: row.state,
    firstJoinTime: row.first_join_time,
    published: row.published === 1,
    protocol: row.protocol,
    client: JSON.parse(row.client),
    barred: row.barred === 1,
    recordingState: row.recording_state,
    ...(row.recording_bucket !== null && { recordingS3BucketName: row.recording_bucket }),
    ...(row.recording_prefix !== null && { recordingS3Prefix: row.recording_prefix }),
    ...(row.replication_type !== null && { replicationType: row.replication_type }),
    ...(row.replication_state !== null && { replicationState: row.replication_state }),
    ...(row.source_stage_arn !== null && { sourceStageArn: row.source_stage_arn }),
    ...(row.source_session_id !== null && { sourceSessionId: row.source_session_id }),
    ...(row.redundant_ingest !== null && { redundantIngest: row.redundant_ingest === 1 }),
    ...(row.ingest_configuration_arn !== null && { ingestConfigurationArn: row.ingest_configuration_arn }),
  };
}

export function eventRow(record: EventRecord): Omit<EventRow, 'id'> {
  return {
    stage_arn: record.stageArn,
    session_id: record.sessionId,
    participant_id: record.participantId,
    name: record.name,
    event_time: record.eventTime,
    remote_participant_id: record.remoteParticipantId ?? null,
    error_code: record.errorCode ?? null,
    destination_stage_arn: record.destinationStageArn ?? null,
    destination_session_id: record.destinationSessionId ?? null,
    replica: flag(record.replica),
    previous_token: record.previousToken ? JSON.stringify(record.previousToken) : null,
    new_token: record.newToken ? JSON.stringify(record.newToken) : null,
  };
}

export function eventRecord(row: Selectable<EventRow>): EventRecord {
  return {
    stageArn: row.stage_arn,
    sessionId: row.session_id,
    participantId: row.participant_id,
    name: row.name,
    eventTime: row.event_time,
    ...(row.remote_participant_id !== null && { remoteParticipantId: row.remote_participant_id }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.destination_stage_arn !== null && { destinationStageArn: row.destination_stage_arn }),
    ...(row.destination_session_id !== null && { destinationSessionId: row.destination_session_id }),
    ...(row.replica !== null && { replica: row.replica === 1 }),
    ...(row.previous_token !== null && { previousToken: JSON.parse(row.previous_token) }),
    ...(row.new_token !== null && { newToken: JSON.parse(row.new_token) }),
  };
}

export function replicationRow(record: ReplicationRecord): ReplicationRow {
  return {
    source_stage_arn: record.sourceStageArn,
    participant_id: record.participantId,
    source_session_id: record.sourceSessionId,
    destination_stage_arn: record.destinationStageArn,
    destination_session_id: record.destinationSessionId,
    replication_state: record.replicationState,
    reconnect_window_seconds: record.reconnectWindowSeconds,
    attributes: JSON.stringify(record.attributes),
    started_at: record.startedAt,
  };
}

export function replicationRecord(row: ReplicationRow): ReplicationRecord {
  return {
    sourceStageArn: row.source_stage_arn,
    participantId: row.participant_id,
    sourceSessionId: row.source_session_id,
    destinationStageArn: row.destination_stage_arn,
    destinationSessionId: row.destination_session_id,
    replicationState: row.replication_state,
    reconnectWindowSeconds: row.reconnect_window_seconds,
    attributes: JSON.parse(row.attributes),
    startedAt: row.started_at,
  };
}

const flag = (value: boolean | undefined) => (value === undefined ? null : Number(value));
