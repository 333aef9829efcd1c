import type { CloseReason, LogBudget, Speaker } from '@footlights/media';
import { newResourceId, type ServerMessage } from '@footlights/model';
import type { EventSubject } from '../events/bus-event.ts';
import type { Log } from '../log.ts';
import type { EventName, Store } from '../store/types.ts';
import { ActiveSpeakers } from './active-speakers.ts';
import { StageJournal } from './journal.ts';
import { type MediaEnding, mediaEnding } from './media-endings.ts';
import {
  type Connection,
  describeToken,
  type EventsSocket,
  holdsPublisherPlace,
  type Identity,
  isBehind,
  isGone,
  isPresent,
  isPublishing,
  isStandIn,
  type MediaSource,
  newParticipant,
  type Participant,
  publishConnection,
  type ReplicaOrigin,
  toRecord,
} from './participant.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { StageState } from './stage-state.ts';

/** What a stage needs of its surroundings. */
export interface StageSurroundings {
  store: Store;
  log: Log;
  /** Takes the refusals, of which a client can cause any number. */
  refusals: LogBudget;
  now(): Date;
  sessionEndDelayMs: number;
  publishersPerStage: number;
  participantsPerStage: number;
  /** Closes the peer connection; `closed` follows for one that is open. */
  closeMedia(connectionId: string): void;
  /** Video of a publishing connection is shown or stopped; no effect on one that is not up. */
  setVideoStopped(connectionId: string, stopped: boolean): void;
  /** What a participant publishes, its mutes, its token or its presence changed. */
  onPublication(stage: LiveStage, participantId: string): void;
  /** What a participant, or a replica, publishes may have changed: recordings follow. */
  onPublishing(publishing: Publishing): void;
  /** Nobody is here and no session is open: the stage can be forgotten. */
  onIdle(stage: LiveStage): void;
}

/** What a participant publishes now, for those that show it elsewhere. */
export interface Publication {
  sessionId: string;
  identity: Identity;
  /** Absent while nothing is published. */
  source?: MediaSource;
  audioMuted: boolean;
  videoStopped: boolean;
}

/** Where a participant's media is, when there is any: for its recording. */
export interface Publishing {
  stageArn: string;
  stageId: string;
  sessionId: string;
  participantId: string;
  replica: boolean;
  /** Absent while nothing is published. */
  connectionId?: string;
}

/** How many there are on a stage. */
export interface StageCounts {
  participants: number;
  publishers: number;
  /** Media connections that receive a publisher. */
  subscriptions: number;
  speakers: number;
}

/** Another stage and its session, which a participant of this one is shown on. */
export interface ReplicaDestination {
  destinationStageArn: string;
  destinationSessionId: string;
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
  private readonly journal: StageJournal;
  private readonly participants = new Map<string, Participant>();
  private readonly connections = new Map<string, Connection>();
  /** Viewers that left, the earliest first; of these alone some may be forgotten. */
  private readonly departed = new Set<Participant>();
  private sessionEnd: NodeJS.Timeout | undefined;
  private joined = 0;
  private readonly state: StageState;
  private readonly speakers: ActiveSpeakers;
  /** Why nobody is let in any more. */
  private ended: Refusal | undefined;

  constructor(arn: string, id: string, surroundings: StageSurroundings) {
    this.arn = arn;
    this.id = id;
    this.surroundings = surroundings;
    this.journal = new StageJournal(arn, surroundings, (participantId) => this.subject(participantId));
    this.state = new StageState(id, () => this.sockets());
    this.speakers = new ActiveSpeakers(id, () => this.sockets());
  }

  get sessionId(): string | undefined {
    return this.journal.sessionId;
  }

  /** Nobody is here and no session is open. */
  get isIdle(): boolean {
    return this.sessionId === undefined && this.participants.size === 0;
  }

  /** Attaches a participant's events socket; an earlier one of the same participant is told TOKEN_REUSED. */
  join(identity: Identity, socket: EventsSocket): void {
    const participant = this.admit(identity, 'JOIN_ERROR');
    const { allow_publish, allow_subscribe } = participant.identity.claims.capabilities;
    if (allow_publish !== true && allow_subscribe !== true) {
      const message = 'The token allows neither to publish nor to subscribe.';
      throw this.refuse('JOIN_ERROR', participant.id, 'INSUFFICIENT_CAPABILITIES', message);
    }
    participant.socket?.close(closeCode.normal, { type: 'aws:ivs:DISCONNECT', payload: { code: 'TOKEN_REUSED' } });
    participant.socket = socket;
    this.refresh(participant);
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
    const { audioMuted = participant.audioMuted, videoStopped = participant.videoStopped } = state;
    if (audioMuted === participant.audioMuted && videoStopped === participant.videoStopped) return;
    if (videoStopped !== participant.videoStopped) this.stopVideo(participant, videoStopped);
    Object.assign(participant, { audioMuted, videoStopped });
    this.publicationChanged(participant);
  }

  /** Gives the participant the claims of its new token; what they no longer allow ends at once. */
  exchangeToken(participantId: string, identity: Identity): void {
    const participant = this.participants.get(participantId);
    if (participant === undefined) return;
    const [previousToken, newToken] = [describeToken(participant.identity), describeToken(identity)];
    Object.assign(participant, { identity, exchanged: true });
    this.journal.event('TOKEN_EXCHANGED', participantId, { previousToken, newToken });
    const { allow_publish, allow_subscribe } = identity.claims.capabilities;
    this.closeConnections(participant, ({ role }) => (role === 'publish' ? !allow_publish : !allow_subscribe));
    this.persist(participant);
    this.publicationChanged(participant);
  }

  /** A place among the publishers, held until `connected`, `closed` or `abandon`. */
  admitPublish(identity: Identity): Connection {
    const participant = this.admit(identity, 'PUBLISH_ERROR');
    if (participant.identity.claims.capabilities.allow_publish !== true) {
      const message = 'The token does not allow to publish.';
      throw this.refuse('PUBLISH_ERROR', participant.id, 'INSUFFICIENT_CAPABILITIES', message);
    }
    if (!isBehind(participant) && !holdsPublisherPlace(participant) && !this.hasPublisherPlace()) {
      const message = `The stage has ${this.surroundings.publishersPerStage} publishers, which is its quota (setting: --publishers-per-stage).`;
      throw this.refuse('PUBLISH_ERROR', participant.id, 'QUOTA_EXCEEDED', message);
    }
    return this.open(participant, { role: 'publish' });
  }

  /** The same for an encoder, which joins as soon as it is let in. */
  admitEncoder(identity: Identity): Connection {
    const connection = this.admitPublish(identity);
    const participant = this.participants.get(connection.participantId);
    if (participant) this.refresh(participant);
    return connection;
  }

  /** Records that an encoder, whose stream key is known, was not let in; in a session of its own when none is open, so that its owner finds it. */
  encoderRefused(participantId: string, refusal: Refusal): void {
    if (this.ended === undefined) this.openSession();
    this.recordError('PUBLISH_ERROR', participantId, refusal);
    this.drop(participantId);
  }

  /** A place among the subscribers of `publisherId`, and where its media comes from. */
  admitSubscribe(identity: Identity, publisherId: string): { connection: Connection; source: MediaSource } {
    const participant = this.admit(identity, 'SUBSCRIBE_ERROR', publisherId);
    if (participant.identity.claims.capabilities.allow_subscribe !== true) {
      const message = 'The token does not allow to subscribe.';
      throw this.refuse('SUBSCRIBE_ERROR', participant.id, 'INSUFFICIENT_CAPABILITIES', message, publisherId);
    }
    const publisher = this.participants.get(publisherId);
    const isKnown = publisher && !isBehind(publisher);
    const source = isKnown && (publisher.replica ? publisher.replica.source : this.sourceOf(publisher));
    if (!source) {
      const message = `No participant ${publisherId.slice(0, 64)} is publishing to this stage.`;
      throw this.refuse('SUBSCRIBE_ERROR', participant.id, 'PUBLISHER_NOT_FOUND', message, publisherId);
    }
    return { connection: this.open(participant, { role: 'subscribe', publisherId }), source };
  }

  /** Gives the place of a connection back whose offer could not be answered. */
  abandon(connection: Connection, refusal: Refusal): void {
    this.forget(connection);
    const name = connection.role === 'publish' ? 'PUBLISH_ERROR' : 'SUBSCRIBE_ERROR';
    this.recordError(name, connection.participantId, refusal, connection.publisherId);
    this.drop(connection.participantId);
  }

  /**
   * An offer was answered: it takes the place of the participant's earlier connections of the same kind. Later ones stay: of
   * two offers under way at once each would otherwise end the other. False when the connection itself has ended meanwhile.
   */
  answered(connection: Connection): boolean {
    if (!this.connections.has(connection.id)) return false;
    const participant = this.participants.get(connection.participantId);
    if (connection.role === 'publish' && participant?.videoStopped) {
      this.surroundings.setVideoStopped(connection.id, true);
    }
    for (const other of participant?.connections ?? []) {
      if (other === connection) break;
      const same = other.role === connection.role && other.publisherId === connection.publisherId;
      if (same) this.surroundings.closeMedia(other.id);
    }
    return true;
  }

  connected(connectionId: string): void {
    const connection = this.connections.get(connectionId);
    const participant = connection && this.participants.get(connection.participantId);
    if (participant === undefined || connection === undefined || connection.connected) return;
    connection.connected = true;
    this.refresh(participant);
    if (connection.role === 'publish') this.publishStarted(participant);
    else this.journal.event('SUBSCRIBE_STARTED', participant.id, { remoteParticipantId: connection.publisherId });
  }

  /** `reason` is that of the media, when it was the media that ended. */
  closed(connectionId: string, reason: CloseReason = 'requested'): void {
    const connection = this.connections.get(connectionId);
    if (connection === undefined) return;
    this.forget(connection);
    const ending = mediaEnding(reason);
    if (ending !== undefined) this.endedByServer(connection, ending);
    if (connection.connected) {
      const stopped = connection.role === 'publish' ? 'PUBLISH_STOPPED' : 'SUBSCRIBE_STOPPED';
      this.journal.event(stopped, connection.participantId, { remoteParticipantId: connection.publisherId });
    }
    const participant = this.participants.get(connection.participantId);
    if (participant === undefined) return;
    this.refresh(participant);
    if (connection.role !== 'publish' || !connection.connected) return;
    if (!isPublishing(participant)) this.speakers.remove(participant.id);
    this.publicationChanged(participant);
  }

  /** Who speaks among the participants of the stage with this id, which is this one or the source of replicas here. */
  setSpeakers(stageId: string, speakers: readonly Speaker[]): void {
    this.speakers.set(
      stageId,
      speakers.filter(({ participantId }) => this.hears(participantId, stageId)),
    );
  }

  /**
   * Ends what a participant of this session does (DisconnectParticipant); false when the session does not know it. A token is
   * good for the session no longer; an encoder is kept out by its ingest configuration, which loses the stage.
   */
  disconnect(participantId: string): boolean {
    const participant = this.participants.get(participantId);
    if (participant?.firstJoinTime === undefined) return false;
    participant.barred = participant.replica !== undefined || participant.identity.encoder === undefined;
    this.departed.delete(participant);
    this.expel(participant, { type: 'aws:ivs:DISCONNECT', payload: { code: 'PARTICIPANT_DISCONNECTED' } });
    this.persist(participant);
    this.surroundings.onPublication(this, participantId);
    return true;
  }

  /**
   * Ends the stage: its session ends now, and a request that has found it before is refused with `reason`. With a last
   * message clients leave for good; without one they connect again.
   */
  async end(reason: Refusal, last?: ServerMessage): Promise<void> {
    this.ended = reason;
    for (const participant of this.participants.values()) this.expel(participant, last);
    this.endSession();
    await this.flushed();
  }

  /** Resolves when everything that has happened so far is durable. */
  flushed(): Promise<void> {
    return this.journal.flushed();
  }

  /** The STAGE_STATE frame as of now. */
  snapshot(): string {
    return this.state.frame();
  }

  /** The ACTIVE_SPEAKERS frame as of now; undefined when nobody speaks. */
  speakersFrame(): string | undefined {
    return this.speakers.frame();
  }

  /** For the metrics. */
  counts(): StageCounts {
    const publishers = this.count((participant) => isPublishing(participant) && !isBehind(participant));
    const connected = [...this.connections.values()].filter(({ connected, role }) => connected && role === 'subscribe');
    const speakers = this.speakers.list().length;
    return { participants: this.joined, publishers, subscriptions: connected.length, speakers };
  }

  /** Those who are joined, with their connections, and who speaks: for the statistics. */
  present(): { participants: readonly Participant[]; speakers: readonly Speaker[] } {
    return { participants: [...this.participants.values()].filter(isPresent), speakers: this.speakers.list() };
  }

  /** False when the quota of publishers is used up. */
  hasPublisherPlace(): boolean {
    return this.count(holdsPublisherPlace) < this.surroundings.publishersPerStage;
  }

  /** What a participant of the session publishes; undefined when the session does not know it. */
  publication(participantId: string): Publication | undefined {
    const participant = this.participants.get(participantId);
    const { sessionId } = this.journal;
    if (participant?.firstJoinTime === undefined || participant.replica || sessionId === undefined) return undefined;
    const { identity, audioMuted, videoStopped, barred } = participant;
    return { sessionId, identity, audioMuted, videoStopped, source: barred ? undefined : this.sourceOf(participant) };
  }

  /** Shows a participant of another stage here, or brings it up to date; `attributes` win over its own. */
  showReplica(
    origin: Omit<ReplicaOrigin, 'source'>,
    publication: Publication,
    attributes: Record<string, string>,
  ): void {
    const { claims, ...whence } = publication.identity;
    const identity = { ...whence, claims: { ...claims, attributes: { ...claims.attributes, ...attributes } } };
    const participant = this.participants.get(claims.jti) ?? newParticipant(claims.jti, identity);
    this.participants.set(participant.id, participant);
    const before = participant.replica?.source;
    Object.assign(participant, {
      identity,
      audioMuted: publication.audioMuted,
      videoStopped: publication.videoStopped,
    });
    participant.replica = { ...origin, source: publication.source };
    if (publication.source === undefined) this.speakers.remove(participant.id);
    this.refresh(participant);
    if (before && before.connectionId !== publication.source?.connectionId) {
      this.journal.event('PUBLISH_STOPPED', participant.id, { replica: true });
    }
    if (publication.source && before?.connectionId !== publication.source.connectionId)
      this.publishStarted(participant);
    this.state.changed(participant);
    this.recordPublication(participant);
  }

  /** Takes a participant of another stage away from here. */
  hideReplica(participantId: string): void {
    const participant = this.participants.get(participantId);
    if (participant?.replica === undefined) return;
    if (participant.replica.source) this.journal.event('PUBLISH_STOPPED', participantId, { replica: true });
    const { stageArn: sourceStageArn, sessionId: sourceSessionId } = participant.replica;
    participant.replica = undefined;
    this.recordPublication(participant);
    this.speakers.remove(participantId);
    this.refresh(participant, {
      replicationType: 'REPLICA',
      replicationState: 'STOPPED',
      sourceStageArn,
      sourceSessionId,
    });
  }

  /** Records on the source's side that a participant is shown on another stage, or no longer is. */
  recordReplication(
    participantId: string,
    state: 'ACTIVE' | 'STOPPED',
    destination: ReplicaDestination,
    others: number,
  ): void {
    this.journal.event(state === 'ACTIVE' ? 'REPLICATION_STARTED' : 'REPLICATION_STOPPED', participantId, {
      ...destination,
    });
    const participant = this.participants.get(participantId);
    if (participant === undefined) return;
    participant.replication = others > 0 ? 'ACTIVE' : state;
    this.persist(participant);
  }

  private subject(participantId: string): EventSubject {
    const participant = this.participants.get(participantId);
    const { replica, identity } = participant ?? {};
    return { userId: identity?.claims.user_id ?? '', ...(replica && { source: replica }) };
  }

  private sourceOf(participant: Participant): MediaSource | undefined {
    const connection = publishConnection(participant);
    return connection && { connectionId: connection.id, stageId: this.id };
  }

  private stopVideo(participant: Participant, stopped: boolean): void {
    for (const { id, role } of participant.connections) {
      if (role === 'publish') this.surroundings.setVideoStopped(id, stopped);
    }
  }

  /** A participant that another stage hears is one of this stage only as a replica from there. */
  private hears(participantId: string, stageId: string): boolean {
    const participant = this.participants.get(participantId);
    return participant !== undefined && (participant.replica?.source?.stageId ?? this.id) === stageId;
  }

  private endedByServer(connection: Connection, { code, message }: MediaEnding): void {
    const { participantId, publisherId, role } = connection;
    const event = role === 'publish' ? 'PUBLISH_ERROR' : 'SUBSCRIBE_ERROR';
    this.surroundings.refusals.say({ stage: this.id, participant: participantId, event, code }, 'ended by the server');
    this.journal.event(event, participantId, { remoteParticipantId: publisherId, errorCode: code });
    const hint: ServerMessage = { type: 'footlights:CONNECTION_ENDED', payload: { role, publisherId, code, message } };
    this.participants.get(participantId)?.socket?.send(JSON.stringify(hint));
  }

  private admit(identity: Identity, onError: EventName, remote?: string): Participant {
    if (this.ended !== undefined) throw this.ended;
    const id = identity.claims.jti;
    const known = this.participants.get(id);
    if (known?.barred) {
      throw new Refusal('PARTICIPANT_DISCONNECTED', 'The participant was disconnected from this session by the API.');
    }
    if (known !== undefined) {
      this.departed.delete(known);
      // After an exchange the token before it may still be shown: it counts no more.
      if (!known.exchanged || identity.claims.iat > known.identity.claims.iat) known.identity = identity;
      this.state.changed(known);
      return known;
    }
    if (this.joined >= this.surroundings.participantsPerStage) {
      const message = `The stage has ${this.surroundings.participantsPerStage} participants, which is its quota (setting: --participants-per-stage).`;
      throw this.refuse(onError, id, 'QUOTA_EXCEEDED', message, remote);
    }
    const participant = newParticipant(id, identity);
    this.participants.set(id, participant);
    return participant;
  }

  private open(
    participant: Participant,
    kind: { role: 'publish' } | { role: 'subscribe'; publisherId: string },
  ): Connection {
    const id = newResourceId() + newResourceId();
    const connection: Connection = { id, participantId: participant.id, connected: false, ...kind };
    participant.connections.add(connection);
    this.connections.set(id, connection);
    return connection;
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection.id);
    this.participants.get(connection.participantId)?.connections.delete(connection);
  }

  private closeConnections(participant: Participant, which: (connection: Connection) => boolean = () => true): void {
    for (const connection of [...participant.connections].filter(which)) {
      this.surroundings.closeMedia(connection.id);
      this.closed(connection.id);
    }
  }

  private expel(participant: Participant, last: ServerMessage | undefined): void {
    participant.socket?.close(last === undefined ? closeCode.serviceRestart : closeCode.normal, last);
    participant.socket = undefined;
    this.closeConnections(participant);
    if (participant.replica) this.hideReplica(participant.id);
    else this.refresh(participant);
  }

  private publishStarted(participant: Participant): void {
    participant.published = true;
    this.journal.event('PUBLISH_STARTED', participant.id, participant.replica ? { replica: true } : {});
    this.persist(participant);
    this.publicationChanged(participant);
  }

  private publicationChanged(participant: Participant): void {
    this.state.changed(participant);
    if (participant.replica !== undefined) return;
    this.surroundings.onPublication(this, participant.id);
    this.recordPublication(participant);
  }

  private recordPublication(participant: Participant): void {
    const { sessionId } = this.journal;
    // Of redundant ingest each encoder is recorded, and not once more what stands for them.
    if (sessionId === undefined || isStandIn(participant)) return;
    const { replica, id: participantId } = participant;
    const source = replica ? replica.source : this.sourceOf(participant);
    this.surroundings.onPublishing({
      stageArn: this.arn,
      stageId: this.id,
      sessionId,
      participantId,
      replica: replica !== undefined,
      ...(source && { connectionId: source.connectionId }),
    });
  }

  /** Brings JOINED and LEFT in line with what is connected. `more` is stored with a participant that leaves. */
  private refresh(participant: Participant, more: Partial<ReturnType<typeof toRecord>> = {}): void {
    const joined = isPresent(participant);
    if (joined !== participant.joined) {
      participant.joined = joined;
      this.joined += joined ? 1 : -1;
      this.departed.delete(participant);
      if (joined) this.openSession();
      participant.firstJoinTime ??= this.journal.time();
      // Whoever comes back says anew what is muted; an encoder says nothing, and mutes nothing.
      if (!joined) Object.assign(participant, { audioMuted: false, videoStopped: false });
      this.journal.event(joined ? 'JOINED' : 'LEFT', participant.id, participant.replica ? { replica: true } : {});
      this.persist(participant, more);
      this.state.changed(participant);
    }
    if (!joined) this.drop(participant.id);
  }

  /** Forgets a participant that this session never saw; lets the session end when nobody is left. */
  private drop(participantId: string): void {
    const participant = this.participants.get(participantId);
    if (participant && isGone(participant)) {
      if (participant.firstJoinTime === undefined) this.participants.delete(participantId);
      else this.remember(participant);
    }
    this.scheduleSessionEnd();
  }

  /**
   * Keeps somebody who left for the rest of the session. A session can last for years and see millions of viewers, so of
   * those the earliest is forgotten; should it come back, it joins for the first time.
   */
  private remember(participant: Participant): void {
    if (participant.published || participant.barred || participant.exchanged || participant.replication) return;
    this.departed.add(participant);
    const [earliest] = this.departed;
    if (earliest === undefined || this.departed.size <= this.surroundings.participantsPerStage) return;
    this.departed.delete(earliest);
    this.participants.delete(earliest.id);
  }

  private openSession(): void {
    clearTimeout(this.sessionEnd);
    this.sessionEnd = undefined;
    this.journal.openSession();
  }

  private scheduleSessionEnd(): void {
    if (this.joined > 0) return;
    if (this.sessionId !== undefined)
      this.sessionEnd ??= setTimeout(() => this.endSession(), this.surroundings.sessionEndDelayMs);
    else if (this.isIdle) this.surroundings.onIdle(this);
  }

  private endSession(): void {
    clearTimeout(this.sessionEnd);
    this.sessionEnd = undefined;
    this.journal.endSession();
    this.departed.clear();
    for (const participant of this.participants.values()) {
      if (isGone(participant)) this.participants.delete(participant.id);
      else
        Object.assign(participant, {
          firstJoinTime: undefined,
          published: false,
          barred: false,
          replication: undefined,
        });
    }
    if (this.isIdle) this.surroundings.onIdle(this);
  }

  private refuse(name: EventName, participantId: string, code: RefusalCode, message: string, remote?: string): Refusal {
    const refusal = new Refusal(code, message);
    this.recordError(name, participantId, refusal, remote);
    this.drop(participantId);
    return refusal;
  }

  private recordError(name: EventName, participantId: string, refusal: Refusal, remoteParticipantId?: string): void {
    const { code, eventErrorCode: errorCode } = refusal;
    this.surroundings.refusals.say({ stage: this.id, participant: participantId, event: name, code }, 'refused');
    if (errorCode !== undefined) this.journal.event(name, participantId, { remoteParticipantId, errorCode });
  }

  private persist(participant: Participant, more: Partial<ReturnType<typeof toRecord>> = {}): void {
    if (participant.firstJoinTime === undefined) return;
    this.journal.participant({ ...toRecord(participant, participant.firstJoinTime), ...more });
  }

  private *sockets(): Iterable<EventsSocket> {
    for (const { socket } of this.participants.values()) if (socket !== undefined) yield socket;
  }

  private count(of: (participant: Participant) => boolean): number {
    let count = 0;
    for (const participant of this.participants.values()) if (of(participant)) count += 1;
    return count;
  }
}
