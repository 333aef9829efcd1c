import type { Input, Output, StageSession } from '@footlights/model';
import type { SessionRecord } from '../store/index.ts';
import type { OperationContext } from './context.ts';
import { isOwn, notFound } from './lookup.ts';

export async function getStageSession(
  context: OperationContext,
  input: Input<'GetStageSession'>,
): Promise<Output<'GetStageSession'>> {
  const { stageArn, sessionId } = input;
  const record = isOwn(context, stageArn) ? await context.store.getSession(stageArn, sessionId) : undefined;
  if (!record) throw notFound('Stage session', sessionId);
  return { stageSession: sessionOf(record) };
}

export async function listStageSessions(
  context: OperationContext,
  input: Input<'ListStageSessions'>,
): Promise<Output<'ListStageSessions'>> {
  if (!isOwn(context, input.stageArn)) return { stageSessions: [] };
  const { items, nextToken } = await context.store.listSessions(input.stageArn, input);
  return { stageSessions: items.map(sessionOf), nextToken };
}

function sessionOf({ sessionId, startTime, endTime }: SessionRecord): StageSession {
  return { sessionId, startTime, endTime };
}
