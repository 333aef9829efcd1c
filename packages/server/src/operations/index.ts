import type { Input, OperationName, Output } from '@footlights/model';
import { getComposition, listCompositions, startComposition, stopComposition } from './composition.ts';
import type { OperationContext } from './context.ts';
import {
  createEncoderConfiguration,
  deleteEncoderConfiguration,
  getEncoderConfiguration,
  listEncoderConfigurations,
} from './encoder-configuration.ts';
import {
  createIngestConfiguration,
  deleteIngestConfiguration,
  getIngestConfiguration,
  listIngestConfigurations,
  updateIngestConfiguration,
} from './ingest-configuration.ts';
import { disconnectParticipant, getParticipant, listParticipantEvents, listParticipants } from './participant.ts';
import { createParticipantToken } from './participant-token.ts';
import { deletePublicKey, getPublicKey, importPublicKey, listPublicKeys } from './public-key.ts';
import { listParticipantReplicas, startParticipantReplication, stopParticipantReplication } from './replication.ts';
import { createStage, deleteStage, getStage, listStages, updateStage } from './stage.ts';
import { getStageSession, listStageSessions } from './stage-session.ts';
import {
  createStorageConfiguration,
  deleteStorageConfiguration,
  getStorageConfiguration,
  listStorageConfigurations,
} from './storage-configuration.ts';
import { listTagsForResource, tagResource, untagResource } from './tags.ts';

export type { LiveStages, OperationContext, TokenIssuer } from './context.ts';

/** What one operation does with input that has passed its model's checks. */
export type Handler<N extends OperationName> = (context: OperationContext, input: Input<N>) => Promise<Output<N>>;

/** What each operation does. */
export const handlers: { readonly [N in OperationName]: Handler<N> } = {
  CreateEncoderConfiguration: createEncoderConfiguration,
  CreateIngestConfiguration: createIngestConfiguration,
  CreateParticipantToken: createParticipantToken,
  CreateStage: createStage,
  CreateStorageConfiguration: createStorageConfiguration,
  DeleteEncoderConfiguration: deleteEncoderConfiguration,
  DeleteIngestConfiguration: deleteIngestConfiguration,
  DeletePublicKey: deletePublicKey,
  DeleteStage: deleteStage,
  DeleteStorageConfiguration: deleteStorageConfiguration,
  DisconnectParticipant: disconnectParticipant,
  GetComposition: getComposition,
  GetEncoderConfiguration: getEncoderConfiguration,
  GetIngestConfiguration: getIngestConfiguration,
  GetParticipant: getParticipant,
  GetPublicKey: getPublicKey,
  GetStage: getStage,
  GetStageSession: getStageSession,
  GetStorageConfiguration: getStorageConfiguration,
  ImportPublicKey: importPublicKey,
  ListCompositions: listCompositions,
  ListEncoderConfigurations: listEncoderConfigurations,
  ListIngestConfigurations: listIngestConfigurations,
  ListParticipantEvents: listParticipantEvents,
  ListParticipantReplicas: listParticipantReplicas,
  ListParticipants: listParticipants,
  ListPublicKeys: listPublicKeys,
  ListStageSessions: listStageSessions,
  ListStages: listStages,
  ListStorageConfigurations: listStorageConfigurations,
  ListTagsForResource: listTagsForResource,
  StartComposition: startComposition,
  StartParticipantReplication: startParticipantReplication,
  StopComposition: stopComposition,
  StopParticipantReplication: stopParticipantReplication,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateIngestConfiguration: updateIngestConfiguration,
  UpdateStage: updateStage,
};
