// Values that only the server knows: ARNs of what exists, sessions of a stage, participants of a session.

import { type Operation, operations } from '@footlights/model';
import type { Caller } from '../call.ts';
import { serviceCaller } from '../service-caller.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Candidate, KnownValues } from './candidates.ts';

/** Milliseconds that a person waits for a completion at most. */
const patience = 1000;

type Item = Record<string, unknown>;

/** Asks the server that the line and the configuration name; what fails or takes long gives nothing. */
export function askServer(words: readonly string[], around: Surroundings): KnownValues {
  return async (operation, member, given) => {
    const asked = ask(operation, member, given, (name) => serviceCaller(operations[name], words, around));
    const late = new Promise<Candidate[]>((resolve) => setTimeout(() => resolve([]), patience).unref());
    return Promise.race([asked.catch(() => []), late]);
  };
}

type OperationName = keyof typeof operations;
type CallerOf = (name: OperationName) => Caller;

async function ask(
  operation: Operation,
  member: string,
  given: ReadonlyMap<string, string>,
  callerOf: CallerOf,
): Promise<Candidate[]> {
  const stageArn = given.get('stageArn');
  if (member === 'sessionId' && stageArn !== undefined) {
    const sessions = await items(callerOf('ListStageSessions'), { stageArn });
    return sessions.map(({ sessionId, startTime }) => candidate(sessionId, startTime));
  }
  if (member === 'participantId' && stageArn !== undefined)
    return participants(stageArn, given.get('sessionId'), callerOf);
  const list = listOperation(operation, member);
  if (!list) return [];
  return (await items(callerOf(list), {})).map(({ arn, name }) => candidate(arn, name));
}

async function participants(stageArn: string, given: string | undefined, callerOf: CallerOf): Promise<Candidate[]> {
  const sessionId = given ?? (await activeSession(stageArn, callerOf));
  if (sessionId === undefined) return [];
  const found = await items(callerOf('ListParticipants'), { stageArn, sessionId });
  return found.map(({ participantId, userId, state }) => candidate(participantId, `${userId ?? ''} ${state ?? ''}`));
}

async function activeSession(stageArn: string, callerOf: CallerOf): Promise<string | undefined> {
  const { stage } = (await callerOf('GetStage')({ arn: stageArn })) as { stage?: { activeSessionId?: string } };
  return stage?.activeSessionId;
}

const candidate = (word: unknown, note: unknown): Candidate => ({
  word: String(word),
  note: String(note ?? '').trim(),
});

/** The elements of the one list that an answer holds. */
async function items(call: Caller, input: Item): Promise<Item[]> {
  const answer = await call(input);
  return (Object.values(answer).find(Array.isArray) as Item[] | undefined) ?? [];
}

/** The operation that lists what a member names; undefined for members that name nothing. */
export function listOperation(operation: Operation, member: string): OperationName | undefined {
  if (/stageArn$/i.test(member) || member === 'resourceArn') return 'ListStages';
  const kind =
    member === 'arn' ? operation.name.replace(/^[A-Z][a-z]+/, '') : upperFirst(member.replace(/^filterBy|Arn$/g, ''));
  const name = `List${kind}s`;
  return /arn$/i.test(member) && Object.hasOwn(operations, name) ? (name as OperationName) : undefined;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
