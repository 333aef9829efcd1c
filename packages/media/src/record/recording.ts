import { trackOf } from '../publication.ts';
import type { RelayedPublication } from '../relay/index.ts';
import type { Spool, SpoolFolder } from '../rim/spool.ts';
import { STORE_END_FOR_MS, STORE_START_FOR_MS } from './limits.ts';
import { type RecordingOutcome, recordingMetadata } from './metadata.ts';
import { openSink } from './open-sink.ts';
import type { RecordingEvent, RecordingFailure, RecordingOptions } from './options.ts';
import { Part } from './part.ts';
import { PlaylistFiles } from './playlist-files.ts';
import { SinkError, type SinkFailure } from './sink.ts';
import { StoreQueue } from './store-queue.ts';

export interface RecordingSurroundings {
  now(): number;
  spool: Spool;
  tell(event: RecordingEvent): void;
  warn(fields: object, message: string): void;
}

const reasons: Record<SinkFailure, string> = {
  ResourceNotFoundException: 'bucket not found',
  AccessDeniedException: 'access denied',
  InternalServerException: 'service internal error',
};
const internal: RecordingFailure = { code: 'InternalServerException', reason: reasons.InternalServerException };

/** What events say of an error. */
export const failureOf = (error: unknown): RecordingFailure =>
  error instanceof SinkError ? { code: error.code, reason: reasons[error.code] } : internal;

/** One recording: what a participant publishes, once or several times one after the other, becomes files below one prefix. */
export class Recording {
  readonly options: RecordingOptions;
  readonly #surroundings: RecordingSurroundings;
  readonly #spool: SpoolFolder;
  readonly #store: StoreQueue;
  readonly #files: PlaylistFiles;
  #part: Part | undefined;
  #thumbnailDueMs: number | undefined;
  #started: boolean;
  #ended = false;
  /** What the end waits for. */
  readonly #pending = new Set<Promise<unknown>>();
  #firstTickMs: number | undefined;
  #lastMediaMs = 0;

  /** Throws a SinkError when it cannot be stored at all. */
  constructor(options: RecordingOptions, surroundings: RecordingSurroundings) {
    this.options = options;
    this.#surroundings = surroundings;
    const { id, thumbnails, journalPath } = options;
    const complain = (message: string) => surroundings.warn({ recording: id }, message);
    this.#spool = surroundings.spool.folder(`${journalPath}.spool`);
    this.#store = new StoreQueue(openSink(options.sink), this.#spool, complain);
    this.#files = new PlaylistFiles(options, this.#store, complain);
    this.#started = !this.#files.isEmpty;
    if (thumbnails) this.#thumbnailDueMs = 0;
  }

  /** Goes on with a publication. */
  attach(publication: RelayedPublication): void {
    this.detach();
    if (this.#ended) return;
    if (!this.#takes(publication)) {
      void this.end({ code: 'ValidationException', reason: 'codec not supported for recording' });
      return;
    }
    this.#files.interrupt();
    const { originMs } = this;
    this.#part = new Part({
      recording: this.options,
      publication,
      now: () => this.#surroundings.now(),
      ...(originMs !== undefined && { originMs }),
      thumbnailDueMs: () => this.#thumbnailDueMs,
      onFormat: (format) => this.#startWith(this.#files.format(format, this.#started ? undefined : STORE_START_FOR_MS)),
      onSegment: (segment) => this.#files.segment(segment),
      onThumbnail: ({ jpeg }, timeMs) => this.#onThumbnail(jpeg, timeMs),
    });
  }

  #takes(publication: RelayedPublication): boolean {
    const { media, transcode } = this.options;
    const codec = trackOf(publication, 'video')?.codec ?? 'H264';
    return codec === 'H264' || transcode || media !== 'AUDIO_VIDEO';
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
    this.#store.finishWithin(STORE_END_FOR_MS);
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    // It was waited for long enough.
    if (!this.#started) this.#store.finishWithin(0);
    const outcome = await this.#close(failure);
    const { status, durationMs = 0, failure: why } = outcome;
    const name = status === 'RECORDING_ENDED' || this.#started ? 'recording-ended' : 'recording-failed';
    await this.#writeEvent(name, outcome);
    await this.#files.removeJournal().catch(() => {});
    this.#spool.remove();
    const { id } = this.options;
    this.#surroundings.tell({ type: 'ended', id, started: this.#started, durationMs, ...(why && { failure: why }) });
  }

  #originMs: number | undefined;

  /** All of one recording's segments are on one line of time. */
  get originMs(): number | undefined {
    return this.#originMs ?? this.#files.originMs;
  }

  async #close(failure: RecordingFailure | undefined): Promise<RecordingOutcome> {
    const stored = await this.#files.end();
    const { startedAtMs } = this.options;
    // The machine's clock may have been set back meanwhile.
    const endedAtMs = Math.max(Date.now(), startedAtMs + this.#files.durationMs);
    const isNone = this.options.media === 'NONE';
    const spanMs = Math.max(0, Math.round(this.#lastMediaMs - (this.#firstTickMs ?? this.#lastMediaMs)));
    const durationMs = isNone ? spanMs : this.#files.durationMs;
    if (!this.#started) {
      const why = failure ?? this.#storeFailure();
      return { status: 'RECORDING_START_FAILED', startedAtMs, durationMs: 0, failure: why };
    }
    const why = failure ?? (stored && this.#files.lost === 0 ? undefined : this.#storeFailure());
    const status = why ? 'RECORDING_ENDED_WITH_FAILURE' : 'RECORDING_ENDED';
    return { status, startedAtMs, endedAtMs, durationMs, ...(why && { failure: why }) };
  }

  #storeFailure(): RecordingFailure {
    return failureOf(this.#store.failure);
  }

  /** The first thing that is stored starts the recording; it cannot start when that is given up. */
  #startWith(storing: Promise<boolean>): void {
    if (this.#started) return;
    const starting = storing.then(async (stored) => {
      if (stored) await this.#start();
      // It cannot be awaited here: the end waits for what is pending.
      else if (!this.#started) void this.end(this.#storeFailure());
    });
    this.#track(starting);
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
    const storing = this.#files.thumbnail(jpeg);
    if (this.options.media === 'NONE') this.#startWith(storing);
  }

  #writeEvent(name: string, outcome: RecordingOutcome): Promise<boolean> {
    const body = Buffer.from(recordingMetadata(this.options, outcome));
    return this.#store.put(`${this.options.prefix}/events/${name}.json`, body, 'application/json');
  }

  #track(work: Promise<unknown>): void {
    const { id } = this.options;
    const tracked = work
      .catch((error: unknown) => this.#surroundings.warn({ recording: id, err: error }, 'part of a recording is lost'))
      .finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }
}
