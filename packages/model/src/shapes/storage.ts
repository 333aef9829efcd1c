import type { Static } from '@sinclair/typebox';
import { list, optional, required, string, structure } from '../schema.ts';
import { PaginationToken, ResourceName, Tags } from './common.ts';
import { arnOf, maxResults } from './kinds.ts';

/** ARN of a storage configuration. */
export const StorageConfigurationArn = arnOf('storage-configuration');

/** Name of a bucket. */
export const S3BucketName = string({ minLength: 3, maxLength: 63, pattern: '[a-z0-9-.]+' });

/** Bucket that recordings go to. */
export const S3StorageConfiguration = structure({
  bucketName: required(S3BucketName, 'Name of the bucket.'),
});
export type S3StorageConfiguration = Static<typeof S3StorageConfiguration>;

/** Where recordings are kept. */
export const StorageConfiguration = structure({
  arn: required(StorageConfigurationArn, 'ARN of this storage configuration.'),
  name: optional(ResourceName, 'Name of this storage configuration.'),
  s3: optional(S3StorageConfiguration, 'Bucket that recordings go to.'),
  tags: optional(Tags, 'Tags of the storage configuration.'),
});
export type StorageConfiguration = Static<typeof StorageConfiguration>;

/** A storage configuration as listings show it. */
export const StorageConfigurationSummary = structure({
  arn: required(StorageConfigurationArn, 'ARN of this storage configuration.'),
  name: optional(ResourceName, 'Name of this storage configuration.'),
  s3: optional(S3StorageConfiguration, 'Bucket that recordings go to.'),
  tags: optional(Tags, 'Tags of the storage configuration.'),
});
export type StorageConfigurationSummary = Static<typeof StorageConfigurationSummary>;

/** Storage configurations of a listing. */
export const StorageConfigurationSummaryList = list(StorageConfigurationSummary);

/** Input of CreateStorageConfiguration. */
export const CreateStorageConfigurationRequest = structure({
  name: optional(ResourceName, 'Name of the storage configuration; need not be unique.'),
  s3: required(S3StorageConfiguration, 'Bucket that recordings go to.'),
  tags: optional(Tags, 'Tags of the storage configuration.'),
});

/** Output of CreateStorageConfiguration. */
export const CreateStorageConfigurationResponse = structure({
  storageConfiguration: optional(StorageConfiguration, 'The new storage configuration.'),
});

/** Input of GetStorageConfiguration. */
export const GetStorageConfigurationRequest = structure({
  arn: required(StorageConfigurationArn, 'ARN of this storage configuration.'),
});

/** Output of GetStorageConfiguration. */
export const GetStorageConfigurationResponse = structure({
  storageConfiguration: optional(StorageConfiguration, 'The storage configuration.'),
});

/** Input of ListStorageConfigurations. */
export const ListStorageConfigurationsRequest = structure({
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most storage configurations in one page; 100 when not given.'),
});

/** Output of ListStorageConfigurations. */
export const ListStorageConfigurationsResponse = structure({
  storageConfigurations: required(StorageConfigurationSummaryList, 'The storage configurations of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of DeleteStorageConfiguration. */
export const DeleteStorageConfigurationRequest = structure({
  arn: required(StorageConfigurationArn, 'ARN of this storage configuration.'),
});

/** Output of DeleteStorageConfiguration. */
export const DeleteStorageConfigurationResponse = structure({});
