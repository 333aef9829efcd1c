import { enumeration, integer, list, map, optional, string, structure, timestamp } from '../schema.ts';
import { arnOf } from './kinds.ts';

/** Any text. */
export const AnyString = string();

/** A point in time. */
export const Time = timestamp();

/** Name that a caller gives to a resource; may be empty, need not be unique. */
export const ResourceName = string({ minLength: 0, maxLength: 128, pattern: '[a-zA-Z0-9-_]*' });

/** ARN of any IVS resource. */
export const ResourceArn = arnOf('[a-z-]+');

/** ARN of a stage. */
export const StageArn = arnOf('stage');

/** ARN of a channel of IVS Low-Latency Streaming. */
export const ChannelArn = arnOf('channel');

/** ARN of an encoder configuration. */
export const EncoderConfigurationArn = arnOf('encoder-configuration');

/** ARN of an ingest configuration. */
export const IngestConfigurationArn = arnOf('ingest-configuration');

/** Id of a stage session. */
export const StageSessionId = string({ minLength: 16, maxLength: 16, pattern: 'st-[a-zA-Z0-9]+' });

/** Id of a participant. */
export const ParticipantId = string({ minLength: 0, maxLength: 64, pattern: '[a-zA-Z0-9-]*' });

/** Name that an application gives to a participant. */
export const UserId = string({ minLength: 0, maxLength: 128 });

/** Most bytes that the attributes of a participant may hold, keys and values together, in UTF-8. */
export const MAX_ATTRIBUTES_BYTES = 1024;

/** Text attributes of a participant. */
export const ParticipantAttributes = map(AnyString, AnyString, { maxTotalBytes: MAX_ATTRIBUTES_BYTES });

/** Name of a tag. */
export const TagKey = string({ minLength: 1, maxLength: 128 });

/** Value of a tag. */
export const TagValue = string({ minLength: 0, maxLength: 256 });

/** Tags of a resource. */
export const Tags = map(TagKey, TagValue, { min: 0, max: 50 });

/** Names of tags. */
export const TagKeyList = list(TagKey, { min: 0, max: 50 });

/** Where a listing goes on. */
export const PaginationToken = string({ minLength: 0, maxLength: 1024, pattern: '[a-zA-Z0-9+/=_-]*' });

/** Seconds between two thumbnails. */
export const ThumbnailIntervalSeconds = integer({ minimum: 1, maximum: 86_400 });

/** How thumbnails are kept. */
export const ThumbnailStorageType = enumeration('SEQUENTIAL', 'LATEST');

/** The ways in which thumbnails are kept. */
export const ThumbnailStorageTypeList = list(ThumbnailStorageType, { min: 0, max: 2 });

/** Seconds of media that a recorded segment aims at. */
export const TargetSegmentDurationSeconds = integer({ minimum: 2, maximum: 10 });

/** What both replication operations answer: members that travel in response headers. */
export const HeaderOnlyResponse = structure({
  accessControlAllowOrigin: optional(AnyString, 'Origins that may read the answer.', {
    location: 'header',
    locationName: 'Access-Control-Allow-Origin',
  }),
  accessControlExposeHeaders: optional(AnyString, 'Headers that a browser may read.', {
    location: 'header',
    locationName: 'Access-Control-Expose-Headers',
  }),
  cacheControl: optional(AnyString, 'How long the answer may be kept.', {
    location: 'header',
    locationName: 'Cache-Control',
  }),
  contentSecurityPolicy: optional(AnyString, 'What a browser may load from the answer.', {
    location: 'header',
    locationName: 'Content-Security-Policy',
  }),
  strictTransportSecurity: optional(AnyString, 'How long a browser keeps to HTTPS.', {
    location: 'header',
    locationName: 'Strict-Transport-Security',
  }),
  xContentTypeOptions: optional(AnyString, 'Whether a browser may guess the content type.', {
    location: 'header',
    locationName: 'X-Content-Type-Options',
  }),
  xFrameOptions: optional(AnyString, 'Whether the answer may be shown in a frame.', {
    location: 'header',
    locationName: 'X-Frame-Options',
  }),
});
