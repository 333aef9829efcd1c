import type { ChildHandle, WorkerProcess } from './channel.ts';
import type { FromIngest, ToIngest } from './ingest/channel.ts';
import { IngestHandle } from './ingest-handle.ts';
import {
  type Accepted,
  type AcceptRequest,
  type CloseReason,
  type Layers,
  type Media,
  MediaError,
  type MediaEvent,
  type MediaOptions,
  type MediaStatistics,
} from './media.ts';
import { leastLoaded, type Place, placeSubscriber } from './placement.ts';
import type { FromRecorder, ToRecorder } from './record/channel.ts';
import type { RecordingEvent, RecordingFailure, RecordingOptions } from './record/options.ts';
import { RecorderHandle } from './recorder-handle.ts';
import type { RelaySource } from './relay/index.ts';
import type { RelayAddress } from './rim/relay-link.ts';
import type { TrackDescription } from './up-track.ts';
import { WorkerHandle } from './worker-handle.ts';

const FIRST_RESTART_DELAY_MS = 100;
const LAST_RESTART_DELAY_MS = 5_000;
/** A worker that ran this long starts again without more delay than at first. */
const STABLE_AFTER_MS = 30_000;

/** One place for a worker: the process may end and be replaced, the port stays. */
interface Slot extends Place {
  port: number;
  worker: WorkerHandle | undefined;
  /** Where other workers reach it. */
  relay: RelayAddress | undefined;
  connections: number;
  cpu: number;
  joins: number;
  /** Settles when a worker that is being started listens or has failed. */
  starting: Promise<void>;
  restartDelayMs: number;
  restartTimer?: NodeJS.Timeout;
}

/** What is published to a stage belongs to the slot of its first connection until the last one there is closed. */
interface StagePlace {
  readonly slot: Slot;
  connections: number;
}

interface Connection {
  readonly request: Omit<AcceptRequest, 'offer'>;
  /** Absent for an encoder's stream, which is in the ingest process. */
  readonly slot: Slot | undefined;
  /** Where workers receive an encoder's stream. */
  readonly relay?: RelayAddress;
  /** Of a publisher, and of who receives in its worker. */
  readonly place: StagePlace | undefined;
  /** Of a publisher: what others are to be told. */
  tracks: TrackDescription[] | undefined;
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
  /** Where the subscriptions of a participant are: all in one worker, which bounds what they take together. */
  readonly #participants = new Map<string, { slot: Slot; connections: number }>();
  readonly #listeners: ((event: MediaEvent) => void)[] = [];
  readonly #recordingListeners: ((event: RecordingEvent) => void)[] = [];
  readonly #ingest: IngestHandle | undefined;
  readonly #recorder: RecorderHandle | undefined;
  #closed = false;

  constructor(
    options: MediaOptions,
    spawn: () => WorkerProcess,
    spawnIngest?: () => ChildHandle<ToIngest, FromIngest>,
    spawnRecorder?: () => ChildHandle<ToRecorder, FromRecorder>,
  ) {
    this.#options = options;
    const { ingest, limits, log, recorder } = options;
    this.#ingest =
      ingest && spawnIngest
        ? new IngestHandle({ ...ingest, limits }, spawnIngest, log, {
            published: (identity, tracks, relay) => this.#publishedByEncoder(identity, tracks, relay),
            ended: (connectionId, reason) => this.#endedByEncoder(connectionId, reason),
          })
        : undefined;
    this.#recorder =
      recorder && spawnRecorder
        ? new RecorderHandle(spawnRecorder, recorder.spoolBytes, log, (event) => this.#tellRecording(event))
        : undefined;
    this.#spawn = spawn;
    this.#slots = Array.from({ length: Math.max(1, options.workers) }, (_, index) => ({
      index,
      port: options.port === 0 ? 0 : options.port + index,
      worker: undefined,
      relay: undefined,
      cpu: 0,
      connections: 0,
      joins: 0,
      starting: Promise.resolve(),
      restartDelayMs: FIRST_RESTART_DELAY_MS,
    }));
  }

  /** Resolves when every worker listens; when one cannot, the others end and its message is thrown. */
  static async start(
    options: MediaOptions,
    spawn: () => WorkerProcess,
    spawnIngest?: () => ChildHandle<ToIngest, FromIngest>,
    spawnRecorder?: () => ChildHandle<ToRecorder, FromRecorder>,
  ): Promise<WorkerPool> {
    const pool = new WorkerPool(options, spawn, spawnIngest, spawnRecorder);
    const starting = [...pool.#slots.map((slot) => pool.#start(slot)), pool.#ingest?.start()];
    const outcomes = await Promise.allSettled(starting);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failed) return pool;
    await pool.shutdown();
    throw failed.reason;
  }

  get ports(): readonly number[] {
    return this.#slots.map((slot) => slot.port);
  }

  get ingestPorts(): { rtmp: number; rtmps: number } | undefined {
    return this.#ingest?.ports;
  }

  async accept(request: AcceptRequest): Promise<Accepted> {
    const { connectionId } = request;
    if (this.#connections.has(connectionId)) throw new Error(`connection ${connectionId} exists already`);
    const connection = this.#place(request);
    this.#connections.set(connectionId, connection);
    try {
      const relay = this.#relayOf(connection);
      const { accepted, published } = await this.#workerOf(connection.slot).accept(request, relay);
      if (this.#connections.get(connectionId) !== connection) throw unavailable();
      connection.accepted = true;
      connection.tracks = published;
      return accepted;
    } catch (error) {
      if (this.#connections.get(connectionId) === connection) this.#forget(connectionId, connection);
      throw error;
    }
  }

  close(connectionId: string): void {
    const worker = this.#workerWith(connectionId);
    if (worker) worker.close(connectionId);
    else this.#ingest?.close(connectionId);
  }

  on(listener: (event: MediaEvent) => void): void {
    this.#listeners.push(listener);
  }

  setVideoStopped(connectionId: string, stopped: boolean): void {
    this.#workerWith(connectionId)?.setVideoStopped(connectionId, stopped);
  }

  async layers(connectionId: string): Promise<Layers | undefined> {
    return this.#workerWith(connectionId)?.layers(connectionId);
  }

  async chooseLayer(connectionId: string, encodingId: string | undefined): Promise<boolean> {
    return (await this.#workerWith(connectionId)?.chooseLayer(connectionId, encodingId)) ?? false;
  }

  async statistics(): Promise<MediaStatistics> {
    const workers = this.#slots.map(async ({ worker, port }) => {
      const statistics = await worker?.statistics();
      return worker && statistics ? [{ pid: worker.pid, port, ...statistics }] : [];
    });
    const ingest = await this.#ingest?.statistics();
    const encoders = ingest ? [{ pid: this.#ingest?.pid ?? 0, port: this.#ingest?.ports?.rtmp ?? 0, ...ingest }] : [];
    const recorder = this.#recorder?.statistics;
    return { workers: [...(await Promise.all(workers)).flat(), ...encoders], ...(recorder && { recorder }) };
  }

  record(options: RecordingOptions, connectionId?: string): void {
    if (!this.#recorder) throw new Error('these media were started without a recorder');
    this.#recorder.record(options, connectionId === undefined ? undefined : this.#sourceOf(connectionId));
  }

  pauseRecording(id: string): void {
    this.#recorder?.pause(id);
  }

  endRecording(id: string, failure?: RecordingFailure): void {
    this.#recorder?.end(id, failure);
  }

  onRecording(listener: (event: RecordingEvent) => void): void {
    this.#recordingListeners.push(listener);
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    await this.#recorder?.stop();
    for (const slot of this.#slots) clearTimeout(slot.restartTimer);
    const stopping = this.#slots.map(async (slot) => {
      await slot.starting.catch(() => {});
      await slot.worker?.stop();
    });
    await Promise.all([...stopping, this.#ingest?.stop()]);
  }

  #publishedByEncoder(
    identity: { connectionId: string; stageId: string; participantId: string },
    tracks: TrackDescription[],
    relay: RelayAddress,
  ): void {
    const request = { ...identity, role: 'publish' as const };
    const connection = { request, slot: undefined, place: undefined, relay, tracks, accepted: true };
    this.#connections.set(identity.connectionId, connection);
    this.#event({ type: 'connected', connectionId: identity.connectionId });
  }

  /** An encoder that was let in may end before it has published: that is told too. */
  #endedByEncoder(connectionId: string, reason: CloseReason): void {
    this.#connections.delete(connectionId);
    if (!this.#closed) this.#tellAll({ type: 'closed', connectionId, reason });
  }

  /** Gives a connection its worker, and counts it there. */
  #place(request: AcceptRequest): Connection & { slot: Slot } {
    const home = this.#placeOf(request.stageId);
    const slot = request.role === 'subscribe' ? this.#subscriberSlot(request, home.slot) : home.slot;
    const place = slot === home.slot ? home : undefined;
    if (place) place.connections += 1;
    slot.connections += 1;
    slot.joins += 1;
    const { offer: _offer, ...rest } = request;
    return { request: rest, slot, place, tracks: undefined, accepted: false };
  }

  /** Where a participant's subscriptions are, else where there is room; where its publisher is not known, the home worker says so. */
  #subscriberSlot({ participantId, publisherConnectionId }: AcceptRequest, home: Slot): Slot {
    const known = this.#participants.get(participantId);
    const isKnown = this.#connections.get(publisherConnectionId ?? '')?.tracks !== undefined;
    const receives = (slot: Slot) => this.#receives(slot, publisherConnectionId);
    const place = () => (known?.slot.worker ? known.slot : placeSubscriber(home, this.#running(), receives));
    const slot = isKnown ? place() : home;
    this.#participants.set(participantId, { slot, connections: (known?.slot === slot ? known.connections : 0) + 1 });
    return slot;
  }

  #receives(slot: Slot, publisherConnectionId: string | undefined): boolean {
    for (const { slot: other, request } of this.#connections.values()) {
      if (other === slot && request.publisherConnectionId === publisherConnectionId) return true;
    }
    return false;
  }

  /** Where the publisher of a subscriber is, when that is another worker. */
  #relayOf({ slot, request }: Connection): RelaySource | undefined {
    const publisher = this.#connections.get(request.publisherConnectionId ?? '');
    if (publisher?.slot === slot) return undefined;
    return this.#sourceOf(request.publisherConnectionId ?? '');
  }

  /** Where another process receives what a connection publishes. */
  #sourceOf(publisherConnectionId: string): RelaySource | undefined {
    const publisher = this.#connections.get(publisherConnectionId);
    const address = publisher?.relay ?? publisher?.slot?.relay;
    if (!publisher?.tracks || !address) return undefined;
    const { stageId, connectionId, participantId } = publisher.request;
    return {
      address,
      identity: { stageId, connectionId, participantId },
      tracks: publisher.tracks,
    };
  }

  #running(): Slot[] {
    return this.#slots.filter(({ worker }) => worker);
  }

  /** The stage's own place, else a new one in the running worker that has the least to do. */
  #placeOf(stageId: string): StagePlace {
    const known = this.#stages.get(stageId);
    if (known) return known;
    const slot = leastLoaded(this.#running());
    if (!slot || this.#closed) throw unavailable();
    const place = { slot, connections: 0 };
    this.#stages.set(stageId, place);
    return place;
  }

  #workerOf({ worker }: Slot): WorkerHandle {
    if (!worker || this.#closed) throw unavailable();
    return worker;
  }

  #workerWith(connectionId: string): WorkerHandle | undefined {
    return this.#connections.get(connectionId)?.slot?.worker;
  }

  #forget(connectionId: string, { request, slot, place }: Connection): void {
    this.#connections.delete(connectionId);
    if (!slot) return;
    slot.connections -= 1;
    if (request.role === 'subscribe') this.#forgetParticipant(request.participantId, slot);
    if (!place) return;
    place.connections -= 1;
    if (place.connections === 0 && this.#stages.get(request.stageId) === place) this.#stages.delete(request.stageId);
  }

  #forgetParticipant(participantId: string, slot: Slot): void {
    const known = this.#participants.get(participantId);
    if (known?.slot !== slot) return;
    known.connections -= 1;
    if (known.connections <= 0) this.#participants.delete(participantId);
  }

  #start(slot: Slot): Promise<void> {
    slot.starting = this.#startWorker(slot);
    return slot.starting;
  }

  async #startWorker(slot: Slot): Promise<void> {
    const { listenIp, announceIps, limits } = this.#options;
    const litePort = this.#options.port === 0 ? 0 : this.#options.port + this.#slots.length + slot.index;
    const worker = new WorkerHandle(this.#spawn(), this.#options.log, (event) => this.#event(event));
    const { port, relay } = await worker.start({ listenIp, announceIps, port: slot.port, litePort, limits });
    slot.port = port;
    slot.relay = relay;
    worker.onLoad(({ cpu }) => {
      Object.assign(slot, { cpu, joins: 0 });
    });
    slot.worker = worker;
    const startedAt = performance.now();
    void worker.gone.then(() => {
      if (performance.now() - startedAt >= STABLE_AFTER_MS) slot.restartDelayMs = FIRST_RESTART_DELAY_MS;
      this.#workerGone(slot);
    });
  }

  #workerGone(slot: Slot): void {
    slot.worker = undefined;
    if (this.#closed) return;
    const lost = [...this.#connections].filter(([, connection]) => connection.slot === slot);
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
    if (this.#closed) return;
    if (event.type !== 'speakers') {
      const connection = this.#connections.get(event.connectionId);
      if (!connection) return;
      if (event.type === 'closed') this.#forget(event.connectionId, connection);
    }
    this.#tellAll(event);
  }

  #tellAll(event: MediaEvent): void {
    for (const listener of this.#listeners) this.#tell(listener, event);
  }

  #tellRecording(event: RecordingEvent): void {
    for (const listener of this.#recordingListeners) listener(event);
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
