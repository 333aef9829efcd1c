import type { WorkerProcess } from './channel.ts';
import {
  type Accepted,
  type AcceptRequest,
  type Media,
  MediaError,
  type MediaEvent,
  type MediaOptions,
  type MediaStatistics,
} from './media.ts';
import { WorkerHandle } from './worker-handle.ts';

const FIRST_RESTART_DELAY_MS = 100;
const LAST_RESTART_DELAY_MS = 5_000;
/** A worker that ran this long starts again without more delay than at first. */
const STABLE_AFTER_MS = 30_000;

/** One place for a worker: the process may end and be replaced, the port stays. */
interface Slot {
  readonly index: number;
  port: number;
  worker: WorkerHandle | undefined;
  connections: number;
  /** Settles when a worker that is being started listens or has failed. */
  starting: Promise<void>;
  restartDelayMs: number;
  restartTimer?: NodeJS.Timeout;
}

/** A stage belongs to the slot of its first connection until its last one is closed. */
interface StagePlace {
  readonly slot: Slot;
  connections: number;
}

interface Connection {
  readonly stageId: string;
  readonly place: StagePlace;
  /** False until the offer is answered: no event is told before. */
  accepted: boolean;
}

/** Media over worker processes: places stages by load, restarts what dies, tells what was lost with it. */
export class WorkerPool implements Media {
  readonly #options: MediaOptions;
  readonly #spawn: () => WorkerProcess;
  readonly #slots: Slot[];
  readonly #stages = new Map<string, StagePlace>();
  readonly #connections = new Map<string, Connection>();
  readonly #listeners: ((event: MediaEvent) => void)[] = [];
  #closed = false;

  constructor(options: MediaOptions, spawn: () => WorkerProcess) {
    this.#options = options;
    this.#spawn = spawn;
    this.#slots = Array.from({ length: Math.max(1, options.workers) }, (_, index) => ({
      index,
      port: options.port === 0 ? 0 : options.port + index,
      worker: undefined,
      connections: 0,
      starting: Promise.resolve(),
      restartDelayMs: FIRST_RESTART_DELAY_MS,
    }));
  }

  /** Resolves when every worker listens; when one cannot, the others end and its message is thrown. */
  static async start(options: MediaOptions, spawn: () => WorkerProcess): Promise<WorkerPool> {
    const pool = new WorkerPool(options, spawn);
    const outcomes = await Promise.allSettled(pool.#slots.map((slot) => pool.#start(slot)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failed) return pool;
    await pool.shutdown();
    throw failed.reason;
  }

  get ports(): readonly number[] {
    return this.#slots.map((slot) => slot.port);
  }

  async accept(request: AcceptRequest): Promise<Accepted> {
    const { connectionId } = request;
    if (this.#connections.has(connectionId)) throw new Error(`connection ${connectionId} exists already`);
    const place = this.#placeOf(request.stageId);
    const connection = { stageId: request.stageId, place, accepted: false };
    this.#connections.set(connectionId, connection);
    place.connections += 1;
    place.slot.connections += 1;
    try {
      const accepted = await this.#workerOf(place).accept(request);
      if (this.#connections.get(connectionId) !== connection) throw unavailable();
      connection.accepted = true;
      return accepted;
    } catch (error) {
      if (this.#connections.get(connectionId) === connection) this.#forget(connectionId, connection);
      throw error;
    }
  }

  close(connectionId: string): void {
    this.#connections.get(connectionId)?.place.slot.worker?.close(connectionId);
  }

  on(listener: (event: MediaEvent) => void): void {
    this.#listeners.push(listener);
  }

  async statistics(): Promise<MediaStatistics> {
    const workers = this.#slots.map(async ({ worker, port }) => {
      const statistics = await worker?.statistics();
      return worker && statistics ? [{ pid: worker.pid, port, ...statistics }] : [];
    });
    return { workers: (await Promise.all(workers)).flat() };
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    for (const slot of this.#slots) clearTimeout(slot.restartTimer);
    await Promise.all(
      this.#slots.map(async (slot) => {
        await slot.starting.catch(() => {});
        await slot.worker?.stop();
      }),
    );
  }

  /** The stage's own place, else a new one in the running worker with the fewest connections. */
  #placeOf(stageId: string): StagePlace {
    const known = this.#stages.get(stageId);
    if (known) return known;
    const running = this.#slots.filter((slot) => slot.worker);
    const slot = running.sort((a, b) => a.connections - b.connections || a.index - b.index)[0];
    if (!slot || this.#closed) throw unavailable();
    const place = { slot, connections: 0 };
    this.#stages.set(stageId, place);
    return place;
  }

  #workerOf(place: StagePlace): WorkerHandle {
    if (!place.slot.worker || this.#closed) throw unavailable();
    return place.slot.worker;
  }

  #forget(connectionId: string, connection: Connection): void {
    this.#connections.delete(connectionId);
    const { place } = connection;
    place.slot.connections -= 1;
    place.connections -= 1;
    if (place.connections === 0 && this.#stages.get(connection.stageId) === place) {
      this.#stages.delete(connection.stageId);
    }
  }

  #start(slot: Slot): Promise<void> {
    slot.starting = this.#startWorker(slot);
    return slot.starting;
  }

  async #startWorker(slot: Slot): Promise<void> {
    const { listenIp, announceIp } = this.#options;
    const worker = new WorkerHandle(this.#spawn(), this.#options.log, (event) => this.#event(event));
    slot.port = await worker.start({ listenIp, port: slot.port, ...(announceIp ? { announceIp } : {}) });
    slot.worker = worker;
    const startedAt = Date.now();
    void worker.gone.then(() => {
      if (Date.now() - startedAt >= STABLE_AFTER_MS) slot.restartDelayMs = FIRST_RESTART_DELAY_MS;
      this.#workerGone(slot);
    });
  }

  #workerGone(slot: Slot): void {
    slot.worker = undefined;
    if (this.#closed) return;
    const lost = [...this.#connections].filter(([, connection]) => connection.place.slot === slot);
    for (const [connectionId, connection] of lost) this.#loseConnection(connectionId, connection);
    this.#restartLater(slot);
  }

  #loseConnection(connectionId: string, connection: Connection): void {
    if (connection.accepted) this.#event({ type: 'closed', connectionId, reason: 'worker-lost' });
    else this.#forget(connectionId, connection);
  }

  #restartLater(slot: Slot): void {
    const delay = slot.restartDelayMs;
    slot.restartDelayMs = Math.min(delay * 2, LAST_RESTART_DELAY_MS);
    slot.restartTimer = setTimeout(() => {
      this.#start(slot).catch((error: Error) => {
        this.#options.log.error({ port: slot.port }, `media worker does not start again: ${error.message}`);
        if (!this.#closed) this.#restartLater(slot);
      });
    }, delay);
    slot.restartTimer.unref();
  }

  #event(event: MediaEvent): void {
    const connection = this.#connections.get(event.connectionId);
    if (!connection || this.#closed) return;
    if (event.type === 'closed') this.#forget(event.connectionId, connection);
    for (const listener of this.#listeners) this.#tell(listener, event);
  }

  #tell(listener: (event: MediaEvent) => void, event: MediaEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a listener for media events failed');
    }
  }
}

function unavailable(): MediaError {
  return new MediaError('UNAVAILABLE', 'no media worker is running for this stage');
}
