import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../log.ts';
import { openStore, type Store, type StoredEvent } from '../store/index.ts';
import { recordingStarted } from './bus-event.ts';
import { Delivery, offeredForMs } from './delivery.ts';
import type { EventSink } from './sink.ts';

let folder: string;
let store: Store;
let lines: string[];
const deliveries: Delivery[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
  store = await openStore(join(folder, 'footlights.db'));
  lines = [];
});

afterEach(async () => {
  for (const delivery of deliveries.splice(0)) await delivery.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const arnOf = (stage: string) => `arn:aws:ivs:us-west-2:123456789012:stage/${stage}`;

/** An event of a stage with a text in it. */
const add = (stage: string, text: string, at = new Date()) => {
  const recording = { stageArn: arnOf(stage), sessionId: 'st', participantId: text, bucketName: 'b', prefix: 'p' };
  return store.outbox.add([recordingStarted(recording, at)]);
};

const textOf = ({ event }: StoredEvent) => String(event.detail.participant_id);

/** Takes what `refuses` does not object to. */
class ListSink implements EventSink {
  readonly name = 'webhook';
  readonly parallel = 2;
  readonly taken: string[] = [];
  refuses: (text: string) => boolean = () => false;

  async deliver(event: StoredEvent): Promise<void> {
    if (this.refuses(textOf(event))) throw new Error('not now');
    this.taken.push(textOf(event));
  }
}

async function open(sink: EventSink, now = () => new Date()): Promise<Delivery> {
  await store.outbox.setSinks(['webhook']);
  const log = createLog({ level: 'info', terminal: false, output: { write: (line) => void lines.push(line) } });
  const delivery = new Delivery(sink, { outbox: store.outbox, log, now, firstRetryMs: 10 });
  deliveries.push(delivery);
  await delivery.start();
  return delivery;
}

it('hands events on in their order, and forgets them', async () => {
  const sink = new ListSink();
  await open(sink);
  for (let i = 0; i < 20; i++) await add('one', String(i));
  await vi.waitFor(() => expect(sink.taken).toEqual(Array.from({ length: 20 }, (_, i) => String(i))));
  await vi.waitFor(async () => expect(await store.outbox.waiting('webhook')).toBe(0));
});

it('offers an event again until it is taken, before the next of its stage; other stages go on; one line says so', async () => {
  const sink = new ListSink();
  sink.refuses = (text) => text.startsWith('bad');
  await open(sink);
  await add('one', 'bad');
  await add('one', 'after');
  await add('two', 'good');
  await vi.waitFor(() => expect(sink.taken).toEqual(['good']));
  await new Promise((resolve) => setTimeout(resolve, 60));
  sink.refuses = () => false;
  await vi.waitFor(() => expect(sink.taken).toEqual(['good', 'bad', 'after']));
  expect(lines.filter((line) => line.includes('was not taken')).length).toBeLessThanOrEqual(2);
});

it('goes on in the next run where this one ended', async () => {
  const stuck = new ListSink();
  stuck.refuses = () => true;
  const first = await open(stuck);
  await add('one', 'a');
  await add('one', 'b');
  await first.close();
  await store.close();
  store = await openStore(join(folder, 'footlights.db'));
  const sink = new ListSink();
  await open(sink);
  await vi.waitFor(() => expect(sink.taken).toEqual(['a', 'b']));
});

it('drops what is older than a day, after a try, all of a stage with one line', async () => {
  const sink = new ListSink();
  const now = Date.now();
  await store.outbox.setSinks(['webhook']);
  await add('one', 'old', new Date(now - offeredForMs - 1000));
  await add('one', 'older', new Date(now - offeredForMs - 2000));
  await add('one', 'young', new Date(now - offeredForMs + 1000));
  sink.refuses = (text) => text !== 'young';
  await open(sink, () => new Date(now));
  await vi.waitFor(() => expect(sink.taken).toEqual(['young']));
  expect(lines.filter((line) => line.includes('dropped'))).toHaveLength(1);
});

it('events of a sink that is no longer set do not wait for it', async () => {
  await store.outbox.setSinks(['webhook', 'file']);
  await add('one', 'a');
  expect(await store.outbox.setSinks(['file'])).toBe(1);
  expect(await store.outbox.waitingStages('webhook')).toEqual([]);
  expect(await store.outbox.waitingStages('file')).toEqual([arnOf('one')]);
});
