import type { OperationName } from './operations.ts';

/** Where the value of a variable comes from that examples use: a member of what an earlier example prints. */
export interface Variable {
  from: OperationName;
  /** Names of members, joined by dots. */
  member: string;
}

/** What stands for the ids in the examples, as `$NAME`. */
export const variables: Readonly<Record<string, Variable>> = {
  STAGE_ARN: { from: 'CreateStage', member: 'stage.arn' },
  PARTICIPANT_ID: { from: 'CreateParticipantToken', member: 'participantToken.participantId' },
  SESSION_ID: { from: 'GetStage', member: 'stage.activeSessionId' },
  OTHER_STAGE_ARN: { from: 'CreateStage', member: 'stage.arn' },
  ENCODER_CONFIGURATION_ARN: { from: 'CreateEncoderConfiguration', member: 'encoderConfiguration.arn' },
  STORAGE_CONFIGURATION_ARN: { from: 'CreateStorageConfiguration', member: 'storageConfiguration.arn' },
  INGEST_CONFIGURATION_ARN: { from: 'CreateIngestConfiguration', member: 'ingestConfiguration.arn' },
  PUBLIC_KEY_ARN: { from: 'ImportPublicKey', member: 'publicKey.arn' },
  COMPOSITION_ARN: { from: 'StartComposition', member: 'composition.arn' },
};

/**
 * One command for each operation, as its words without the program; `$NAME` stands for a variable. They are in an order in
 * which they can be run one after another, on a stage that the participant of the token has joined.
 */
export const examples: Readonly<Record<OperationName, readonly string[]>> = {
  CreateStage: command('create-stage', '--name', 'demo', '--tags', 'team=video'),
  CreateParticipantToken: command(
    'create-participant-token',
    ...['--stage-arn', '$STAGE_ARN', '--user-id', 'alice', '--attributes', 'seat=4', '--capabilities', 'PUBLISH'],
  ),
  GetStage: command('get-stage', '--arn', '$STAGE_ARN'),
  ListStages: command('list-stages', '--max-results', '10'),
  UpdateStage: command('update-stage', '--arn', '$STAGE_ARN', '--name', 'demo-2'),
  ListStageSessions: command('list-stage-sessions', '--stage-arn', '$STAGE_ARN'),
  GetStageSession: command('get-stage-session', '--stage-arn', '$STAGE_ARN', '--session-id', '$SESSION_ID'),
  ListParticipants: command(
    'list-participants',
    ...['--stage-arn', '$STAGE_ARN', '--session-id', '$SESSION_ID', '--filter-by-state', 'CONNECTED'],
  ),
  GetParticipant: command('get-participant', ...participant()),
  ListParticipantEvents: command('list-participant-events', ...participant()),
  TagResource: command('tag-resource', '--resource-arn', '$STAGE_ARN', '--tags', 'env=test,owner=alice'),
  ListTagsForResource: command('list-tags-for-resource', '--resource-arn', '$STAGE_ARN'),
  UntagResource: command('untag-resource', '--resource-arn', '$STAGE_ARN', '--tag-keys', 'env', 'owner'),
  CreateEncoderConfiguration: command(
    'create-encoder-configuration',
    ...['--name', 'full-hd', '--video', 'width=1920,height=1080,framerate=30,bitrate=5000000'],
  ),
  GetEncoderConfiguration: command('get-encoder-configuration', '--arn', '$ENCODER_CONFIGURATION_ARN'),
  ListEncoderConfigurations: command('list-encoder-configurations'),
  CreateStorageConfiguration: command(
    'create-storage-configuration',
    ...['--name', 'recordings', '--s3', 'bucketName=my-recordings'],
  ),
  GetStorageConfiguration: command('get-storage-configuration', '--arn', '$STORAGE_CONFIGURATION_ARN'),
  ListStorageConfigurations: command('list-storage-configurations'),
  CreateIngestConfiguration: command(
    'create-ingest-configuration',
    ...['--name', 'studio', '--ingest-protocol', 'RTMPS', '--user-id', 'studio'],
  ),
  GetIngestConfiguration: command('get-ingest-configuration', '--arn', '$INGEST_CONFIGURATION_ARN'),
  ListIngestConfigurations: command('list-ingest-configurations', '--filter-by-state', 'INACTIVE'),
  UpdateIngestConfiguration: command(
    'update-ingest-configuration',
    ...['--arn', '$INGEST_CONFIGURATION_ARN', '--stage-arn', '$STAGE_ARN'],
  ),
  ImportPublicKey: command(
    'import-public-key',
    ...['--name', 'application', '--public-key-material', 'file://public.pem'],
  ),
  GetPublicKey: command('get-public-key', '--arn', '$PUBLIC_KEY_ARN'),
  ListPublicKeys: command('list-public-keys'),
  StartComposition: command(
    'start-composition',
    ...['--stage-arn', '$STAGE_ARN', '--layout', 'grid={gridGap=4}', '--destinations'],
    's3={storageConfigurationArn=$STORAGE_CONFIGURATION_ARN,encoderConfigurationArns=[$ENCODER_CONFIGURATION_ARN]}',
  ),
  GetComposition: command('get-composition', '--arn', '$COMPOSITION_ARN'),
  ListCompositions: command('list-compositions', '--filter-by-stage-arn', '$STAGE_ARN'),
  StopComposition: command('stop-composition', '--arn', '$COMPOSITION_ARN'),
  StartParticipantReplication: command(
    'start-participant-replication',
    ...[...replication(), '--reconnect-window-seconds', '60'],
  ),
  ListParticipantReplicas: command(
    'list-participant-replicas',
    ...['--source-stage-arn', '$STAGE_ARN', '--participant-id', '$PARTICIPANT_ID'],
  ),
  StopParticipantReplication: command('stop-participant-replication', ...replication()),
  DisconnectParticipant: command(
    'disconnect-participant',
    ...['--stage-arn', '$STAGE_ARN', '--participant-id', '$PARTICIPANT_ID', '--reason', 'the show is over'],
  ),
  DeletePublicKey: command('delete-public-key', '--arn', '$PUBLIC_KEY_ARN'),
  DeleteIngestConfiguration: command(
    'delete-ingest-configuration',
    ...['--arn', '$INGEST_CONFIGURATION_ARN', '--force'],
  ),
  DeleteStage: command('delete-stage', '--arn', '$STAGE_ARN'),
  DeleteStorageConfiguration: command('delete-storage-configuration', '--arn', '$STORAGE_CONFIGURATION_ARN'),
  DeleteEncoderConfiguration: command('delete-encoder-configuration', '--arn', '$ENCODER_CONFIGURATION_ARN'),
};

function command(name: string, ...words: string[]): readonly string[] {
  return ['ivs-realtime', name, ...words];
}

function participant(): string[] {
  return ['--stage-arn', '$STAGE_ARN', '--session-id', '$SESSION_ID', '--participant-id', '$PARTICIPANT_ID'];
}

function replication(): string[] {
  return [
    ...['--source-stage-arn', '$STAGE_ARN', '--destination-stage-arn', '$OTHER_STAGE_ARN'],
    ...['--participant-id', '$PARTICIPANT_ID'],
  ];
}
