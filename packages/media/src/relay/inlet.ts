import type { ConnectionIdentity } from '../connection.ts';
import type { RelayStatistics } from '../media.ts';
import type { Publication } from '../publication.ts';
import type { RelayLink } from '../rim/relay-link.ts';
import type { Clock, TransportHost } from '../rim/transport.ts';
import { type TrackDescription, UpTrack } from '../up-track.ts';
import { emptyRelayedPacket, FrameReader, isPacket, readMessage, readPacket, writeMessage } from './wire.ts';

/** What an inlet needs of its worker. */
export interface InletOptions {
  secret: string;
  host: TransportHost;
  clock: Clock;
  /** A packet came at `now`. */
  timePassed(now: number): void;
  /** The publication is over, or the way to it is lost. */
  ended(publication: RelayedPublication): void;
  counters: RelayStatistics;
  /** The link is closed: a new one is needed for what comes. */
  closed(): void;
}

/** What is published in another worker and shown here. */
export class RelayedPublication implements Publication {
  readonly identity: ConnectionIdentity;
  readonly tracks: readonly UpTrack[];
  readonly watch: number;
  /** Nobody received it when that was looked at last. */
  isIdle = false;

  constructor(watch: number, identity: ConnectionIdentity, tracks: readonly UpTrack[]) {
    this.watch = watch;
    this.identity = identity;
    this.tracks = tracks;
  }

  /** Every tick. */
  tick(now: number): void {
    for (const track of this.tracks) track.tick(now);
  }
}

/** The link to one other worker, and the publications that come over it. */
export class Inlet {
  readonly #options: InletOptions;
  readonly #link: RelayLink;
  readonly #reader = new FrameReader();
  readonly #publications = new Map<number, RelayedPublication>();
  readonly #packet = emptyRelayedPacket();
  #watches = 0;
  #closed = false;

  constructor(link: (onBytes: (bytes: Buffer) => void, onClosed: () => void) => RelayLink, options: InletOptions) {
    this.#options = options;
    this.#link = link(
      (bytes) => this.#receive(bytes),
      () => this.close(),
    );
    this.#link.send(writeMessage({ type: 'hello', secret: options.secret }));
  }

  /** Begins to receive what is published over there under this connection's id. */
  watch(identity: ConnectionIdentity, descriptions: readonly TrackDescription[]): RelayedPublication {
    const watch = ++this.#watches;
    const { host, clock } = this.#options;
    const tracks = descriptions.map(
      (description, track) =>
        new UpTrack({
          description,
          host,
          now: clock.now(),
          requestKeyFrame: (layer) => this.#link.send(writeMessage({ type: 'keyFrame', watch, track, layer })),
        }),
    );
    const publication = new RelayedPublication(watch, identity, tracks);
    this.#publications.set(watch, publication);
    this.#link.send(writeMessage({ type: 'watch', watch, connectionId: identity.connectionId }));
    return publication;
  }

  unwatch({ watch }: RelayedPublication): void {
    if (this.#publications.delete(watch)) this.#link.send(writeMessage({ type: 'unwatch', watch }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#link.close();
    const publications = [...this.#publications.values()];
    this.#publications.clear();
    for (const publication of publications) this.#options.ended(publication);
    this.#options.closed();
  }

  #receive(bytes: Buffer): void {
    const now = this.#options.clock.now();
    this.#options.timePassed(now);
    if (!this.#reader.read(bytes, (frame) => this.#handle(frame, now))) this.close();
  }

  #handle(frame: Buffer, now: number): void {
    if (isPacket(frame)) this.#onPacket(frame, now);
    else this.#onMessage(frame, now);
  }

  #onPacket(frame: Buffer, now: number): void {
    const packet = this.#packet;
    if (!readPacket(frame, packet)) return;
    this.#options.counters.received += 1;
    this.#publications.get(packet.watch)?.tracks[packet.track]?.layers[packet.layer]?.receive(packet, now);
  }

  #onMessage(frame: Buffer, now: number): void {
    const message = readMessage(frame);
    if (!message || message.type === 'hello') return;
    const publication = this.#publications.get(message.watch);
    if (!publication) return;
    if (message.type === 'clock') {
      publication.tracks[message.track]?.layers[message.layer]?.clock.set(message.localMs, message.timestamp);
    } else if (message.type === 'stopped') {
      publication.tracks.find(({ kind }) => kind === 'video')?.setStopped(message.stopped, now);
    } else if (message.type === 'ended') {
      this.#publications.delete(message.watch);
      this.#options.ended(publication);
    }
  }
}
