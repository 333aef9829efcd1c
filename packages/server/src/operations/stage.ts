import { ApiError, formatArn, type Input, newResourceId, type Output, type Stage } from '@footlights/model';
import type { RecordingConfiguration, StageRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { notFound, requireStage } from './lookup.ts';
import { issueToken } from './participant-token.ts';
import { checkTagNames } from './tags.ts';

/** Stages of one account in one region. */
export const stageQuota = 1000;

/** What a stage that records nothing shows. */
const noRecording: RecordingConfiguration = {
  storageConfigurationArn: '',
  mediaTypes: ['AUDIO_VIDEO'],
  thumbnailConfiguration: { targetIntervalSeconds: 60, storage: ['SEQUENTIAL'], recordingMode: 'DISABLED' },
  recordingReconnectWindowSeconds: 0,
  hlsConfiguration: { targetSegmentDurationSeconds: 6 },
  recordParticipantReplicas: true,
};

export async function createStage(
  context: OperationContext,
  input: Input<'CreateStage'>,
): Promise<Output<'CreateStage'>> {
  const { name = '', tags = {}, participantTokenConfigurations = [] } = input;
  const storageArn = input.autoParticipantRecordingConfiguration?.storageConfigurationArn;
  // CreateStage declares no ResourceNotFoundException.
  if (storageArn) throw new ApiError('ValidationException', `Storage configuration not found: ${storageArn}`);
  checkTagNames(tags);
  const { account, region } = context;
  const arn = formatArn({ region, account, type: 'stage', id: newResourceId() });
  const createdAt = context.now().toISOString();
  const record: StageRecord = { arn, account, region, name, tags, recording: noRecording, createdAt };
  const tokens = participantTokenConfigurations.map((configuration) => issueToken(context, arn, configuration));
  const participantTokens = await Promise.all(tokens);
  if (!(await context.store.createStage(record, stageQuota)))
    throw new ApiError(
      'ServiceQuotaExceededException',
      `The account has ${stageQuota} stages in ${region}, which is the quota for stages: delete one first`,
    );
  return { stage: stageOf(context, record), participantTokens };
}

export async function getStage(context: OperationContext, input: Input<'GetStage'>): Promise<Output<'GetStage'>> {
  return { stage: stageOf(context, await requireStage(context, input.arn)) };
}

export async function listStages(context: OperationContext, input: Input<'ListStages'>): Promise<Output<'ListStages'>> {
  const { items, nextToken } = await context.store.listStages(context, input);
  const stages = items.map(({ arn, name, activeSessionId, tags }) => ({ arn, name, activeSessionId, tags }));
  return { stages, nextToken };
}

export async function updateStage(
  context: OperationContext,
  input: Input<'UpdateStage'>,
): Promise<Output<'UpdateStage'>> {
  const { arn, name, autoParticipantRecordingConfiguration: recording } = input;
  await requireStage(context, arn);
  if (recording?.storageConfigurationArn) throw notFound('Storage configuration', recording.storageConfigurationArn);
  // An empty storage configuration turns recording off and resets what else the caller gave.
  const record = await context.store.updateStage(arn, { name, recording: recording && noRecording });
  if (!record) throw notFound('Stage', arn);
  return { stage: stageOf(context, record) };
}

export async function deleteStage(
  context: OperationContext,
  input: Input<'DeleteStage'>,
): Promise<Output<'DeleteStage'>> {
  const { arn } = await requireStage(context, input.arn);
  await context.live.stageDeleted(arn);
  if (!(await context.store.deleteStage(arn))) throw notFound('Stage', arn);
  return {};
}

function stageOf(context: OperationContext, record: StageRecord): Stage {
  const { arn, name, activeSessionId, tags, recording } = record;
  const { events, whip } = context.endpoints();
  return {
    arn,
    name,
    activeSessionId,
    tags,
    autoParticipantRecordingConfiguration: recording,
    endpoints: { events, whip },
  };
}
