import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Spool } from '../rim/spool.ts';
import { MAX_HELD_BYTES, STORE_REFUSED_FOR_MS, WRITE_TIMEOUT_MS } from './limits.ts';
import { SinkError } from './sink.ts';
import { StoreQueue } from './store-queue.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-store-queue-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** A queue before a sink that does as `write` says, what was written and its complaints. */
function openQueue(write: (signal: AbortSignal) => Promise<void>, spoolBytes = 0) {
  const [written, complaints]: [string[], string[]] = [[], []];
  const bodies: Uint8Array[] = [];
  const sink = {
    write: async (key: string, body: Uint8Array, _type: string, signal: AbortSignal) => {
      await write(signal);
      written.push(key);
      bodies.push(body);
    },
  };
  const spool = new Spool(spoolBytes);
  const queue = new StoreQueue(sink, spool.folder(join(folder, 'spool')), (message) => complaints.push(message));
  const put = (key: string, bytes = 1, forMs?: number) => queue.put(key, Buffer.alloc(bytes, key), 'video/mp4', forMs);
  return { queue, put, written, bodies, complaints, spool };
}

/** A sink that fails until `ms` from now have passed. */
function downFor(ms: number, error: Error): () => Promise<void> {
  const from = performance.now();
  return async () => {
    if (performance.now() - from < ms) throw error;
  };
}

/** A sink that takes nothing until it is opened. */
function closedSink() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { write: () => opened, open };
}

describe('objects on their way to a sink', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  it('are stored one after the other', async () => {
    const { put, written } = openQueue(() => new Promise((resolve) => setTimeout(resolve, 50)));
    const all = Promise.all(['a', 'b', 'c'].map((key) => put(key)));
    await vi.advanceTimersByTimeAsync(60);
    expect(written).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(100);
    expect(await all).toEqual([true, true, true]);
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it.each([1_000, 10_000, 100_000, 3_600_000])('wait for a sink that is down for %i ms, none lost', async (ms) => {
    const { put, written, complaints } = openQueue(downFor(ms, new Error('ECONNREFUSED')));
    const all = Promise.all(['a', 'b', 'c'].map((key) => put(key)));
    await vi.advanceTimersByTimeAsync(ms + 6_000);
    expect(await all).toEqual([true, true, true]);
    expect(written).toEqual(['a', 'b', 'c']);
    expect(complaints).toEqual([
      'a is not stored: ECONNREFUSED',
      expect.stringMatching(/^what is recorded is stored again, after \d+ s$/),
    ]);
  });

  it('are given up when a sink is down for longer than they may wait, with its error; later ones are stored', async () => {
    const { queue, put, written } = openQueue(downFor(101_000, new Error('ECONNREFUSED')));
    const first = put('a', 1, 100_000);
    await vi.advanceTimersByTimeAsync(101_000);
    expect(await first).toBe(false);
    expect(queue.failure).toEqual(new Error('ECONNREFUSED'));
    expect(await put('b')).toBe(true);
    expect(written).toEqual(['b']);
  });

  it('are all given up together when nothing is recorded any more', async () => {
    const { queue, put } = openQueue(downFor(3_600_000, new Error('ECONNREFUSED')));
    const all = Promise.all(['a', 'b', 'c'].map((key) => put(key)));
    await vi.advanceTimersByTimeAsync(50_000);
    queue.finishWithin(60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await all).toEqual([false, false, false]);
    expect(await put('d')).toBe(false);
  });

  it('are stored after that time too when the sink is only slow', async () => {
    const { queue, put } = openQueue(() => new Promise((resolve) => setTimeout(resolve, 10_000)));
    const all = Promise.all(['a', 'b', 'c'].map((key) => put(key)));
    queue.finishWithin(5_000);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await all).toEqual([true, true, true]);
  });

  it('are given up sooner when the sink refuses them, the next at once', async () => {
    const { put } = openQueue(downFor(60_000, new SinkError('AccessDeniedException', 'no leave')));
    const [first, second] = [put('a'), put('b')];
    await vi.advanceTimersByTimeAsync(STORE_REFUSED_FOR_MS);
    expect(await first).toBe(false);
    expect(await second).toBe(false);
  });

  it(`are tried again when a write hangs for ${WRITE_TIMEOUT_MS} ms, which is called off`, async () => {
    const signals: AbortSignal[] = [];
    const { put, complaints } = openQueue((signal) =>
      signals.push(signal) === 1 ? new Promise(() => {}) : Promise.resolve(),
    );
    const stored = put('a');
    await vi.advanceTimersByTimeAsync(WRITE_TIMEOUT_MS - 1);
    expect(complaints).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await stored).toBe(true);
    expect(complaints[0]).toBe('a is not stored: no answer in 30 s');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('are replaced by newer ones of the same key while they wait', async () => {
    const { put, written, bodies } = openQueue(() => new Promise((resolve) => setTimeout(resolve, 50)));
    const all = Promise.all([put('list', 1), put('a'), put('list', 2), put('b'), put('list', 3)]);
    await vi.advanceTimersByTimeAsync(250);
    expect(await all).toEqual([true, true, true, true, true]);
    // The first one was under way.
    expect(written).toEqual(['list', 'a', 'list', 'b']);
    expect(bodies.map(({ length }) => length)).toEqual([1, 1, 3, 1]);
  });
});

describe('objects that there is no room for in memory', () => {
  const LARGE = MAX_HELD_BYTES;

  it('wait on disk, and leave nothing there', async () => {
    const { write, open } = closedSink();
    const { put, bodies, spool } = openQueue(write, 2 * LARGE);
    const all = Promise.all([put('a', LARGE), put('b', LARGE), put('c', LARGE)]);
    await vi.waitFor(() => expect(readdirSync(join(folder, 'spool'))).toHaveLength(2));
    expect(spool.bytes).toBe(2 * LARGE);
    open();
    expect(await all).toEqual([true, true, true]);
    expect(bodies.map((body) => String.fromCharCode(body[LARGE - 1] ?? 0))).toEqual(['a', 'b', 'c']);
    await vi.waitFor(() => expect(spool.bytes).toBe(0));
    expect(readdirSync(join(folder, 'spool'))).toEqual([]);
  });

  it('are left out when the spool is full, in their turn, and there is room again later', async () => {
    const { write, open } = closedSink();
    const { put, written, complaints, spool } = openQueue(write, LARGE);
    const order: string[] = [];
    const noted = (key: string) => put(key, LARGE).then((stored) => order.push(`${key} ${stored}`));
    const all = Promise.all(['a', 'b', 'c'].map(noted));
    await vi.waitFor(() => expect(complaints).toHaveLength(1));
    expect(complaints[0]).toBe(`no room for what waits to be stored: ${LARGE} bytes of --recording-spool are full`);
    expect(order).toEqual([]);
    open();
    await all;
    expect(order).toEqual(['a true', 'b true', 'c false']);
    await vi.waitFor(() => expect(spool.bytes).toBe(0));
    expect(await Promise.all([put('d', LARGE), put('e', LARGE)])).toEqual([true, true]);
    expect(written).toEqual(['a', 'b', 'd', 'e']);
  });

  it('are left out when the disk does not take them', async () => {
    const { write, open } = closedSink();
    const { put, complaints, spool } = openQueue(write, 2 * LARGE);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder');
    const all = Promise.all([put('a', LARGE), put('b', 1)]);
    await vi.waitFor(() => expect(complaints[0]).toMatch(/^no room for what waits to be stored: E(NOTDIR|EXIST)/));
    open();
    expect(await all).toEqual([true, false]);
    expect(spool.bytes).toBe(0);
  });
});

it('what an earlier process left in the spool is removed', () => {
  const spool = new Spool(1);
  mkdirSync(join(folder, 'spool'));
  writeFileSync(join(folder, 'spool/old'), 'old');
  spool.folder(join(folder, 'spool'));
  expect(readdirSync(folder)).toEqual([]);
});
