import { ApiError, type EncoderConfiguration, type Input, type Output } from '@footlights/model';
import type { EncoderConfigurationRecord } from '../store/index.ts';
import { refuseWhileComposed } from './composition-use.ts';
import type { OperationContext } from './context.ts';
import { deleteResource, insertResource, listResources, newResource, requireResource } from './resources.ts';

const defaultVideo = { width: 1280, height: 720, framerate: 30, bitrate: 2_500_000 };
const pageSize = 100;

/** Pixels of one picture. */
const maxPixels = 1920 * 1080;

export async function createEncoderConfiguration(
  context: OperationContext,
  input: Input<'CreateEncoderConfiguration'>,
): Promise<Output<'CreateEncoderConfiguration'>> {
  const video = { ...defaultVideo, ...input.video };
  checkPicture(video);
  const record = { ...newResource(context, 'encoderConfigurations', input), video };
  await insertResource(context, 'encoderConfigurations', record);
  return { encoderConfiguration: encoderConfigurationOf(record) };
}

export async function getEncoderConfiguration(
  context: OperationContext,
  { arn }: Input<'GetEncoderConfiguration'>,
): Promise<Output<'GetEncoderConfiguration'>> {
  return { encoderConfiguration: encoderConfigurationOf(await requireResource(context, 'encoderConfigurations', arn)) };
}

export async function listEncoderConfigurations(
  context: OperationContext,
  input: Input<'ListEncoderConfigurations'>,
): Promise<Output<'ListEncoderConfigurations'>> {
  const { items, nextToken } = await listResources(context, 'encoderConfigurations', input, { pageSize });
  return { encoderConfigurations: items.map(({ arn, name, tags }) => ({ arn, name, tags })), nextToken };
}

export async function deleteEncoderConfiguration(
  context: OperationContext,
  { arn }: Input<'DeleteEncoderConfiguration'>,
): Promise<Output<'DeleteEncoderConfiguration'>> {
  await deleteResource(context, 'encoderConfigurations', arn, (_record, resources) =>
    refuseWhileComposed(context, resources, { encoderConfigurationArn: arn }),
  );
  return {};
}

function checkPicture({ width, height }: EncoderConfigurationRecord['video']): void {
  for (const [name, side] of Object.entries({ width, height }))
    if (side % 2 !== 0)
      throw new ApiError(
        'ValidationException',
        `Value '${side}' at 'video.${name}' failed to satisfy constraint: Member must be even`,
      );
  if (width * height > maxPixels)
    throw new ApiError(
      'ValidationException',
      `Value at 'video' failed to satisfy constraint: width times height must be at most ${maxPixels}, it is ${width * height}`,
    );
}

function encoderConfigurationOf({ arn, name, video, tags }: EncoderConfigurationRecord): EncoderConfiguration {
  return { arn, name, video, tags };
}
