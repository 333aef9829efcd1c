import type { ExchangedParticipantToken, ServerMessage, StageStateParticipant, TokenClaims } from '@footlights/model';
import type { ClientDescription, ParticipantRecord } from '../store/types.ts';

/** One participant's events socket, as a stage sees it. */
export interface EventsSocket {
  /** Sends a text message; bytes are its UTF-8, and are shared with other sockets. */
  send(frame: string | Buffer): void;
  /** Sends a last message, when there is one, and closes. */
  close(code: number, last?: ServerMessage): void;
}

/** Who a verified token, or a stream key, says that the client is. */
export interface Identity {
  /** Of an encoder: what a token of it would say. */
  claims: TokenClaims;
  client: ClientDescription;
  /** Absent: not an encoder with a stream key. */
  encoder?: EncoderIdentity;
}

/** How an encoder came. */
export interface EncoderIdentity {
  protocol: 'RTMP' | 'RTMPS';
  ingestConfigurationArn: string;
  /** The stage may have another encoder with the same stream. */
  redundantIngest: boolean;
  /** One of several encoders of which viewers get one: they know the participant that stands for all alone. */
  isBehind?: boolean;
}

/** One peer connection of a participant: what it publishes, or what it receives of one publisher. */
export interface Connection {
  readonly id: string;
  readonly participantId: string;
  readonly role: 'publish' | 'subscribe';
  /** When the role is subscribe. */
  readonly publisherId?: string;
  /** Media flows: ICE and DTLS are up. */
  connected: boolean;
}

/** A publisher's connection and the stage whose media worker holds it. */
export interface MediaSource {
  connectionId: string;
  stageId: string;
}

/** Where a replica comes from; `source` is what it sends now. */
export interface ReplicaOrigin {
  stageArn: string;
  sessionId: string;
  source?: MediaSource;
}

/** One participant of a live stage. */
export interface Participant {
  readonly id: string;
  identity: Identity;
  /** The identity is that of an exchanged token. */
  exchanged: boolean;
  socket?: EventsSocket;
  readonly connections: Set<Connection>;
  /** The participant is on another stage and is shown here too. */
  replica?: ReplicaOrigin;
  /** The participant is shown on other stages; STOPPED once it no longer is. */
  replication?: 'ACTIVE' | 'STOPPED';
  audioMuted: boolean;
  videoStopped: boolean;
  /** As the last event said, JOINED or LEFT. */
  joined: boolean;
  firstJoinTime?: string;
  published: boolean;
  barred: boolean;
}

export function newParticipant(id: string, identity: Identity): Participant {
  return {
    id,
    identity,
    exchanged: false,
    connections: new Set(),
    audioMuted: false,
    videoStopped: false,
    joined: false,
    published: false,
    barred: false,
  };
}

const isPublishConnection = (connection: Connection): boolean => connection.role === 'publish';

/** The newest publishing connection that is up. */
export const publishConnection = (participant: Participant): Connection | undefined =>
  [...participant.connections].findLast((connection) => isPublishConnection(connection) && connection.connected);

export const isPublishing = (participant: Participant): boolean =>
  participant.replica?.source !== undefined || publishConnection(participant) !== undefined;

/** Joined: the events socket or any peer connection is up, or it is a replica, or an encoder that has been let in. */
export const isPresent = (participant: Participant): boolean =>
  participant.socket !== undefined ||
  participant.replica !== undefined ||
  [...participant.connections].some((connection) => connection.connected || participant.identity.encoder !== undefined);

/** Nothing is left of it, not even an offer under way. */
export const isGone = (participant: Participant): boolean =>
  !isPresent(participant) && participant.connections.size === 0;

/** Viewers do not know it: another participant stands for it. */
export const isBehind = ({ identity }: Participant): boolean => identity.encoder?.isBehind === true;

/** Several encoders are behind it. */
export const isStandIn = ({ identity: { encoder } }: Participant): boolean =>
  encoder?.redundantIngest === true && encoder.isBehind !== true;

/** Publishes, or has an offer for it under way: what counts for the quota. */
export const holdsPublisherPlace = (participant: Participant): boolean =>
  participant.replica !== undefined ||
  (!isBehind(participant) && [...participant.connections].some(isPublishConnection));

/** Viewers are not listed: with thousands of them every join would be told to thousands. */
export const isVisible = (participant: Participant): boolean =>
  participant.joined && !isBehind(participant) && participant.identity.claims.capabilities.allow_publish === true;

/** The participant in a STAGE_STATE message. */
export function describeParticipant(participant: Participant): StageStateParticipant {
  const { claims } = participant.identity;
  return {
    id: participant.id,
    userId: claims.user_id ?? '',
    attributes: claims.attributes ?? {},
    isPublishing: isPublishing(participant),
    audioMuted: participant.audioMuted,
    videoStopped: participant.videoStopped,
  };
}

/** The participant in the store. */
export function toRecord(
  participant: Participant,
  firstJoinTime: string,
): Omit<ParticipantRecord, 'stageArn' | 'sessionId'> {
  const { replica, replication, identity } = participant;
  const { encoder } = identity;
  return {
    participantId: participant.id,
    userId: identity.claims.user_id ?? '',
    attributes: identity.claims.attributes ?? {},
    state: participant.joined ? 'CONNECTED' : 'DISCONNECTED',
    firstJoinTime,
    published: participant.published,
    protocol: encoder?.protocol ?? (participant.published ? 'WHIP' : 'UNKNOWN'),
    client: identity.client,
    barred: participant.barred,
    ...(encoder && {
      ingestConfigurationArn: encoder.ingestConfigurationArn,
      redundantIngest: encoder.redundantIngest,
    }),
    ...(replication && { replicationType: 'SOURCE', replicationState: replication }),
    ...(replica && {
      replicationType: 'REPLICA',
      replicationState: 'ACTIVE',
      sourceStageArn: replica.stageArn,
      sourceSessionId: replica.sessionId,
    }),
  };
}

/** What a token allows and says, as a TOKEN_EXCHANGED event has it. */
export function describeToken({ claims }: Identity): ExchangedParticipantToken {
  const { capabilities, attributes, user_id, exp } = claims;
  return {
    capabilities: [
      ...(capabilities.allow_publish ? (['PUBLISH'] as const) : []),
      ...(capabilities.allow_subscribe ? (['SUBSCRIBE'] as const) : []),
    ],
    attributes: attributes ?? {},
    userId: user_id ?? '',
    expirationTime: new Date(exp * 1000).toISOString(),
  };
}
