import type { AutoParticipantRecordingConfiguration, Event, Participant } from '@footlights/model';
import { StartupError } from '../startup-error.ts';

type Filled<T> = T extends readonly (infer Item)[] ? Item[] : T extends object ? { [K in keyof T]-?: Filled<T[K]> } : T;

/** How a stage records its participants, every member filled. */
export type RecordingConfiguration = Filled<AutoParticipantRecordingConfiguration>;

/** The name of a participant event, as ListParticipantEvents returns it. */
export type EventName = NonNullable<Event['name']>;

/** Where a participant's recording stands. */
export type RecordingState = NonNullable<Participant['recordingState']>;

/** The owner of resources: what one store is partitioned by. */
export interface Scope {
  account: string;
  region: string;
}

/** A stage. Times are ISO 8601 with milliseconds, here and below. */
export interface StageRecord extends Scope {
  arn: string;
  name: string;
  tags: Record<string, string>;
  recording: RecordingConfiguration;
  createdAt: string;
  activeSessionId?: string;
}

/** What UpdateStage and the tag operations may change of a stage. */
export type StageChange = Partial<Pick<StageRecord, 'name' | 'recording' | 'tags'>>;

/** One session of a stage: from the first join until it ended. */
export interface SessionRecord {
  stageArn: string;
  sessionId: string;
  startTime: string;
  endTime?: string;
}

/** What a participant's client told about itself. */
export interface ClientDescription {
  ispName?: string;
  osName?: string;
  osVersion?: string;
  browserName?: string;
  browserVersion?: string;
  sdkVersion?: string;
}

/** One participant in one session. */
export interface ParticipantRecord {
  stageArn: string;
  sessionId: string;
  participantId: string;
  userId: string;
  attributes: Record<string, string>;
  state: 'CONNECTED' | 'DISCONNECTED';
  firstJoinTime: string;
  /** Whether the participant ever published in this session. */
  published: boolean;
  protocol: 'UNKNOWN' | 'WHIP' | 'RTMP' | 'RTMPS';
  client: ClientDescription;
  /** Disconnected by the API: its token is not accepted again. */
  barred: boolean;
  /** Absent: DISABLED. */
  recordingState?: RecordingState;
}

/** One thing that happened to a participant. */
export interface EventRecord {
  stageArn: string;
  sessionId: string;
  participantId: string;
  name: EventName;
  eventTime: string;
  /** The publisher, on subscribe events. */
  remoteParticipantId?: string;
  /** On error events. */
  errorCode?: string;
}

/** Which part of a list is wanted. */
export interface PageRequest {
  nextToken?: string;
  /** Items per page; 50 when absent. */
  maxResults?: number;
}

/** One page of a list. The token is opaque and names the last item seen, so that it stays right while data changes. */
export interface Page<T> {
  items: T[];
  nextToken?: string;
}

/** Which participants of a session are wanted. */
export interface ParticipantFilter {
  userId?: string;
  published?: boolean;
  state?: ParticipantRecord['state'];
  recordingState?: RecordingState;
}

/** How much there is, for the metrics. */
export interface Counts {
  stages: number;
  activeSessions: number;
  connectedParticipants: number;
}

/**
 * Everything that must outlive the process. A write that resolved is durable; a read sees all writes that resolved before
 * it. Deleting a stage deletes its sessions, participants and events; what is written for a session that is gone is dropped.
 */
export interface Store {
  /** False, and nothing written, when the account has `limit` stages in the region already. */
  createStage(record: StageRecord, limit?: number): Promise<boolean>;
  getStage(arn: string): Promise<StageRecord | undefined>;
  /**
   * Undefined when there is no such stage. A change given as a function sees the stage as it is inside the transaction;
   * when it throws, nothing is written and the error is passed on.
   */
  updateStage(
    arn: string,
    change: StageChange | ((current: StageRecord) => StageChange),
  ): Promise<StageRecord | undefined>;
  /** False when there was no such stage. */
  deleteStage(arn: string): Promise<boolean>;
  /** Oldest first. */
  listStages(scope: Scope, page: PageRequest): Promise<Page<StageRecord>>;

  /** Makes it the active session of its stage too. */
  startSession(record: SessionRecord): Promise<void>;
  /** The stage has no active session after it, and the session's participants are DISCONNECTED. */
  endSession(stageArn: string, sessionId: string, endTime: string): Promise<void>;
  /** Ends what an earlier process left open; how many sessions that were. */
  endOpenSessions(endTime: string): Promise<number>;
  getSession(stageArn: string, sessionId: string): Promise<SessionRecord | undefined>;
  /** Newest first. */
  listSessions(stageArn: string, page: PageRequest): Promise<Page<SessionRecord>>;

  /** Inserts or replaces. */
  putParticipant(record: ParticipantRecord): Promise<void>;
  getParticipant(stageArn: string, sessionId: string, participantId: string): Promise<ParticipantRecord | undefined>;
  /** In the order in which they first joined. */
  listParticipants(
    stageArn: string,
    sessionId: string,
    filter: ParticipantFilter,
    page: PageRequest,
  ): Promise<Page<ParticipantRecord>>;

  /** Their order here is their order in time. */
  addEvents(records: readonly EventRecord[]): Promise<void>;
  /** Newest first. */
  listEvents(stageArn: string, sessionId: string, participantId: string, page: PageRequest): Promise<Page<EventRecord>>;

  counts(): Promise<Counts>;
  /** After the writes under way. */
  close(): Promise<void>;
}

/** The store cannot be used: it cannot be opened, is damaged, or was written by a newer version. */
export class StoreError extends StartupError {
  override name = 'StoreError';
}
