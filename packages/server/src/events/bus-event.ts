import { randomUUID } from 'node:crypto';
import { type ExchangedParticipantToken, parseArn } from '@footlights/model';
import type { EventName, EventRecord } from '../store/types.ts';

/** An event in the form in which EventBridge hands IVS's events on. */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': DetailType;
  source: 'aws.ivs';
  account: string;
  /** ISO 8601, whole seconds. */
  time: string;
  region: string;
  /** The stage; of a composition's events the composition. */
  resources: [string];
  detail: { event_name: string } & Record<string, unknown>;
}

export type DetailType = 'IVS Stage Update' | 'IVS Participant Recording State Change' | 'IVS Composition State Change';

/** An event to be told, and the stage among whose events it keeps its place. */
export interface Announcement {
  stageArn: string;
  event: BusEvent;
}

/** What the bus says of a participant beside what the participant event does. */
export interface EventSubject {
  userId: string;
  /** Where a replica comes from. */
  source?: { stageArn: string; sessionId: string };
}

/** The participant events that the bus has too; of joins, leaves and subscriptions it says nothing. */
const stageUpdates: { readonly [N in EventName]?: string } = {
  PUBLISH_STARTED: 'Participant Published',
  PUBLISH_STOPPED: 'Participant Unpublished',
  PUBLISH_ERROR: 'Participant Publish Error',
  REPLICATION_STARTED: 'Participant Replication Start',
  REPLICATION_STOPPED: 'Participant Replication End',
  TOKEN_EXCHANGED: 'Token Exchanged',
};

/** What the bus tells of a participant event; undefined where it tells nothing. */
export function stageUpdate(record: EventRecord, { userId, source }: EventSubject): Announcement | undefined {
  const eventName = stageUpdates[record.name];
  if (eventName === undefined) return undefined;
  const { stageArn, eventTime } = record;
  const detail = {
    session_id: record.sessionId,
    event_name: eventName,
    ...timesOf(record),
    user_id: userId,
    participant_id: record.participantId,
    ...(record.errorCode !== undefined && { error_code: record.errorCode }),
    ...(record.destinationStageArn !== undefined && { destination_stage_arn: record.destinationStageArn }),
    ...(record.destinationSessionId !== undefined && { destination_session_id: record.destinationSessionId }),
    ...(source && { replica: true, source_stage_arn: source.stageArn, source_session_id: source.sessionId }),
    ...(record.previousToken && { previous_token: tokenDetail(record.previousToken) }),
    ...(record.newToken && { new_token: tokenDetail(record.newToken) }),
  };
  return announcement('IVS Stage Update', stageArn, stageArn, detail, eventTime);
}

/** The precision of AWS's samples: seconds beside microseconds of what is published, nanoseconds of an error. */
function timesOf({ name, eventTime }: EventRecord): Record<string, string> {
  if (name === 'PUBLISH_ERROR') return { event_time: eventTime.replace('Z', '000000Z') };
  if (name !== 'PUBLISH_STARTED' && name !== 'PUBLISH_STOPPED') return { event_time: toSeconds(eventTime) };
  return { event_time: toSeconds(eventTime), event_time_precise: eventTime.replace('Z', '000Z') };
}

const tokenDetail = ({ capabilities, attributes, userId, expirationTime }: ExchangedParticipantToken) => ({
  capabilities,
  attributes,
  user_id: userId,
  expiration_time: expirationTime,
});

/** What errors of recordings and compositions are called, and the reason that goes with each. */
export const failureReasons = {
  ResourceNotFoundException: 'bucket not found',
  AccessDeniedException: 'access denied',
  ConflictException: 'stream already exists',
  ValidationException: 'codec not supported for recording',
  InternalServerException: 'service internal error',
} as const;
export type FailureCode = keyof typeof failureReasons;

/** One recording of one participant, as its events name it. */
export interface RecordedParticipant {
  stageArn: string;
  /** Of the stage now: that in the prefix is an earlier one when a participant came back into its recording. */
  sessionId: string;
  participantId: string;
  bucketName: string;
  /** Of every key of the recording, without a slash at the end. */
  prefix: string;
}

/** The participant is connected and its recording has begun. */
export function recordingStarted(recording: RecordedParticipant, at: Date): Announcement {
  return recordingChange(recording, 'Recording Start', {}, at);
}

/** Every file of the recording is stored. */
export function recordingEnded(recording: RecordedParticipant, durationMs: number, at: Date): Announcement {
  return recordingChange(recording, 'Recording End', { recording_duration_ms: durationMs }, at);
}

/** Nothing could be recorded. */
export function recordingStartFailed(recording: RecordedParticipant, code: FailureCode, at: Date): Announcement {
  return recordingChange(recording, 'Recording Start Failure', failure(code), at);
}

/** The recording has ended early; what is stored is `durationMs` long. */
export function recordingEndFailed(
  recording: RecordedParticipant,
  { durationMs, code }: { durationMs: number; code: FailureCode },
  at: Date,
): Announcement {
  const detail = { recording_duration_ms: durationMs, ...failure(code) };
  return recordingChange(recording, 'Recording End Failure', detail, at);
}

const failure = (code: FailureCode) => ({ error_code: code, reason: failureReasons[code] });

function recordingChange(
  { stageArn, sessionId, participantId, bucketName, prefix }: RecordedParticipant,
  eventName: string,
  more: Record<string, unknown>,
  at: Date,
): Announcement {
  const detail = {
    session_id: sessionId,
    event_name: eventName,
    participant_id: participantId,
    recording_s3_bucket_name: bucketName,
    recording_s3_key_prefix: prefix,
    ...more,
  };
  return announcement('IVS Participant Recording State Change', stageArn, stageArn, detail, at.toISOString());
}

/** What happens to a composition, and to one of its destinations (`id`). */
export type CompositionChange =
  | { event_name: 'Session Start' | 'Session End' }
  | { event_name: 'Session Failure'; error_code: string; reason: string }
  | { event_name: 'Destination Start' | 'Destination End' | 'Destination Reconnecting'; id: string }
  | { event_name: 'Destination Failure'; id: string; error_code: FailureCode; reason: string };

/** The composition is the event's resource, the stage stands in its detail. */
export function compositionChanged(
  composition: { arn: string; stageArn: string },
  change: CompositionChange,
  at: Date,
): Announcement {
  const { arn, stageArn } = composition;
  const detail = { ...change, stage_arn: stageArn };
  return announcement('IVS Composition State Change', arn, stageArn, detail, at.toISOString());
}

function announcement(
  detailType: DetailType,
  resource: string,
  stageArn: string,
  detail: BusEvent['detail'],
  time: string,
): Announcement {
  const { account = '', region = '' } = parseArn(resource) ?? {};
  const event: BusEvent = {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source: 'aws.ivs',
    account,
    time: toSeconds(time),
    region,
    resources: [resource],
    detail,
  };
  return { stageArn, event };
}

const toSeconds = (time: string): string => time.replace(/\.\d+Z$/, 'Z');
