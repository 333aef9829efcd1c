import { ApiError } from '@footlights/model';
import type { StageRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';

/** The error for a resource that is not there. */
export function notFound(kind: string, id: string): ApiError {
  return new ApiError('ResourceNotFoundException', `${kind} not found: ${id}`);
}

/**
 * Whether the ARN is of this server's account and region. Others are treated as if they did not exist, whether the
 * database knows them or not: an AccessDeniedException would tell.
 */
export function isOwn({ account, region }: OperationContext, arn: string): boolean {
  return arn.startsWith(`arn:aws:ivs:${region}:${account}:`);
}

/** The stage, or ResourceNotFoundException. */
export async function requireStage(context: OperationContext, arn: string): Promise<StageRecord> {
  const stage = isOwn(context, arn) ? await context.store.getStage(arn) : undefined;
  if (!stage) throw notFound('Stage', arn);
  return stage;
}
