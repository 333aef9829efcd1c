import { describe, expect, test } from 'vitest';
import { createLog } from '../log.ts';
import type { Store } from '../store/types.ts';
import { StageJournal } from './journal.ts';

/** A journal whose store settles each write when the test says so. */
function openJournal() {
  const settle: { resolve(): void; reject(error: Error): void }[] = [];
  const write = () => new Promise<void>((resolve, reject) => settle.push({ resolve, reject }));
  const store = { startSession: write, endSession: write, addEvents: write, putParticipant: write } as unknown as Store;
  const journal = new StageJournal('arn', { store, log: createLog({ level: 'silent' }), now: () => new Date() });
  journal.openSession();
  return { journal, settle };
}

const isSettled = (promise: Promise<void>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);

describe('flushed', () => {
  test('waits for everything before it, in whatever order that settles and whether it fails, and for nothing after it', async () => {
    const { journal, settle } = openJournal();
    journal.event('JOINED', 'alice');
    const flushed = journal.flushed();
    journal.event('LEFT', 'alice');
    settle[1]?.reject(new Error('the disk is full'));
    expect(await isSettled(flushed)).toBe(false);
    settle[0]?.resolve();
    expect(await isSettled(flushed)).toBe(true);
    expect(await isSettled(journal.flushed())).toBe(false);
    settle[2]?.resolve();
    expect(await isSettled(journal.flushed())).toBe(true);
  });

  test('costs the same however much is under way: thousands that join at once share it', () => {
    const { journal } = openJournal();
    for (let i = 0; i < 1000; i++) journal.event('JOINED', 'alice');
    expect(journal.flushed()).toBe(journal.flushed());
  });
});
