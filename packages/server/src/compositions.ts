import type { Log } from './log.ts';
import { type CompositionRecord, type Store, unendedStates } from './store/index.ts';

/** How long a composition that has ended can still be looked at. */
export const rememberedMs = 5 * 60_000;

/** Runs something later; what comes back takes that back. */
export type Timer = (milliseconds: number, run: () => void) => () => void;

/** What Compositions works with. */
export interface CompositionSurroundings {
  store: Store;
  log: Log;
  now(): Date;
  timer?: Timer;
}

type EndedState = 'FAILED' | 'STOPPED';

/** A timer that does not keep the process alive. */
const processTimer: Timer = (milliseconds, run) => {
  const timeout = setTimeout(run, milliseconds).unref();
  return () => clearTimeout(timeout);
};

/**
 * The life of every composition, from its start until it is forgotten five minutes after its end. Nothing composes
 * pictures yet, so that each one fails as soon as it was asked for.
 */
export class Compositions {
  readonly #surroundings: CompositionSurroundings;
  readonly #timer: Timer;
  readonly #pending = new Set<() => void>();

  constructor(surroundings: CompositionSurroundings) {
    this.#surroundings = surroundings;
    this.#timer = surroundings.timer ?? processTimer;
  }

  /** Takes up what an earlier process left. */
  async resume(): Promise<void> {
    const { compositions } = this.#surroundings.store;
    for (const record of await compositions.all({ phase: 'ended' })) this.#forgetInTime(record);
    for (const { arn } of await compositions.all({ phase: 'unended' }))
      await this.#fail(arn, 'the server was started anew');
  }

  /** A composition was stored as STARTING. */
  started(arn: string): void {
    this.#later(0, () => this.#fail(arn, 'this version of Footlights does not compose pictures'));
  }

  /** Ends a composition; one that has ended stays as it is. */
  async stop(arn: string): Promise<void> {
    await this.#end(arn, 'STOPPED');
  }

  /** Nothing happens any more, until a later process resumes. */
  close(): void {
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }

  async #fail(arn: string, reason: string): Promise<void> {
    if (await this.#end(arn, 'FAILED')) this.#surroundings.log.warn({ composition: arn, reason }, 'composition failed');
  }

  /** False when it had ended before, or is gone. */
  async #end(arn: string, state: EndedState): Promise<boolean> {
    const { store, now } = this.#surroundings;
    const ended = await store.change(async ({ compositions }) => {
      const current = await compositions.get(arn);
      if (!current || !unendedStates.includes(current.state)) return undefined;
      return compositions.update(arn, () => endOf(current, state, now().toISOString()));
    });
    if (ended) this.#forgetInTime(ended);
    return ended !== undefined;
  }

  #forgetInTime({ arn, endTime, createdAt }: CompositionRecord): void {
    const { store, now } = this.#surroundings;
    const due = Date.parse(endTime ?? createdAt) + rememberedMs;
    this.#later(Math.max(0, due - now().getTime()), async () => {
      await store.change(({ compositions }) => compositions.delete(arn));
    });
  }

  #later(milliseconds: number, run: () => Promise<void>): void {
    const cancel = this.#timer(milliseconds, () => {
      this.#pending.delete(cancel);
      run().catch((error: unknown) =>
        this.#surroundings.log.error({ err: error }, 'a composition could not be changed'),
      );
    });
    this.#pending.add(cancel);
  }
}

function endOf({ destinations }: CompositionRecord, state: EndedState, endTime: string) {
  return { state, endTime, destinations: destinations.map((destination) => ({ ...destination, state, endTime })) };
}
