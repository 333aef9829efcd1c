import type { ConnectionIdentity } from '../connection.ts';
import type { RelayStatistics } from '../media.ts';
import type { Publication } from '../publication.ts';
import type { RelayAddress, RelayLink } from '../rim/relay-link.ts';
import type { Clock, TransportHost } from '../rim/transport.ts';
import type { TrackDescription } from '../up-track.ts';
import { Inlet, type RelayedPublication } from './inlet.ts';
import { Outlet } from './outlet.ts';

export { RelayedPublication } from './inlet.ts';

/** Makes a link whose bytes and end are told to these. */
export type LinkMaker = (onBytes: (bytes: Buffer) => void, onClosed: () => void) => RelayLink;

/** What is published in another worker, as the main process knows it. */
export interface RelaySource {
  address: RelayAddress;
  identity: ConnectionIdentity;
  tracks: readonly TrackDescription[];
}

/** What the relays of a worker need. */
export interface RelaysOptions {
  /** What other workers must say. */
  secret: string;
  host: TransportHost;
  clock: Clock;
  connect(address: RelayAddress): LinkMaker;
  timePassed(now: number): void;
  /** What is published here under a connection's id. */
  publication(connectionId: string): Publication | undefined;
  /** A relayed publication is over. */
  ended(publication: RelayedPublication): void;
}

/** Publications that pass between workers: each goes to another worker once, however many receive it there. */
export class Relays {
  /** Of all links. */
  readonly counters: RelayStatistics = { sent: 0, received: 0, dropped: 0 };
  readonly #options: RelaysOptions;
  readonly #outlets = new Set<Outlet>();
  /** By port of the other worker. */
  readonly #inlets = new Map<string, Inlet>();
  readonly #inletOf = new Map<RelayedPublication, Inlet>();

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  /** Another worker connects. */
  accept(link: LinkMaker): void {
    const outlet: Outlet = new Outlet(
      (onBytes, onClosed) =>
        link(onBytes, () => {
          onClosed();
          this.#outlets.delete(outlet);
        }),
      { ...this.#options, counters: this.counters },
    );
    this.#outlets.add(outlet);
  }

  /** Begins to receive what another worker has. */
  watch({ address, identity, tracks }: RelaySource): RelayedPublication {
    const inlet = this.#inletTo(address);
    const publication = inlet.watch(identity, tracks);
    this.#inletOf.set(publication, inlet);
    return publication;
  }

  unwatch(publication: RelayedPublication): void {
    this.#inletOf.get(publication)?.unwatch(publication);
    this.#inletOf.delete(publication);
  }

  /** What was published here is over. */
  ended(publication: Publication): void {
    for (const outlet of this.#outlets) outlet.ended(publication);
  }

  /** Every tick. */
  tick(now: number): void {
    for (const publication of this.#inletOf.keys()) publication.tick(now);
  }

  /** Once a second. */
  report(now: number): void {
    for (const outlet of this.#outlets) outlet.report();
    for (const publication of this.#inletOf.keys()) {
      for (const track of publication.tracks) track.remindOfWaiters(now);
    }
  }

  get relayed(): Iterable<RelayedPublication> {
    return this.#inletOf.keys();
  }

  #inletTo(address: RelayAddress): Inlet {
    const key = `${address.host}:${address.port}`;
    const known = this.#inlets.get(key);
    if (known) return known;
    const { host, clock, timePassed, ended } = this.#options;
    const inlet = new Inlet(this.#options.connect(address), {
      secret: address.secret,
      host,
      clock,
      timePassed,
      counters: this.counters,
      ended: (publication) => {
        this.#inletOf.delete(publication);
        ended(publication);
      },
      closed: () => this.#inlets.delete(key),
    });
    this.#inlets.set(key, inlet);
    return inlet;
  }
}
