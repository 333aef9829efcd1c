import type { Static } from '@sinclair/typebox';
import { boolean, enumeration, list, optional, required, structure } from '../schema.ts';
import {
  PaginationToken,
  ParticipantAttributes,
  ParticipantId,
  StageArn,
  StageSessionId,
  Time,
  UserId,
} from './common.ts';
import { maxResults } from './kinds.ts';
import { ParticipantTokenCapabilities, ParticipantTokenExpirationTime } from './token.ts';

/** What happened to a participant. */
export const EventName = enumeration(
  'JOINED',
  'LEFT',
  'PUBLISH_STARTED',
  'PUBLISH_STOPPED',
  'SUBSCRIBE_STARTED',
  'SUBSCRIBE_STOPPED',
  'PUBLISH_ERROR',
  'SUBSCRIBE_ERROR',
  'JOIN_ERROR',
  'REPLICATION_STARTED',
  'REPLICATION_STOPPED',
  'TOKEN_EXCHANGED',
);
export type EventName = Static<typeof EventName>;

/** Why something did not work for a participant. */
export const EventErrorCode = enumeration(
  'INSUFFICIENT_CAPABILITIES',
  'QUOTA_EXCEEDED',
  'PUBLISHER_NOT_FOUND',
  'BITRATE_EXCEEDED',
  'RESOLUTION_EXCEEDED',
  'STREAM_DURATION_EXCEEDED',
  'INVALID_AUDIO_CODEC',
  'INVALID_VIDEO_CODEC',
  'INVALID_PROTOCOL',
  'INVALID_STREAM_KEY',
  'REUSE_OF_STREAM_KEY',
  'B_FRAME_PRESENT',
  'INVALID_INPUT',
  'INTERNAL_SERVER_EXCEPTION',
);
export type EventErrorCode = Static<typeof EventErrorCode>;

/** What a token said, before or after an exchange. */
export const ExchangedParticipantToken = structure({
  capabilities: optional(ParticipantTokenCapabilities, 'What the token allows.'),
  attributes: optional(ParticipantAttributes, 'Text attributes of the token.'),
  userId: optional(UserId, "The application's own name for the participant."),
  expirationTime: optional(ParticipantTokenExpirationTime, 'When the token ends.'),
});
export type ExchangedParticipantToken = Static<typeof ExchangedParticipantToken>;

/** One thing that happened to a participant. */
export const Event = structure({
  name: optional(EventName, 'What happened.'),
  participantId: optional(ParticipantId, 'The participant to whom it happened.'),
  eventTime: optional(Time, 'When it happened.'),
  remoteParticipantId: optional(ParticipantId, 'The publisher, on events about a subscription.'),
  errorCode: optional(EventErrorCode, 'Why it failed, on error events.'),
  destinationStageArn: optional(StageArn, 'Stage that a replica is shown in, on replication events.'),
  destinationSessionId: optional(StageSessionId, 'Session that a replica is shown in, on replication events.'),
  replica: optional(boolean(), 'Whether the participant is a replica.'),
  previousToken: optional(ExchangedParticipantToken, 'The token before an exchange.'),
  newToken: optional(ExchangedParticipantToken, 'The token after an exchange.'),
});
export type Event = Static<typeof Event>;

/** Events of a listing. */
export const EventList = list(Event);

/** Input of ListParticipantEvents. */
export const ListParticipantEventsRequest = structure({
  stageArn: required(StageArn, 'Stage of the session.'),
  sessionId: required(StageSessionId, 'Session that the participant was in.'),
  participantId: required(ParticipantId, 'Participant whose events are listed.'),
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most events in one page; 50 when not given.'),
});

/** Output of ListParticipantEvents. */
export const ListParticipantEventsResponse = structure({
  events: required(EventList, 'The events of this page, newest first.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});
