import type { Input, Output, ParticipantReplica } from '@footlights/model';
import type { ReplicationRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { isOwn, notFound, requireStage } from './lookup.ts';

/** The members of its answer travel in headers, which have the same values in every answer. */
export async function startParticipantReplication(
  context: OperationContext,
  input: Input<'StartParticipantReplication'>,
): Promise<Output<'StartParticipantReplication'>> {
  const { reconnectWindowSeconds = 0, attributes = {}, ...of } = input;
  await requireStage(context, of.sourceStageArn);
  await requireStage(context, of.destinationStageArn);
  await context.live.startReplication({ ...of, reconnectWindowSeconds, attributes });
  return {};
}

export async function stopParticipantReplication(
  context: OperationContext,
  input: Input<'StopParticipantReplication'>,
): Promise<Output<'StopParticipantReplication'>> {
  await requireStage(context, input.sourceStageArn);
  await requireStage(context, input.destinationStageArn);
  if (!(await context.live.stopReplication(input))) throw notFound('Replica of participant', input.participantId);
  return {};
}

export async function listParticipantReplicas(
  context: OperationContext,
  input: Input<'ListParticipantReplicas'>,
): Promise<Output<'ListParticipantReplicas'>> {
  const { sourceStageArn, participantId } = input;
  if (!isOwn(context, sourceStageArn)) return { replicas: [] };
  const { items, nextToken } = await context.store.listReplications(sourceStageArn, participantId, input);
  return { replicas: items.map(replicaOf), nextToken };
}

function replicaOf(record: ReplicationRecord): ParticipantReplica {
  const { sourceStageArn, participantId, sourceSessionId, destinationStageArn, destinationSessionId } = record;
  const { replicationState } = record;
  return {
    ...{ sourceStageArn, participantId, sourceSessionId },
    ...{ destinationStageArn, destinationSessionId, replicationState },
  };
}
