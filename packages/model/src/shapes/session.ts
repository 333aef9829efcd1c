import type { Static } from '@sinclair/typebox';
import { list, optional, required, structure } from '../schema.ts';
import { PaginationToken, StageArn, StageSessionId, Time } from './common.ts';
import { maxResults } from './kinds.ts';

/** One run of a stage, from the first join until some time after the last publisher left. */
export const StageSession = structure({
  sessionId: optional(StageSessionId, 'Id of the session.'),
  startTime: optional(Time, 'When the session began.'),
  endTime: optional(Time, 'When the session ended; not given while it goes on.'),
});
export type StageSession = Static<typeof StageSession>;

/** A session as listings show it. */
export const StageSessionSummary = structure({
  sessionId: optional(StageSessionId, 'Id of the session.'),
  startTime: optional(Time, 'When the session began.'),
  endTime: optional(Time, 'When the session ended; not given while it goes on.'),
});
export type StageSessionSummary = Static<typeof StageSessionSummary>;

/** Sessions of a listing. */
export const StageSessionList = list(StageSessionSummary);

/** Input of GetStageSession. */
export const GetStageSessionRequest = structure({
  stageArn: required(StageArn, 'Stage of the session.'),
  sessionId: required(StageSessionId, 'Id of the session.'),
});

/** Output of GetStageSession. */
export const GetStageSessionResponse = structure({
  stageSession: optional(StageSession, 'The session.'),
});

/** Input of ListStageSessions. */
export const ListStageSessionsRequest = structure({
  stageArn: required(StageArn, 'Stage whose sessions are listed.'),
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most sessions in one page; 50 when not given.'),
});

/** Output of ListStageSessions. */
export const ListStageSessionsResponse = structure({
  stageSessions: required(StageSessionList, 'The sessions of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});
