import { type LinkMaker, type RelayedPublication, type RelaySource, Relays } from '../relay/index.ts';
import { noTransports } from '../rim/no-transports.ts';
import type { RelayAddress } from '../rim/relay-link.ts';
import { Spool } from '../rim/spool.ts';
import type { Clock } from '../rim/transport.ts';
import type { RecordingEvent, RecordingFailure, RecordingOptions } from './options.ts';
import { failureOf, Recording } from './recording.ts';

/** A source whose link was lost, though it is not over, is connected to again after this time. */
const RETRY_MS = 1_000;

export interface RecorderOptions {
  clock: Clock;
  /** Of the disk space for what sinks do not take, all recordings together. */
  spoolBytes: number;
  connect(address: RelayAddress): LinkMaker;
  tell(event: RecordingEvent): void;
  warn(fields: object, message: string): void;
}

interface Entry {
  recording: Recording;
  /** While it is published. */
  source?: RelaySource | undefined;
  publication?: RelayedPublication | undefined;
  retryAt?: number | undefined;
}

/** All recordings of a process. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #relays: Relays;
  readonly #spool: Spool;
  readonly #entries = new Map<string, Entry>();
  /** Ends under way. */
  readonly #ending = new Set<Promise<void>>();

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { clock, connect, spoolBytes } = options;
    this.#spool = new Spool(spoolBytes);
    this.#relays = new Relays({
      secret: '',
      host: noTransports,
      clock,
      connect,
      timePassed() {},
      publication: () => undefined,
      ended: (publication) => this.#lost(publication),
    });
  }

  record(options: RecordingOptions, source: RelaySource | undefined): void {
    const entry = this.#entries.get(options.id) ?? this.#begin(options);
    if (!entry) return;
    this.#unwatch(entry);
    entry.recording.detach();
    if (source) this.#watch(entry, source);
  }

  pause(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#unwatch(entry);
    entry.recording.detach();
  }

  end(id: string, failure?: RecordingFailure): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#unwatch(entry);
    const ending = entry.recording.end(failure).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Every tick. */
  tick(now: number): void {
    this.#relays.tick(now);
    for (const entry of this.#entries.values()) {
      if (entry.retryAt !== undefined && now >= entry.retryAt && entry.source) this.#watch(entry, entry.source);
      this.#guard(entry, () => entry.recording.tick(now));
    }
  }

  /** Once a second. */
  report(now: number): void {
    this.#relays.report(now);
  }

  /** Those under way, their ends included. */
  get recordings(): number {
    return this.#entries.size + this.#ending.size;
  }

  /** On disk, because sinks have not taken it yet. */
  get spooledBytes(): number {
    return this.#spool.bytes;
  }

  /** Resolves when everything is stored. */
  async close(): Promise<void> {
    for (const id of [...this.#entries.keys()]) this.end(id);
    await Promise.all(this.#ending);
  }

  #begin(options: RecordingOptions): Entry | undefined {
    const { clock, warn } = this.#options;
    try {
      const tell = (event: RecordingEvent) => this.#tell(event);
      const surroundings = { now: () => clock.now(), spool: this.#spool, warn, tell };
      const entry: Entry = { recording: new Recording(options, surroundings) };
      this.#entries.set(options.id, entry);
      return entry;
    } catch (error) {
      warn({ recording: options.id, err: error }, 'a recording cannot begin');
      this.#options.tell({ type: 'ended', id: options.id, started: false, durationMs: 0, failure: failureOf(error) });
      return undefined;
    }
  }

  /** A recording may end by itself, when it cannot be stored. */
  #tell(event: RecordingEvent): void {
    const entry = event.type === 'ended' ? this.#entries.get(event.id) : undefined;
    if (entry) {
      this.#entries.delete(event.id);
      this.#unwatch(entry);
    }
    this.#options.tell(event);
  }

  #watch(entry: Entry, source: RelaySource): void {
    entry.source = source;
    entry.retryAt = undefined;
    const publication = this.#relays.watch(source);
    entry.publication = publication;
    this.#guard(entry, () => entry.recording.attach(publication));
  }

  #unwatch(entry: Entry): void {
    if (entry.publication) this.#relays.unwatch(entry.publication);
    entry.publication = undefined;
    entry.source = undefined;
    entry.retryAt = undefined;
  }

  #lost(publication: RelayedPublication): void {
    for (const entry of this.#entries.values()) {
      if (entry.publication !== publication) continue;
      entry.publication = undefined;
      this.#guard(entry, () => entry.recording.detach());
      entry.retryAt = this.#options.clock.now() + RETRY_MS;
    }
  }

  /** What one participant sends ends no more than that participant's recording. */
  #guard(entry: Entry, work: () => void): void {
    try {
      work();
    } catch (error) {
      const { id } = entry.recording.options;
      this.#options.warn({ recording: id, err: error }, 'a recording failed');
      this.end(id, failureOf(error));
    }
  }
}
