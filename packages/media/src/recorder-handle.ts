import type { ChildHandle } from './channel.ts';
import { LogBudget } from './log-budget.ts';
import type { MediaLog, RecorderStatistics } from './media.ts';
import type { FromRecorder, ToRecorder } from './record/channel.ts';
import type { RecordingEvent, RecordingFailure, RecordingOptions } from './record/options.ts';
import type { RelaySource } from './relay/index.ts';

/** How long the last files may take at a shutdown. */
const STOP_TIMEOUT_MS = 6_000;
const FIRST_RESTART_DELAY_MS = 100;
const LAST_RESTART_DELAY_MS = 5_000;
/** A process that ran this long starts again without more delay than at first. */
const STABLE_AFTER_MS = 30_000;
const MISSED_PULSES = 15;

const idle: RecorderStatistics = { recordings: 0, spooledBytes: 0, loopDelayMs: 0, cpu: 0 };

type Process = ChildHandle<ToRecorder, FromRecorder>;

interface Known {
  options: RecordingOptions;
  source?: RelaySource | undefined;
  /** It was told to end, and why. */
  ending?: { failure?: RecordingFailure | undefined };
}

/** The recorder process: started with the first recording, started anew when it dies, and told then what it was to record. */
export class RecorderHandle {
  readonly #spawn: () => Process;
  readonly #spoolBytes: number;
  readonly #log: MediaLog;
  readonly #listener: (event: RecordingEvent) => void;
  readonly #complaints: LogBudget;
  readonly #known = new Map<string, Known>();
  #process: Process | undefined;
  #gone: Promise<void> = Promise.resolve();
  #missedPulses = 0;
  #statistics = idle;
  #restartDelayMs = FIRST_RESTART_DELAY_MS;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(spawn: () => Process, spoolBytes: number, log: MediaLog, listener: (event: RecordingEvent) => void) {
    this.#spawn = spawn;
    this.#spoolBytes = spoolBytes;
    this.#log = log;
    this.#listener = listener;
    this.#complaints = new LogBudget((fields, message) => log.warn(fields, message));
  }

  /** 0 while no process runs. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** All 0 while no process runs. */
  get statistics(): RecorderStatistics {
    return this.#statistics;
  }

  record(options: RecordingOptions, source: RelaySource | undefined): void {
    if (this.#closed) return;
    this.#known.set(options.id, { options, source });
    this.#start();
    this.#process?.send({ type: 'record', options, ...(source && { source }) });
  }

  pause(id: string): void {
    const known = this.#known.get(id);
    if (!known) return;
    known.source = undefined;
    this.#process?.send({ type: 'pause', id });
  }

  end(id: string, failure?: RecordingFailure): void {
    const known = this.#known.get(id);
    if (!known) return;
    known.ending = { failure };
    this.#process?.send({ type: 'end', id, ...(failure && { failure }) });
  }

  /** Ends all recordings, and the process when their files are stored. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    const process = this.#process;
    if (!process) return;
    process.send({ type: 'shutdown' });
    const timer = setTimeout(() => process.kill(), STOP_TIMEOUT_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  #start(): void {
    if (this.#process || this.#closed) return;
    clearTimeout(this.#restart);
    const process = this.#spawn();
    this.#process = process;
    this.#missedPulses = 0;
    const startedAt = performance.now();
    const pulse = setInterval(() => this.#checkPulse(process), 1_000);
    pulse.unref();
    process.onComplaint((line) => this.#complaints.say({}, line.slice(0, 500)));
    process.onMessage((message) => this.#receive(message));
    this.#gone = new Promise((resolve) =>
      process.onExit((how) => {
        clearInterval(pulse);
        if (performance.now() - startedAt >= STABLE_AFTER_MS) this.#restartDelayMs = FIRST_RESTART_DELAY_MS;
        this.#onExit(how);
        resolve();
      }),
    );
    process.send({ type: 'start', spoolBytes: this.#spoolBytes });
  }

  #receive(message: FromRecorder): void {
    if (message.type === 'recording') {
      if (message.event.type === 'ended') this.#known.delete(message.event.id);
      this.#listener(message.event);
    } else if (message.type === 'pulse') {
      this.#missedPulses = 0;
      this.#statistics = message.statistics;
    } else if (message.type === 'log') {
      this.#log[message.level]({ ...message.fields, recorder: this.pid }, message.message);
    }
  }

  #checkPulse(process: Process): void {
    if (++this.#missedPulses !== MISSED_PULSES) return;
    this.#log.error({}, `the recorder process gave no sign of life for ${MISSED_PULSES} seconds: killed`);
    process.kill();
  }

  #onExit(how: string): void {
    this.#process = undefined;
    this.#statistics = idle;
    if (this.#closed) return;
    this.#log.error({}, `the recorder process ended: ${how}`);
    if (this.#known.size === 0) return;
    const delay = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(delay * 2, LAST_RESTART_DELAY_MS);
    this.#restart = setTimeout(() => this.#resume(), delay);
    this.#restart.unref();
  }

  /** The journals tell the new process how far the last one came. */
  #resume(): void {
    this.#start();
    for (const { options, source, ending } of this.#known.values()) {
      this.#process?.send({ type: 'record', options, ...(source && !ending && { source }) });
      if (ending)
        this.#process?.send({ type: 'end', id: options.id, ...(ending.failure && { failure: ending.failure }) });
    }
  }
}
