import { KEY_FRAME_INTERVAL_MS, KEY_FRAME_SPACING_MS } from './limits.ts';

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

/** Someone who can be asked for a key frame. */
export interface KeyFrameSource {
  /** When its last key frame began, in milliseconds; minus infinity before the first. */
  readonly keyFrameAt: number;
}

/**
 * Gathers the requests to one publisher, of all its layers: those of one moment go in one message, and messages keep their distance.
 * Who has got a key frame meanwhile, since a request for another layer brought it, is not asked any more.
 */
export class KeyFrameMessages<S extends KeyFrameSource> {
  readonly #later: (run: () => void) => void;
  readonly #send: (sources: S[]) => void;
  /** When each was asked for. */
  readonly #wanted = new Map<S, number>();
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #gathering = false;

  /** `later` runs something at the end of this moment; `send` asks the publisher. */
  constructor(later: (run: () => void) => void, send: (sources: S[]) => void) {
    this.#later = later;
    this.#send = send;
  }

  request(source: S, now: number): void {
    if (!this.#wanted.has(source)) this.#wanted.set(source, now);
    if (this.#gathering) return;
    this.#gathering = true;
    this.#later(() => {
      this.#gathering = false;
      this.#sendDue(now);
    });
  }

  tick(now: number): void {
    if (!this.#gathering) this.#sendDue(now);
  }

  #sendDue(now: number): void {
    if (this.#wanted.size === 0 || now - this.#lastSentAt < KEY_FRAME_SPACING_MS) return;
    const sources = [...this.#wanted].filter(([{ keyFrameAt }, since]) => keyFrameAt < since).map(([source]) => source);
    this.#wanted.clear();
    if (sources.length === 0) return;
    this.#lastSentAt = now;
    this.#send(sources);
  }
}
