import { randomUUID } from 'node:crypto';
import { ApiError, encodeError } from '@footlights/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Callers } from '../callers.ts';
import { partsOf } from '../http.ts';
import type { Outbox, OutboxQuery, Scope, StoredEvent } from '../store/types.ts';

/** Most events of one answer. */
export const feedLimit = 1_000;
/** Longest time in seconds that an answer waits for an event. */
export const feedWaitSeconds = 30;
/** How many may wait at once: each holds a connection open. */
export const feedWaiters = 100;

/** What the feed needs. */
export interface FeedOptions {
  outbox: Outbox;
  callers: Pick<Callers, 'identify'>;
}

interface FeedAnswer {
  events: StoredEvent[];
  /** What to give as `after` next. */
  next: number;
}

/**
 * GET /events/feed, signed as an API call: the events of the caller's account and region. `last` newest ones, or those `after` a
 * number, for which it waits up to `wait` seconds; `stage` is an ARN. The answer is `{events: [{id, event}], next}`, and
 * `after=<next>` goes on where it ends, over restarts of the server too.
 */
export function registerFeed(app: FastifyInstance, options: FeedOptions): void {
  const feed = new Feed(options);
  app.get('/events/feed', (request, reply) => feed.answer(request, reply));
  app.addHook('preClose', async () => feed.close());
}

class Feed {
  readonly #options: FeedOptions;
  readonly #waiters = new Set<() => void>();
  /** Counts what was added: whoever has read before that need not wait. */
  #added = 0;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    options.outbox.onAdded(() => {
      this.#added += 1;
      this.#wakeAll();
    });
  }

  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const parts = partsOf(request);
      const { query, wait } = readQuery(new URLSearchParams(parts.rawQuery), this.#options.callers.identify(parts));
      const events = query.after === undefined ? await this.#newest(query) : await this.#read(query, wait, request);
      return await reply.header('cache-control', 'no-store').type('application/json').send(events);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, headers, body } = encodeError(error, randomUUID());
      return await reply.code(status).headers(headers).send(Buffer.from(body));
    }
  }

  /** Reads one at least, to know where the events end. */
  async #newest(query: OutboxQuery): Promise<FeedAnswer> {
    const events = await this.#options.outbox.list({ ...query, limit: Math.max(query.limit, 1) });
    return { events: query.limit === 0 ? [] : events, next: events.at(-1)?.id ?? 0 };
  }

  async #read(query: OutboxQuery, waitSeconds: number, request: FastifyRequest): Promise<FeedAnswer> {
    const until = performance.now() + waitSeconds * 1000;
    for (;;) {
      const seen = this.#added;
      const events = await this.#options.outbox.list(query);
      if (events.length > 0 || !(await this.#woken(seen, until - performance.now(), request)))
        return { events, next: events.at(-1)?.id ?? query.after ?? 0 };
    }
  }

  /** True when there is a new event; false when there is no more time, no place, or nobody who waits. */
  #woken(seen: number, ms: number, { raw }: FastifyRequest): Promise<boolean> {
    if (ms <= 0 || this.#closed || raw.socket.destroyed) return Promise.resolve(false);
    if (this.#added !== seen) return Promise.resolve(true);
    if (this.#waiters.size >= feedWaiters) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (value: boolean) => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        raw.socket.off('close', leave);
        resolve(value);
      };
      const wake = () => settle(!this.#closed);
      const leave = () => settle(false);
      const timer = setTimeout(leave, ms);
      raw.socket.once('close', leave);
      this.#waiters.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

function readQuery(query: URLSearchParams, scope: Scope): { query: OutboxQuery; wait: number } {
  const after = wholeNumber(query, 'after', Number.MAX_SAFE_INTEGER);
  const last = wholeNumber(query, 'last', feedLimit);
  const wait = wholeNumber(query, 'wait', feedWaitSeconds) ?? 0;
  const stageArn = query.get('stage') ?? undefined;
  const limit = after === undefined ? (last ?? 10) : feedLimit;
  return { query: { account: scope.account, region: scope.region, limit, after, stageArn }, wait };
}

function wholeNumber(query: URLSearchParams, name: string, most: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,16}$/.test(text) && Number(text) <= most) return Number(text);
  throw new ApiError('ValidationException', `${name} must be a whole number from 0 to ${most}`);
}
