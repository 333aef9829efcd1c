import type { StoredEvent } from '../store/types.ts';

/** Where events go. */
export interface EventSink {
  /** In the log, in the metrics, and in the store beside what waits for it. */
  readonly name: 'webhook' | 'file' | 'stdout';
  /** How many events of different stages it takes at once. */
  readonly parallel: number;
  /** Resolves when the event was taken; rejects when it is to be offered again. `signal` ends a try that takes too long. */
  deliver(event: StoredEvent, signal: AbortSignal): Promise<void>;
}
