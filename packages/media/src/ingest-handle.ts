import type { ChildHandle, WorkerStatistics } from './channel.ts';
import type { FromIngest, IngestStart, ToIngest } from './ingest/channel.ts';
import { LogBudget } from './log-budget.ts';
import type { CloseReason, IngestOptions, MediaLimits, MediaLog } from './media.ts';
import type { RelayAddress } from './rim/relay-link.ts';
import type { TrackDescription } from './up-track.ts';

const START_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 3_000;
const FIRST_RESTART_DELAY_MS = 100;
const LAST_RESTART_DELAY_MS = 5_000;
/** A process that ran this long starts again without more delay than at first. */
const STABLE_AFTER_MS = 30_000;
const MISSED_PULSES = 15;

type Ready = Extract<FromIngest, { type: 'ready' }>;

/** What becomes of encoders' streams. */
export interface IngestListener {
  /** Let in, with sound and picture; received at `relay`. */
  published(
    identity: { connectionId: string; stageId: string; participantId: string },
    tracks: TrackDescription[],
    relay: RelayAddress,
  ): void;
  ended(connectionId: string, reason: CloseReason): void;
}

/** The ingest process: asks who may come in, tells who came and went, is started anew when it dies. */
export class IngestHandle {
  readonly #options: IngestOptions & { limits: MediaLimits };
  readonly #spawn: () => ChildHandle<ToIngest, FromIngest>;
  readonly #log: MediaLog;
  readonly #listener: IngestListener;
  readonly #complaints: LogBudget;
  /** Streams that were let in and have not ended. */
  readonly #streams = new Map<string, { connectionId: string; stageId: string; participantId: string }>();
  readonly #pending = new Map<number, (statistics: WorkerStatistics | undefined) => void>();
  #process: ChildHandle<ToIngest, FromIngest> | undefined;
  #ready: Ready | undefined;
  #requests = 0;
  #missedPulses = 0;
  #restartDelayMs = FIRST_RESTART_DELAY_MS;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    options: IngestOptions & { limits: MediaLimits },
    spawn: () => ChildHandle<ToIngest, FromIngest>,
    log: MediaLog,
    listener: IngestListener,
  ) {
    this.#options = options;
    this.#spawn = spawn;
    this.#log = log;
    this.#listener = listener;
    this.#complaints = new LogBudget((fields, message) => log.warn(fields, message));
  }

  /** Undefined while no process listens. */
  get ports(): { rtmp: number; rtmps: number } | undefined {
    return this.#ready && { rtmp: this.#ready.rtmp, rtmps: this.#ready.rtmps };
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Resolves when the process listens; rejects with one clear line. */
  async start(): Promise<void> {
    const process = this.#spawn();
    const pulse = setInterval(() => this.#checkPulse(process), 1_000);
    pulse.unref();
    this.#missedPulses = 0;
    const gone = new Promise<string>((resolve) => process.onExit(resolve));
    process.onComplaint((line) => this.#complaints.say({}, line.slice(0, 500)));
    const ready = new Promise<Ready>((resolve, reject) => {
      process.onMessage((message) => {
        if (message.type === 'ready') resolve(message);
        else if (message.type === 'refused') reject(new Error(message.message));
        else this.#receive(process, message);
      });
      setTimeout(
        () => reject(new Error('the ingest process did not start within 10 seconds')),
        START_TIMEOUT_MS,
      ).unref();
      void gone.then((how) => reject(new Error(`the ingest process ended at its start: ${how}`)));
    });
    process.send({ type: 'start', options: this.#startOptions() });
    try {
      this.#ready = await ready;
    } catch (error) {
      clearInterval(pulse);
      process.kill();
      throw error;
    }
    this.#process = process;
    const startedAt = performance.now();
    void gone.then((how) => {
      clearInterval(pulse);
      if (performance.now() - startedAt >= STABLE_AFTER_MS) this.#restartDelayMs = FIRST_RESTART_DELAY_MS;
      this.#gone(how);
    });
  }

  close(connectionId: string): void {
    this.#process?.send({ type: 'close', connectionId });
  }

  statistics(): Promise<WorkerStatistics | undefined> {
    const process = this.#process;
    if (!process) return Promise.resolve(undefined);
    const requestId = ++this.#requests;
    return new Promise((resolve) => {
      const settle = (statistics: WorkerStatistics | undefined) => {
        clearTimeout(timer);
        this.#pending.delete(requestId);
        resolve(statistics);
      };
      const timer = setTimeout(() => settle(undefined), REQUEST_TIMEOUT_MS);
      this.#pending.set(requestId, settle);
      process.send({ type: 'statistics', requestId });
    });
  }

  /** Lets the process end by itself, and kills it when that takes too long. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    const process = this.#process;
    if (!process) return;
    const gone = new Promise<void>((resolve) => process.onExit(() => resolve()));
    process.send({ type: 'shutdown' });
    const timer = setTimeout(() => process.kill(), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  }

  /** After the first start the ports stay what they were. */
  #startOptions(): IngestStart {
    const { host, rtmpPort, rtmpsPort, tls, transcode, limits } = this.#options;
    const ports = { rtmpPort: this.#ready?.rtmp ?? rtmpPort, rtmpsPort: this.#ready?.rtmps ?? rtmpsPort };
    return { host, tls, transcode, limits, ...ports };
  }

  #receive(
    process: ChildHandle<ToIngest, FromIngest>,
    message: Exclude<FromIngest, { type: 'ready' | 'refused' }>,
  ): void {
    switch (message.type) {
      case 'authorize':
        void this.#authorize(process, message);
        break;
      case 'published': {
        const identity = this.#streams.get(message.connectionId);
        if (identity && this.#ready) this.#listener.published(identity, message.tracks, this.#ready.relay);
        break;
      }
      case 'ended':
        if (this.#streams.delete(message.connectionId)) this.#listener.ended(message.connectionId, message.reason);
        break;
      case 'statistics':
        this.#pending.get(message.requestId)?.(message.statistics);
        break;
      case 'pulse':
        this.#missedPulses = 0;
        break;
      case 'log':
        this.#log[message.level]({ ...message.fields, ingest: process.pid }, message.message);
        break;
    }
  }

  async #authorize(
    process: ChildHandle<ToIngest, FromIngest>,
    { requestId, request }: Extract<FromIngest, { type: 'authorize' }>,
  ): Promise<void> {
    const answer = await this.#options.authorize(request);
    if ('accepted' in answer) {
      const { redundant, ...identity } = answer.accepted;
      this.#streams.set(identity.connectionId, identity);
      if (redundant) this.#streams.set(redundant.connectionId, { ...identity, ...redundant });
    }
    process.send({ type: 'authorized', requestId, answer });
  }

  #checkPulse(process: ChildHandle<ToIngest, FromIngest>): void {
    if (++this.#missedPulses !== MISSED_PULSES) return;
    this.#log.error({}, `the ingest process gave no sign of life for ${MISSED_PULSES} seconds: killed`);
    process.kill();
  }

  #gone(how: string): void {
    this.#process = undefined;
    for (const settle of this.#pending.values()) settle(undefined);
    if (this.#closed) return;
    this.#log.error({}, `the ingest process ended: ${how}`);
    const lost = [...this.#streams.keys()];
    this.#streams.clear();
    for (const connectionId of lost) this.#listener.ended(connectionId, 'worker-lost');
    this.#restartLater();
  }

  #restartLater(): void {
    const delay = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(delay * 2, LAST_RESTART_DELAY_MS);
    this.#restart = setTimeout(() => {
      this.start().catch((error: Error) => {
        this.#log.error({}, `the ingest process does not start again: ${error.message}`);
        if (!this.#closed) this.#restartLater();
      });
    }, delay);
    this.#restart.unref();
  }
}
