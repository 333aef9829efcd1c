import type { SpoolFolder } from '../rim/spool.ts';
import { HeldBodies, type HeldBody } from './held-bodies.ts';
import { FIRST_STORE_DELAY_MS, LAST_STORE_DELAY_MS, STORE_REFUSED_FOR_MS, WRITE_TIMEOUT_MS } from './limits.ts';
import { type Sink, SinkError } from './sink.ts';

interface Item {
  key: string;
  body: HeldBody;
  contentType: string;
  /** When it is given up, by the monotonic clock of `performance`. */
  until: number;
  /** More than one when a newer body took the place of an older one. */
  settle: ((stored: boolean) => void)[];
}

/** Objects of one recording on their way to its sink, one after the other. A sink that is away is waited for; what there is no room for is left out. */
export class StoreQueue {
  readonly #sink: Sink;
  readonly #bodies: HeldBodies;
  readonly #complain: (message: string) => void;
  readonly #items: Item[] = [];
  #running = false;
  #deadline = Number.POSITIVE_INFINITY;
  /** The sink said that it does not take the last object: the next one is tried once. */
  #isRefused = false;
  /** Since when the sink has taken nothing, and why. */
  #failing: { since: number; message: string } | undefined;
  /** The last error of the sink. */
  failure: unknown;

  constructor(sink: Sink, spool: SpoolFolder, complain: (message: string) => void) {
    this.#sink = sink;
    this.#complain = complain;
    this.#bodies = new HeldBodies(spool, complain);
  }

  /**
   * Resolves, in the order of the calls, with false when it is not stored: there was no room, the sink refused it, or failed for `forMs`. An object that still
   * waits is replaced by a newer one of the same key.
   */
  put(key: string, body: Uint8Array, contentType: string, forMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    return new Promise((resolve) => {
      const until = performance.now() + forMs;
      const held = this.#bodies.hold(body);
      const waiting = this.#items.find((item, index) => index > 0 && item.key === key);
      if (waiting) {
        waiting.body.release();
        Object.assign(waiting, { body: held, until });
        waiting.settle.push(resolve);
      } else this.#items.push({ key, body: held, contentType, until, settle: [resolve] });
      if (!this.#running) void this.#run();
    });
  }

  /** From now on a sink that fails is waited for no longer than this, all objects together. */
  finishWithin(ms: number): void {
    this.#deadline = performance.now() + ms;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let item = this.#items[0]; item; item = this.#items[0]) {
      const stored = await this.#store(item);
      this.#items.shift();
      item.body.release();
      for (const settle of item.settle) settle(stored);
    }
    this.#running = false;
  }

  async #store({ key, body: held, contentType, until }: Item): Promise<boolean> {
    const now = performance.now();
    if (this.#failing && now >= this.#deadline) return false;
    const body = await held.read().catch((error: unknown) => this.#fail(key, error));
    if (!body) return false;
    const refusedUntil = now + (this.#isRefused ? 0 : STORE_REFUSED_FOR_MS);
    for (let delayMs = FIRST_STORE_DELAY_MS; ; delayMs = Math.min(2 * delayMs, LAST_STORE_DELAY_MS)) {
      try {
        await inTime((signal) => this.#sink.write(key, body, contentType, signal));
        this.#succeed();
        return true;
      } catch (error) {
        this.#fail(key, error);
        this.#isRefused = error instanceof SinkError;
        const last = Math.min(until, this.#deadline, this.#isRefused ? refusedUntil : Number.POSITIVE_INFINITY);
        if (performance.now() + delayMs > last) return false;
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  #succeed(): void {
    this.#isRefused = false;
    if (!this.#failing) return;
    const seconds = Math.round((performance.now() - this.#failing.since) / 1_000);
    this.#failing = undefined;
    this.#complain(`what is recorded is stored again, after ${seconds} s`);
  }

  /** Says it once, until it is for another reason. */
  #fail(key: string, error: unknown): undefined {
    this.failure = error;
    const message = error instanceof Error ? error.message : String(error);
    if (this.#failing?.message !== message) this.#complain(`${key} is not stored: ${message}`);
    this.#failing = { since: this.#failing?.since ?? performance.now(), message };
  }
}

/** A write that hangs has failed, and is called off: it must not win over one that comes later. */
async function inTime(write: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer in ${WRITE_TIMEOUT_MS / 1_000} s`));
      controller.abort();
    }, WRITE_TIMEOUT_MS);
  });
  try {
    await Promise.race([write(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
