import type { RelayedPublication } from '../relay/index.ts';
import { STORE_END_FOR_MS } from './limits.ts';
import { type RecordingOutcome, recordingMetadata } from './metadata.ts';
import { openSink } from './open-sink.ts';
import type { RecordingEvent, RecordingFailure, RecordingOptions } from './options.ts';
import { Part } from './part.ts';
import { PlaylistFiles } from './playlist-files.ts';
import { type Sink, SinkError, type SinkFailure } from './sink.ts';
import { StoreQueue } from './store-queue.ts';

export interface RecordingSurroundings {
  now(): number;
  tell(event: RecordingEvent): void;
  warn(fields: object, message: string): void;
}

const reasons: Record<SinkFailure, string> = {
  ResourceNotFoundException: 'bucket not found',
  AccessDeniedException: 'access denied',
  InternalServerException: 'service internal error',
};
const internal: RecordingFailure = { code: 'InternalServerException', reason: reasons.InternalServerException };

/** One recording: what a participant publishes, once or several times one after the other, becomes files below one prefix. */
export class Recording {
  readonly options: RecordingOptions;
  readonly #surroundings: RecordingSurroundings;
  readonly #store: StoreQueue;
  readonly #files: PlaylistFiles;
  #part: Part | undefined;
  #thumbnailDueMs: number | undefined;
  #started: boolean;
  #ended = false;
  /** Settles with all that was begun before. */
  #work: Promise<unknown> = Promise.resolve();
  #firstTickMs: number | undefined;
  #lastMediaMs = 0;

  /** Throws a SinkError when it cannot be stored at all. */
  constructor(options: RecordingOptions, surroundings: RecordingSurroundings) {
    this.options = options;
    this.#surroundings = surroundings;
    const { id, thumbnails } = options;
    const sink: Sink = openSink(options.sink);
    this.#store = new StoreQueue(sink, (message) => surroundings.warn({ recording: id }, message));
    this.#files = new PlaylistFiles(options, this.#store);
    this.#started = !this.#files.isEmpty;
    if (thumbnails) this.#thumbnailDueMs = 0;
  }

  /** Goes on with a publication. */
  attach(publication: RelayedPublication): void {
    this.detach();
    if (this.#ended) return;
    this.#files.interrupt();
    const { originMs } = this;
    this.#part = new Part({
      recording: this.options,
      publication,
      now: () => this.#surroundings.now(),
      ...(originMs !== undefined && { originMs }),
      thumbnailDueMs: () => this.#thumbnailDueMs,
      onFormat: (format) => this.#then(() => this.#onFormat(this.#files.format(format))),
      onSegment: (segment) => this.#then(() => this.#files.segment(segment)),
      onThumbnail: ({ jpeg }, timeMs) => this.#onThumbnail(jpeg, timeMs),
    });
  }

  /** The publication is over; the recording waits for another, or its end. */
  detach(): void {
    const part = this.#part;
    this.#part = undefined;
    if (!part) return;
    part.close(this.#surroundings.now());
    this.#originMs = part.originMs;
  }

  tick(now: number): void {
    this.#part?.tick(now);
    if (this.#part) this.#lastMediaMs = now;
    this.#firstTickMs ??= now;
  }

  /** Closes the files and tells. `failure`: it was not to end yet. */
  async end(failure?: RecordingFailure): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.detach();
    } catch (error) {
      this.#surroundings.warn({ recording: this.options.id, err: error }, 'the end of a recording is lost');
    }
    await this.#work;
    const outcome = await this.#close(failure);
    const { status, durationMs = 0, failure: why } = outcome;
    const name = status === 'RECORDING_ENDED' || this.#started ? 'recording-ended' : 'recording-failed';
    await this.#writeEvent(name, outcome);
    await this.#files.removeJournal().catch(() => {});
    const { id } = this.options;
    this.#surroundings.tell({ type: 'ended', id, started: this.#started, durationMs, ...(why && { failure: why }) });
  }

  #originMs: number | undefined;

  /** All of one recording's segments are on one line of time. */
  get originMs(): number | undefined {
    return this.#files.originMs ?? this.#originMs;
  }

  async #close(failure: RecordingFailure | undefined): Promise<RecordingOutcome> {
    const stored = await this.#files.end();
    const { startedAtMs } = this.options;
    const endedAtMs = Date.now();
    const isNone = this.options.media === 'NONE';
    const spanMs = Math.max(0, Math.round(this.#lastMediaMs - (this.#firstTickMs ?? this.#lastMediaMs)));
    const durationMs = isNone ? spanMs : this.#files.durationMs;
    if (!this.#started) {
      const why = failure ?? this.#storeFailure() ?? internal;
      return { status: 'RECORDING_START_FAILED', startedAtMs, durationMs: 0, failure: why };
    }
    const why = failure ?? (stored && this.#files.lost === 0 ? undefined : (this.#storeFailure() ?? internal));
    const status = why ? 'RECORDING_ENDED_WITH_FAILURE' : 'RECORDING_ENDED';
    return { status, startedAtMs, endedAtMs, durationMs, ...(why && { failure: why }) };
  }

  #storeFailure(): RecordingFailure | undefined {
    const { failure } = this.#store;
    if (failure === undefined) return undefined;
    if (!(failure instanceof SinkError)) return internal;
    return { code: failure.code, reason: reasons[failure.code] };
  }

  async #onFormat(storing: Promise<boolean>): Promise<void> {
    if (await storing) await this.#start();
    // It cannot be awaited here: the end waits for what is under way.
    else if (!this.#started) void this.end(this.#storeFailure() ?? internal);
  }

  async #start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { startedAtMs, id } = this.options;
    await this.#writeEvent('recording-started', { status: 'RECORDING_STARTED', startedAtMs });
    this.#surroundings.tell({ type: 'started', id });
  }

  #onThumbnail(jpeg: Buffer, timeMs: number): void {
    const intervalMs = (this.options.thumbnails?.intervalSeconds ?? 60) * 1_000;
    const dueMs = this.#thumbnailDueMs ?? 0;
    // A late one does not put off those after it.
    this.#thumbnailDueMs = dueMs > 0 && timeMs - dueMs < intervalMs ? dueMs + intervalMs : timeMs + intervalMs;
    this.#then(async () => {
      await this.#files.thumbnail(jpeg);
      if (this.options.media === 'NONE') await this.#start();
    });
  }

  #writeEvent(name: string, outcome: RecordingOutcome): Promise<boolean> {
    const body = Buffer.from(recordingMetadata(this.options, outcome));
    return this.#store.put(`${this.options.prefix}/events/${name}.json`, body, 'application/json', STORE_END_FOR_MS);
  }

  /** One thing after the other, or numbers and discontinuities would be out of order. */
  #then(work: () => Promise<unknown>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#surroundings.warn({ recording: this.options.id, err: error }, 'part of a recording is lost');
    });
  }
}
