import type { Static } from '@sinclair/typebox';
import { boolean, enumeration, integer, list, optional, required, string, structure } from '../schema.ts';
import {
  HeaderOnlyResponse,
  IngestConfigurationArn,
  PaginationToken,
  ParticipantAttributes,
  ParticipantId,
  StageArn,
  StageSessionId,
  Time,
  UserId,
} from './common.ts';
import { maxResults } from './kinds.ts';
import { ParticipantTokenId } from './token.ts';

/** Whether a participant is in the stage. */
export const ParticipantState = enumeration('CONNECTED', 'DISCONNECTED');
export type ParticipantState = Static<typeof ParticipantState>;

/** Where the recording of a participant stands. */
export const ParticipantRecordingState = enumeration('STARTING', 'ACTIVE', 'STOPPING', 'STOPPED', 'FAILED', 'DISABLED');
export type ParticipantRecordingState = Static<typeof ParticipantRecordingState>;

/** Recording states by which participants can be listed. */
export const ParticipantRecordingFilterByRecordingState = enumeration(
  'STARTING',
  'ACTIVE',
  'STOPPING',
  'STOPPED',
  'FAILED',
);
export type ParticipantRecordingFilterByRecordingState = Static<typeof ParticipantRecordingFilterByRecordingState>;

/** How a participant publishes. */
export const ParticipantProtocol = enumeration('UNKNOWN', 'WHIP', 'RTMP', 'RTMPS');
export type ParticipantProtocol = Static<typeof ParticipantProtocol>;

/** A participant's part in replication. */
export const ReplicationType = enumeration('SOURCE', 'REPLICA', 'NONE');
export type ReplicationType = Static<typeof ReplicationType>;

/** Whether a replication is running. */
export const ReplicationState = enumeration('ACTIVE', 'STOPPED');
export type ReplicationState = Static<typeof ReplicationState>;

/** What a client says of itself. */
export const ParticipantClientAttribute = string({ minLength: 0, maxLength: 128, pattern: '[a-zA-Z0-9-_.,:;\\s]*' });

/** Bucket of a participant recording. */
export const ParticipantRecordingS3BucketName = string({ minLength: 0, maxLength: 63, pattern: '[a-z0-9-.]*' });

/** Prefix of a participant recording in its bucket. */
export const ParticipantRecordingS3Prefix = string({ minLength: 0, maxLength: 256, pattern: '[a-zA-Z0-9-]*' });

/** Seconds in which a publisher who comes back is replicated again. */
export const ReconnectWindowSeconds = integer({ minimum: 0, maximum: 300 });

/** A participant of one stage session. */
export const Participant = structure({
  participantId: optional(ParticipantId, 'Id of the participant.'),
  userId: optional(UserId, "The application's own name for the participant."),
  state: optional(ParticipantState, 'Whether the participant is in the stage.'),
  firstJoinTime: optional(Time, 'When the participant first joined in this session.'),
  attributes: optional(ParticipantAttributes, "Text attributes from the participant's token."),
  published: optional(boolean(), 'Whether the participant ever published in this session.'),
  ispName: optional(ParticipantClientAttribute, "The participant's internet provider."),
  osName: optional(ParticipantClientAttribute, "The participant's operating system."),
  osVersion: optional(ParticipantClientAttribute, "Version of the participant's operating system."),
  browserName: optional(ParticipantClientAttribute, "The participant's browser."),
  browserVersion: optional(ParticipantClientAttribute, "Version of the participant's browser."),
  sdkVersion: optional(ParticipantClientAttribute, "Version of the participant's SDK."),
  recordingS3BucketName: optional(
    ParticipantRecordingS3BucketName,
    'Bucket of the recording; empty when there is none.',
  ),
  recordingS3Prefix: optional(
    ParticipantRecordingS3Prefix,
    'Where the recording lies in its bucket; empty when there is none.',
  ),
  recordingState: optional(ParticipantRecordingState, 'Where the recording stands.'),
  protocol: optional(ParticipantProtocol, 'How the participant publishes.'),
  replicationType: optional(ReplicationType, "The participant's part in replication; NONE when it has none."),
  replicationState: optional(ReplicationState, 'Whether the replication is running.'),
  sourceStageArn: optional(StageArn, 'Stage that a replica comes from.'),
  sourceSessionId: optional(StageSessionId, 'Session that a replica comes from.'),
  redundantIngest: optional(boolean(), 'Whether the participant publishes through redundant ingest.'),
  ingestConfigurationArn: optional(
    IngestConfigurationArn,
    'Ingest configuration through which the participant publishes.',
  ),
});
export type Participant = Static<typeof Participant>;

/** A participant as listings show it. */
export const ParticipantSummary = structure({
  participantId: optional(ParticipantId, 'Id of the participant.'),
  userId: optional(UserId, "The application's own name for the participant."),
  state: optional(ParticipantState, 'Whether the participant is in the stage.'),
  firstJoinTime: optional(Time, 'When the participant first joined in this session.'),
  published: optional(boolean(), 'Whether the participant ever published in this session.'),
  recordingState: optional(ParticipantRecordingState, 'Where the recording stands.'),
  replicationType: optional(ReplicationType, "The participant's part in replication; NONE when it has none."),
  replicationState: optional(ReplicationState, 'Whether the replication is running.'),
  sourceStageArn: optional(StageArn, 'Stage that a replica comes from.'),
  sourceSessionId: optional(StageSessionId, 'Session that a replica comes from.'),
  redundantIngest: optional(boolean(), 'Whether the participant publishes through redundant ingest.'),
  ingestConfigurationArn: optional(
    IngestConfigurationArn,
    'Ingest configuration through which the participant publishes.',
  ),
});
export type ParticipantSummary = Static<typeof ParticipantSummary>;

/** Participants of a listing. */
export const ParticipantList = list(ParticipantSummary);

/** A participant of one stage as it is shown in another. */
export const ParticipantReplica = structure({
  sourceStageArn: required(StageArn, 'Stage that the participant publishes to.'),
  participantId: required(ParticipantId, 'Id of the participant, the same in both stages.'),
  sourceSessionId: required(StageSessionId, 'Session of the source stage.'),
  destinationStageArn: required(StageArn, 'Stage that the participant is shown in.'),
  destinationSessionId: required(StageSessionId, 'Session of the destination stage.'),
  replicationState: required(ReplicationState, 'Whether the replication is running.'),
});
export type ParticipantReplica = Static<typeof ParticipantReplica>;

/** Replicas of a listing. */
export const ParticipantReplicaList = list(ParticipantReplica);

/** Why a participant is disconnected. */
export const DisconnectParticipantReason = string({ minLength: 0, maxLength: 128 });

/** Input of DisconnectParticipant. */
export const DisconnectParticipantRequest = structure({
  stageArn: required(StageArn, 'Stage that the participant is in.'),
  participantId: required(ParticipantTokenId, 'Id of the participant, as the token was made with.'),
  reason: optional(DisconnectParticipantReason, 'Why the participant is disconnected, in words.'),
});

/** Output of DisconnectParticipant. */
export const DisconnectParticipantResponse = structure({});

/** Input of GetParticipant. */
export const GetParticipantRequest = structure({
  stageArn: required(StageArn, 'Stage of the session.'),
  sessionId: required(StageSessionId, 'Session that the participant was in.'),
  participantId: required(ParticipantId, 'Id of the participant.'),
});

/** Output of GetParticipant. */
export const GetParticipantResponse = structure({
  participant: optional(Participant, 'The participant.'),
});

/** Input of ListParticipants. */
export const ListParticipantsRequest = structure({
  stageArn: required(StageArn, 'Stage of the session.'),
  sessionId: required(StageSessionId, 'Session whose participants are listed.'),
  filterByUserId: optional(UserId, 'List only participants with this user id; one filter may be given.'),
  filterByPublished: optional(
    boolean(),
    'List only participants who published, or only those who did not; one filter may be given.',
  ),
  filterByState: optional(ParticipantState, 'List only participants in this state; one filter may be given.'),
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(100), 'Most participants in one page; 50 when not given.'),
  filterByRecordingState: optional(
    ParticipantRecordingFilterByRecordingState,
    'List only participants whose recording stands so; one filter may be given.',
  ),
});

/** Output of ListParticipants. */
export const ListParticipantsResponse = structure({
  participants: required(ParticipantList, 'The participants of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});

/** Input of StartParticipantReplication. */
export const StartParticipantReplicationRequest = structure({
  sourceStageArn: required(StageArn, 'Stage that the participant publishes to.'),
  destinationStageArn: required(StageArn, 'Stage to show the participant in.'),
  participantId: required(ParticipantId, 'Id of the participant, who must be publishing.'),
  reconnectWindowSeconds: optional(
    ReconnectWindowSeconds,
    'Seconds in which a publisher who stops and comes back is replicated again; 0 when not given.',
  ),
  attributes: optional(
    ParticipantAttributes,
    "Text attributes for the replica, added to the participant's own; at most 1 KB together.",
  ),
});

/** Output of StartParticipantReplication. */
export const StartParticipantReplicationResponse = HeaderOnlyResponse;

/** Input of StopParticipantReplication. */
export const StopParticipantReplicationRequest = structure({
  sourceStageArn: required(StageArn, 'Stage that the participant publishes to.'),
  destinationStageArn: required(StageArn, 'Stage that the participant is shown in.'),
  participantId: required(ParticipantId, 'Id of the participant.'),
});

/** Output of StopParticipantReplication. */
export const StopParticipantReplicationResponse = HeaderOnlyResponse;

/** Input of ListParticipantReplicas. */
export const ListParticipantReplicasRequest = structure({
  sourceStageArn: required(StageArn, 'Stage that the participant publishes to.'),
  participantId: required(ParticipantId, 'Id of the participant.'),
  nextToken: optional(PaginationToken, 'Where to go on: the nextToken of the page before.'),
  maxResults: optional(maxResults(50), 'Most replicas in one page; 50 when not given.'),
});

/** Output of ListParticipantReplicas. */
export const ListParticipantReplicasResponse = structure({
  replicas: required(ParticipantReplicaList, 'The replicas of this page.'),
  nextToken: optional(PaginationToken, 'Given when there is another page.'),
});
