import { newSessionId } from '@footlights/model';
import { type Announcement, type EventSubject, stageUpdate } from '../events/bus-event.ts';
import type { Log } from '../log.ts';
import type { EventName, EventRecord, ParticipantRecord, Store } from '../store/types.ts';

/** What an event says besides who and when. */
export type EventDetails = Omit<EventRecord, 'stageArn' | 'sessionId' | 'participantId' | 'name' | 'eventTime'>;

/**
 * What outlives the process of one live stage: its session, and in it participants and events. Written behind the state in
 * memory, in the same order; `flushed` waits for all of it. Nothing is recorded while no session is open.
 */
export class StageJournal {
  sessionId: string | undefined;
  private readonly stageArn: string;
  private readonly store: Store;
  private readonly log: Log;
  private readonly now: () => Date;
  private readonly about: (participantId: string) => EventSubject;
  /** Settles with the last write and all before it. */
  private written: Promise<void> = Promise.resolve();

  /** `about` says of a participant what event sinks are told beside the event. */
  constructor(
    stageArn: string,
    { store, log, now }: { store: Store; log: Log; now(): Date },
    about: (participantId: string) => EventSubject = () => ({ userId: '' }),
  ) {
    this.stageArn = stageArn;
    this.store = store;
    this.log = log;
    this.now = now;
    this.about = about;
  }

  time(): string {
    return this.now().toISOString();
  }

  /** Starts a session unless one is open. */
  openSession(): void {
    if (this.sessionId !== undefined) return;
    this.sessionId = newSessionId();
    this.write(this.store.startSession({ stageArn: this.stageArn, sessionId: this.sessionId, startTime: this.time() }));
  }

  endSession(): void {
    if (this.sessionId === undefined) return;
    this.write(this.store.endSession(this.stageArn, this.sessionId, this.time()));
    this.sessionId = undefined;
  }

  event(name: EventName, participantId: string, details: EventDetails = {}): void {
    this.log.debug({ stage: this.stageArn, participant: participantId, event: name, ...details }, 'participant event');
    if (this.sessionId === undefined) return;
    const { stageArn, sessionId } = this;
    const record: EventRecord = { stageArn, sessionId, participantId, name, eventTime: this.time(), ...details };
    const told = stageUpdate(record, this.about(participantId));
    this.write(this.store.addEvents([record], told && [told]));
  }

  /** `announcements` tell of what changed in the record, and are stored with it. */
  participant(
    record: Omit<ParticipantRecord, 'stageArn' | 'sessionId'>,
    announcements: readonly Announcement[] = [],
  ): void {
    if (this.sessionId === undefined) return;
    const { stageArn, sessionId } = this;
    this.write(this.store.putParticipant({ stageArn, sessionId, ...record }, announcements));
  }

  /** Resolves when everything that was written so far is durable. */
  flushed(): Promise<void> {
    return this.written;
  }

  private write(writing: Promise<void>): void {
    const before = this.written;
    const tracked = writing.catch((error: unknown) => {
      this.log.error({ err: error, stage: this.stageArn }, 'participant data could not be stored');
    });
    this.written = tracked.then(() => before);
  }
}
