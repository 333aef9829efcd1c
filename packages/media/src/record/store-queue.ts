import {
  FIRST_STORE_DELAY_MS,
  LAST_STORE_DELAY_MS,
  MAX_UNSTORED_BYTES,
  STORE_REFUSED_FOR_MS,
  WRITE_TIMEOUT_MS,
} from './limits.ts';
import { type Sink, SinkError } from './sink.ts';

interface Item {
  key: string;
  body: Uint8Array;
  contentType: string;
  /** When it is given up, by the monotonic clock of `performance`. */
  until: number;
  settle(stored: boolean): void;
}

/** Objects of one recording on their way to its sink, one after the other; what a slow sink has no time for is left out. */
export class StoreQueue {
  readonly #sink: Sink;
  readonly #complain: (message: string) => void;
  readonly #items: Item[] = [];
  #bytes = 0;
  #running = false;
  /** The sink did not take the last object: the next one is tried once. */
  #isRefused = false;
  /** The last error of an object that was given up. */
  failure: unknown;

  constructor(sink: Sink, complain: (message: string) => void) {
    this.#sink = sink;
    this.#complain = complain;
  }

  /** Resolves with false when it is not stored: the queue is full, or the sink failed for `forMs`. */
  put(key: string, body: Uint8Array, contentType: string, forMs: number): Promise<boolean> {
    if (this.#bytes + body.length > MAX_UNSTORED_BYTES) return Promise.resolve(false);
    this.#bytes += body.length;
    return new Promise((resolve) => {
      const until = performance.now() + forMs;
      this.#items.push({ key, body, contentType, until, settle: resolve });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let item = this.#items[0]; item; item = this.#items[0]) {
      const stored = await this.#store(item);
      this.#items.shift();
      this.#bytes -= item.body.length;
      item.settle(stored);
    }
    this.#running = false;
  }

  async #store({ key, body, contentType, until }: Item): Promise<boolean> {
    const refusedUntil = performance.now() + (this.#isRefused ? 0 : STORE_REFUSED_FOR_MS);
    for (let delayMs = FIRST_STORE_DELAY_MS; ; delayMs = Math.min(2 * delayMs, LAST_STORE_DELAY_MS)) {
      try {
        await inTime(this.#sink.write(key, body, contentType));
        this.#isRefused = false;
        return true;
      } catch (error) {
        this.#complain(`${key} is not stored: ${error instanceof Error ? error.message : String(error)}`);
        this.failure = error;
        const last = error instanceof SinkError ? Math.min(until, refusedUntil) : until;
        if (performance.now() + delayMs > last) {
          this.#isRefused = error instanceof SinkError;
          return false;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

/** A write that hangs has failed. */
function inTime(writing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${WRITE_TIMEOUT_MS / 1_000} s`)), WRITE_TIMEOUT_MS);
  });
  return Promise.race([writing, late]).finally(() => clearTimeout(timer));
}
