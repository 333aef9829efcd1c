import type { Static } from '@sinclair/typebox';
import { boolean, enumeration, list, optional, required, string, structure } from '../schema.ts';
import {
  IngestConfigurationArn,
  PaginationToken,
  ParticipantAttributes,
  ParticipantId,
  ResourceName,
  StageArn,
  Tags,
  UserId,
} from './common.ts';
import { arnOrEmpty, maxResults } from './kinds.ts';

/** Stage that an encoder publishes to; empty for none. */
export const IngestConfigurationStageArn = arnOrEmpty('stage');

/** Protocol of an encoder. */
export const IngestProtocol = enumeration('RTMP', 'RTMPS');
export type IngestProtocol = Static<typeof IngestProtocol>;

/** Whether an encoder is publishing. */
export const IngestConfigurationState = enumeration('ACTIVE', 'INACTIVE');
export type IngestConfigurationState = Static<typeof IngestConfigurationState>;

/** The secret with which an encoder publishes. */
export const StreamKey = string({ pattern: 'rt_[0-9]+_[a-z0-9-]+_[a-zA-Z0-9-]+_.+', sensitive: true });

/** One of the two ways in of redundant ingest. */
export const RedundantIngestCredential = structure({
  participantId: optional(ParticipantId, 'Participant that publishes this way.'),
  streamKey: optional(StreamKey, 'Stream key of this way.'),
});
export type RedundantIngestCredential = Static<typeof RedundantIngestCredential>;

/** The ways in of redundant ingest. */
export const RedundantIngestCredentials = list(RedundantIngestCredential);

/** How an RTMP encoder publishes to a stage. */
export const IngestConfiguration = structure({
  name: optional(ResourceName, 'Name of the ingest configuration.'),
  arn: required(IngestConfigurationArn, 'ARN of the ingest configuration.'),
  ingestProtocol: required(IngestProtocol, 'Protocol of the encoder.'),
  streamKey: required(StreamKey, 'The secret with which the encoder publishes.'),
  stageArn: required(IngestConfigurationStageArn, 'Stage that is published to; empty for none.'),
  participantId: required(ParticipantId, 'Participant that the encoder becomes.'),
  state: required(IngestConfigurationState, 'Whether the encoder is publishing.'),
  userId: optional(UserId, "The application's own name for the participant."),
  redundantIngest: optional(boolean(), 'Whether two encoders may publish the same stream.'),
  redundantIngestCredentials: optional(RedundantIngestCredentials, 'The two ways in, with redundant ingest.'),
  attributes: optional(ParticipantAttributes, 'Text attributes that other participants see.'),
  tags: optional(Tags, 'Tags of the ingest configuration.'),
});
export type IngestConfiguration = Static<typeof IngestConfiguration>;

/** An ingest configuration as listings show it. */
export const IngestConfigurationSummary = structure({
  name: optional(ResourceName, 'Name of the ingest configuration.'),
  arn: required(IngestConfigurationArn, 'ARN of the ingest configuration.'),
  ingestProtocol: required(IngestProtocol, 'Protocol of the encoder.'),
  stageArn: required(IngestConfigurationStageArn, 'Stage that is published to; empty for none.'),
  participantId: required(ParticipantId, 'Participant that the encoder becomes.'),
  state: required(IngestConfigurationState, 'Whether the encoder is publishing.'),
  userId: optional(UserId, "The application's own name for the participant."),
  redundantIngest: optional(boolean(), 'Whether two encoders may publish the same stream.'),
});
export type IngestConfigurationSummary = Static<typeof IngestConfigurationSummary>;

/** Ingest configurations of a listing. */
export const IngestConfigurationList = list(IngestConfigurationSummary);

/** Input of CreateIngestConfiguration. */
export const CreateIngestConfigurationRequest = structure({
  name: optional(ResourceName, 'Name of the ingest configuration; need not be unique.'),
  stageArn: optional(IngestConfigurationStageArn, 'Stage to publish to; may be set later.'),
  userId: optional(UserId, "The application's own name for the participant; others see it."),
  attributes: optional(ParticipantAttributes, 'Text attributes, at most 1 KB together; others see them.'),
  ingestProtocol: required(IngestProtocol, 'Protocol of the encoder; RTMP needs insecureIngest.'),
  insecureIngest: optional(boolean(), 'Whether RTMP without TLS is allowed; false when not given.'),
  redundantIngest: optional(boolean(), 'Whether two encoders may publish the same stream; false when not given.'),
  tags: optional(Tags, 'Tags of the ingest configuration.'),
});

/** Output of CreateIngestConfiguration. */
export const CreateIngestConfigurationResponse = structure({
  ingestConfiguration: optional(IngestConfiguration, 'The new ingest configuration.'),
});

/** Input of GetIngestConfiguration. */
export const GetIngestConfigurationRequest = structure({
  arn: required(IngestConfigurationArn, 'ARN of the ingest configuration.'),
});

/** Output of GetIngestConfiguration. */
export const GetIngestConfigurationResponse = structure({
  ingestConfiguration: optional(IngestConfiguration, 'The ingest configuration.'),
});

/** Input of ListIngestConfigurations. */
export const ListIngestConfigurationsRequest = structure({
  filterByStageArn: optional(StageArn, 'List only those of this stage; one filter may be given.'),
  filterByState: optional(IngestConfigurationState, 'List only those in this state; one filter may be given.'),
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most ingest configurations in one page; 50 when not given.'),
});

/** Output of ListIngestConfigurations. */
export const ListIngestConfigurationsResponse = structure({
  ingestConfigurations: required(IngestConfigurationList, 'The ingest configurations of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of UpdateIngestConfiguration. */
export const UpdateIngestConfigurationRequest = structure({
  arn: required(IngestConfigurationArn, 'ARN of the ingest configuration, which must not be publishing.'),
  stageArn: optional(IngestConfigurationStageArn, 'Stage to publish to from now on; empty for none.'),
  redundantIngest: optional(boolean(), 'Whether two encoders may publish the same stream.'),
});

/** Output of UpdateIngestConfiguration. */
export const UpdateIngestConfigurationResponse = structure({
  ingestConfiguration: optional(IngestConfiguration, 'The ingest configuration as it is now.'),
});

/** Input of DeleteIngestConfiguration. */
export const DeleteIngestConfigurationRequest = structure({
  arn: required(IngestConfigurationArn, 'ARN of the ingest configuration.'),
  force: optional(boolean(), 'Disconnect an encoder that is publishing; without it such a delete is refused.'),
});

/** Output of DeleteIngestConfiguration. */
export const DeleteIngestConfigurationResponse = structure({});
