import { type ErrorName, errors, type Operation, type OperationName, operations } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QuotaName } from '../quotas.ts';
import { type Answer, Harness } from './harness.ts';
import { sampleInputs } from './sample-inputs.ts';

// Every error that the model declares of an operation is either met here, or there is a reason why nobody meets it.

const reader = { accessKeyId: 'FLKEYREADER', secretAccessKey: 'y', readOnly: true };
let api: Harness;
beforeEach(async () => {
  api = await Harness.open();
  api.keys.push(reader);
});
afterEach(() => api.close());

type Way = () => Promise<Answer>;

/** Each operation's quota, where it adds something that is counted. */
const quotaOf: { readonly [N in OperationName]?: QuotaName } = {
  CreateEncoderConfiguration: 'encoder-configurations',
  CreateIngestConfiguration: 'ingest-configurations',
  CreateStage: 'stages',
  CreateStorageConfiguration: 'storage-configurations',
  ImportPublicKey: 'public-keys',
  StartComposition: 'compositions',
};

/** What is in the way. */
const conflicts: { readonly [N in OperationName]?: Way } = {
  ImportPublicKey: async () => {
    await api.output('ImportPublicKey', sampleInputs.ImportPublicKey);
    return api.call('ImportPublicKey', sampleInputs.ImportPublicKey);
  },
  UpdateStage: async () => {
    const { storage: storageConfigurationArn } = await composed();
    const autoParticipantRecordingConfiguration = { storageConfigurationArn };
    const arn = await api.newStage({ autoParticipantRecordingConfiguration });
    api.publishing.add(arn);
    return api.call('UpdateStage', { arn, autoParticipantRecordingConfiguration });
  },
  DeleteEncoderConfiguration: async () => api.call('DeleteEncoderConfiguration', { arn: (await composed()).encoder }),
  DeleteStorageConfiguration: async () => api.call('DeleteStorageConfiguration', { arn: (await composed()).storage }),
  StartComposition: async () => {
    const { input } = await composed();
    return api.call('StartComposition', { ...input, tags: { another: 'request' } });
  },
  UpdateIngestConfiguration: async () => api.call('UpdateIngestConfiguration', { arn: await activeIngest() }),
  DeleteIngestConfiguration: async () => api.call('DeleteIngestConfiguration', { arn: await activeIngest() }),
  StartParticipantReplication: async () => {
    const [sourceStageArn, destinationStageArn] = [await api.newStage(), await api.newStage()];
    api.livePeople.add('silent');
    return api.call('StartParticipantReplication', { sourceStageArn, destinationStageArn, participantId: 'silent' });
  },
};

async function composed() {
  const arnIn = (output: object) => (Object.values(output)[0] as { arn: string }).arn;
  const its = {
    stage: await api.newStage(),
    encoder: arnIn(await api.output('CreateEncoderConfiguration')),
    storage: arnIn(await api.output('CreateStorageConfiguration', sampleInputs.CreateStorageConfiguration)),
  };
  const s3 = { storageConfigurationArn: its.storage, encoderConfigurationArns: [its.encoder] };
  const input = { stageArn: its.stage, destinations: [{ s3 }], idempotencyToken: 'one' };
  await api.output('StartComposition', input);
  return { ...its, input };
}

async function activeIngest(): Promise<string> {
  const { ingestConfiguration } = await api.output('CreateIngestConfiguration', { ingestProtocol: 'RTMPS' });
  const { arn } = ingestConfiguration as { arn: string };
  await api.store.change(({ ingestConfigurations }) => ingestConfigurations.update(arn, () => ({ state: 'ACTIVE' })));
  return arn;
}

/** How an operation comes to fail with an error; a text says why it never does. */
function wayTo(name: OperationName, error: ErrorName): Way | string {
  const input = sampleInputs[name];
  switch (error) {
    case 'ValidationException':
      return () =>
        api.call(name, {
          ...input,
          name: 1,
          maxResults: 0,
          resourceArn: 'x',
          arn: 'x',
          stageArn: 'x',
          sourceStageArn: 'x',
        });
    case 'AccessDeniedException':
      if (/^(Get|List)/.test(name)) return 'every key may read';
      return () => api.call(name, input, { sign: { credentials: reader } });
    case 'ResourceNotFoundException':
      if (/^Create(Encoder|Storage)/.test(name)) return 'it names nothing that could be missing';
      return () => api.call(name, input);
    case 'InternalServerException':
      return () => {
        api.breakStore();
        return api.call(name, input);
      };
    case 'ServiceQuotaExceededException': {
      const quota = quotaOf[name];
      if (name === 'StartParticipantReplication') return 'signalling counts replications, and tests that it does';
      if (!quota) return 'it adds nothing that is counted';
      return async () => {
        const whole = name === 'StartComposition' ? { ...(await composed()).input, idempotencyToken: 'two' } : input;
        api.quotas[quota] = 0;
        return api.call(name, whole);
      };
    }
    case 'ConflictException':
      return conflicts[name] ?? 'nothing can be in its way';
    case 'PendingVerification':
      return 'accounts are not verified';
    default:
      return 'unheard of';
  }
}

describe.each(Object.keys(operations) as OperationName[])('%s', (name) => {
  const { errors: declared }: Operation = operations[name];
  const ways = declared.map((error) => [error, wayTo(name, error)] as const);

  it.each(ways.filter(([, way]) => typeof way !== 'string') as [ErrorName, Way][])(
    'fails with %s',
    async (error, way) => {
      expect(await way()).toMatchObject({ error, status: errors[error].status, message: expect.stringMatching(/\w/) });
    },
  );

  it('has a reason for each error that it never has', () => {
    for (const [error, way] of ways) expect([error, way]).not.toEqual([error, 'unheard of']);
  });
});
