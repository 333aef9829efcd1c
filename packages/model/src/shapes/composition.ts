import type { Static } from '@sinclair/typebox';
import { boolean, enumeration, integer, list, optional, required, string, structure } from '../schema.ts';
import {
  AnyString,
  ChannelArn,
  EncoderConfigurationArn,
  PaginationToken,
  ResourceName,
  StageArn,
  Tags,
  TargetSegmentDurationSeconds,
  ThumbnailIntervalSeconds,
  ThumbnailStorageTypeList,
  Time,
} from './common.ts';
import { arnOf, maxResults } from './kinds.ts';
import { StorageConfigurationArn } from './storage.ts';

/** ARN of a composition. */
export const CompositionArn = arnOf('composition');

/** Where a composition stands. */
export const CompositionState = enumeration('STARTING', 'ACTIVE', 'STOPPING', 'FAILED', 'STOPPED');
export type CompositionState = Static<typeof CompositionState>;

/** Where one destination of a composition stands. */
export const DestinationState = enumeration('STARTING', 'ACTIVE', 'STOPPING', 'RECONNECTING', 'FAILED', 'STOPPED');
export type DestinationState = Static<typeof DestinationState>;

/** Name of a participant attribute that a layout looks at. */
export const AttributeKey = string({ minLength: 0, maxLength: 128, pattern: '[a-zA-Z0-9-_]*' });

/** Shape of the tiles of a grid. */
export const VideoAspectRatio = enumeration('AUTO', 'VIDEO', 'SQUARE', 'PORTRAIT');

/** How a picture is fitted into its tile. */
export const VideoFillMode = enumeration('FILL', 'COVER', 'CONTAIN');

/** What an overlaid picture does when everyone else has left. */
export const PipBehavior = enumeration('STATIC', 'DYNAMIC');

/** Corner of an overlaid picture. */
export const PipPosition = enumeration('TOP_LEFT', 'TOP_RIGHT', 'BOTTOM_LEFT', 'BOTTOM_RIGHT');

/** Pixels of a gap. */
export const PixelGap = integer({ minimum: 0 });

/** Pixels of one side of an overlaid picture. */
export const PixelSide = integer({ minimum: 1 });

/** A grid of equal tiles. */
export const GridConfiguration = structure({
  featuredParticipantAttribute: optional(AttributeKey, 'Participants with this attribute set to "true" are featured.'),
  omitStoppedVideo: optional(boolean(), 'Leave out participants whose video is off; false when not given.'),
  videoAspectRatio: optional(VideoAspectRatio, 'Shape of the tiles that are not featured; VIDEO when not given.'),
  videoFillMode: optional(VideoFillMode, 'How pictures are fitted into their tiles.'),
  gridGap: optional(PixelGap, 'Pixels between tiles; 2 when not given.'),
  participantOrderAttribute: optional(AttributeKey, 'Attribute whose number orders the participants.'),
});
export type GridConfiguration = Static<typeof GridConfiguration>;

/** A picture laid over the rest. */
export const PipConfiguration = structure({
  featuredParticipantAttribute: optional(AttributeKey, 'Participants with this attribute set to "true" are featured.'),
  omitStoppedVideo: optional(boolean(), 'Leave out participants whose video is off; false when not given.'),
  videoFillMode: optional(VideoFillMode, 'How pictures are fitted into their tiles; COVER when not given.'),
  gridGap: optional(PixelGap, 'Pixels between tiles; 0 when not given.'),
  pipParticipantAttribute: optional(AttributeKey, 'The participant with this attribute set to "true" is laid over.'),
  pipBehavior: optional(
    PipBehavior,
    'Whether the overlay fills the picture when everyone else has left; STATIC when not given.',
  ),
  pipOffset: optional(PixelGap, 'Pixels between the overlay and the nearest edges; 0 when not given.'),
  pipPosition: optional(PipPosition, 'Corner of the overlay; BOTTOM_RIGHT when not given.'),
  pipWidth: optional(PixelSide, 'Width of the overlay in pixels.'),
  pipHeight: optional(PixelSide, 'Height of the overlay in pixels.'),
  participantOrderAttribute: optional(AttributeKey, 'Attribute whose number orders the participants.'),
});
export type PipConfiguration = Static<typeof PipConfiguration>;

/** How participants are arranged: one of its members. */
export const LayoutConfiguration = structure({
  grid: optional(GridConfiguration, 'A grid of tiles; used when no layout is given.'),
  pip: optional(PipConfiguration, 'A picture laid over the rest.'),
});
export type LayoutConfiguration = Static<typeof LayoutConfiguration>;

/** A channel of IVS Low-Latency Streaming as destination. */
export const ChannelDestinationConfiguration = structure({
  channelArn: required(ChannelArn, 'ARN of the channel.'),
  encoderConfigurationArn: optional(EncoderConfigurationArn, 'How the video is encoded.'),
});
export type ChannelDestinationConfiguration = Static<typeof ChannelDestinationConfiguration>;

/** Segments of a composite recording. */
export const CompositionRecordingHlsConfiguration = structure({
  targetSegmentDurationSeconds: optional(
    TargetSegmentDurationSeconds,
    'Seconds per segment to aim at; 2 when not given, longer when key frames are far apart.',
  ),
});
export type CompositionRecordingHlsConfiguration = Static<typeof CompositionRecordingHlsConfiguration>;

/** Format of a composite recording. */
export const RecordingConfigurationFormat = enumeration('HLS');

/** How a composition is recorded. */
export const RecordingConfiguration = structure({
  hlsConfiguration: optional(CompositionRecordingHlsConfiguration, 'Segments of the recording.'),
  format: optional(RecordingConfigurationFormat, 'Format of the recording; HLS when not given.'),
});
export type RecordingConfiguration = Static<typeof RecordingConfiguration>;

/** Thumbnails of a composite recording. */
export const CompositionThumbnailConfiguration = structure({
  targetIntervalSeconds: optional(ThumbnailIntervalSeconds, 'Seconds between thumbnails; 60 when not given.'),
  storage: optional(
    ThumbnailStorageTypeList,
    'Keep every thumbnail, the latest one, or both; SEQUENTIAL when not given.',
  ),
});
export type CompositionThumbnailConfiguration = Static<typeof CompositionThumbnailConfiguration>;

/** Thumbnail settings of a destination, at most one. */
export const CompositionThumbnailConfigurationList = list(CompositionThumbnailConfiguration, { min: 0, max: 1 });

/** Encoder configurations of a destination, exactly one. */
export const EncoderConfigurationArnList = list(EncoderConfigurationArn, { min: 1, max: 1 });

/** A recording in a bucket as destination. */
export const S3DestinationConfiguration = structure({
  storageConfigurationArn: required(StorageConfigurationArn, 'Where the recording is kept.'),
  encoderConfigurationArns: required(EncoderConfigurationArnList, 'How the video is encoded; exactly one.'),
  recordingConfiguration: optional(RecordingConfiguration, 'How the composition is recorded.'),
  thumbnailConfigurations: optional(
    CompositionThumbnailConfigurationList,
    'Thumbnails of the recording; at most one entry.',
  ),
});
export type S3DestinationConfiguration = Static<typeof S3DestinationConfiguration>;

/** Where a composition goes: a channel or a bucket. */
export const DestinationConfiguration = structure({
  name: optional(ResourceName, 'Name of the destination.'),
  channel: optional(ChannelDestinationConfiguration, 'Send the composition to a channel.'),
  s3: optional(S3DestinationConfiguration, 'Record the composition into a bucket.'),
});
export type DestinationConfiguration = Static<typeof DestinationConfiguration>;

/** Destinations of a new composition. */
export const DestinationConfigurationList = list(DestinationConfiguration, { min: 1, max: 2 });

/** Where a recording lies. */
export const S3Detail = structure({
  recordingPrefix: required(AnyString, 'Prefix of the recording in its bucket.'),
});
export type S3Detail = Static<typeof S3Detail>;

/** What is known of a destination once it has started. */
export const DestinationDetail = structure({
  s3: optional(S3Detail, 'Where the recording lies.'),
});
export type DestinationDetail = Static<typeof DestinationDetail>;

/** One destination of a composition. */
export const Destination = structure({
  id: required(AnyString, 'Id of the destination.'),
  state: required(DestinationState, 'Where the destination stands.'),
  startTime: optional(Time, 'When it started.'),
  endTime: optional(Time, 'When it ended.'),
  configuration: required(DestinationConfiguration, 'What it was asked for with.'),
  detail: optional(DestinationDetail, 'What is known of it since it started.'),
});
export type Destination = Static<typeof Destination>;

/** Destinations of a composition. */
export const DestinationList = list(Destination, { min: 1, max: 2 });

/** A destination as listings show it. */
export const DestinationSummary = structure({
  id: required(AnyString, 'Id of the destination.'),
  state: required(DestinationState, 'Where the destination stands.'),
  startTime: optional(Time, 'When it started.'),
  endTime: optional(Time, 'When it ended.'),
});
export type DestinationSummary = Static<typeof DestinationSummary>;

/** Destinations of a composition as listings show them. */
export const DestinationSummaryList = list(DestinationSummary, { min: 1, max: 2 });

/** The participants of a stage mixed into one picture. */
export const Composition = structure({
  arn: required(CompositionArn, 'ARN of the composition.'),
  stageArn: required(StageArn, 'Stage that is composed.'),
  state: required(CompositionState, 'Where the composition stands.'),
  layout: required(LayoutConfiguration, 'How participants are arranged.'),
  destinations: required(DestinationList, 'Where the composition goes.'),
  tags: optional(Tags, 'Tags of the composition.'),
  startTime: optional(Time, 'When it started.'),
  endTime: optional(Time, 'When it ended.'),
});
export type Composition = Static<typeof Composition>;

/** A composition as listings show it. */
export const CompositionSummary = structure({
  arn: required(CompositionArn, 'ARN of the composition.'),
  stageArn: required(StageArn, 'Stage that is composed.'),
  destinations: required(DestinationSummaryList, 'Where the composition goes.'),
  state: required(CompositionState, 'Where the composition stands.'),
  tags: optional(Tags, 'Tags of the composition.'),
  startTime: optional(Time, 'When it started.'),
  endTime: optional(Time, 'When it ended.'),
});
export type CompositionSummary = Static<typeof CompositionSummary>;

/** Compositions of a listing. */
export const CompositionSummaryList = list(CompositionSummary);

/** Token with which a repeated StartComposition is known. */
export const CompositionClientToken = string({ minLength: 1, maxLength: 64, pattern: '[a-zA-Z0-9-_]*' });

/** Input of StartComposition. */
export const StartCompositionRequest = structure({
  stageArn: required(StageArn, 'Stage to compose.'),
  idempotencyToken: optional(
    CompositionClientToken,
    'The same token with the same input gives the same composition; made up when not given.',
    { idempotencyToken: true },
  ),
  layout: optional(LayoutConfiguration, 'How to arrange participants; a grid when not given.'),
  destinations: required(DestinationConfigurationList, 'Where the composition goes: one channel, one bucket, or both.'),
  tags: optional(Tags, 'Tags of the composition.'),
});

/** Output of StartComposition. */
export const StartCompositionResponse = structure({
  composition: optional(Composition, 'The new composition.'),
});

/** Input of GetComposition. */
export const GetCompositionRequest = structure({
  arn: required(CompositionArn, 'ARN of the composition.'),
});

/** Output of GetComposition. */
export const GetCompositionResponse = structure({
  composition: optional(Composition, 'The composition.'),
});

/** Input of ListCompositions. */
export const ListCompositionsRequest = structure({
  filterByStageArn: optional(StageArn, 'List only those of this stage.'),
  filterByEncoderConfigurationArn: optional(
    EncoderConfigurationArn,
    'List only those with this encoder configuration.',
  ),
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most compositions in one page; 100 when not given.'),
});

/** Output of ListCompositions. */
export const ListCompositionsResponse = structure({
  compositions: required(CompositionSummaryList, 'The compositions of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of StopComposition. */
export const StopCompositionRequest = structure({
  arn: required(CompositionArn, 'ARN of the composition to stop.'),
});

/** Output of StopComposition. */
export const StopCompositionResponse = structure({});
