import type { Static } from '@sinclair/typebox';
import { boolean, enumeration, integer, list, optional, required, string, structure } from '../schema.ts';
import {
  PaginationToken,
  ResourceName,
  StageArn,
  StageSessionId,
  Tags,
  TargetSegmentDurationSeconds,
  ThumbnailIntervalSeconds,
  ThumbnailStorageTypeList,
} from './common.ts';
import { arnOrEmpty, maxResults } from './kinds.ts';
import { ParticipantTokenConfigurations, ParticipantTokenList } from './token.ts';

/** Storage configuration that recordings go to; empty when nothing is recorded. */
export const AutoParticipantRecordingStorageConfigurationArn = arnOrEmpty('storage-configuration');

/** What is recorded of a participant. */
export const ParticipantRecordingMediaType = enumeration('AUDIO_VIDEO', 'AUDIO_ONLY', 'NONE');

/** Everything that is recorded of a participant. */
export const ParticipantRecordingMediaTypeList = list(ParticipantRecordingMediaType, { min: 0, max: 1 });

/** Whether thumbnails are recorded. */
export const ThumbnailRecordingMode = enumeration('INTERVAL', 'DISABLED');

/** Thumbnails of a participant recording. */
export const ParticipantThumbnailConfiguration = structure({
  targetIntervalSeconds: optional(ThumbnailIntervalSeconds, 'Seconds between thumbnails; 60 when not given.'),
  storage: optional(
    ThumbnailStorageTypeList,
    'Keep every thumbnail, the latest one, or both; SEQUENTIAL when not given.',
  ),
  recordingMode: optional(ThumbnailRecordingMode, 'Whether thumbnails are recorded; DISABLED when not given.'),
});
export type ParticipantThumbnailConfiguration = Static<typeof ParticipantThumbnailConfiguration>;

/** Segments of a participant recording. */
export const ParticipantRecordingHlsConfiguration = structure({
  targetSegmentDurationSeconds: optional(
    TargetSegmentDurationSeconds,
    'Seconds per segment to aim at; 6 when not given, longer when key frames are far apart.',
  ),
});
export type ParticipantRecordingHlsConfiguration = Static<typeof ParticipantRecordingHlsConfiguration>;

/** Seconds in which a participant who comes back goes on with the same recording. */
export const ParticipantRecordingReconnectWindowSeconds = integer({ minimum: 0, maximum: 300 });

/** Recording of each participant of a stage. */
export const AutoParticipantRecordingConfiguration = structure({
  storageConfigurationArn: required(
    AutoParticipantRecordingStorageConfigurationArn,
    'Storage configuration for the recordings; an empty string turns recording off.',
  ),
  mediaTypes: optional(ParticipantRecordingMediaTypeList, 'Media to record; AUDIO_VIDEO when not given.'),
  thumbnailConfiguration: optional(ParticipantThumbnailConfiguration, 'Thumbnails of the recordings.'),
  recordingReconnectWindowSeconds: optional(
    ParticipantRecordingReconnectWindowSeconds,
    'Seconds in which a participant who publishes again goes on with the same recording; 0 when not given.',
  ),
  hlsConfiguration: optional(ParticipantRecordingHlsConfiguration, 'Segments of the recordings.'),
  recordParticipantReplicas: optional(
    boolean(),
    'Whether participants replicated from other stages are recorded too; true when not given.',
  ),
});
export type AutoParticipantRecordingConfiguration = Static<typeof AutoParticipantRecordingConfiguration>;

/** URL of one way into a stage. */
export const StageEndpoint = string({ minLength: 0, maxLength: 2048 });

/** The ways into a stage. */
export const StageEndpoints = structure({
  events: optional(StageEndpoint, 'WebSocket on which participants learn of each other.'),
  whip: optional(StageEndpoint, 'Where WHIP clients publish.'),
  rtmp: optional(StageEndpoint, 'Where RTMP encoders publish.'),
  rtmps: optional(StageEndpoint, 'Where RTMPS encoders publish.'),
});
export type StageEndpoints = Static<typeof StageEndpoints>;

/** A stage: the room in which participants publish to and see each other. */
export const Stage = structure({
  arn: required(StageArn, 'ARN of the stage.'),
  name: optional(ResourceName, 'Name of the stage.'),
  activeSessionId: optional(StageSessionId, 'The session that is going on, if any.'),
  tags: optional(Tags, 'Tags of the stage.'),
  autoParticipantRecordingConfiguration: optional(
    AutoParticipantRecordingConfiguration,
    'How participants of the stage are recorded.',
  ),
  endpoints: optional(StageEndpoints, 'The ways into the stage.'),
});
export type Stage = Static<typeof Stage>;

/** A stage as listings show it. */
export const StageSummary = structure({
  arn: required(StageArn, 'ARN of the stage.'),
  name: optional(ResourceName, 'Name of the stage.'),
  activeSessionId: optional(StageSessionId, 'The session that is going on, if any.'),
  tags: optional(Tags, 'Tags of the stage.'),
});
export type StageSummary = Static<typeof StageSummary>;

/** Stages of a listing. */
export const StageSummaryList = list(StageSummary);

/** Input of CreateStage. */
export const CreateStageRequest = structure({
  name: optional(ResourceName, 'Name of the stage; need not be unique.'),
  participantTokenConfigurations: optional(
    ParticipantTokenConfigurations,
    'One entry for each participant token to make along with the stage.',
  ),
  tags: optional(Tags, 'Tags of the stage.'),
  autoParticipantRecordingConfiguration: optional(
    AutoParticipantRecordingConfiguration,
    'How to record each participant; nothing is recorded when not given.',
  ),
});

/** Output of CreateStage. */
export const CreateStageResponse = structure({
  stage: optional(Stage, 'The new stage.'),
  participantTokens: optional(ParticipantTokenList, 'The new tokens, in the order in which they were asked for.'),
});

/** Input of GetStage. */
export const GetStageRequest = structure({
  arn: required(StageArn, 'ARN of the stage.'),
});

/** Output of GetStage. */
export const GetStageResponse = structure({
  stage: optional(Stage, 'The stage.'),
});

/** Input of ListStages. */
export const ListStagesRequest = structure({
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most stages in one page; 50 when not given.'),
});

/** Output of ListStages. */
export const ListStagesResponse = structure({
  stages: required(StageSummaryList, 'The stages of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of UpdateStage. */
export const UpdateStageRequest = structure({
  arn: required(StageArn, 'ARN of the stage.'),
  name: optional(ResourceName, 'New name of the stage.'),
  autoParticipantRecordingConfiguration: optional(
    AutoParticipantRecordingConfiguration,
    'New recording settings; refused while a recording is running.',
  ),
});

/** Output of UpdateStage. */
export const UpdateStageResponse = structure({
  stage: optional(Stage, 'The stage as it is now.'),
});

/** Input of DeleteStage. */
export const DeleteStageRequest = structure({
  arn: required(StageArn, 'ARN of the stage.'),
});

/** Output of DeleteStage. */
export const DeleteStageResponse = structure({});
