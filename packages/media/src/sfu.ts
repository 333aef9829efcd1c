import type { ForwardingStatistics, LogLevel } from './channel.ts';
import type { Connection, ConnectionContext, ConnectionIdentity, Paced } from './connection.ts';
import { CHOICE_INTERVAL_MS, MAX_CONNECTIONS, REPORT_INTERVAL_MS, SPEAKERS_INTERVAL_MS, TICK_MS } from './limits.ts';
import { LoopDelay } from './loop-delay.ts';
import {
  type Accepted,
  type AcceptRequest,
  type CloseReason,
  type Layers,
  MediaError,
  type MediaEvent,
  type MediaLimits,
} from './media.ts';
import { type AnswerPlan, writeAnswer } from './negotiate/answer.ts';
import { invalid, type Offer, readOffer } from './negotiate/offer.ts';
import { planPublish } from './negotiate/publish.ts';
import { planSubscribe, type Source } from './negotiate/subscribe.ts';
import { LATE_MS, OverloadPolicy } from './overload.ts';
import { ParticipantBudgets } from './participant-budgets.ts';
import { type Publication, trackOf } from './publication.ts';
import { Publisher } from './publisher.ts';
import { type LinkMaker, type RelaySource, Relays } from './relay/index.ts';
import type { RelayAddress } from './rim/relay-link.ts';
import type { Clock, LocalParameters, TransportHost } from './rim/transport.ts';
import { Stage } from './stage.ts';
import { Subscriber } from './subscriber.ts';
import type { TrackDescription } from './up-track.ts';

/** What a worker's forwarding needs from outside. */
export interface SfuOptions {
  host: TransportHost;
  clock: Clock;
  limits: MediaLimits;
  /** A random integer of 32 bits. */
  random32(): number;
  emit(event: MediaEvent): void;
  /** `pace` is to be called every PACE_MS until it gives false. */
  startPacing(): void;
  /** Runs something when all that is at hand has been worked off. */
  later(run: () => void): void;
  /** What other workers must say to be given what is published here, and how they are reached. */
  relay: { secret: string; connect(address: RelayAddress): LinkMaker };
  log(level: LogLevel, fields: object, message: string): void;
}

/** Reports are spread over as many ticks as fit into their interval. */
const REPORT_GROUPS = REPORT_INTERVAL_MS / TICK_MS;
/** Of these groups every one in so many has its turn at once when layers are chosen. */
const CHOICE_TURNS = CHOICE_INTERVAL_MS / TICK_MS;

/** The selective forwarding unit: accepts offers, routes packets from publishers to subscribers, ends what is dead. */
export class Sfu implements ConnectionContext {
  readonly host: TransportHost;
  readonly clock: Clock;
  readonly limits: MediaLimits;
  readonly budgets: ParticipantBudgets;
  readonly relays: Relays;
  readonly #options: SfuOptions;
  readonly #stages = new Map<string, Stage>();
  readonly #connections = new Map<string, Connection>();
  readonly #publishers = new Set<Publisher>();
  readonly #paced = new Set<Paced>();
  readonly #reportGroups = Array.from({ length: REPORT_GROUPS }, () => new Set<Connection>());
  readonly #overload = new OverloadPolicy();
  readonly #loop: LoopDelay;
  /** What the overload policy did since it was last told to the log. */
  #unsaid = { shed: 0, restored: 0 };
  #saidAt = 0;
  #accepted = 0;
  #speakersAt = 0;
  #relaysAt = 0;
  #reportedUntil: number;

  constructor(options: SfuOptions) {
    this.#options = options;
    this.host = options.host;
    this.clock = options.clock;
    this.limits = options.limits;
    this.budgets = new ParticipantBudgets(options.limits.subscribeBps);
    this.relays = new Relays({
      ...options.relay,
      host: options.host,
      clock: options.clock,
      timePassed: (now) => this.timePassed(now),
      publication: (connectionId) => this.#published(connectionId),
      ended: (publication) => this.#unpublish(publication),
    });
    const now = options.clock.now();
    this.#loop = new LoopDelay(now);
    this.#reportedUntil = Math.floor(now / TICK_MS);
  }

  /** Answers an offer; `relay` tells where the publisher is when it is in another worker. Throws MediaError. */
  accept(request: AcceptRequest, relay?: RelaySource): Accepted {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      throw new MediaError('UNAVAILABLE', `the media worker has its limit of ${MAX_CONNECTIONS} connections`);
    }
    const offer = readOffer(request.offer);
    if (request.role === 'publish') return this.#acceptPublisher(request, offer);
    return this.#acceptSubscriber(request, offer, relay);
  }

  /** The tracks of a publisher, for those who relay it. */
  tracksOf(connectionId: string): TrackDescription[] | undefined {
    return this.#published(connectionId)?.tracks.map(({ description }) => description);
  }

  close(connectionId: string): void {
    this.#connections.get(connectionId)?.end('requested');
  }

  /** How late the timers ran in the last second, at worst, in milliseconds. */
  get loopDelayMs(): number {
    return this.#loop.worstMs;
  }

  setVideoStopped(connectionId: string, stopped: boolean): void {
    const connection = this.#connections.get(connectionId);
    if (connection instanceof Publisher) trackOf(connection, 'video')?.setStopped(stopped, this.clock.now());
  }

  /** Undefined for who receives no video. */
  layers(connectionId: string): Layers | undefined {
    const connection = this.#connections.get(connectionId);
    return connection instanceof Subscriber ? connection.layers(this.clock.now()) : undefined;
  }

  /** False when there is no such subscriber or layer. */
  chooseLayer(connectionId: string, encodingId: string | undefined): boolean {
    const connection = this.#connections.get(connectionId);
    return connection instanceof Subscriber && connection.chooseLayer(encodingId, this.clock.now());
  }

  /** Every TICK_MS: feedback that is due, choices, and one group's reports. */
  tick(now: number): void {
    this.#checkOverload(this.#loop.tick(now), now);
    for (const publisher of this.#publishers) publisher.tick(now);
    this.relays.tick(now);
    // A late loop catches up on each group once.
    const until = Math.floor(now / TICK_MS);
    const from = Math.max(this.#reportedUntil, until - REPORT_GROUPS);
    for (let turn = from + 1; turn <= until; turn++) {
      for (const connection of this.#reportGroups[turn % REPORT_GROUPS] ?? []) connection.reportInterval(now);
    }
    for (let turn = Math.max(this.#reportedUntil, until - CHOICE_TURNS) + 1; turn <= until; turn++) {
      this.#chooseLayers(turn % CHOICE_TURNS, now);
    }
    this.#reportedUntil = until;
    if (now - this.#speakersAt >= SPEAKERS_INTERVAL_MS) this.#tellSpeakers(now);
    if (now - this.#relaysAt >= REPORT_INTERVAL_MS) this.#tendRelays(now);
  }

  /** Sends what waits for its turn; false when nothing is left. */
  paceAll(now: number): boolean {
    for (const paced of this.#paced) if (!paced.pace(now)) this.#paced.delete(paced);
    return this.#paced.size > 0;
  }

  pace(paced: Paced): void {
    if (this.#paced.size === 0) this.#options.startPacing();
    this.#paced.add(paced);
  }

  later(run: () => void): void {
    this.#options.later(run);
  }

  statistics(): ForwardingStatistics {
    return {
      loopDelayMs: Math.round(this.loopDelayMs),
      loopDelay: this.#loop.statistics(),
      relayed: { ...this.relays.counters },
      connections: [...this.#connections.values()].map((connection) => connection.statistics()),
    };
  }

  timePassed(now: number): void {
    const latenessMs = this.#loop.latenessAt(now);
    if (latenessMs > LATE_MS) this.#checkOverload(latenessMs, now);
  }

  connected(connection: Connection): void {
    this.#options.emit({ type: 'connected', connectionId: connection.identity.connectionId });
  }

  ended(connection: Connection, reason: CloseReason): void {
    const { connectionId, stageId } = connection.identity;
    if (this.#connections.get(connectionId) !== connection) return;
    this.#connections.delete(connectionId);
    for (const group of this.#reportGroups) group.delete(connection);
    if (connection instanceof Publisher) this.#publishers.delete(connection);
    if (connection instanceof Subscriber) this.#forgetSubscriber(connection);
    const stage = this.#stages.get(stageId);
    if (connection instanceof Publisher) this.relays.ended(connection);
    const orphans = stage?.remove(connection) ?? [];
    this.#options.emit({ type: 'closed', connectionId, reason });
    for (const orphan of orphans) orphan.end('publisher-closed');
    if (stage?.isEmpty) this.#stages.delete(stageId);
  }

  #acceptPublisher(request: AcceptRequest, offer: Offer): Accepted {
    const plan = planPublish(offer.session);
    const publisher = new Publisher(identityOf(request), plan.tracks, this.#options.random32(), this);
    const answer = this.#answer(publisher, offer, plan);
    this.#stage(request.stageId).publish(publisher);
    this.#publishers.add(publisher);
    return { answer, tracks: codecsOf(plan.tracks), layered: publisher.tracks.some(({ isLayered }) => isLayered) };
  }

  #acceptSubscriber(request: AcceptRequest, offer: Offer, relay: RelaySource | undefined): Accepted {
    if (relay) this.#relay(relay);
    const stage = this.#stages.get(request.stageId);
    const publication = stage?.publication(request.publisherConnectionId);
    if (!stage || !publication) throw new MediaError('PUBLISHER_NOT_FOUND', 'the participant does not publish');
    const sources = publication.tracks.map(({ description }) => description);
    const plan = planSubscribe(offer.session, sources, publication.identity.participantId, this.#ssrcs());
    const subscriber = new Subscriber(
      {
        identity: identityOf(request),
        tracks: plan.tracks,
        publication,
        initialLayer: request.initialLayer ?? 'lowest',
        newSequenceNumber: () => this.#options.random32() & 0xffff,
      },
      this,
    );
    const answer = this.#answer(subscriber, offer, plan);
    stage.subscribe(subscriber);
    this.budgets.add(subscriber.participant, subscriber);
    const received = publication.tracks.filter(({ kind }) => plan.tracks.some((track) => track.kind === kind));
    return {
      answer,
      tracks: codecsOf(received.map(({ description }) => description)),
      layered: received.some(({ isLayered }) => isLayered),
    };
  }

  #stage(stageId: string): Stage {
    const stage = this.#stages.get(stageId) ?? new Stage();
    this.#stages.set(stageId, stage);
    return stage;
  }

  #published(connectionId: string): Publication | undefined {
    const connection = this.#connections.get(connectionId);
    return connection instanceof Publisher ? connection : undefined;
  }

  /** Receives a publication from another worker, unless that is so already. */
  #relay(relay: RelaySource): void {
    const { stageId, connectionId } = relay.identity;
    const stage = this.#stage(stageId);
    if (!stage.publication(connectionId)) stage.publish(this.relays.watch(relay));
  }

  /** A publication that was relayed is over, for those who receive it too. */
  #unpublish(publication: Publication): void {
    const { stageId } = publication.identity;
    const stage = this.#stages.get(stageId);
    const orphans = stage?.unpublish(publication) ?? [];
    if (stage?.isEmpty) this.#stages.delete(stageId);
    for (const orphan of orphans) orphan.end('publisher-closed');
  }

  /** Clocks out; what nobody here receives any more is not relayed any longer. */
  #tendRelays(now: number): void {
    this.#relaysAt = now;
    this.relays.report(now);
    for (const publication of [...this.relays.relayed]) {
      const watched = this.#stages.get(publication.identity.stageId)?.hasSubscribers(publication);
      if (!watched && publication.isIdle) {
        this.relays.unwatch(publication);
        this.#unpublish(publication);
      }
      publication.isIdle = !watched;
    }
  }

  #forgetSubscriber(subscriber: Subscriber): void {
    this.budgets.remove(subscriber.participant, subscriber);
    this.#paced.delete(subscriber);
  }

  #chooseLayers(turn: number, now: number): void {
    for (let group = turn; group < REPORT_GROUPS; group += CHOICE_TURNS) {
      for (const connection of this.#reportGroups[group] ?? []) {
        if (connection instanceof Subscriber) connection.tick(now);
      }
    }
  }

  #tellSpeakers(now: number): void {
    this.#speakersAt = now;
    for (const [stageId, stage] of this.#stages) {
      const speakers = stage.speakers(now);
      if (speakers) this.#options.emit({ type: 'speakers', stageId, speakers });
    }
  }

  /** Starts the transport and registers the connection; on an error nothing stays behind. */
  #answer(connection: Connection, offer: Offer, plan: AnswerPlan): string {
    const { connectionId } = connection.identity;
    const local = this.#startTransport(connection, offer);
    const sessionId = String(this.#options.random32() >>> 0);
    const answer = writeAnswer(offer.session, plan, local, sessionId);
    this.#connections.set(connectionId, connection);
    this.#reportGroups[this.#accepted++ % REPORT_GROUPS]?.add(connection);
    return answer;
  }

  #startTransport(connection: Connection, { remote }: Offer): LocalParameters {
    try {
      return connection.transport.accept(remote);
    } catch (error) {
      connection.transport.close();
      throw invalid(`the transport refuses it: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Random SSRCs, all different within one connection. */
  #ssrcs(): () => number {
    const used = new Set<number>([0]);
    return () => {
      let ssrc = 0;
      while (used.has(ssrc)) ssrc = this.#options.random32() >>> 0;
      used.add(ssrc);
      return ssrc;
    };
  }

  #checkOverload(latenessMs: number, now: number): void {
    const change = this.#overload.update(latenessMs, () => this.#subscribers(), now);
    if (change > 0) this.#unsaid.shed += change;
    if (change < 0) this.#unsaid.restored -= change;
    this.#sayOverload(latenessMs, now);
  }

  #sayOverload(latenessMs: number, now: number): void {
    const { shed, restored } = this.#unsaid;
    if (shed + restored === 0 || now - this.#saidAt < 1_000) return;
    this.#saidAt = now;
    this.#unsaid = { shed: 0, restored: 0 };
    const fields = { latenessMs: Math.round(latenessMs), shed, restored };
    this.#options.log(
      'warn',
      fields,
      'media worker overloaded: video, or sound, withheld from some subscribers or given back',
    );
  }

  *#subscribers(): Iterable<Subscriber> {
    for (const connection of this.#connections.values()) if (connection instanceof Subscriber) yield connection;
  }
}

function identityOf({ connectionId, stageId, participantId }: AcceptRequest): ConnectionIdentity {
  return { connectionId, stageId, participantId };
}

function codecsOf(tracks: readonly Source[]): Accepted['tracks'] {
  const codecs: Accepted['tracks'] = {};
  for (const { codec } of tracks) {
    if (codec === 'opus') codecs.audio = codec;
    else codecs.video = codec;
  }
  return codecs;
}
