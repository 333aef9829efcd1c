import { createHash } from 'node:crypto';
import {
  ApiError,
  type Composition,
  type CompositionSummary,
  type Destination,
  type DestinationConfiguration,
  type GridConfiguration,
  type Input,
  type LayoutConfiguration,
  newResourceId,
  type Output,
  type PipConfiguration,
  parseArn,
  type S3DestinationConfiguration,
} from '@footlights/model';
import { quotaExceeded } from '../quotas.ts';
import type { CompositionRecord, Resources } from '../store/index.ts';
import { countUnended } from './composition-use.ts';
import type { OperationContext } from './context.ts';
import { isOwn, notFound } from './lookup.ts';
import { insertWithinQuota, listResources, newResource, requireResource } from './resources.ts';

const pageSize = 100;

/** What AWS shows of a fill mode that was not chosen; it depends on the tile then. */
const noFillMode = '' as string as NonNullable<GridConfiguration['videoFillMode']>;

const defaultGrid: Required<GridConfiguration> = {
  featuredParticipantAttribute: '',
  omitStoppedVideo: false,
  videoAspectRatio: 'VIDEO',
  videoFillMode: noFillMode,
  gridGap: 2,
  participantOrderAttribute: '',
};

const defaultPip: PipConfiguration = {
  featuredParticipantAttribute: '',
  omitStoppedVideo: false,
  videoFillMode: 'COVER',
  gridGap: 0,
  pipParticipantAttribute: '',
  pipBehavior: 'STATIC',
  pipOffset: 0,
  pipPosition: 'BOTTOM_RIGHT',
  participantOrderAttribute: '',
};

export async function startComposition(
  context: OperationContext,
  input: Input<'StartComposition'>,
): Promise<Output<'StartComposition'>> {
  checkDestinations(input.destinations);
  const record = newComposition(context, input);
  const composition = await context.store.change(async (resources) => {
    const earlier = await sameRequest(context, resources, record);
    if (earlier) return earlier;
    await checkReferences(context, resources, record);
    const { stageArn } = record;
    if ((await countUnended(context, resources, { stageArn })) >= context.quotas['compositions-per-stage'])
      throw quotaExceeded(context.quotas, 'compositions-per-stage');
    await insertWithinQuota(context, resources, 'compositions', record);
    return record;
  });
  if (composition === record) context.compositions.started(record.arn);
  return { composition: compositionOf(composition) };
}

export async function getComposition(
  context: OperationContext,
  { arn }: Input<'GetComposition'>,
): Promise<Output<'GetComposition'>> {
  return { composition: compositionOf(await requireResource(context, 'compositions', arn)) };
}

export async function listCompositions(
  context: OperationContext,
  input: Input<'ListCompositions'>,
): Promise<Output<'ListCompositions'>> {
  const filter = {
    stageArn: input.filterByStageArn,
    encoderConfigurationArn: input.filterByEncoderConfigurationArn,
  };
  const { items, nextToken } = await listResources(context, 'compositions', input, { pageSize, filter });
  return { compositions: items.map(summaryOf), nextToken };
}

/** One that has ended stays as it is. */
export async function stopComposition(
  context: OperationContext,
  { arn }: Input<'StopComposition'>,
): Promise<Output<'StopComposition'>> {
  await requireResource(context, 'compositions', arn);
  await context.compositions.stop(arn);
  return {};
}

function newComposition(context: OperationContext, input: Input<'StartComposition'>): CompositionRecord {
  const { stageArn, idempotencyToken = newResourceId(), tags, ...rest } = input;
  const base = newResource(context, 'compositions', { tags });
  return {
    ...base,
    stageArn,
    state: 'STARTING',
    layout: filledLayout(rest.layout),
    destinations: rest.destinations.map((configuration) => newDestination(stageArn, base.arn, configuration)),
    startTime: base.createdAt,
    idempotencyToken,
    requestDigest: createHash('sha256')
      .update(canonical({ stageArn, tags, ...rest }))
      .digest('base64url'),
  };
}

/** The composition that an earlier request with the same token and the same members has made. */
async function sameRequest(
  context: OperationContext,
  { compositions }: Resources,
  { idempotencyToken, requestDigest }: CompositionRecord,
): Promise<CompositionRecord | undefined> {
  const [earlier] = await compositions.all({ idempotencyToken }, context);
  if (earlier && earlier.requestDigest !== requestDigest)
    throw new ApiError(
      'ConflictException',
      `The idempotencyToken ${idempotencyToken} was used before with other parameters, for ${earlier.arn}`,
    );
  return earlier;
}

/** One text for one value, however its members are ordered. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function checkDestinations(destinations: readonly DestinationConfiguration[]): void {
  for (const [i, { channel, s3 }] of destinations.entries())
    if ((channel === undefined) === (s3 === undefined))
      throw new ApiError('ValidationException', `'destinations.${i + 1}.member' must have either channel or s3`);
  if (destinations.length > 1 && new Set(destinations.map(({ s3 }) => s3 === undefined)).size === 1)
    throw new ApiError('ValidationException', "Two 'destinations' must be one with channel and one with s3");
}

async function checkReferences(
  context: OperationContext,
  resources: Resources,
  { stageArn, destinations }: CompositionRecord,
): Promise<void> {
  if (!isOwn(context, stageArn) || !(await resources.stage(stageArn))) throw notFound('Stage', stageArn);
  for (const { configuration } of destinations) {
    const { channel, s3 } = configuration;
    const encoders = s3 ? s3.encoderConfigurationArns : [channel?.encoderConfigurationArn ?? []].flat();
    for (const arn of encoders) await requireResource(context, 'encoderConfigurations', arn, resources);
    if (s3) await requireResource(context, 'storageConfigurations', s3.storageConfigurationArn, resources);
    // Channels are another service's; that one is of the caller is all that can be told.
    if (channel && !isOwn(context, channel.channelArn)) throw notFound('Channel', channel.channelArn);
  }
}

function filledLayout({ grid, pip }: LayoutConfiguration = {}): LayoutConfiguration {
  if (grid && pip) throw new ApiError('ValidationException', "'layout' must have either grid or pip");
  return pip ? { pip: { ...defaultPip, ...pip } } : { grid: { ...defaultGrid, ...grid } };
}

function newDestination(stageArn: string, arn: string, configuration: DestinationConfiguration): Destination {
  const id = newResourceId();
  const { name = '', channel, s3 } = configuration;
  if (!s3) return { id, state: 'STARTING', configuration: { name, channel } };
  const recordingPrefix = [idOf(stageArn), idOf(arn), id, 'composite'].join('/');
  return { id, state: 'STARTING', configuration: { name, s3: filledS3(s3) }, detail: { s3: { recordingPrefix } } };
}

function filledS3(s3: S3DestinationConfiguration): S3DestinationConfiguration {
  const { hlsConfiguration, format = 'HLS' } = s3.recordingConfiguration ?? {};
  const thumbnails = s3.thumbnailConfigurations?.map((given) => ({
    ...{ targetIntervalSeconds: 60, storage: ['SEQUENTIAL' as const] },
    ...given,
  }));
  return {
    ...s3,
    recordingConfiguration: { format, hlsConfiguration: { targetSegmentDurationSeconds: 2, ...hlsConfiguration } },
    ...(thumbnails && { thumbnailConfigurations: thumbnails }),
  };
}

const idOf = (arn: string) => parseArn(arn)?.id ?? '';

function compositionOf(record: CompositionRecord): Composition {
  const { arn, stageArn, state, layout, destinations, tags, startTime, endTime } = record;
  return { arn, stageArn, state, layout, destinations, tags, startTime, endTime };
}

function summaryOf(record: CompositionRecord): CompositionSummary {
  const { arn, stageArn, state, tags, startTime, endTime } = record;
  const destinations = record.destinations.map(({ id, state: its, startTime: from, endTime: to }) => ({
    ...{ id, state: its, startTime: from, endTime: to },
  }));
  return { arn, stageArn, destinations, state, tags, startTime, endTime };
}
