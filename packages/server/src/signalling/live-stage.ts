import {
  newResourceId,
  newSessionId,
  type ServerMessage,
  type StageStateParticipant,
  type TokenClaims,
} from '@footlights/model';
import type { Log } from '../log.ts';
import type { ClientDescription, EventName, EventRecord, ParticipantRecord, Store } from '../store/types.ts';
import { eventErrorCode, Refusal, type RefusalCode } from './refusal.ts';

/** One participant's events socket, as a stage sees it. */
export interface EventsSocket {
  send(frame: string): void;
  /** Sends a last message, when there is one, and closes. */
  close(code: number, last?: ServerMessage): void;
}

/** Who a verified token says that the client is. */
export interface Identity {
  claims: TokenClaims;
  client: ClientDescription;
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

/** What a stage needs of its surroundings. */
export interface StageSurroundings {
  store: Store;
  log: Log;
  now(): Date;
  sessionEndDelayMs: number;
  publishersPerStage: number;
  participantsPerStage: number;
  /** Closes the peer connection; `closed` follows for one that is open. */
  closeMedia(connectionId: string): void;
  /** Nobody is here and no session is open: the stage can be forgotten. */
  onIdle(stage: LiveStage): void;
}

interface Participant {
  readonly id: string;
  identity: Identity;
  socket?: EventsSocket;
  readonly connections: Set<Connection>;
  audioMuted: boolean;
  videoStopped: boolean;
  /** As the last event said, JOINED or LEFT. */
  joined: boolean;
  firstJoinTime?: string;
  published: boolean;
  barred: boolean;
}

/** WebSocket close codes: RFC 6455 section 7.4.1 and the IANA registry. */
export const closeCode = { normal: 1000, policyViolation: 1008, serviceRestart: 1012 } as const;

/**
 * One stage while somebody is there: its session, who has joined, who publishes to whom, and the events of all this. State
 * changes at once; what must outlive the process is written behind it in the same order, and `flushed` waits for that.
 */
export class LiveStage {
  readonly arn: string;
  readonly id: string;
  private readonly surroundings: StageSurroundings;
  private readonly participants = new Map<string, Participant>();
  private readonly connections = new Map<string, Connection>();
  private readonly writes = new Set<Promise<void>>();
  private sessionId: string | undefined;
  private sessionEnd: NodeJS.Timeout | undefined;
  private joined = 0;
  private sequenceNumber = 0;
  private broadcastDue = false;

  constructor(arn: string, id: string, surroundings: StageSurroundings) {
    this.arn = arn;
    this.id = id;
    this.surroundings = surroundings;
  }

  /** Attaches a participant's events socket; an earlier one of the same participant is told TOKEN_REUSED. */
  join(identity: Identity, socket: EventsSocket): void {
    const participant = this.admit(identity, 'JOIN_ERROR');
    const { allow_publish, allow_subscribe } = identity.claims.capabilities;
    if (allow_publish !== true && allow_subscribe !== true) {
      const message = 'The token allows neither to publish nor to subscribe.';
      throw this.refuse('JOIN_ERROR', participant.id, 'INSUFFICIENT_CAPABILITIES', message);
    }
    participant.socket?.close(closeCode.normal, { type: 'aws:ivs:DISCONNECT', payload: { code: 'TOKEN_REUSED' } });
    participant.socket = socket;
    this.refresh(participant);
    this.changed();
  }

  /** Detaches the socket. A deliberate leave ends the participant's media too; a lost socket leaves it running. */
  leave(participantId: string, socket: EventsSocket, deliberate: boolean): void {
    const participant = this.participants.get(participantId);
    if (participant?.socket !== socket) return;
    participant.socket = undefined;
    if (deliberate) this.closeConnections(participant);
    this.refresh(participant);
  }

  /** Merges what a SET_STATE message says into the participant and tells the others. */
  setState(participantId: string, state: { audioMuted?: boolean; videoStopped?: boolean }): void {
    const participant = this.participants.get(participantId);
    if (participant === undefined) return;
    participant.audioMuted = state.audioMuted ?? participant.audioMuted;
    participant.videoStopped = state.videoStopped ?? participant.videoStopped;
    this.changed();
  }

  /** A place among the publishers, held until `connected`, `closed` or `abandon`. */
  admitPublish(identity: Identity): Connection {
    const participant = this.admit(identity, 'PUBLISH_ERROR');
    if (identity.claims.capabilities.allow_publish !== true) {
      throw this.refuse(
        'PUBLISH_ERROR',
        participant.id,
        'INSUFFICIENT_CAPABILITIES',
        'The token does not allow to publish.',
      );
    }
    const limit = this.surroundings.publishersPerStage;
    if (!holdsPublisherPlace(participant) && this.count(holdsPublisherPlace) >= limit) {
      const message = `The stage has ${limit} publishers, which is its quota (setting: --publishers-per-stage).`;
      throw this.refuse('PUBLISH_ERROR', participant.id, 'QUOTA_EXCEEDED', message);
    }
    return this.open(participant, { role: 'publish' });
  }

  /** A place among the subscribers of `publisherId`, and the connection that it publishes with. */
  admitSubscribe(identity: Identity, publisherId: string): { connection: Connection; publisher: Connection } {
    const participant = this.admit(identity, 'SUBSCRIBE_ERROR', publisherId);
    if (identity.claims.capabilities.allow_subscribe !== true) {
      const message = 'The token does not allow to subscribe.';
      throw this.refuse('SUBSCRIBE_ERROR', participant.id, 'INSUFFICIENT_CAPABILITIES', message, publisherId);
    }
    const publisher = [...(this.participants.get(publisherId)?.connections ?? [])].findLast(isPublishing);
    if (publisher === undefined) {
      const message = `No participant ${publisherId.slice(0, 64)} is publishing to this stage.`;
      throw this.refuse('SUBSCRIBE_ERROR', participant.id, 'PUBLISHER_NOT_FOUND', message, publisherId);
    }
    return { connection: this.open(participant, { role: 'subscribe', publisherId }), publisher };
  }

  /** Gives the place of a connection back whose offer could not be answered. */
  abandon(connection: Connection, refusal: Refusal): void {
    this.forget(connection);
    const name = connection.role === 'publish' ? 'PUBLISH_ERROR' : 'SUBSCRIBE_ERROR';
    this.recordError(name, connection.participantId, refusal.code, connection.publisherId);
    this.drop(connection.participantId);
  }

  /** An offer was answered: it takes the place of the participant's earlier connection of the same kind. */
  answered(connection: Connection): void {
    for (const other of this.participants.get(connection.participantId)?.connections ?? []) {
      const same = other.role === connection.role && other.publisherId === connection.publisherId;
      if (same && other !== connection) this.surroundings.closeMedia(other.id);
    }
  }

  connected(connectionId: string): void {
    const connection = this.connections.get(connectionId);
    const participant = connection && this.participants.get(connection.participantId);
    if (participant === undefined || connection === undefined || connection.connected) return;
    connection.connected = true;
    this.refresh(participant);
    if (connection.role === 'publish') {
      participant.published = true;
      this.record('PUBLISH_STARTED', participant.id);
      this.persist(participant);
      this.changed();
    } else {
      this.record('SUBSCRIBE_STARTED', participant.id, { remoteParticipantId: connection.publisherId });
    }
  }

  closed(connectionId: string): void {
    const connection = this.connections.get(connectionId);
    if (connection === undefined) return;
    this.forget(connection);
    if (connection.connected) {
      const stopped = connection.role === 'publish' ? 'PUBLISH_STOPPED' : 'SUBSCRIBE_STOPPED';
      this.record(stopped, connection.participantId, { remoteParticipantId: connection.publisherId });
      if (connection.role === 'publish') this.changed();
    }
    const participant = this.participants.get(connection.participantId);
    if (participant !== undefined) this.refresh(participant);
  }

  /** Bars a participant of this session from it (DisconnectParticipant); false when the session does not know it. */
  disconnect(participantId: string): boolean {
    const participant = this.participants.get(participantId);
    if (participant?.firstJoinTime === undefined) return false;
    participant.barred = true;
    this.expel(participant, { type: 'aws:ivs:DISCONNECT', payload: { code: 'PARTICIPANT_DISCONNECTED' } });
    this.persist(participant);
    return true;
  }

  /** Ends the session now. With a last message clients leave for good; without one they connect again. */
  async end(last?: ServerMessage): Promise<void> {
    for (const participant of this.participants.values()) this.expel(participant, last);
    this.endSession();
    await this.flushed();
  }

  /** Resolves when everything that has happened so far is durable. */
  async flushed(): Promise<void> {
    await Promise.all(this.writes);
  }

  /** The STAGE_STATE frame as of now. Sequence numbers start above 0 and rise; a client ignores a frame otherwise. */
  snapshot(): string {
    this.sequenceNumber += 1;
    const participants = [...this.participants.values()].filter(isVisible).map(describe);
    const payload = { stageId: this.id, sequenceNumber: this.sequenceNumber, participants };
    return JSON.stringify({ type: 'STAGE_STATE', payload } satisfies ServerMessage);
  }

  /** For the metrics. */
  counts(): { participants: number; publishers: number; subscriptions: number } {
    const connected = [...this.connections.values()].filter((connection) => connection.connected);
    const publishers = connected.filter((connection) => connection.role === 'publish').length;
    return { participants: this.joined, publishers, subscriptions: connected.length - publishers };
  }

  private admit(identity: Identity, onError: EventName, remote?: string): Participant {
    const id = identity.claims.jti;
    const known = this.participants.get(id);
    if (known?.barred) {
      throw new Refusal('PARTICIPANT_DISCONNECTED', 'The participant was disconnected from this session by the API.');
    }
    if (known !== undefined) {
      known.identity = identity;
      return known;
    }
    if (this.joined >= this.surroundings.participantsPerStage) {
      const message = `The stage has ${this.surroundings.participantsPerStage} participants, which is its quota (setting: --participants-per-stage).`;
      throw this.refuse(onError, id, 'QUOTA_EXCEEDED', message, remote);
    }
    const participant: Participant = {
      id,
      identity,
      connections: new Set(),
      audioMuted: false,
      videoStopped: false,
      joined: false,
      published: false,
      barred: false,
    };
    this.participants.set(id, participant);
    return participant;
  }

  private open(
    participant: Participant,
    kind: { role: 'publish' } | { role: 'subscribe'; publisherId: string },
  ): Connection {
    const connection: Connection = {
      id: newResourceId() + newResourceId(),
      participantId: participant.id,
      connected: false,
      ...kind,
    };
    participant.connections.add(connection);
    this.connections.set(connection.id, connection);
    return connection;
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection.id);
    this.participants.get(connection.participantId)?.connections.delete(connection);
  }

  private closeConnections(participant: Participant): void {
    for (const connection of participant.connections) {
      this.surroundings.closeMedia(connection.id);
      this.closed(connection.id);
    }
  }

  private expel(participant: Participant, last: ServerMessage | undefined): void {
    participant.socket?.close(last === undefined ? closeCode.serviceRestart : closeCode.normal, last);
    participant.socket = undefined;
    this.closeConnections(participant);
    this.refresh(participant);
  }

  /** Brings JOINED and LEFT in line with what is connected. */
  private refresh(participant: Participant): void {
    const joined = isPresent(participant);
    if (joined !== participant.joined) {
      participant.joined = joined;
      this.joined += joined ? 1 : -1;
      if (joined) this.openSession();
      participant.firstJoinTime ??= this.time();
      this.record(joined ? 'JOINED' : 'LEFT', participant.id);
      this.persist(participant);
      this.changed();
    }
    if (!joined) this.drop(participant.id);
  }

  /** Forgets a participant that this session never saw; lets the session end when nobody is left. */
  private drop(participantId: string): void {
    const participant = this.participants.get(participantId);
    if (participant && participant.firstJoinTime === undefined && isGone(participant))
      this.participants.delete(participantId);
    this.scheduleSessionEnd();
  }

  private openSession(): void {
    clearTimeout(this.sessionEnd);
    this.sessionEnd = undefined;
    if (this.sessionId !== undefined) return;
    this.sessionId = newSessionId();
    const { store } = this.surroundings;
    this.write(store.startSession({ stageArn: this.arn, sessionId: this.sessionId, startTime: this.time() }));
  }

  private scheduleSessionEnd(): void {
    if (this.joined > 0) return;
    if (this.sessionId === undefined) {
      if (this.participants.size === 0) this.surroundings.onIdle(this);
      return;
    }
    this.sessionEnd ??= setTimeout(() => this.endSession(), this.surroundings.sessionEndDelayMs);
  }

  private endSession(): void {
    clearTimeout(this.sessionEnd);
    this.sessionEnd = undefined;
    if (this.sessionId === undefined) return;
    this.write(this.surroundings.store.endSession(this.arn, this.sessionId, this.time()));
    this.sessionId = undefined;
    for (const participant of this.participants.values()) {
      if (isGone(participant)) this.participants.delete(participant.id);
      else Object.assign(participant, { firstJoinTime: undefined, published: false, barred: false });
    }
    if (this.participants.size === 0) this.surroundings.onIdle(this);
  }

  private refuse(name: EventName, participantId: string, code: RefusalCode, message: string, remote?: string): Refusal {
    this.recordError(name, participantId, code, remote);
    this.drop(participantId);
    return new Refusal(code, message);
  }

  private recordError(name: EventName, participantId: string, code: RefusalCode, remoteParticipantId?: string): void {
    const errorCode = eventErrorCode(code);
    this.surroundings.log.info({ stage: this.id, participant: participantId, event: name, code }, 'refused');
    if (errorCode !== undefined) this.record(name, participantId, { remoteParticipantId, errorCode });
  }

  /** Events belong to a session; what happens outside one is in the log alone. */
  private record(
    name: EventName,
    participantId: string,
    more: Pick<EventRecord, 'remoteParticipantId' | 'errorCode'> = {},
  ): void {
    const { store, log } = this.surroundings;
    log.debug({ stage: this.id, participant: participantId, event: name, ...more }, 'participant event');
    if (this.sessionId === undefined) return;
    const event = {
      stageArn: this.arn,
      sessionId: this.sessionId,
      participantId,
      name,
      eventTime: this.time(),
      ...more,
    };
    this.write(store.addEvents([event]));
  }

  private persist(participant: Participant): void {
    if (this.sessionId === undefined || participant.firstJoinTime === undefined) return;
    this.write(this.surroundings.store.putParticipant(toRecord(this.arn, this.sessionId, participant)));
  }

  private write(written: Promise<void>): void {
    const tracked = written.catch((error: unknown) => {
      this.surroundings.log.error({ err: error, stage: this.id }, 'participant data could not be stored');
    });
    this.writes.add(tracked);
    void tracked.then(() => this.writes.delete(tracked));
  }

  /** Several changes of one turn of the event loop make one snapshot. */
  private changed(): void {
    if (this.broadcastDue) return;
    this.broadcastDue = true;
    setImmediate(() => {
      this.broadcastDue = false;
      const sockets = [...this.participants.values()].flatMap((participant) => participant.socket ?? []);
      if (sockets.length === 0) return;
      const frame = this.snapshot();
      for (const socket of sockets) socket.send(frame);
    });
  }

  private count(of: (participant: Participant) => boolean): number {
    let count = 0;
    for (const participant of this.participants.values()) if (of(participant)) count += 1;
    return count;
  }

  private time(): string {
    return this.surroundings.now().toISOString();
  }
}

const isPresent = (participant: Participant): boolean =>
  participant.socket !== undefined || [...participant.connections].some((connection) => connection.connected);

const isGone = (participant: Participant): boolean =>
  participant.socket === undefined && participant.connections.size === 0;

const isPublishing = (connection: Connection): boolean => connection.role === 'publish' && connection.connected;

/** Publishes, or has an offer for it under way: what counts for the quota. */
const holdsPublisherPlace = (participant: Participant): boolean =>
  [...participant.connections].some((connection) => connection.role === 'publish');

/** Viewers are not listed: with thousands of them every join would be told to thousands. */
const isVisible = (participant: Participant): boolean =>
  participant.joined && participant.identity.claims.capabilities.allow_publish === true;

function describe(participant: Participant): StageStateParticipant {
  const { claims } = participant.identity;
  return {
    id: participant.id,
    userId: claims.user_id ?? '',
    attributes: claims.attributes ?? {},
    isPublishing: [...participant.connections].some(isPublishing),
    audioMuted: participant.audioMuted,
    videoStopped: participant.videoStopped,
  };
}

function toRecord(stageArn: string, sessionId: string, participant: Participant): ParticipantRecord {
  const { claims, client } = participant.identity;
  return {
    stageArn,
    sessionId,
    participantId: participant.id,
    userId: claims.user_id ?? '',
    attributes: claims.attributes ?? {},
    state: participant.joined ? 'CONNECTED' : 'DISCONNECTED',
    firstJoinTime: participant.firstJoinTime ?? '',
    published: participant.published,
    protocol: participant.published ? 'WHIP' : 'UNKNOWN',
    client,
    barred: participant.barred,
  };
}
