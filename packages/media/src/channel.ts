import type {
  Accepted,
  AcceptRequest,
  Layers,
  MediaErrorCode,
  MediaEvent,
  MediaLimits,
  WorkerStatistics as PublicWorkerStatistics,
} from './media.ts';
import type { RelaySource } from './relay/index.ts';
import type { RelayAddress } from './rim/relay-link.ts';
import type { TrackDescription } from './up-track.ts';

/** What a worker needs to open its transport. */
export interface WorkerOptions {
  listenIp: string;
  announceIps: readonly string[];
  /** 0 takes any free port. */
  port: number;
  /** For peers that answer no connectivity checks; 0 takes any free port. */
  litePort: number;
  limits: MediaLimits;
}

/** What a worker knows of its own statistics; the main process adds pid and port. */
export type WorkerStatistics = Omit<PublicWorkerStatistics, 'pid' | 'port'>;

/** What its forwarding knows of them; the worker adds what its process uses. */
export type ForwardingStatistics = Omit<WorkerStatistics, 'usage' | 'cpu'>;

/** How busy a worker was in the last second. */
export interface WorkerLoad {
  /** Share of one core, 0 to 1 and more. */
  cpu: number;
  loopDelayMs: number;
}

export type LogLevel = 'info' | 'warn' | 'error';

/** Main process to worker. `requestId` comes back in the reply. */
export type ToWorker =
  | { type: 'start'; options: WorkerOptions }
  /** `relay`: the publisher is in another worker. */
  | { type: 'accept'; requestId: number; request: AcceptRequest; relay?: RelaySource }
  | { type: 'statistics'; requestId: number }
  | { type: 'layers'; requestId: number; connectionId: string }
  | { type: 'choose-layer'; requestId: number; connectionId: string; encodingId: string | undefined }
  | { type: 'video-stopped'; connectionId: string; stopped: boolean }
  | { type: 'close'; connectionId: string }
  | { type: 'shutdown' };

/** Worker to main process. */
export type FromWorker =
  /** Listens on this UDP port, and gives other workers what is published here at the address. */
  | { type: 'ready'; port: number; relay: RelayAddress }
  | { type: 'refused'; message: string }
  /** `published`: what a publisher sends, for other workers. */
  | { type: 'accepted'; requestId: number; accepted: Accepted; published?: TrackDescription[] }
  | { type: 'rejected'; requestId: number; code: MediaErrorCode; message: string }
  | { type: 'statistics'; requestId: number; statistics: WorkerStatistics }
  | { type: 'layers'; requestId: number; layers: Layers | undefined }
  | { type: 'layer-chosen'; requestId: number; done: boolean }
  | { type: 'event'; event: MediaEvent }
  /** Sent every second: a worker without it hangs. */
  | { type: 'pulse'; load: WorkerLoad }
  | { type: 'log'; level: LogLevel; fields: object; message: string };

/** A child process as the main process sees it: what it is sent, and what it says. */
export interface ChildHandle<Sent, Said> {
  readonly pid: number;
  /** No effect once the process is gone. */
  send(message: Sent): void;
  onMessage(listener: (message: Said) => void): void;
  /** Called once; `how` reads like "exit code 1" or "signal SIGKILL". */
  onExit(listener: (how: string) => void): void;
  /** A line that the process (or native code in it) wrote to stderr. */
  onComplaint(listener: (line: string) => void): void;
  kill(): void;
}

/** A worker's process. */
export type WorkerProcess = ChildHandle<ToWorker, FromWorker>;
