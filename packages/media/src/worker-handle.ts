import type { FromWorker, ToWorker, WorkerLoad, WorkerOptions, WorkerProcess, WorkerStatistics } from './channel.ts';
import { LogBudget } from './log-budget.ts';
import { type Accepted, type AcceptRequest, type Layers, MediaError, type MediaEvent, type MediaLog } from './media.ts';
import type { RelaySource } from './relay/index.ts';
import type { TrackDescription } from './up-track.ts';

const START_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 3_000;
const PULSE_INTERVAL_MS = 1_000;
/** A worker that misses this many pulses in a row hangs and is killed. */
const MISSED_PULSES = 15;

/** Where a worker listens. */
export type Ready = Omit<Extract<FromWorker, { type: 'ready' }>, 'type'>;
type Reply = Extract<FromWorker, { requestId: number }>;

interface Pending {
  settle(reply: Reply): void;
  fail(error: Error): void;
  timer: NodeJS.Timeout;
}

/** One worker process from its start to its end: requests with time limits, events, its log lines. */
export class WorkerHandle {
  readonly #process: WorkerProcess;
  readonly #log: MediaLog;
  readonly #complaints: LogBudget;
  readonly #pending = new Map<number, Pending>();
  readonly #gone: Promise<string>;
  #requestId = 0;
  #missedPulses = 0;
  #loaded: (load: WorkerLoad) => void = () => {};
  #started: { resolve(ready: Ready): void; reject(error: Error): void } | undefined;
  #stopping = false;

  constructor(process: WorkerProcess, log: MediaLog, onEvent: (event: MediaEvent) => void) {
    this.#process = process;
    this.#log = log;
    this.#complaints = new LogBudget((fields, message) => this.#say('warn', fields, message));
    process.onMessage((message) => this.#receive(message, onEvent));
    process.onComplaint((line) => this.#complaints.say({}, line.slice(0, 500)));
    this.#gone = new Promise((resolve) => {
      process.onExit((how) => {
        this.#end(how);
        resolve(how);
      });
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Calls `listener` each second with how busy the worker was. */
  onLoad(listener: (load: WorkerLoad) => void): void {
    this.#loaded = listener;
  }

  /** Resolves with how the process ended: "exit code 1", "signal SIGKILL". */
  get gone(): Promise<string> {
    return this.#gone;
  }

  /** Opens the worker's transport; resolves with its UDP port and where other workers reach it. */
  async start(options: WorkerOptions): Promise<Ready> {
    const pulse = setInterval(() => this.#checkPulse(), PULSE_INTERVAL_MS);
    pulse.unref();
    const timeout = setTimeout(() => {
      this.#started?.reject(new Error('a media worker did not start within 10 seconds'));
    }, START_TIMEOUT_MS);
    const started = new Promise<Ready>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    void this.#gone.then((how) => {
      clearInterval(pulse);
      this.#started?.reject(new Error(`a media worker ended at its start: ${how}`));
    });
    this.#process.send({ type: 'start', options });
    try {
      return await started;
    } catch (error) {
      this.#stopping = true;
      this.#process.kill();
      throw error;
    } finally {
      clearTimeout(timeout);
      this.#started = undefined;
    }
  }

  /** Answers an offer; `published` are the tracks of a publisher. */
  async accept(
    request: AcceptRequest,
    relay?: RelaySource,
  ): Promise<{ accepted: Accepted; published?: TrackDescription[] }> {
    const late = () => this.close(request.connectionId);
    const message = { type: 'accept' as const, request, ...(relay && { relay }) };
    const reply = await this.#request((requestId) => ({ ...message, requestId }), late);
    if (reply.type === 'accepted') return reply;
    if (reply.type === 'rejected') throw new MediaError(reply.code, reply.message);
    throw new MediaError('UNAVAILABLE', 'the media worker gave another answer than was asked for');
  }

  async statistics(): Promise<WorkerStatistics | undefined> {
    const reply = await this.#request((requestId) => ({ type: 'statistics', requestId })).catch(() => undefined);
    return reply?.type === 'statistics' ? reply.statistics : undefined;
  }

  async layers(connectionId: string): Promise<Layers | undefined> {
    const reply = await this.#request((requestId) => ({ type: 'layers', requestId, connectionId }));
    return reply.type === 'layers' ? reply.layers : undefined;
  }

  async chooseLayer(connectionId: string, encodingId: string | undefined): Promise<boolean> {
    const reply = await this.#request((requestId) => ({ type: 'choose-layer', requestId, connectionId, encodingId }));
    return reply.type === 'layer-chosen' && reply.done;
  }

  setVideoStopped(connectionId: string, stopped: boolean): void {
    this.#process.send({ type: 'video-stopped', connectionId, stopped });
  }

  close(connectionId: string): void {
    this.#process.send({ type: 'close', connectionId });
  }

  /** Lets the worker end by itself, and kills it when that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#process.send({ type: 'shutdown' });
    const timer = setTimeout(() => this.#process.kill(), STOP_TIMEOUT_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  #request(message: (requestId: number) => ToWorker, onTimeout?: () => void): Promise<Reply> {
    const requestId = ++this.#requestId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(requestId);
        onTimeout?.();
        reject(new MediaError('UNAVAILABLE', 'the media worker did not answer within 5 seconds'));
      }, REQUEST_TIMEOUT_MS);
      this.#pending.set(requestId, { settle: resolve, fail: reject, timer });
      this.#process.send(message(requestId));
    });
  }

  #receive(message: FromWorker, onEvent: (event: MediaEvent) => void): void {
    switch (message.type) {
      case 'ready':
        this.#started?.resolve(message);
        break;
      case 'refused':
        this.#started?.reject(new Error(message.message));
        break;
      case 'event':
        onEvent(message.event);
        break;
      case 'log':
        this.#say(message.level, message.fields, message.message);
        break;
      case 'pulse':
        this.#missedPulses = 0;
        this.#loaded(message.load);
        break;
      default:
        this.#reply(message);
    }
  }

  #reply(message: Reply): void {
    const pending = this.#pending.get(message.requestId);
    if (!pending) return;
    this.#pending.delete(message.requestId);
    clearTimeout(pending.timer);
    pending.settle(message);
  }

  /** Pulses are counted, not timed: after a sleep of the machine both processes wake up late. */
  #checkPulse(): void {
    if (++this.#missedPulses !== MISSED_PULSES) return;
    this.#say('error', {}, `media worker gave no sign of life for ${MISSED_PULSES} seconds: killed`);
    this.#process.kill();
  }

  #end(how: string): void {
    for (const { fail, timer } of this.#pending.values()) {
      clearTimeout(timer);
      fail(new MediaError('UNAVAILABLE', 'the media worker ended'));
    }
    this.#pending.clear();
    this.#complaints.stop();
    if (!this.#stopping) this.#say('error', {}, `media worker ended: ${how}`);
  }

  #say(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
    this.#log[level]({ ...fields, mediaWorker: this.#process.pid }, message);
  }
}
