import {
  ApiError,
  type AutoParticipantRecordingConfiguration,
  formatArn,
  type Input,
  newResourceId,
  type Output,
  type Stage,
} from '@footlights/model';
import { quotaExceeded } from '../quotas.ts';
import type { RecordingConfiguration, StageRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { detachStage } from './ingest-configuration.ts';
import { isOwn, notFound, requireStage } from './lookup.ts';
import { issueToken } from './participant-token.ts';
import { checkTagNames } from './tag-names.ts';

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
  const recording = filled(input.autoParticipantRecordingConfiguration);
  // CreateStage declares no ResourceNotFoundException.
  if (!(await storageExists(context, recording)))
    throw new ApiError('ValidationException', `Storage configuration not found: ${recording.storageConfigurationArn}`);
  checkTagNames(tags);
  const { account, region, quotas } = context;
  const arn = formatArn({ region, account, type: 'stage', id: newResourceId() });
  const createdAt = context.now().toISOString();
  const record: StageRecord = { arn, account, region, name, tags, recording, createdAt };
  const tokens = participantTokenConfigurations.map((configuration) => issueToken(context, arn, configuration));
  const participantTokens = await Promise.all(tokens);
  if (!(await context.store.createStage(record, quotas.stages))) throw quotaExceeded(quotas, 'stages');
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
  const { arn, name, autoParticipantRecordingConfiguration } = input;
  await requireStage(context, arn);
  const recording = autoParticipantRecordingConfiguration && filled(autoParticipantRecordingConfiguration);
  if (recording && !(await storageExists(context, recording)))
    throw notFound('Storage configuration', recording.storageConfigurationArn);
  const record = await context.store.updateStage(arn, (current) => {
    if (recording) refuseWhileRecording(context, current);
    return { name, recording };
  });
  if (!record) throw notFound('Stage', arn);
  return { stage: stageOf(context, record) };
}

export async function deleteStage(
  context: OperationContext,
  input: Input<'DeleteStage'>,
): Promise<Output<'DeleteStage'>> {
  const { arn } = await requireStage(context, input.arn);
  await context.live.stageDeleted(arn);
  await detachStage(context, arn);
  if (!(await context.store.deleteStage(arn))) throw notFound('Stage', arn);
  return {};
}

/** The configuration with every default. An empty storage configuration resets what else the caller gave. */
function filled(given: AutoParticipantRecordingConfiguration | undefined): RecordingConfiguration {
  if (!given?.storageConfigurationArn) return noRecording;
  const { thumbnailConfiguration, hlsConfiguration } = given;
  return {
    ...noRecording,
    ...given,
    thumbnailConfiguration: { ...noRecording.thumbnailConfiguration, ...thumbnailConfiguration },
    hlsConfiguration: { ...noRecording.hlsConfiguration, ...hlsConfiguration },
  };
}

async function storageExists(context: OperationContext, { storageConfigurationArn: arn }: RecordingConfiguration) {
  return arn === '' || (isOwn(context, arn) && (await context.store.storageConfigurations.get(arn)) !== undefined);
}

function refuseWhileRecording({ live }: OperationContext, { arn, recording }: StageRecord): void {
  if (recording.storageConfigurationArn && live.isPublishing(arn))
    throw new ApiError(
      'ConflictException',
      'The recording configuration cannot be changed while participants of the stage are recorded',
    );
}

function stageOf(context: OperationContext, record: StageRecord): Stage {
  const { arn, name, activeSessionId, tags, recording } = record;
  const { events, whip, rtmp, rtmps } = context.endpoints();
  return {
    arn,
    name,
    activeSessionId,
    tags,
    autoParticipantRecordingConfiguration: recording,
    endpoints: { events, whip, rtmp, rtmps },
  };
}
