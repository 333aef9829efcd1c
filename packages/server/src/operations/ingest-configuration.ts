import { randomInt } from 'node:crypto';
import {
  ApiError,
  type IngestConfiguration,
  type IngestConfigurationSummary,
  type Input,
  newResourceId,
  type Output,
  parseArn,
} from '@footlights/model';
import type { IngestConfigurationRecord, Resources } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { isOwn, notFound } from './lookup.ts';
import {
  deleteResource,
  insertResource,
  listResources,
  newResource,
  requireResource,
  updateResource,
} from './resources.ts';

const pageSize = 50;
/** Characters of a stream key's secret part: 178 bits. */
const secretLength = 30;
const secretAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export async function createIngestConfiguration(
  context: OperationContext,
  input: Input<'CreateIngestConfiguration'>,
): Promise<Output<'CreateIngestConfiguration'>> {
  const { ingestProtocol, insecureIngest = false, stageArn = '', userId = '', attributes = {} } = input;
  if (ingestProtocol === 'RTMP' && !insecureIngest)
    throw new ApiError(
      'ValidationException',
      'RTMP is not encrypted: insecureIngest must be true when ingestProtocol is RTMP',
    );
  const base = newResource(context, 'ingestConfigurations', input);
  const streamKey = newStreamKey(base.arn);
  const record: IngestConfigurationRecord = {
    ...{ ...base, ingestProtocol, streamKey, stageArn, userId, attributes },
    participantId: newResourceId(),
    state: 'INACTIVE',
    ...redundancy({ arn: base.arn, streamKey }, input.redundantIngest ?? false),
  };
  await insertResource(context, 'ingestConfigurations', record, async (resources) => {
    // CreateIngestConfiguration declares no ResourceNotFoundException.
    if (!(await stageExists(context, resources, stageArn)))
      throw new ApiError('ValidationException', `Stage not found: ${stageArn}`);
  });
  return { ingestConfiguration: ingestConfigurationOf(record) };
}

export async function getIngestConfiguration(
  context: OperationContext,
  { arn }: Input<'GetIngestConfiguration'>,
): Promise<Output<'GetIngestConfiguration'>> {
  return { ingestConfiguration: ingestConfigurationOf(await requireResource(context, 'ingestConfigurations', arn)) };
}

export async function listIngestConfigurations(
  context: OperationContext,
  input: Input<'ListIngestConfigurations'>,
): Promise<Output<'ListIngestConfigurations'>> {
  const filter = { stageArn: input.filterByStageArn, state: input.filterByState };
  if (filter.stageArn !== undefined && filter.state !== undefined)
    throw new ApiError('ValidationException', 'Only one of filterByStageArn and filterByState may be given');
  const { items, nextToken } = await listResources(context, 'ingestConfigurations', input, { pageSize, filter });
  return { ingestConfigurations: items.map(summaryOf), nextToken };
}

export async function updateIngestConfiguration(
  context: OperationContext,
  input: Input<'UpdateIngestConfiguration'>,
): Promise<Output<'UpdateIngestConfiguration'>> {
  const { arn, stageArn, redundantIngest } = input;
  const record = await updateResource(context, 'ingestConfigurations', arn, async (current, resources) => {
    refuseWhileActive(current);
    if (stageArn && !(await stageExists(context, resources, stageArn))) throw notFound('Stage', stageArn);
    const changed = redundantIngest !== undefined && redundantIngest !== current.redundantIngest;
    return { ...(stageArn !== undefined && { stageArn }), ...(changed && redundancy(current, redundantIngest)) };
  });
  return { ingestConfiguration: ingestConfigurationOf(record) };
}

export async function deleteIngestConfiguration(
  context: OperationContext,
  { arn, force = false }: Input<'DeleteIngestConfiguration'>,
): Promise<Output<'DeleteIngestConfiguration'>> {
  await deleteResource(context, 'ingestConfigurations', arn, async (record) => {
    if (!force) refuseWhileActive(record);
  });
  await context.encoders.end(arn);
  return {};
}

/** Takes the stage out of every ingest configuration that names it. */
export function detachStage(context: OperationContext, stageArn: string): Promise<void> {
  return context.store.change(async ({ ingestConfigurations }) => {
    for (const { arn } of await ingestConfigurations.all({ stageArn }, context))
      await ingestConfigurations.update(arn, () => ({ stageArn: '', state: 'INACTIVE' }));
  });
}

/** Takes the stage out of the ingest configuration through which the participant came, if it did, and ends its encoders. */
export async function detachParticipant(
  context: OperationContext,
  stageArn: string,
  participantId: string,
): Promise<void> {
  const detached = await context.store.change(async ({ ingestConfigurations }) => {
    const candidates = await ingestConfigurations.all({ stageArn }, context);
    const found = candidates.find((candidate) => participantsOf(candidate).includes(participantId));
    if (found) await ingestConfigurations.update(found.arn, () => ({ stageArn: '', state: 'INACTIVE' }));
    return found?.arn;
  });
  // The encoder may have come back already, and redundant ingest has another one.
  if (detached !== undefined) await context.encoders.end(detached);
}

function participantsOf({ participantId, redundantIngestCredentials }: IngestConfigurationRecord): string[] {
  return [participantId, ...redundantIngestCredentials.map((way) => way.participantId)];
}

function refuseWhileActive({ arn, state }: IngestConfigurationRecord): void {
  if (state === 'ACTIVE') throw new ApiError('ConflictException', `An encoder is publishing through ${arn}`);
}

async function stageExists(context: OperationContext, resources: Resources, arn: string): Promise<boolean> {
  return arn === '' || (isOwn(context, arn) && (await resources.stage(arn)) !== undefined);
}

/** Two ways in. The first has the configuration's own key, so that an encoder that is set up stays of use. */
function redundancy(
  { arn, streamKey }: { arn: string; streamKey: string },
  redundantIngest: boolean,
): Pick<IngestConfigurationRecord, 'redundantIngest' | 'redundantIngestCredentials'> {
  const keys = redundantIngest ? [streamKey, newStreamKey(arn)] : [];
  const redundantIngestCredentials = keys.map((key) => ({ participantId: newResourceId(), streamKey: key }));
  return { redundantIngest, redundantIngestCredentials };
}

/** `rt_<account>_<region>_<id>_<secret>`. */
function newStreamKey(arn: string): string {
  const { account = '', region = '', id = '' } = parseArn(arn) ?? {};
  const secret = Array.from({ length: secretLength }, () => secretAlphabet.charAt(randomInt(secretAlphabet.length)));
  return `rt_${account}_${region}_${id}_${secret.join('')}`;
}

function summaryOf(record: IngestConfigurationRecord): IngestConfigurationSummary {
  const { name, arn, ingestProtocol, stageArn, participantId, state, userId, redundantIngest } = record;
  return { name, arn, ingestProtocol, stageArn, participantId, state, userId, redundantIngest };
}

function ingestConfigurationOf(record: IngestConfigurationRecord): IngestConfiguration {
  const { streamKey, redundantIngest, redundantIngestCredentials, attributes, tags } = record;
  return {
    ...summaryOf(record),
    streamKey,
    ...(redundantIngest && { redundantIngestCredentials }),
    attributes,
    tags,
  };
}
