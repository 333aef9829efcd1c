import type { Layer, LayerTap } from '../layer.ts';
import type { RelayStatistics } from '../media.ts';
import type { Publication } from '../publication.ts';
import { isSecret, type RelayLink } from '../rim/relay-link.ts';
import { FrameReader, packetBytes, readMessage, type ToSource, writeMessage, writePacket } from './wire.ts';

/** What an outlet asks its worker. */
export interface OutletOptions {
  secret: string;
  /** What is published here under a connection's id. */
  publication(connectionId: string): Publication | undefined;
  clock: { now(): number };
  counters: RelayStatistics;
}

/** One other worker that receives publications of this one. */
export class Outlet {
  readonly #options: OutletOptions;
  readonly #link: RelayLink;
  readonly #reader = new FrameReader();
  readonly #watches = new Map<number, Watch>();
  #admitted = false;
  readonly #counters: RelayStatistics;

  constructor(link: (onBytes: (bytes: Buffer) => void, onClosed: () => void) => RelayLink, options: OutletOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#link = link(
      (bytes) => this.#receive(bytes),
      () => this.close(),
    );
  }

  /** A publication is over. */
  ended(publication: Publication): void {
    for (const [number, watch] of this.#watches) {
      if (watch.publication !== publication) continue;
      this.#unwatch(number);
      this.#link.send(writeMessage({ type: 'ended', watch: number }));
    }
  }

  /** Once a second: clocks, and whether video is stopped. */
  report(): void {
    for (const watch of this.#watches.values()) watch.report();
  }

  close(): void {
    for (const number of [...this.#watches.keys()]) this.#unwatch(number);
    this.#link.close();
  }

  #receive(bytes: Buffer): void {
    if (!this.#reader.read(bytes, (frame) => this.#handle(readMessage(frame)))) this.close();
  }

  #handle(message: ReturnType<typeof readMessage>): void {
    if (message?.type === 'hello') this.#admitted = isSecret(message.secret, this.#options.secret);
    if (!this.#admitted || !message) {
      this.close();
      return;
    }
    if (message.type === 'watch') this.#watch(message);
    else if (message.type === 'unwatch') this.#unwatch(message.watch);
    else if (message.type === 'keyFrame') this.#requestKeyFrame(message);
  }

  #watch({ watch: number, connectionId }: Extract<ToSource, { type: 'watch' }>): void {
    const publication = this.#options.publication(connectionId);
    if (!publication || this.#watches.has(number)) {
      this.#link.send(writeMessage({ type: 'ended', watch: number }));
      return;
    }
    const watch = new Watch(number, publication, this.#link, this.#counters);
    this.#watches.set(number, watch);
    watch.report();
  }

  #unwatch(number: number): void {
    this.#watches.get(number)?.end();
    this.#watches.delete(number);
  }

  #requestKeyFrame({ watch, track, layer }: Extract<ToSource, { type: 'keyFrame' }>): void {
    this.#watches.get(watch)?.publication.tracks[track]?.layers[layer]?.keyFrames.request(this.#options.clock.now());
  }
}

/** One publication on its way to one other worker: every packet of every layer, once. */
class Watch {
  readonly publication: Publication;
  readonly #number: number;
  readonly #link: RelayLink;
  readonly #taps: { layer: Layer; tap: LayerTap }[] = [];

  constructor(number: number, publication: Publication, link: RelayLink, counters: RelayStatistics) {
    this.#number = number;
    this.publication = publication;
    this.#link = link;
    for (const [trackIndex, track] of publication.tracks.entries()) {
      for (const [layerIndex, layer] of track.layers.entries()) {
        this.#tap(layer, { watch: number, track: trackIndex, layer: layerIndex }, counters);
      }
    }
  }

  report(): void {
    for (const [track, { layers, kind, isStopped }] of this.publication.tracks.entries()) {
      if (kind === 'video') this.#link.send(writeMessage({ type: 'stopped', watch: this.#number, stopped: isStopped }));
      for (const [layer, { clock }] of layers.entries()) {
        const { reference } = clock;
        if (reference)
          this.#link.send(writeMessage({ type: 'clock', watch: this.#number, track, layer, ...reference }));
      }
    }
  }

  end(): void {
    for (const { layer, tap } of this.#taps) layer.untap(tap);
  }

  #tap(layer: Layer, place: { watch: number; track: number; layer: number }, counters: RelayStatistics): void {
    const tap: LayerTap = (arrival) => {
      if (this.#link.isFull) {
        counters.dropped += 1;
        return;
      }
      counters.sent += 1;
      this.#link.append(packetBytes(arrival), (target, at) => writePacket(target, at, place, arrival));
    };
    this.#taps.push({ layer, tap });
    layer.tap(tap);
  }
}
