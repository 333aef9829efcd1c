import type { Media, MediaOptions } from './media.ts';
import { WorkerPool } from './pool.ts';
import { forkWorker } from './rim/fork.ts';

export { LogBudget } from './log-budget.ts';
export * from './media.ts';
export { checkTrickle, iceUfrag } from './trickle.ts';

/** Starts the worker processes; rejects with one clear line when one cannot start, as with a UDP port in use. */
export function startMedia(options: MediaOptions): Promise<Media> {
  return WorkerPool.start(options, () => forkWorker(options.workerPath));
}
