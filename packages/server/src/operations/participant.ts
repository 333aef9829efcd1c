import { ApiError, type Event, type Input, type Output, type ParticipantSummary } from '@footlights/model';
import type { EventRecord, ParticipantRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { detachParticipant } from './ingest-configuration.ts';
import { isOwn, notFound, requireStage } from './lookup.ts';

export async function disconnectParticipant(
  context: OperationContext,
  input: Input<'DisconnectParticipant'>,
): Promise<Output<'DisconnectParticipant'>> {
  const { stageArn, participantId, reason } = input;
  await requireStage(context, stageArn);
  if (!(await context.live.disconnectParticipant(stageArn, participantId, reason)))
    throw notFound('Participant', participantId);
  await detachParticipant(context, stageArn, participantId);
  return {};
}

export async function getParticipant(
  context: OperationContext,
  input: Input<'GetParticipant'>,
): Promise<Output<'GetParticipant'>> {
  const { stageArn, sessionId, participantId } = input;
  const record = isOwn(context, stageArn)
    ? await context.store.getParticipant(stageArn, sessionId, participantId)
    : undefined;
  if (!record) throw notFound('Participant', participantId);
  const { attributes, protocol, client, recordingS3BucketName = '', recordingS3Prefix = '' } = record;
  return {
    participant: {
      ...summaryOf(record),
      attributes,
      protocol,
      ...client,
      recordingS3BucketName,
      recordingS3Prefix,
    },
  };
}

export async function listParticipants(
  context: OperationContext,
  input: Input<'ListParticipants'>,
): Promise<Output<'ListParticipants'>> {
  const { stageArn, sessionId } = input;
  const filter = {
    userId: input.filterByUserId,
    published: input.filterByPublished,
    state: input.filterByState,
    recordingState: input.filterByRecordingState,
  };
  if (Object.values(filter).filter((value) => value !== undefined).length > 1)
    throw new ApiError(
      'ValidationException',
      'Only one of filterByUserId, filterByPublished, filterByState and filterByRecordingState may be given',
    );
  if (!isOwn(context, stageArn)) return { participants: [] };
  const { items, nextToken } = await context.store.listParticipants(stageArn, sessionId, filter, input);
  return { participants: items.map(summaryOf), nextToken };
}

export async function listParticipantEvents(
  context: OperationContext,
  input: Input<'ListParticipantEvents'>,
): Promise<Output<'ListParticipantEvents'>> {
  const { stageArn, sessionId, participantId } = input;
  if (!isOwn(context, stageArn)) return { events: [] };
  const { items, nextToken } = await context.store.listEvents(stageArn, sessionId, participantId, input);
  return { events: items.map(eventOf), nextToken };
}

/** What ListParticipants shows, and GetParticipant too. */
function summaryOf(record: ParticipantRecord): ParticipantSummary {
  const { participantId, userId, state, firstJoinTime, published, recordingState = 'DISABLED' } = record;
  const { replicationType = 'NONE', replicationState, sourceStageArn, sourceSessionId } = record;
  const { redundantIngest, ingestConfigurationArn } = record;
  return {
    ...{ participantId, userId, state, firstJoinTime, published, recordingState },
    ...{ replicationType, replicationState, sourceStageArn, sourceSessionId },
    ...{ redundantIngest, ingestConfigurationArn },
  };
}

function eventOf({ stageArn: _stageArn, sessionId: _sessionId, errorCode, ...event }: EventRecord): Event {
  // Stored as it was recorded: a code that AWS's model does not know yet is shown all the same.
  return { ...event, errorCode: errorCode as Event['errorCode'] };
}
