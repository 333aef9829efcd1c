import type { LogLevel, WorkerLoad, WorkerStatistics } from '../channel.ts';
import type { CloseReason, IngestAnswer, IngestOptions, IngestRequest, MediaLimits } from '../media.ts';
import type { RelayAddress } from '../rim/relay-link.ts';
import type { TrackDescription } from '../up-track.ts';

/** What the ingest process needs to listen. */
export type IngestStart = Omit<IngestOptions, 'workerPath' | 'authorize'> & { limits: MediaLimits };

/** Main process to ingest process. `requestId` comes back in the reply, or comes from the question. */
export type ToIngest =
  | { type: 'start'; options: IngestStart }
  | { type: 'authorized'; requestId: number; answer: IngestAnswer }
  | { type: 'statistics'; requestId: number }
  | { type: 'close'; connectionId: string }
  | { type: 'shutdown' };

/** Ingest process to main process. */
export type FromIngest =
  /** Listens, and gives workers what is published at the address. */
  | { type: 'ready'; rtmp: number; rtmps: number; relay: RelayAddress }
  | { type: 'refused'; message: string }
  | { type: 'authorize'; requestId: number; request: IngestRequest }
  /** Sound and picture of an encoder that was let in flow. */
  | { type: 'published'; connectionId: string; tracks: TrackDescription[] }
  /** The end of an encoder that was let in. */
  | { type: 'ended'; connectionId: string; reason: CloseReason }
  | { type: 'statistics'; requestId: number; statistics: WorkerStatistics }
  /** Sent every second: a process without it hangs. */
  | { type: 'pulse'; load: WorkerLoad }
  | { type: 'log'; level: LogLevel; fields: object; message: string };
