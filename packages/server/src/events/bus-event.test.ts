import { describe, expect, it } from 'vitest';
import type { EventName, EventRecord } from '../store/types.ts';
import {
  compositionChanged,
  recordingEnded,
  recordingEndFailed,
  recordingStarted,
  recordingStartFailed,
  stageUpdate,
} from './bus-event.ts';

const stageArn = 'arn:aws:ivs:eu-west-1:111122223333:stage/AbCdEf123456';
const at = new Date('2026-01-02T03:04:05.678Z');

const record = (name: EventName, more: Partial<EventRecord> = {}): EventRecord => ({
  stageArn,
  sessionId: 'st-1',
  participantId: 'p',
  name,
  eventTime: at.toISOString(),
  ...more,
});

const detailOf = (record: EventRecord, source?: { stageArn: string; sessionId: string }) =>
  stageUpdate(record, { userId: 'alice', ...(source && { source }) })?.event.detail;

describe('a stage update', () => {
  it("has EventBridge's envelope", () => {
    expect(stageUpdate(record('PUBLISH_STARTED'), { userId: '' })).toEqual({
      stageArn,
      event: {
        version: '0',
        id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        'detail-type': 'IVS Stage Update',
        source: 'aws.ivs',
        account: '111122223333',
        time: '2026-01-02T03:04:05Z',
        region: 'eu-west-1',
        resources: [stageArn],
        detail: {
          session_id: 'st-1',
          event_name: 'Participant Published',
          event_time: '2026-01-02T03:04:05Z',
          event_time_precise: '2026-01-02T03:04:05.678000Z',
          user_id: '',
          participant_id: 'p',
        },
      },
    });
  });

  it('says of a replica where it comes from', () => {
    expect(
      detailOf(record('PUBLISH_STOPPED', { replica: true }), { stageArn: 'other', sessionId: 'st-2' }),
    ).toMatchObject({
      event_name: 'Participant Unpublished',
      user_id: 'alice',
      replica: true,
      source_stage_arn: 'other',
      source_session_id: 'st-2',
    });
  });

  it('carries what each kind of event has', () => {
    expect(detailOf(record('PUBLISH_ERROR', { errorCode: 'QUOTA_EXCEEDED' }))).toMatchObject({
      event_name: 'Participant Publish Error',
      error_code: 'QUOTA_EXCEEDED',
      event_time: '2026-01-02T03:04:05.678000000Z',
    });
    const destination = { destinationStageArn: 'other', destinationSessionId: 'st-2' };
    const told = { destination_stage_arn: 'other', destination_session_id: 'st-2' };
    expect(detailOf(record('REPLICATION_STARTED', destination))).toMatchObject({
      event_name: 'Participant Replication Start',
      ...told,
    });
    expect(detailOf(record('REPLICATION_STOPPED', destination))).toMatchObject({
      event_name: 'Participant Replication End',
      ...told,
    });
    const token = { capabilities: ['PUBLISH' as const], attributes: { a: 'b' }, userId: 'u', expirationTime: 'then' };
    expect(detailOf(record('TOKEN_EXCHANGED', { previousToken: token, newToken: token }))).toMatchObject({
      event_name: 'Token Exchanged',
      previous_token: { capabilities: ['PUBLISH'], attributes: { a: 'b' }, user_id: 'u', expiration_time: 'then' },
      new_token: { user_id: 'u' },
    });
  });

  it.each(['JOINED', 'LEFT', 'SUBSCRIBE_STARTED', 'SUBSCRIBE_STOPPED', 'SUBSCRIBE_ERROR', 'JOIN_ERROR'] as const)(
    'is not made of %s',
    (name) => expect(detailOf(record(name))).toBeUndefined(),
  );
});

describe('a recording', () => {
  const recording = { stageArn, sessionId: 'st-1', participantId: 'p', bucketName: 'bucket', prefix: 's/st-1/p/t' };
  const common = {
    session_id: 'st-1',
    participant_id: 'p',
    recording_s3_bucket_name: 'bucket',
    recording_s3_key_prefix: 's/st-1/p/t',
  };

  it.each([
    [recordingStarted(recording, at), { event_name: 'Recording Start' }],
    [recordingEnded(recording, 1234, at), { event_name: 'Recording End', recording_duration_ms: 1234 }],
    [
      recordingStartFailed(recording, 'ValidationException', at),
      {
        event_name: 'Recording Start Failure',
        error_code: 'ValidationException',
        reason: 'codec not supported for recording',
      },
    ],
    [
      recordingEndFailed(recording, { durationMs: 5, code: 'AccessDeniedException' }, at),
      {
        event_name: 'Recording End Failure',
        recording_duration_ms: 5,
        error_code: 'AccessDeniedException',
        reason: 'access denied',
      },
    ],
  ])('is told of: %#', ({ event }, more) => {
    expect(event['detail-type']).toBe('IVS Participant Recording State Change');
    expect(event.resources).toEqual([stageArn]);
    expect(event.detail).toEqual({ ...common, ...more });
  });
});

it('the resource of a composition’s event is the composition, its place that of the stage', () => {
  const arn = 'arn:aws:ivs:eu-west-1:111122223333:composition/AbCdEf123456';
  const change = { event_name: 'Destination Start', id: 'd' } as const;
  const { stageArn: place, event } = compositionChanged({ arn, stageArn }, change, at);
  expect(place).toBe(stageArn);
  expect(event.resources).toEqual([arn]);
  expect(event.detail).toEqual({ event_name: 'Destination Start', id: 'd', stage_arn: stageArn });
});
