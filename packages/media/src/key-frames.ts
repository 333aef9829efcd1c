import { KEY_FRAME_INTERVAL_MS } from './limits.ts';

/** Throttles key frame requests: one too early is sent later, and a key frame that comes first satisfies it. */
export class KeyFrameRequests {
  readonly #send: () => void;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #deferred = false;

  /** `send` asks the publisher. */
  constructor(send: () => void) {
    this.#send = send;
  }

  request(now: number): void {
    if (now - this.#lastSentAt >= KEY_FRAME_INTERVAL_MS) this.#sendNow(now);
    else this.#deferred = true;
  }

  /** A key frame begins: whoever asked has it now. */
  arrived(): void {
    this.#deferred = false;
  }

  tick(now: number): void {
    if (this.#deferred && now - this.#lastSentAt >= KEY_FRAME_INTERVAL_MS) this.#sendNow(now);
  }

  #sendNow(now: number): void {
    this.#lastSentAt = now;
    this.#deferred = false;
    this.#send();
  }
}
