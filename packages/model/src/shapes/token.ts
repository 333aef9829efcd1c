import type { Static } from '@sinclair/typebox';
import { enumeration, integer, list, optional, required, string, structure, timestamp } from '../schema.ts';
import { ParticipantAttributes, StageArn, UserId } from './common.ts';

/** Id of a participant token, which is also the id of its participant. */
export const ParticipantTokenId = string({ minLength: 0, maxLength: 64, pattern: '[a-zA-Z0-9-_]*' });

/** The token itself: whoever holds it may join. */
export const ParticipantTokenString = string({ sensitive: true });

/** Minutes for which a token is good. */
export const ParticipantTokenDurationMinutes = integer({ minimum: 1, maximum: 20_160 });

/** When a token ends. */
export const ParticipantTokenExpirationTime = timestamp();

/** What a token allows. */
export const ParticipantTokenCapability = enumeration('PUBLISH', 'SUBSCRIBE');
export type ParticipantTokenCapability = Static<typeof ParticipantTokenCapability>;

/** All that a token allows. */
export const ParticipantTokenCapabilities = list(ParticipantTokenCapability, { min: 0, max: 2 });
export type ParticipantTokenCapabilities = Static<typeof ParticipantTokenCapabilities>;

/** A token as it is handed out. */
export const ParticipantToken = structure({
  participantId: optional(ParticipantTokenId, 'Id of the participant who joins with the token.'),
  token: optional(ParticipantTokenString, 'The token, to be given to the participant alone.'),
  userId: optional(UserId, "The application's own name for the participant."),
  attributes: optional(ParticipantAttributes, 'Text attributes that other participants see.'),
  duration: optional(ParticipantTokenDurationMinutes, 'Minutes for which the token is good.'),
  capabilities: optional(ParticipantTokenCapabilities, 'What the token allows.'),
  expirationTime: optional(ParticipantTokenExpirationTime, 'When the token ends.'),
});
export type ParticipantToken = Static<typeof ParticipantToken>;

/** What CreateStage is asked to put into one token. */
export const ParticipantTokenConfiguration = structure({
  duration: optional(ParticipantTokenDurationMinutes, 'Minutes for which the token is good; 720 when not given.'),
  userId: optional(UserId, "The application's own name for the participant; others see it."),
  attributes: optional(ParticipantAttributes, 'Text attributes for the token, at most 1 KB together; others see them.'),
  capabilities: optional(ParticipantTokenCapabilities, 'What the token allows; both when not given.'),
});
export type ParticipantTokenConfiguration = Static<typeof ParticipantTokenConfiguration>;

/** The tokens that CreateStage is asked for. */
export const ParticipantTokenConfigurations = list(ParticipantTokenConfiguration, { min: 0, max: 12 });

/** The tokens that CreateStage makes. */
export const ParticipantTokenList = list(ParticipantToken);

/** Input of CreateParticipantToken. */
export const CreateParticipantTokenRequest = structure({
  stageArn: required(StageArn, 'Stage that the token is for.'),
  duration: optional(ParticipantTokenDurationMinutes, 'Minutes for which the token is good; 720 when not given.'),
  userId: optional(UserId, "The application's own name for the participant; others see it."),
  attributes: optional(ParticipantAttributes, 'Text attributes for the token, at most 1 KB together; others see them.'),
  capabilities: optional(ParticipantTokenCapabilities, 'What the token allows; both when not given.'),
});

/** Output of CreateParticipantToken. */
export const CreateParticipantTokenResponse = structure({
  participantToken: optional(ParticipantToken, 'The new token.'),
});
