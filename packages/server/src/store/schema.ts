import type { Generated } from 'kysely';
import type { EventName, ParticipantRecord, RecordingState, ReplicationState, ResourceKind } from './types.ts';

/**
 * The tables. Maps and free text that users send are kept as JSON: it holds a NUL and a lone surrogate, which a text
 * column cannot. Flags are 0 or 1.
 */
export interface Schema {
  stages: StageRow;
  sessions: SessionRow;
  participants: ParticipantRow;
  events: EventRow;
  replications: ReplicationRow;
  resources: ResourceRow;
  resource_facts: ResourceFactRow;
  outbox: OutboxRow;
  outbox_pending: OutboxPendingRow;
  recordings: RecordingRow;
}

/** A recording that has not ended. */
export interface RecordingRow {
  id: string;
  document: string;
}

export interface StageRow {
  arn: string;
  account: string;
  region: string;
  name: string;
  tags: string;
  recording: string;
  created_at: string;
  active_session_id: string | null;
}

export interface SessionRow {
  stage_arn: string;
  session_id: string;
  start_time: string;
  end_time: string | null;
}

export interface ParticipantRow {
  stage_arn: string;
  session_id: string;
  participant_id: string;
  user_id: string;
  attributes: string;
  state: ParticipantRecord['state'];
  first_join_time: string;
  published: number;
  protocol: ParticipantRecord['protocol'];
  client: string;
  barred: number;
  recording_state: RecordingState;
  recording_bucket: string | null;
  recording_prefix: string | null;
  replication_type: 'SOURCE' | 'REPLICA' | null;
  replication_state: ReplicationState | null;
  source_stage_arn: string | null;
  source_session_id: string | null;
  redundant_ingest: number | null;
  ingest_configuration_arn: string | null;
}

export interface EventRow {
  id: Generated<number>;
  stage_arn: string;
  session_id: string;
  participant_id: string;
  name: EventName;
  event_time: string;
  remote_participant_id: string | null;
  error_code: string | null;
  destination_stage_arn: string | null;
  destination_session_id: string | null;
  replica: number | null;
  previous_token: string | null;
  new_token: string | null;
}

export interface ReplicationRow {
  source_stage_arn: string;
  participant_id: string;
  source_session_id: string;
  destination_stage_arn: string;
  destination_session_id: string;
  replication_state: ReplicationState;
  reconnect_window_seconds: number;
  attributes: string;
  started_at: string;
}

export interface ResourceRow {
  arn: string;
  kind: ResourceKind;
  account: string;
  region: string;
  created_at: string;
  /** Everything else of the record. */
  document: string;
}

/** What a resource is looked up by. */
export interface ResourceFactRow {
  arn: string;
  fact: string;
  value: string;
}

/** An event of the bus; the stage is that among whose events it keeps its place. */
export interface OutboxRow {
  id: Generated<number>;
  stage_arn: string;
  account: string;
  region: string;
  time: string;
  event: string;
}

/** A sink that has yet to take an event. */
export interface OutboxPendingRow {
  sink: string;
  stage_arn: string;
  event_id: number;
}
