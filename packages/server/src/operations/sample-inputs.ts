import { formatArn, type OperationName } from '@footlights/model';
import { account, region } from './harness.ts';

const sessionId = 'st-ABCDEFGHIJKLM';
const arnOf = (type: Parameters<typeof formatArn>[0]['type']) => formatArn({ region, account, type, id: 'none' });
const [stageArn, composition, encoder, storage, ingest, publicKey] = [
  arnOf('stage'),
  arnOf('composition'),
  arnOf('encoder-configuration'),
  arnOf('storage-configuration'),
  arnOf('ingest-configuration'),
  arnOf('public-key'),
];
const pem =
  '-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqofKIr6LBTeOscce8yCtdG4dO2KLp5uY\nWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR8\n6doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f\n-----END PUBLIC KEY-----\n';
const participant = { stageArn, sessionId, participantId: 'nobody' };
const replication = { sourceStageArn: stageArn, destinationStageArn: stageArn, participantId: 'nobody' };
const destinations = [{ s3: { storageConfigurationArn: storage, encoderConfigurationArns: [encoder] } }];

/** Input of each operation that passes the model's checks, of things that are not there. */
export const sampleInputs: { readonly [N in OperationName]: Record<string, unknown> } = {
  CreateEncoderConfiguration: {},
  CreateIngestConfiguration: { ingestProtocol: 'RTMPS' },
  CreateParticipantToken: { stageArn },
  CreateStage: {},
  CreateStorageConfiguration: { s3: { bucketName: 'bucket' } },
  DeleteEncoderConfiguration: { arn: encoder },
  DeleteIngestConfiguration: { arn: ingest },
  DeletePublicKey: { arn: publicKey },
  DeleteStage: { arn: stageArn },
  DeleteStorageConfiguration: { arn: storage },
  DisconnectParticipant: { stageArn, participantId: 'nobody' },
  GetComposition: { arn: composition },
  GetEncoderConfiguration: { arn: encoder },
  GetIngestConfiguration: { arn: ingest },
  GetParticipant: participant,
  GetPublicKey: { arn: publicKey },
  GetStage: { arn: stageArn },
  GetStageSession: { stageArn, sessionId },
  GetStorageConfiguration: { arn: storage },
  ImportPublicKey: { publicKeyMaterial: pem },
  ListCompositions: {},
  ListEncoderConfigurations: {},
  ListIngestConfigurations: {},
  ListParticipantEvents: participant,
  ListParticipantReplicas: { sourceStageArn: stageArn, participantId: 'nobody' },
  ListParticipants: { stageArn, sessionId },
  ListPublicKeys: {},
  ListStageSessions: { stageArn },
  ListStages: {},
  ListStorageConfigurations: {},
  ListTagsForResource: { resourceArn: stageArn },
  StartComposition: { stageArn, destinations },
  StartParticipantReplication: replication,
  StopComposition: { arn: composition },
  StopParticipantReplication: replication,
  TagResource: { resourceArn: stageArn, tags: { a: 'b' } },
  UntagResource: { resourceArn: stageArn, tagKeys: ['a'] },
  UpdateIngestConfiguration: { arn: ingest },
  UpdateStage: { arn: stageArn },
};
