import type { RecordingOptions } from '@footlights/media';
import type {
  AutoParticipantRecordingConfiguration,
  Composition,
  Event,
  ExchangedParticipantToken,
  IngestConfiguration,
  Participant,
  ParticipantReplica,
  RedundantIngestCredential,
  Video,
} from '@footlights/model';
import type { Announcement, BusEvent } from '../events/bus-event.ts';
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
  /** Absent when stored: as it was, at first DISABLED. */
  recordingState?: RecordingState;
  recordingS3BucketName?: string;
  recordingS3Prefix?: string;
  /** Absent: no part in replication. */
  replicationType?: 'SOURCE' | 'REPLICA';
  replicationState?: ReplicationState;
  /** Where a replica comes from. */
  sourceStageArn?: string;
  sourceSessionId?: string;
  /** Whether the participant publishes through redundant ingest; absent where there is no ingest configuration. */
  redundantIngest?: boolean;
  ingestConfigurationArn?: string;
}

/** How a participant's recording stands. */
export type ParticipantRecording = Required<
  Pick<ParticipantRecord, 'recordingState' | 'recordingS3BucketName' | 'recordingS3Prefix'>
>;

/** A recording that has not ended: what a later process closes when this one dies. */
export interface RecordingRecord {
  id: string;
  stageArn: string;
  participantId: string;
  /** The sessions in which the participant was recorded, the first one in front. */
  sessionIds: string[];
  storageConfigurationArn: string;
  bucketName: string;
  prefix: string;
  started: boolean;
  /** What the recorder was told. */
  options: RecordingOptions;
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
  /** On replication events, with the session. */
  destinationStageArn?: string;
  destinationSessionId?: string;
  /** Whether the participant is a replica. */
  replica?: boolean;
  /** On token exchanges. */
  previousToken?: ExchangedParticipantToken;
  newToken?: ExchangedParticipantToken;
}

/** Something that began in a session that has not ended, and went on when the process that wrote it ended; events have its end under another name. */
export interface Unfinished {
  /** Of the event that is missing. */
  endName: EventName;
  participant: ParticipantRecord;
  details: Pick<EventRecord, 'remoteParticipantId' | 'destinationStageArn' | 'destinationSessionId' | 'replica'>;
}

/** Whether a replication is running. */
export type ReplicationState = ParticipantReplica['replicationState'];

/** One participant of a source session as it is shown in one destination stage. */
export interface ReplicationRecord {
  sourceStageArn: string;
  participantId: string;
  sourceSessionId: string;
  destinationStageArn: string;
  destinationSessionId: string;
  replicationState: ReplicationState;
  reconnectWindowSeconds: number;
  /** What was given with the call, not yet merged with the participant's own. */
  attributes: Record<string, string>;
  startedAt: string;
}

/** What every resource but a stage is made of, beside what its kind adds. */
export interface ResourceRecord extends Scope {
  arn: string;
  name: string;
  tags: Record<string, string>;
  createdAt: string;
}

/** Where recordings are kept. */
export interface StorageConfigurationRecord extends ResourceRecord {
  bucketName: string;
}

/** How a composition is encoded, every member filled. */
export interface EncoderConfigurationRecord extends ResourceRecord {
  video: Required<Video>;
}

/** How an RTMP encoder publishes to a stage. */
export interface IngestConfigurationRecord extends ResourceRecord {
  ingestProtocol: IngestConfiguration['ingestProtocol'];
  streamKey: string;
  participantId: string;
  /** Empty: none. */
  stageArn: string;
  state: IngestConfiguration['state'];
  userId: string;
  attributes: Record<string, string>;
  redundantIngest: boolean;
  /** The two ways in; empty without redundant ingest. */
  redundantIngestCredentials: Required<RedundantIngestCredential>[];
}

/** A key with which an application's own tokens are verified. */
export interface PublicKeyRecord extends ResourceRecord {
  /** SPKI in PEM, as it was imported. */
  publicKeyMaterial: string;
  fingerprint: string;
}

/** The states of a composition that may still make pictures. */
export const unendedStates: readonly Composition['state'][] = ['STARTING', 'ACTIVE', 'STOPPING'];

/** The participants of a stage mixed into one picture; it has no name, which stays empty. */
export interface CompositionRecord extends ResourceRecord {
  stageArn: string;
  state: Composition['state'];
  layout: Composition['layout'];
  destinations: Composition['destinations'];
  startTime?: string;
  endTime?: string;
  idempotencyToken: string;
  /** Digest of what it was asked for with, by which a repeated request is known. */
  requestDigest: string;
}

/** The record of each kind of resource but stages. */
export interface ResourceRecords {
  storageConfigurations: StorageConfigurationRecord;
  encoderConfigurations: EncoderConfigurationRecord;
  ingestConfigurations: IngestConfigurationRecord;
  publicKeys: PublicKeyRecord;
  compositions: CompositionRecord;
}

/** A kind of resource other than stages. */
export type ResourceKind = keyof ResourceRecords;

/** What resources are looked up by, beside their ARN; several together must all hold. */
export interface ResourceFilter {
  stageArn?: string;
  storageConfigurationArn?: string;
  encoderConfigurationArn?: string;
  state?: IngestConfigurationRecord['state'];
  /** Of compositions: whether they may still make pictures. */
  phase?: 'unended' | 'ended';
  fingerprint?: string;
  idempotencyToken?: string;
}

/** The resources of one kind, as they are read. */
export interface ResourceReader<R extends ResourceRecord> {
  get(arn: string): Promise<R | undefined>;
  /** Oldest first. */
  list(scope: Scope, page: PageRequest, filter?: ResourceFilter): Promise<Page<R>>;
  /** All of them, oldest first; of every account and region when no scope is given. */
  all(filter: ResourceFilter, scope?: Scope): Promise<R[]>;
  count(scope: Scope, filter?: ResourceFilter): Promise<number>;
}

/** The resources of one kind inside a change. */
export interface ResourceWriter<R extends ResourceRecord> extends ResourceReader<R> {
  insert(record: R): Promise<void>;
  /** Undefined when there is no such resource. */
  update(arn: string, change: (current: R) => Partial<R>): Promise<R | undefined>;
  /** False when there was no such resource. */
  delete(arn: string): Promise<boolean>;
}

/** Every kind of resource but stages, as they are read. */
export type ResourceReaders = { readonly [K in ResourceKind]: ResourceReader<ResourceRecords[K]> };

/** The same inside a change. */
export type ResourceWriters = { readonly [K in ResourceKind]: ResourceWriter<ResourceRecords[K]> };

/** What a change of resources sees: them, and the stages that they name. */
export interface Resources extends ResourceWriters {
  stage(arn: string): Promise<StageRecord | undefined>;
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

/** An event of the bus with its number, which rises. */
export interface StoredEvent {
  id: number;
  event: BusEvent;
}

/** Which events are wanted: those after a number, the oldest first; without one the newest ones, in the same order. */
export interface OutboxQuery extends Scope {
  stageArn?: string;
  after?: number;
  limit: number;
}

/** Events that are to be told to the outside, and the sinks that have yet to take them. */
export interface Outbox {
  /** Each event from now on waits for these sinks, by name. What waited for others is dropped: how much that was. */
  setSinks(names: readonly string[]): Promise<number>;
  /** Hears of each new event, by its stage, once it is durable. */
  onAdded(listener: (stageArn: string) => void): void;
  /** Events that tell no other change of the store. */
  add(announcements: readonly Announcement[]): Promise<void>;
  /** The stages with events that wait for a sink. */
  waitingStages(sink: string): Promise<string[]>;
  /** The first event of a stage that waits for a sink. */
  next(sink: string, stageArn: string): Promise<StoredEvent | undefined>;
  delivered(sink: string, id: number): Promise<void>;
  /** Events of a stage from before `time` wait for the sink no longer: how many. */
  dropOlder(sink: string, stageArn: string, time: string): Promise<number>;
  /** How many events wait for a sink. */
  waiting(sink: string): Promise<number>;
  list(query: OutboxQuery): Promise<StoredEvent[]>;
}

/** How much there is, for the metrics. */
export interface Counts {
  stages: number;
  activeSessions: number;
  connectedParticipants: number;
}

/**
 * Everything that must outlive the process. A write that resolved is durable; a read sees all writes that resolved before
 * it. Deleting a stage deletes its sessions, participants and events; what is written for a session that is gone is dropped,
 * while announcements are made nevertheless.
 */
export interface Store extends ResourceReaders {
  readonly outbox: Outbox;

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
  /** Ends what an earlier process left open, replications too; how many sessions that were. */
  endOpenSessions(endTime: string): Promise<number>;
  /** What is under way in sessions that have not ended, by their events: of each subscriptions, publications, replications, presence, in this order. */
  unfinished(): Promise<Unfinished[]>;
  getSession(stageArn: string, sessionId: string): Promise<SessionRecord | undefined>;
  /** Newest first. */
  listSessions(stageArn: string, page: PageRequest): Promise<Page<SessionRecord>>;

  /** Inserts or replaces. The announcements are made in the same transaction. */
  putParticipant(record: ParticipantRecord, announcements?: readonly Announcement[]): Promise<void>;
  getParticipant(stageArn: string, sessionId: string, participantId: string): Promise<ParticipantRecord | undefined>;
  /** In the order in which they first joined. */
  listParticipants(
    stageArn: string,
    sessionId: string,
    filter: ParticipantFilter,
    page: PageRequest,
  ): Promise<Page<ParticipantRecord>>;

  /** No effect on a participant that is not stored. The announcements are made in the same transaction. */
  setParticipantRecording(
    stageArn: string,
    sessionId: string,
    participantId: string,
    recording: ParticipantRecording,
    announcements?: readonly Announcement[],
  ): Promise<void>;
  /** Inserts or replaces. */
  putRecording(record: RecordingRecord): Promise<void>;
  deleteRecording(id: string): Promise<void>;
  /** All that have not ended. */
  openRecordings(): Promise<RecordingRecord[]>;

  /** Their order here is their order in time. The announcements are made in the same transaction. */
  addEvents(records: readonly EventRecord[], announcements?: readonly Announcement[]): Promise<void>;
  /** Newest first. */
  listEvents(stageArn: string, sessionId: string, participantId: string, page: PageRequest): Promise<Page<EventRecord>>;

  /** Inserts or replaces: there is one for each source session, participant and destination stage. */
  putReplication(record: ReplicationRecord): Promise<void>;
  /** Oldest first, stopped ones too. */
  listReplications(sourceStageArn: string, participantId: string, page: PageRequest): Promise<Page<ReplicationRecord>>;

  /**
   * Changes resources as one: what `run` reads is what is there when its writes are made, nobody else writes in between,
   * and when it throws, nothing is written and the error is passed on. It must wait for nothing but the database.
   */
  change<T>(run: (resources: Resources) => Promise<T>): Promise<T>;

  counts(): Promise<Counts>;
  /** After the writes under way. */
  close(): Promise<void>;
}

/** The store cannot be used: it cannot be opened, is damaged, or was written by a newer version. */
export class StoreError extends StartupError {
  override name = 'StoreError';
}
