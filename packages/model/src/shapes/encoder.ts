import type { Static } from '@sinclair/typebox';
import { float, integer, list, optional, required, structure } from '../schema.ts';
import { EncoderConfigurationArn, PaginationToken, ResourceName, Tags } from './common.ts';
import { maxResults } from './kinds.ts';

/** Pixels of one side of a composed picture. */
export const PictureSide = integer({ minimum: 2, maximum: 1920 });

/** Frames per second of a composed picture. */
export const Framerate = float({ minimum: 1, maximum: 60 });

/** Bits per second of composed video. */
export const Bitrate = integer({ minimum: 1, maximum: 8_500_000 });

/** Video settings of a composition. */
export const Video = structure({
  width: optional(PictureSide, 'Width in pixels, even; 1280 when not given.'),
  height: optional(PictureSide, 'Height in pixels, even; 720 when not given.'),
  framerate: optional(Framerate, 'Frames per second; 30 when not given.'),
  bitrate: optional(Bitrate, 'Bits per second; 2500000 when not given.'),
});
export type Video = Static<typeof Video>;

/** How a composition is encoded. */
export const EncoderConfiguration = structure({
  arn: required(EncoderConfigurationArn, 'ARN of the encoder configuration.'),
  name: optional(ResourceName, 'Name of the encoder configuration.'),
  video: optional(Video, 'Video settings.'),
  tags: optional(Tags, 'Tags of the encoder configuration.'),
});
export type EncoderConfiguration = Static<typeof EncoderConfiguration>;

/** An encoder configuration as listings show it. */
export const EncoderConfigurationSummary = structure({
  arn: required(EncoderConfigurationArn, 'ARN of the encoder configuration.'),
  name: optional(ResourceName, 'Name of the encoder configuration.'),
  tags: optional(Tags, 'Tags of the encoder configuration.'),
});
export type EncoderConfigurationSummary = Static<typeof EncoderConfigurationSummary>;

/** Encoder configurations of a listing. */
export const EncoderConfigurationSummaryList = list(EncoderConfigurationSummary);

/** Input of CreateEncoderConfiguration. */
export const CreateEncoderConfigurationRequest = structure({
  name: optional(ResourceName, 'Name of the encoder configuration; need not be unique.'),
  video: optional(Video, 'Video settings; 720p at 30 frames and 2.5 Mbit/s when not given.'),
  tags: optional(Tags, 'Tags of the encoder configuration.'),
});

/** Output of CreateEncoderConfiguration. */
export const CreateEncoderConfigurationResponse = structure({
  encoderConfiguration: optional(EncoderConfiguration, 'The new encoder configuration.'),
});

/** Input of GetEncoderConfiguration. */
export const GetEncoderConfigurationRequest = structure({
  arn: required(EncoderConfigurationArn, 'ARN of the encoder configuration.'),
});

/** Output of GetEncoderConfiguration. */
export const GetEncoderConfigurationResponse = structure({
  encoderConfiguration: optional(EncoderConfiguration, 'The encoder configuration.'),
});

/** Input of ListEncoderConfigurations. */
export const ListEncoderConfigurationsRequest = structure({
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most encoder configurations in one page; 100 when not given.'),
});

/** Output of ListEncoderConfigurations. */
export const ListEncoderConfigurationsResponse = structure({
  encoderConfigurations: required(EncoderConfigurationSummaryList, 'The encoder configurations of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of DeleteEncoderConfiguration. */
export const DeleteEncoderConfigurationRequest = structure({
  arn: required(EncoderConfigurationArn, 'ARN of the encoder configuration.'),
});

/** Output of DeleteEncoderConfiguration. */
export const DeleteEncoderConfigurationResponse = structure({});
