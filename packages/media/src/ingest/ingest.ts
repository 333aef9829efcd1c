import type { LogLevel, WorkerStatistics } from '../channel.ts';
import type { ConnectionIdentity } from '../connection.ts';
import type { CloseReason, IngestAnswer, IngestRequest } from '../media.ts';
import type { Publication } from '../publication.ts';
import { type LinkMaker, Relays } from '../relay/index.ts';
import type { Clock } from '../rim/transport.ts';
import type { TrackDescription } from '../up-track.ts';
import { publicationStatistics } from './publication-statistics.ts';
import { RedundantStream } from './redundant.ts';
import type { RtmpEnd, RtmpSession, RtmpSessionInfo, RtmpSessionListener } from './rtmp-connection.ts';
import { IngestStream, type StreamContext } from './stream.ts';

const SECOND_MS = 1_000;
/** A stream's first element of the URL's path, as AWS has it. */
const APP = 'app';

/** What the ingest needs from outside. */
export interface IngestContext extends Omit<StreamContext, 'published' | 'ended'> {
  /** What workers must say to be given streams. */
  secret: string;
  clock: Clock;
  authorize(request: IngestRequest): Promise<IngestAnswer>;
  published(connectionId: string, tracks: TrackDescription[]): void;
  ended(connectionId: string, reason: CloseReason): void;
  log(level: LogLevel, fields: object, message: string): void;
}

/** All encoders' streams of the process: lets them in, ends them, gives them to the workers that want them. */
export class Ingest {
  readonly #context: IngestContext;
  readonly #streams = new Map<string, IngestStream>();
  /** What viewers get of several encoders, by its connection. */
  readonly #redundant = new Map<string, RedundantStream>();
  readonly #relays: Relays;
  #secondAt = 0;

  constructor(context: IngestContext) {
    this.#context = context;
    this.#relays = new Relays({
      secret: context.secret,
      host: context.host,
      clock: context.clock,
      connect: () => {
        throw new Error('nothing is relayed into the ingest process');
      },
      timePassed: () => {},
      publication: (connectionId) => this.#streams.get(connectionId) ?? this.#redundant.get(connectionId),
      ended: () => {},
    });
  }

  /** A worker connects. */
  accept(link: LinkMaker): void {
    this.#relays.accept(link);
  }

  /** An encoder has connected. */
  onSession(session: RtmpSession, { app, remoteAddress, remotePort, secure }: RtmpSessionInfo): RtmpSessionListener {
    if (app.split(/[/?]/)[0] === APP) session.accept();
    else
      session.reject(
        'NetConnection.Connect.InvalidApp',
        `the path of the URL is /${APP}/ and the stream key, not /${app}`,
      );
    let stream: IngestStream | undefined;
    let over = false;
    const finish = (reason: CloseReason) => {
      stream?.end(reason);
      stream = undefined;
    };
    return {
      publish: ({ streamKey }) => {
        finish('peer-closed');
        const protocol = secure ? 'RTMPS' : 'RTMP';
        const address = `${remoteAddress}:${remotePort}`;
        void this.#admit(session, { streamKey, protocol, address }).then((admitted) => {
          if (over) admitted?.end('peer-closed');
          else stream = admitted;
        });
      },
      metadata: () => {},
      audio: (frame) => stream?.audio(frame),
      video: (frame) => stream?.video(frame),
      unpublish: () => finish('peer-closed'),
      closed: (end) => {
        over = true;
        finish(reasonOf(end));
      },
    };
  }

  /** Ends a stream; no effect on one that is over. */
  close(connectionId: string): void {
    this.#streams.get(connectionId)?.end('requested');
    const redundant = this.#redundant.get(connectionId);
    if (!redundant || !this.#redundant.delete(connectionId)) return;
    redundant.end();
    this.#relays.ended(redundant);
    this.#context.ended(connectionId, 'requested');
  }

  /** Every TICK_MS. */
  tick(now: number): void {
    for (const stream of this.#streams.values()) stream.tick(now);
    for (const stream of this.#redundant.values()) stream.tick(now);
    if (now - this.#secondAt < SECOND_MS) return;
    this.#secondAt = now;
    for (const stream of this.#streams.values()) stream.second(now);
    this.#relays.report(now);
  }

  statistics(): Pick<WorkerStatistics, 'connections' | 'relayed'> {
    const now = this.#context.clock.now();
    const streams = [...this.#streams.values()].map((stream) => stream.statistics(now));
    const redundant = [...this.#redundant.values()].map((stream) => publicationStatistics(stream, now));
    return { relayed: { ...this.#relays.counters }, connections: [...streams, ...redundant] };
  }

  /** The stream of an encoder that is let in; one that is not is told why. */
  async #admit(session: RtmpSession, request: IngestRequest): Promise<IngestStream | undefined> {
    const answer = await this.#context.authorize(request);
    if ('refused' in answer) {
      const { code, message } = answer.refused;
      session.reject('NetStream.Publish.BadName', `${code}: ${message}`);
      return undefined;
    }
    const { redundant, ...identity } = answer.accepted;
    const shared = redundant && this.#redundantStream({ ...identity, ...redundant });
    const stream = new IngestStream(identity, session, {
      ...this.#context,
      published: (published) => {
        this.#published(published);
        if (shared) this.#join(shared, published);
      },
      ended: (ended, reason) => {
        shared?.remove(ended);
        this.#ended(ended, reason);
      },
    });
    this.#streams.set(identity.connectionId, stream);
    session.accept();
    return stream;
  }

  #published({ identity, tracks }: Publication): void {
    this.#context.published(
      identity.connectionId,
      tracks.map(({ description }) => description),
    );
  }

  /** The one that the encoders share, made for the first of them. */
  #redundantStream(identity: ConnectionIdentity): RedundantStream {
    const { host, clock, log } = this.#context;
    const { connectionId, stageId, participantId } = identity;
    const known = this.#redundant.get(connectionId);
    if (known) return known;
    const switched = (to: ConnectionIdentity) =>
      log('info', { stage: stageId, participant: participantId, encoder: to.participantId }, 'redundant ingest: shown');
    const made = new RedundantStream(identity, { host, clock, switched });
    this.#redundant.set(connectionId, made);
    return made;
  }

  #join(shared: RedundantStream, stream: IngestStream): void {
    const isFirst = shared.tracks.length === 0;
    const { stageId, participantId } = stream.identity;
    if (!shared.add(stream))
      this.#context.log(
        'warn',
        { stage: stageId, participant: participantId },
        'redundant ingest: the encoder sends another codec than the one that is shown, and cannot take its place',
      );
    if (isFirst) this.#published(shared);
  }

  #ended(stream: IngestStream, reason: CloseReason): void {
    const { connectionId, stageId, participantId } = stream.identity;
    this.#streams.delete(connectionId);
    this.#relays.ended(stream);
    this.#context.log('info', { stage: stageId, participant: participantId, reason }, "an encoder's stream ended");
    this.#context.ended(connectionId, reason);
  }
}

function reasonOf(end: RtmpEnd): CloseReason {
  if (end.kind === 'timeout') return 'timeout';
  return end.kind === 'malformed' || end.kind === 'unread' ? 'failed' : 'peer-closed';
}
