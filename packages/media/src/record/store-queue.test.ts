import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_UNSTORED_BYTES, STORE_FOR_MS, STORE_REFUSED_FOR_MS, WRITE_TIMEOUT_MS } from './limits.ts';
import { SinkError } from './sink.ts';
import { StoreQueue } from './store-queue.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue before a sink that does as `write` says, its writes and its complaints. */
function openQueue(write: () => Promise<void>) {
  const [written, complaints]: [string[], string[]] = [[], []];
  const sink = {
    write: async (key: string) => {
      await write();
      written.push(key);
    },
  };
  const queue = new StoreQueue(sink, (message) => complaints.push(message));
  const put = (key: string, bytes = 1) => queue.put(key, Buffer.alloc(bytes), 'video/mp4', STORE_FOR_MS);
  return { queue, put, written, complaints };
}

/** A sink that fails until `ms` from now have passed. */
function downFor(ms: number, error: Error): () => Promise<void> {
  const from = performance.now();
  return async () => {
    if (performance.now() - from < ms) throw error;
  };
}

describe('objects on their way to a sink', () => {
  it('are stored one after the other', async () => {
    const { put, written } = openQueue(() => new Promise((resolve) => setTimeout(resolve, 50)));
    const all = Promise.all(['a', 'b', 'c'].map((key) => put(key)));
    await vi.advanceTimersByTimeAsync(60);
    expect(written).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(100);
    expect(await all).toEqual([true, true, true]);
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it.each([1_000, 10_000, 90_000])('wait for a sink that is down for %i ms, none lost', async (ms) => {
    const { put, written, complaints } = openQueue(downFor(ms, new Error('ECONNREFUSED')));
    const all = Promise.all(['a', 'b', 'c'].map((key) => put(key)));
    await vi.advanceTimersByTimeAsync(ms + 6_000);
    expect(await all).toEqual([true, true, true]);
    expect(written).toEqual(['a', 'b', 'c']);
    expect(complaints[0]).toBe('a is not stored: ECONNREFUSED');
  });

  it('are given up when a sink is down for longer, with its error; later ones are stored', async () => {
    const { queue, put, written } = openQueue(downFor(STORE_FOR_MS + 1_000, new Error('ECONNREFUSED')));
    const first = put('a');
    await vi.advanceTimersByTimeAsync(STORE_FOR_MS + 1_000);
    expect(await first).toBe(false);
    expect(queue.failure).toEqual(new Error('ECONNREFUSED'));
    expect(await put('b')).toBe(true);
    expect(written).toEqual(['b']);
  });

  it('are given up sooner when the sink refuses them, the next at once', async () => {
    const { put } = openQueue(downFor(60_000, new SinkError('AccessDeniedException', 'no leave')));
    const [first, second] = [put('a'), put('b')];
    await vi.advanceTimersByTimeAsync(STORE_REFUSED_FOR_MS);
    expect(await first).toBe(false);
    expect(await second).toBe(false);
  });

  it(`are tried again when a write hangs for ${WRITE_TIMEOUT_MS} ms`, async () => {
    let writes = 0;
    const { put, complaints } = openQueue(() => (++writes === 1 ? new Promise(() => {}) : Promise.resolve()));
    const stored = put('a');
    await vi.advanceTimersByTimeAsync(WRITE_TIMEOUT_MS - 1);
    expect(complaints).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await stored).toBe(true);
    expect(complaints).toEqual(['a is not stored: no answer in 30 s']);
  });

  it(`hold ${MAX_UNSTORED_BYTES} bytes at most: what is more is left out, and there is room again later`, async () => {
    const { put, written } = openQueue(() => new Promise((resolve) => setTimeout(resolve, 100)));
    const full = put('a', MAX_UNSTORED_BYTES);
    expect(await put('b', 1)).toBe(false);
    await vi.advanceTimersByTimeAsync(101);
    expect(await full).toBe(true);
    const next = put('c', 1);
    await vi.advanceTimersByTimeAsync(101);
    expect(await next).toBe(true);
    expect(written).toEqual(['a', 'c']);
  });
});
