import type {
  Accepted,
  AcceptRequest,
  MediaErrorCode,
  MediaEvent,
  WorkerStatistics as PublicWorkerStatistics,
} from './media.ts';

/** What a worker needs to open its transport. */
export interface WorkerOptions {
  listenIp: string;
  announceIp?: string;
  /** 0 takes any free port. */
  port: number;
}

/** What a worker knows of its own statistics; the main process adds pid and port. */
export type WorkerStatistics = Omit<PublicWorkerStatistics, 'pid' | 'port'>;

export type LogLevel = 'info' | 'warn' | 'error';

/** Main process to worker. `requestId` comes back in the reply. */
export type ToWorker =
  | { type: 'start'; options: WorkerOptions }
  | { type: 'accept'; requestId: number; request: AcceptRequest }
  | { type: 'statistics'; requestId: number }
  | { type: 'close'; connectionId: string }
  | { type: 'shutdown' };

/** Worker to main process. */
export type FromWorker =
  | { type: 'ready'; port: number }
  | { type: 'refused'; message: string }
  | { type: 'accepted'; requestId: number; accepted: Accepted }
  | { type: 'rejected'; requestId: number; code: MediaErrorCode; message: string }
  | { type: 'statistics'; requestId: number; statistics: WorkerStatistics }
  | { type: 'event'; event: MediaEvent }
  /** Sent every second: a worker without it hangs. */
  | { type: 'pulse' }
  | { type: 'log'; level: LogLevel; fields: object; message: string };

/** The worker's process as the main process sees it. */
export interface WorkerProcess {
  readonly pid: number;
  /** No effect once the process is gone. */
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Called once; `how` reads like "exit code 1" or "signal SIGKILL". */
  onExit(listener: (how: string) => void): void;
  /** A line that the process (or native code in it) wrote to stderr. */
  onComplaint(listener: (line: string) => void): void;
  kill(): void;
}
