import { join } from 'node:path';
import type { Media, RecordingEvent, RecordingFailure, RecordingOptions, SinkDescription } from '@footlights/media';
import { newResourceId } from '@footlights/model';
import {
  type Announcement,
  type RecordedParticipant,
  recordingEnded,
  recordingEndFailed,
  recordingStarted,
  recordingStartFailed,
} from './events/bus-event.ts';
import type { Log } from './log.ts';
import type { Publishing } from './signalling/live-stage.ts';
import type { RecordingConfiguration, RecordingRecord, RecordingState, Store } from './store/index.ts';

export interface RecordingsOptions {
  store: Store;
  media: Pick<Media, 'record' | 'pauseRecording' | 'endRecording' | 'onRecording'>;
  log: Log;
  now(): Date;
  /** Whether video that is not H.264 is encoded anew, instead of refused. */
  transcode: boolean;
  /** Folder of what a later process must know of recordings under way. */
  folder: string;
  sinkOf(bucketName: string): SinkDescription;
}

/** A recording that has not ended. */
interface Active {
  record: RecordingRecord;
  windowMs: number;
  /** Runs while its participant does not publish. */
  window?: NodeJS.Timeout;
  ending: boolean;
}

/** One participant of one stage: changes are handled one after the other. */
interface Followed {
  /** As of the newest change, handled or not. */
  wanted: Publishing;
  connectionId?: string;
  active?: Active;
  work: Promise<void>;
}

const lostWithServer: RecordingFailure = { code: 'InternalServerException', reason: 'service internal error' };

/** Records every participant that publishes to a stage whose configuration says so, and keeps the state of that. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #active = new Map<string, Active>();
  /** Prefixes have seconds: the last one of a participant, while another could be the same. */
  readonly #lastStartMs = new Map<string, number>();
  #written: Promise<unknown> = Promise.resolve();
  #draining = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    options.media.onRecording((event) => this.#onEvent(event));
  }

  /** What a participant publishes may have changed. */
  follow(publishing: Publishing): void {
    const key = `${publishing.stageArn} ${publishing.participantId}`;
    const known = this.#followed.get(key);
    if (!known && publishing.connectionId === undefined) return;
    const followed = known ?? { wanted: publishing, work: Promise.resolve() };
    followed.wanted = publishing;
    this.#followed.set(key, followed);
    followed.work = followed.work
      .then(() => this.#handle(followed))
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'a recording could not be begun or ended'))
      .then(() => {
        if (!followed.active && followed.connectionId === undefined) this.#followed.delete(key);
      });
  }

  /** Whether anybody of the stage is recorded now, or may come back to a recording. */
  isRecording(stageArn: string): boolean {
    return [...this.#active.values()].some(({ record }) => record.stageArn === stageArn);
  }

  /** Closes what an earlier process left open: what is stored of it stays. */
  async closeUnfinished(): Promise<void> {
    for (const record of await this.#options.store.openRecordings()) {
      this.#options.log.warn({ recording: record.id, prefix: record.prefix }, 'an earlier run left a recording open');
      this.#active.set(record.id, { record, windowMs: 0, ending: true });
      this.#options.media.record(record.options);
      this.#options.media.endRecording(record.id, lostWithServer);
    }
  }

  /** Ends all recordings; their files are closed when the media have shut down. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([...this.#followed.values()].map(({ work }) => work));
    for (const active of this.#active.values()) this.#end(active);
  }

  /** Resolves when every change of state is durable. */
  async flushed(): Promise<void> {
    await this.#written;
  }

  async #handle(followed: Followed): Promise<void> {
    const { wanted, active } = followed;
    if (wanted.connectionId === followed.connectionId) return;
    followed.connectionId = wanted.connectionId;
    if (wanted.connectionId === undefined) this.#unpublished(followed);
    else {
      const configuration = await this.#configuration(wanted);
      if (active && this.#continues(active, configuration)) this.#resume(active, wanted);
      else {
        if (active) this.#end(active);
        followed.active = undefined;
        if (configuration && !this.#draining) await this.#start(followed, wanted, configuration);
      }
    }
  }

  /** Undefined when the participant is not to be recorded. */
  async #configuration({ stageArn, replica }: Publishing): Promise<RecordingConfiguration | undefined> {
    const stage = await this.#options.store.getStage(stageArn);
    if (!stage?.recording.storageConfigurationArn) return undefined;
    return replica && !stage.recording.recordParticipantReplicas ? undefined : stage.recording;
  }

  #continues(active: Active, configuration: RecordingConfiguration | undefined): boolean {
    const { storageConfigurationArn } = active.record;
    return !active.ending && active.windowMs > 0 && configuration?.storageConfigurationArn === storageConfigurationArn;
  }

  #resume(active: Active, { sessionId, connectionId }: Publishing): void {
    clearTimeout(active.window);
    active.window = undefined;
    const { record } = active;
    if (!record.sessionIds.includes(sessionId)) {
      record.sessionIds.push(sessionId);
      this.#write(this.#options.store.putRecording(record));
    }
    this.#options.media.record(record.options, connectionId);
    this.#setState(record, record.started ? 'ACTIVE' : 'STARTING', undefined, [sessionId]);
  }

  #unpublished(followed: Followed): void {
    const { active } = followed;
    if (!active || active.ending) return;
    if (active.windowMs === 0 || this.#draining) {
      this.#end(active);
      followed.active = undefined;
      return;
    }
    this.#options.media.pauseRecording(active.record.id);
    active.window = setTimeout(() => {
      followed.active = undefined;
      this.#end(active);
    }, active.windowMs);
    active.window.unref();
  }

  async #start(followed: Followed, publishing: Publishing, configuration: RecordingConfiguration): Promise<void> {
    const { store, media } = this.#options;
    const { storageConfigurationArn, recordingReconnectWindowSeconds } = configuration;
    const bucketName = (await store.storageConfigurations.get(storageConfigurationArn))?.bucketName;
    // It was taken away from under the stage: there is nowhere to store.
    if (bucketName === undefined) return;
    const record = this.#recordOf(publishing, configuration, bucketName);
    const active: Active = { record, windowMs: recordingReconnectWindowSeconds * 1_000, ending: false };
    followed.active = active;
    this.#active.set(record.id, active);
    this.#setState(record, 'STARTING');
    await store.putRecording(record);
    media.record(record.options, publishing.connectionId);
  }

  #recordOf(publishing: Publishing, configuration: RecordingConfiguration, bucketName: string): RecordingRecord {
    const { stageArn, stageId, sessionId, participantId } = publishing;
    const { storageConfigurationArn } = configuration;
    const id = newResourceId();
    const startedAtMs = this.#startTime(`${stageArn} ${participantId}`);
    const timestamp = `${new Date(startedAtMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
    const prefix = `${stageId}/${sessionId}/${participantId}/${timestamp}`;
    const options: RecordingOptions = {
      ...{ id, stageArn, sessionId, participantId, prefix, startedAtMs },
      sink: this.#options.sinkOf(bucketName),
      media: configuration.mediaTypes[0] ?? 'AUDIO_VIDEO',
      transcode: this.#options.transcode,
      targetSegmentSeconds: configuration.hlsConfiguration.targetSegmentDurationSeconds ?? 6,
      ...thumbnailsOf(configuration),
      journalPath: join(this.#options.folder, `${id}.jsonl`),
    };
    const where = { storageConfigurationArn, bucketName, prefix };
    return { id, stageArn, participantId, sessionIds: [sessionId], ...where, started: false, options };
  }

  /** Two recordings of a participant never begin in the same second. */
  #startTime(key: string): number {
    const now = this.#options.now().getTime();
    for (const [other, ms] of this.#lastStartMs) if (now - ms > 2_000) this.#lastStartMs.delete(other);
    const last = this.#lastStartMs.get(key);
    const second = (ms: number) => Math.floor(ms / 1_000);
    const startMs = last !== undefined && second(now) <= second(last) ? (second(last) + 1) * 1_000 : now;
    this.#lastStartMs.set(key, startMs);
    return startMs;
  }

  #end(active: Active): void {
    if (active.ending) return;
    active.ending = true;
    clearTimeout(active.window);
    this.#setState(active.record, 'STOPPING');
    this.#options.media.endRecording(active.record.id);
  }

  #onEvent(event: RecordingEvent): void {
    const active = this.#active.get(event.id);
    if (!active) return;
    const { record } = active;
    if (event.type === 'started') {
      record.started = true;
      this.#setState(
        record,
        active.ending ? 'STOPPING' : 'ACTIVE',
        recordingStarted(told(record), this.#options.now()),
      );
      this.#write(this.#options.store.putRecording(record));
      return;
    }
    this.#active.delete(event.id);
    for (const followed of this.#followed.values()) if (followed.active === active) followed.active = undefined;
    const { id, stageArn: stage, participantId: participant } = record;
    if (event.failure)
      this.#options.log.warn({ recording: id, stage, participant, ...event.failure }, 'a recording failed');
    this.#setState(record, event.failure ? 'FAILED' : 'STOPPED', this.#announcementOf(record, event));
    this.#write(this.#options.store.deleteRecording(record.id));
  }

  #announcementOf(
    record: RecordingRecord,
    { started, durationMs, failure }: Extract<RecordingEvent, { type: 'ended' }>,
  ): Announcement {
    const now = this.#options.now();
    if (!failure) return recordingEnded(told(record), durationMs, now);
    const { code } = failure;
    return started
      ? recordingEndFailed(told(record), { durationMs, code }, now)
      : recordingStartFailed(told(record), code, now);
  }

  /** In the sessions that it is part of; what is told of it is told once. */
  #setState(
    record: RecordingRecord,
    recordingState: RecordingState,
    announcement?: Announcement,
    sessionIds = record.sessionIds,
  ): void {
    const { id, stageArn, participantId, bucketName: recordingS3BucketName, prefix } = record;
    this.#options.log.info(
      { recording: id, stage: stageArn, participant: participantId, recordingState, prefix },
      'recording',
    );
    const recording = { recordingState, recordingS3BucketName, recordingS3Prefix: prefix };
    for (const sessionId of sessionIds) {
      const announcements = announcement && sessionId === sessionIds.at(-1) ? [announcement] : [];
      this.#write(
        this.#options.store.setParticipantRecording(stageArn, sessionId, participantId, recording, announcements),
      );
    }
  }

  #write(writing: Promise<void>): void {
    const before = this.#written;
    const tracked = writing.catch((error: unknown) =>
      this.#options.log.error({ err: error }, 'the state of a recording could not be stored'),
    );
    this.#written = tracked.then(() => before);
  }
}

const told = ({ stageArn, participantId, bucketName, prefix, sessionIds }: RecordingRecord): RecordedParticipant => ({
  ...{ stageArn, participantId, bucketName, prefix, sessionId: sessionIds.at(-1) ?? '' },
});

function thumbnailsOf({ thumbnailConfiguration }: RecordingConfiguration): Pick<RecordingOptions, 'thumbnails'> {
  const { recordingMode, targetIntervalSeconds = 60, storage = [] } = thumbnailConfiguration;
  if (recordingMode !== 'INTERVAL') return {};
  const [sequential, latest] = [storage.includes('SEQUENTIAL'), storage.includes('LATEST')];
  return { thumbnails: { intervalSeconds: targetIntervalSeconds, sequential, latest } };
}
