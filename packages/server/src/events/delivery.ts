import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { messageOf } from '../startup-error.ts';
import type { Outbox, StoredEvent } from '../store/types.ts';
import type { EventSink } from './sink.ts';

/** How long an event is offered to a sink before it is dropped. */
export const offeredForMs = 24 * 60 * 60 * 1000;
/** Waits between tries: doubling from the first to the longest, each up to a fifth shorter or longer. */
export const firstRetryMs = 1_000;
export const longestRetryMs = 300_000;
/** How long a stop waits for what is being delivered. */
const closingGraceMs = 2_000;

/** What a delivery works with. */
export interface DeliveryOptions {
  outbox: Outbox;
  log: Log;
  now(): Date;
  /** Instead of `firstRetryMs`. */
  firstRetryMs?: number;
}

/**
 * Brings the events of the outbox to one sink, each at least once: it waits there until the sink has taken it. The events of a
 * stage go one after the other; a stage whose event is not taken holds up no other one.
 */
export class Delivery {
  readonly #sink: EventSink;
  readonly #options: DeliveryOptions;
  readonly #stages = new Map<string, { running: Promise<void>; again: boolean }>();
  readonly #slots: Slots;
  readonly #closed = new AbortController();
  #failing = false;

  constructor(sink: EventSink, options: DeliveryOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#slots = new Slots(sink.parallel);
  }

  /** Begins with what an earlier run of the server left. */
  async start(): Promise<void> {
    this.#options.outbox.onAdded((stageArn) => this.#wake(stageArn));
    for (const stageArn of await this.#options.outbox.waitingStages(this.#sink.name)) this.#wake(stageArn);
  }

  /** What is left stays in the outbox for the next run. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#closed.abort(), closingGraceMs);
    const idle = Promise.all([...this.#stages.values()].map(({ running }) => running));
    if (this.#failing) this.#closed.abort();
    await idle;
    clearTimeout(timer);
    this.#closed.abort();
  }

  #wake(stageArn: string): void {
    const known = this.#stages.get(stageArn);
    if (known) known.again = true;
    else if (!this.#closed.signal.aborted) this.#run(stageArn);
  }

  #run(stageArn: string): void {
    const state = { running: Promise.resolve(), again: false };
    this.#stages.set(stageArn, state);
    state.running = this.#deliverAll(stageArn)
      .catch((error: unknown) => {
        this.#options.log.error({ err: error, sink: this.#sink.name }, 'events cannot be read from the store');
      })
      .then(() => {
        this.#stages.delete(stageArn);
        // What came while the last look was under way.
        if (state.again && !this.#closed.signal.aborted) this.#run(stageArn);
      });
  }

  async #deliverAll(stageArn: string): Promise<void> {
    const { outbox } = this.#options;
    const first = this.#options.firstRetryMs ?? firstRetryMs;
    let wait = first;
    while (!this.#closed.signal.aborted) {
      const event = await outbox.next(this.#sink.name, stageArn);
      if (event === undefined) return;
      if (await this.#try(event)) {
        await outbox.delivered(this.#sink.name, event.id);
        wait = first;
        continue;
      }
      await this.#dropOld(stageArn);
      await sleep(wait * (0.8 + 0.4 * Math.random()), undefined, { signal: this.#closed.signal }).catch(() => {});
      wait = Math.min(wait * 2, longestRetryMs);
    }
  }

  async #try(event: StoredEvent): Promise<boolean> {
    await this.#slots.take();
    const { signal } = this.#closed;
    try {
      if (signal.aborted) return false;
      await this.#sink.deliver(event, signal);
      if (this.#failing) this.#options.log.info({ sink: this.#sink.name }, 'events are taken again');
      this.#failing = false;
      return true;
    } catch (error) {
      // One line when it begins, however many events wait.
      if (!this.#failing && !signal.aborted)
        this.#options.log.warn({ sink: this.#sink.name, error: messageOf(error) }, 'an event was not taken');
      this.#failing = true;
      return false;
    } finally {
      this.#slots.give();
    }
  }

  /** After a failed try, so that each event is offered once at least, however long the server was down. */
  async #dropOld(stageArn: string): Promise<void> {
    const { outbox, log, now } = this.#options;
    const before = new Date(now().getTime() - offeredForMs).toISOString().replace(/\.\d+Z$/, 'Z');
    const dropped = await outbox.dropOlder(this.#sink.name, stageArn, before);
    if (dropped > 0)
      log.warn({ sink: this.#sink.name, stage: stageArn, events: dropped }, 'events were dropped after a day');
  }
}

/** So many at once; the others wait in the order in which they came. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  take(): Promise<void> | void {
    if (this.#free > 0) this.#free -= 1;
    else return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
