import type { Static, TObject } from '@sinclair/typebox';
import type { ErrorName } from './errors.ts';
import * as composition from './shapes/composition.ts';
import * as encoder from './shapes/encoder.ts';
import * as event from './shapes/event.ts';
import * as ingest from './shapes/ingest.ts';
import * as participant from './shapes/participant.ts';
import * as publicKey from './shapes/public-key.ts';
import * as session from './shapes/session.ts';
import * as stage from './shapes/stage.ts';
import * as storage from './shapes/storage.ts';
import * as tags from './shapes/tags.ts';
import * as token from './shapes/token.ts';

/** How an operation is called over HTTP; `{name}` in the path stands for an input member. */
export interface HttpBinding {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
}

interface Definition<I extends TObject, O extends TObject> {
  /** One sentence for people who call it. */
  description: string;
  http: HttpBinding;
  input: I;
  output: O;
  errors: readonly ErrorName[];
  /** Only where AWS's own tools page by themselves. */
  paginator?: { resultKey: string };
}

function operation<const N extends string, I extends TObject, O extends TObject>(
  name: N,
  definition: Definition<I, O>,
): Definition<I, O> & { name: N } {
  return { name, ...definition };
}

function post(name: string): HttpBinding {
  return { method: 'POST', path: `/${name}` };
}

/** The 39 operations of `ivs-realtime`, version 2020-07-14. */
export const operations = {
  CreateEncoderConfiguration: operation('CreateEncoderConfiguration', {
    description: 'Makes a set of encoding rules for compositions.',
    http: post('CreateEncoderConfiguration'),
    input: encoder.CreateEncoderConfigurationRequest,
    output: encoder.CreateEncoderConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  CreateIngestConfiguration: operation('CreateIngestConfiguration', {
    description: 'Makes a stream key with which an RTMP encoder can publish to a stage.',
    http: post('CreateIngestConfiguration'),
    input: ingest.CreateIngestConfigurationRequest,
    output: ingest.CreateIngestConfigurationResponse,
    errors: ['ValidationException', 'AccessDeniedException', 'ServiceQuotaExceededException', 'PendingVerification'],
  }),
  CreateParticipantToken: operation('CreateParticipantToken', {
    description: 'Makes one more participant token for a stage.',
    http: post('CreateParticipantToken'),
    input: token.CreateParticipantTokenRequest,
    output: token.CreateParticipantTokenResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'ServiceQuotaExceededException',
      'PendingVerification',
    ],
  }),
  CreateStage: operation('CreateStage', {
    description: 'Makes a stage and, when asked, tokens for its first participants.',
    http: post('CreateStage'),
    input: stage.CreateStageRequest,
    output: stage.CreateStageResponse,
    errors: ['ValidationException', 'AccessDeniedException', 'ServiceQuotaExceededException', 'PendingVerification'],
  }),
  CreateStorageConfiguration: operation('CreateStorageConfiguration', {
    description: 'Names a bucket for recordings.',
    http: post('CreateStorageConfiguration'),
    input: storage.CreateStorageConfigurationRequest,
    output: storage.CreateStorageConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  DeleteEncoderConfiguration: operation('DeleteEncoderConfiguration', {
    description: 'Deletes an encoder configuration that no composition uses.',
    http: post('DeleteEncoderConfiguration'),
    input: encoder.DeleteEncoderConfigurationRequest,
    output: encoder.DeleteEncoderConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  DeleteIngestConfiguration: operation('DeleteIngestConfiguration', {
    description: 'Deletes an ingest configuration, so that its stream key is good no longer.',
    http: post('DeleteIngestConfiguration'),
    input: ingest.DeleteIngestConfigurationRequest,
    output: ingest.DeleteIngestConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  DeletePublicKey: operation('DeletePublicKey', {
    description: 'Deletes a public key, so that tokens signed with it are good no longer.',
    http: post('DeletePublicKey'),
    input: publicKey.DeletePublicKeyRequest,
    output: publicKey.DeletePublicKeyResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  DeleteStage: operation('DeleteStage', {
    description: 'Deletes a stage and disconnects everyone in it.',
    http: post('DeleteStage'),
    input: stage.DeleteStageRequest,
    output: stage.DeleteStageResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  DeleteStorageConfiguration: operation('DeleteStorageConfiguration', {
    description: 'Deletes a storage configuration that no composition uses.',
    http: post('DeleteStorageConfiguration'),
    input: storage.DeleteStorageConfigurationRequest,
    output: storage.DeleteStorageConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  DisconnectParticipant: operation('DisconnectParticipant', {
    description: 'Puts a participant out of a stage; its token is not good again in this session.',
    http: post('DisconnectParticipant'),
    input: participant.DisconnectParticipantRequest,
    output: participant.DisconnectParticipantResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException', 'PendingVerification'],
  }),
  GetComposition: operation('GetComposition', {
    description: 'Shows one composition.',
    http: post('GetComposition'),
    input: composition.GetCompositionRequest,
    output: composition.GetCompositionResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  GetEncoderConfiguration: operation('GetEncoderConfiguration', {
    description: 'Shows one encoder configuration.',
    http: post('GetEncoderConfiguration'),
    input: encoder.GetEncoderConfigurationRequest,
    output: encoder.GetEncoderConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  GetIngestConfiguration: operation('GetIngestConfiguration', {
    description: 'Shows one ingest configuration with its stream key.',
    http: post('GetIngestConfiguration'),
    input: ingest.GetIngestConfigurationRequest,
    output: ingest.GetIngestConfigurationResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException'],
  }),
  GetParticipant: operation('GetParticipant', {
    description: 'Shows one participant of a stage session.',
    http: post('GetParticipant'),
    input: participant.GetParticipantRequest,
    output: participant.GetParticipantResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException'],
  }),
  GetPublicKey: operation('GetPublicKey', {
    description: 'Shows one public key.',
    http: post('GetPublicKey'),
    input: publicKey.GetPublicKeyRequest,
    output: publicKey.GetPublicKeyResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException'],
  }),
  GetStage: operation('GetStage', {
    description: 'Shows one stage.',
    http: post('GetStage'),
    input: stage.GetStageRequest,
    output: stage.GetStageResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException'],
  }),
  GetStageSession: operation('GetStageSession', {
    description: 'Shows one session of a stage.',
    http: post('GetStageSession'),
    input: session.GetStageSessionRequest,
    output: session.GetStageSessionResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException'],
  }),
  GetStorageConfiguration: operation('GetStorageConfiguration', {
    description: 'Shows one storage configuration.',
    http: post('GetStorageConfiguration'),
    input: storage.GetStorageConfigurationRequest,
    output: storage.GetStorageConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  ImportPublicKey: operation('ImportPublicKey', {
    description: 'Takes in a public key with which tokens signed by the application are verified.',
    http: post('ImportPublicKey'),
    input: publicKey.ImportPublicKeyRequest,
    output: publicKey.ImportPublicKeyResponse,
    errors: [
      'ValidationException',
      'AccessDeniedException',
      'ServiceQuotaExceededException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  ListCompositions: operation('ListCompositions', {
    description: 'Lists compositions.',
    http: post('ListCompositions'),
    input: composition.ListCompositionsRequest,
    output: composition.ListCompositionsResponse,
    errors: [
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  ListEncoderConfigurations: operation('ListEncoderConfigurations', {
    description: 'Lists encoder configurations.',
    http: post('ListEncoderConfigurations'),
    input: encoder.ListEncoderConfigurationsRequest,
    output: encoder.ListEncoderConfigurationsResponse,
    errors: [
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  ListIngestConfigurations: operation('ListIngestConfigurations', {
    description: 'Lists ingest configurations.',
    http: post('ListIngestConfigurations'),
    input: ingest.ListIngestConfigurationsRequest,
    output: ingest.ListIngestConfigurationsResponse,
    errors: ['ValidationException', 'AccessDeniedException'],
    paginator: { resultKey: 'ingestConfigurations' },
  }),
  ListParticipantEvents: operation('ListParticipantEvents', {
    description: 'Lists what happened to one participant in a stage session.',
    http: post('ListParticipantEvents'),
    input: event.ListParticipantEventsRequest,
    output: event.ListParticipantEventsResponse,
    errors: ['ValidationException', 'AccessDeniedException'],
  }),
  ListParticipantReplicas: operation('ListParticipantReplicas', {
    description: 'Lists the stages in which one participant is shown as a replica.',
    http: post('ListParticipantReplicas'),
    input: participant.ListParticipantReplicasRequest,
    output: participant.ListParticipantReplicasResponse,
    errors: ['ValidationException', 'AccessDeniedException'],
    paginator: { resultKey: 'replicas' },
  }),
  ListParticipants: operation('ListParticipants', {
    description: 'Lists the participants of a stage session.',
    http: post('ListParticipants'),
    input: participant.ListParticipantsRequest,
    output: participant.ListParticipantsResponse,
    errors: ['ValidationException', 'AccessDeniedException'],
  }),
  ListPublicKeys: operation('ListPublicKeys', {
    description: 'Lists public keys.',
    http: post('ListPublicKeys'),
    input: publicKey.ListPublicKeysRequest,
    output: publicKey.ListPublicKeysResponse,
    errors: ['ValidationException', 'AccessDeniedException'],
    paginator: { resultKey: 'publicKeys' },
  }),
  ListStageSessions: operation('ListStageSessions', {
    description: 'Lists the sessions of a stage.',
    http: post('ListStageSessions'),
    input: session.ListStageSessionsRequest,
    output: session.ListStageSessionsResponse,
    errors: ['ValidationException', 'AccessDeniedException'],
  }),
  ListStages: operation('ListStages', {
    description: 'Lists stages.',
    http: post('ListStages'),
    input: stage.ListStagesRequest,
    output: stage.ListStagesResponse,
    errors: ['ValidationException', 'AccessDeniedException', 'ConflictException'],
  }),
  ListStorageConfigurations: operation('ListStorageConfigurations', {
    description: 'Lists storage configurations.',
    http: post('ListStorageConfigurations'),
    input: storage.ListStorageConfigurationsRequest,
    output: storage.ListStorageConfigurationsResponse,
    errors: [
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  ListTagsForResource: operation('ListTagsForResource', {
    description: 'Shows the tags of a resource.',
    http: { method: 'GET', path: '/tags/{resourceArn}' },
    input: tags.ListTagsForResourceRequest,
    output: tags.ListTagsForResourceResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'InternalServerException'],
  }),
  StartComposition: operation('StartComposition', {
    description: 'Starts to mix the participants of a stage into one picture, for a channel or a recording.',
    http: post('StartComposition'),
    input: composition.StartCompositionRequest,
    output: composition.StartCompositionResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  StartParticipantReplication: operation('StartParticipantReplication', {
    description: 'Starts to show a publisher of one stage in another stage too.',
    http: post('StartParticipantReplication'),
    input: participant.StartParticipantReplicationRequest,
    output: participant.StartParticipantReplicationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  StopComposition: operation('StopComposition', {
    description: 'Stops a composition.',
    http: post('StopComposition'),
    input: composition.StopCompositionRequest,
    output: composition.StopCompositionResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'InternalServerException',
      'ServiceQuotaExceededException',
      'ConflictException',
    ],
  }),
  StopParticipantReplication: operation('StopParticipantReplication', {
    description: 'Stops showing a replicated participant in a stage.',
    http: post('StopParticipantReplication'),
    input: participant.StopParticipantReplicationRequest,
    output: participant.StopParticipantReplicationResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'AccessDeniedException', 'InternalServerException'],
  }),
  TagResource: operation('TagResource', {
    description: 'Adds tags to a resource.',
    http: { method: 'POST', path: '/tags/{resourceArn}' },
    input: tags.TagResourceRequest,
    output: tags.TagResourceResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'InternalServerException'],
  }),
  UntagResource: operation('UntagResource', {
    description: 'Takes tags away from a resource.',
    http: { method: 'DELETE', path: '/tags/{resourceArn}' },
    input: tags.UntagResourceRequest,
    output: tags.UntagResourceResponse,
    errors: ['ResourceNotFoundException', 'ValidationException', 'InternalServerException'],
  }),
  UpdateIngestConfiguration: operation('UpdateIngestConfiguration', {
    description: 'Points an ingest configuration at another stage.',
    http: post('UpdateIngestConfiguration'),
    input: ingest.UpdateIngestConfigurationRequest,
    output: ingest.UpdateIngestConfigurationResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
  UpdateStage: operation('UpdateStage', {
    description: 'Changes the name or the recording settings of a stage.',
    http: post('UpdateStage'),
    input: stage.UpdateStageRequest,
    output: stage.UpdateStageResponse,
    errors: [
      'ResourceNotFoundException',
      'ValidationException',
      'AccessDeniedException',
      'ServiceQuotaExceededException',
      'ConflictException',
      'PendingVerification',
    ],
  }),
};

/** Name of an operation. */
export type OperationName = keyof typeof operations;

/** One operation as data. */
export interface Operation extends Definition<TObject, TObject> {
  name: OperationName;
}

/** What an operation is given. */
export type Input<N extends OperationName> = Static<(typeof operations)[N]['input']>;

/** What an operation answers. */
export type Output<N extends OperationName> = Static<(typeof operations)[N]['output']>;
