import type { LogLevel, WorkerStatistics } from './channel.ts';
import type { Connection, ConnectionContext, ConnectionIdentity } from './connection.ts';
import { MAX_CONNECTIONS, REPORT_INTERVAL_MS, TICK_MS } from './limits.ts';
import { LoopDelay } from './loop-delay.ts';
import { type Accepted, type AcceptRequest, type CloseReason, MediaError, type MediaEvent } from './media.ts';
import { type AnswerPlan, writeAnswer } from './negotiate/answer.ts';
import { invalid, type Offer, readOffer } from './negotiate/offer.ts';
import { planPublish } from './negotiate/publish.ts';
import { planSubscribe, type Source } from './negotiate/subscribe.ts';
import { LATE_MS, OverloadPolicy } from './overload.ts';
import { Publisher } from './publisher.ts';
import type { Clock, LocalParameters, TransportHost } from './rim/transport.ts';
import { Stage } from './stage.ts';
import { Subscriber } from './subscriber.ts';

/** What a worker's forwarding needs from outside. */
export interface SfuOptions {
  host: TransportHost;
  clock: Clock;
  /** A random integer of 32 bits. */
  random32(): number;
  emit(event: MediaEvent): void;
  log(level: LogLevel, fields: object, message: string): void;
}

/** Reports are spread over as many ticks as fit into their interval. */
const REPORT_GROUPS = REPORT_INTERVAL_MS / TICK_MS;

/** The selective forwarding unit: accepts offers, routes packets from publishers to subscribers, ends what is dead. */
export class Sfu implements ConnectionContext {
  readonly host: TransportHost;
  readonly clock: Clock;
  readonly #options: SfuOptions;
  readonly #stages = new Map<string, Stage>();
  readonly #connections = new Map<string, Connection>();
  readonly #publishers = new Set<Publisher>();
  readonly #reportGroups = Array.from({ length: REPORT_GROUPS }, () => new Set<Connection>());
  readonly #overload = new OverloadPolicy();
  readonly #loop: LoopDelay;
  /** What the overload policy did since it was last told to the log. */
  #unsaid = { shed: 0, restored: 0 };
  #saidAt = 0;
  #accepted = 0;
  #reportedUntil: number;

  constructor(options: SfuOptions) {
    this.#options = options;
    this.host = options.host;
    this.clock = options.clock;
    const now = options.clock.now();
    this.#loop = new LoopDelay(now);
    this.#reportedUntil = Math.floor(now / TICK_MS);
  }

  /** Answers an offer; throws MediaError. */
  accept(request: AcceptRequest): Accepted {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      throw new MediaError('UNAVAILABLE', `the media worker has its limit of ${MAX_CONNECTIONS} connections`);
    }
    const offer = readOffer(request.offer);
    return request.role === 'publish' ? this.#acceptPublisher(request, offer) : this.#acceptSubscriber(request, offer);
  }

  close(connectionId: string): void {
    this.#connections.get(connectionId)?.end('requested');
  }

  /** Every TICK_MS: feedback that is due, and one group's reports. */
  tick(now: number): void {
    this.#checkOverload(this.#loop.tick(now), now);
    for (const publisher of this.#publishers) publisher.tick(now);
    // A late loop catches up on each group once.
    const until = Math.floor(now / TICK_MS);
    const from = Math.max(this.#reportedUntil, until - REPORT_GROUPS);
    for (let turn = from + 1; turn <= until; turn++) {
      for (const connection of this.#reportGroups[turn % REPORT_GROUPS] ?? []) connection.reportInterval(now);
    }
    this.#reportedUntil = until;
  }

  statistics(): WorkerStatistics {
    return {
      loopDelayMs: Math.round(this.#loop.worstMs),
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
    const stage = this.#stages.get(stageId);
    const orphans = stage?.remove(connection) ?? [];
    this.#options.emit({ type: 'closed', connectionId, reason });
    for (const orphan of orphans) orphan.end('publisher-closed');
    if (stage?.isEmpty) this.#stages.delete(stageId);
  }

  #acceptPublisher(request: AcceptRequest, offer: Offer): Accepted {
    const plan = planPublish(offer.session);
    const publisher = new Publisher(identityOf(request), plan.tracks, this.#options.random32(), this);
    const answer = this.#answer(publisher, offer, plan);
    const stage = this.#stages.get(request.stageId) ?? new Stage();
    this.#stages.set(request.stageId, stage);
    stage.add(publisher);
    this.#publishers.add(publisher);
    return { answer, tracks: codecsOf(plan.tracks) };
  }

  #acceptSubscriber(request: AcceptRequest, offer: Offer): Accepted {
    const stage = this.#stages.get(request.stageId);
    const publisher = stage?.publisher(request.publisherConnectionId);
    if (!stage || !publisher) throw new MediaError('PUBLISHER_NOT_FOUND', 'the participant does not publish');
    const sources = publisher.tracks.map(({ negotiated }) => negotiated);
    const plan = planSubscribe(offer.session, sources, publisher.identity.participantId, this.#ssrcs());
    const newSequenceNumber = () => this.#options.random32() & 0xffff;
    const subscriber = new Subscriber(identityOf(request), plan.tracks, publisher, newSequenceNumber, this);
    const answer = this.#answer(subscriber, offer, plan);
    stage.add(subscriber);
    const received = plan.tracks.map(({ kind }) => kind);
    return { answer, tracks: codecsOf(sources.filter(({ kind }) => received.includes(kind))) };
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
    this.#options.log('warn', fields, 'media worker overloaded: video withheld from some subscribers or given back');
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
