import type { Input, OperationName, Output } from '@footlights/model';
import type { OperationContext } from './context.ts';
import { disconnectParticipant, getParticipant, listParticipantEvents, listParticipants } from './participant.ts';
import { createParticipantToken } from './participant-token.ts';
import { createStage, deleteStage, getStage, listStages, updateStage } from './stage.ts';
import { getStageSession, listStageSessions } from './stage-session.ts';
import { listTagsForResource, tagResource, untagResource } from './tags.ts';

export type { LiveStages, OperationContext, TokenIssuer } from './context.ts';

/** What one operation does with input that has passed its model's checks. */
export type Handler<N extends OperationName> = (context: OperationContext, input: Input<N>) => Promise<Output<N>>;

/** Every operation that Footlights has. */
export const handlers: { readonly [N in OperationName]?: Handler<N> } = {
  CreateParticipantToken: createParticipantToken,
  CreateStage: createStage,
  DeleteStage: deleteStage,
  DisconnectParticipant: disconnectParticipant,
  GetParticipant: getParticipant,
  GetStage: getStage,
  GetStageSession: getStageSession,
  ListParticipantEvents: listParticipantEvents,
  ListParticipants: listParticipants,
  ListStageSessions: listStageSessions,
  ListStages: listStages,
  ListTagsForResource: listTagsForResource,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateStage: updateStage,
};
