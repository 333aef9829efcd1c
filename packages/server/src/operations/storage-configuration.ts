import type { Input, Output, StorageConfiguration } from '@footlights/model';
import type { StorageConfigurationRecord } from '../store/index.ts';
import { refuseWhileComposed } from './composition-use.ts';
import type { OperationContext } from './context.ts';
import { deleteResource, insertResource, listResources, newResource, requireResource } from './resources.ts';

const maxPageSize = 100;

export async function createStorageConfiguration(
  context: OperationContext,
  input: Input<'CreateStorageConfiguration'>,
): Promise<Output<'CreateStorageConfiguration'>> {
  const { bucketName } = input.s3;
  const record = { ...newResource(context, 'storageConfigurations', input), bucketName };
  await context.buckets.open(bucketName);
  await insertResource(context, 'storageConfigurations', record);
  return { storageConfiguration: storageConfigurationOf(record) };
}

export async function getStorageConfiguration(
  context: OperationContext,
  { arn }: Input<'GetStorageConfiguration'>,
): Promise<Output<'GetStorageConfiguration'>> {
  return { storageConfiguration: storageConfigurationOf(await requireResource(context, 'storageConfigurations', arn)) };
}

export async function listStorageConfigurations(
  context: OperationContext,
  input: Input<'ListStorageConfigurations'>,
): Promise<Output<'ListStorageConfigurations'>> {
  const pageSize = Math.min(Math.max(1, context.quotas['storage-configurations']), maxPageSize);
  const { items, nextToken } = await listResources(context, 'storageConfigurations', input, { pageSize });
  return { storageConfigurations: items.map(storageConfigurationOf), nextToken };
}

export async function deleteStorageConfiguration(
  context: OperationContext,
  { arn }: Input<'DeleteStorageConfiguration'>,
): Promise<Output<'DeleteStorageConfiguration'>> {
  await deleteResource(context, 'storageConfigurations', arn, (_record, resources) =>
    refuseWhileComposed(context, resources, { storageConfigurationArn: arn }),
  );
  return {};
}

function storageConfigurationOf({ arn, name, bucketName, tags }: StorageConfigurationRecord): StorageConfiguration {
  return { arn, name, s3: { bucketName }, tags };
}
