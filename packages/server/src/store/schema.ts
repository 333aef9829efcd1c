import type { Generated } from 'kysely';
import type { EventName, ParticipantRecord, RecordingState } from './types.ts';

/**
 * The tables. Maps and free text that users send are kept as JSON: it holds a NUL and a lone surrogate, which a text
 * column cannot. Flags are 0 or 1.
 */
export interface Schema {
  stages: StageRow;
  sessions: SessionRow;
  participants: ParticipantRow;
  events: EventRow;
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
}
