import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordingStarted } from './bus-event.ts';
import { FileSink } from './line-sinks.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const recording = {
  stageArn: 'arn:aws:ivs:us-west-2:123456789012:stage/AbCdEf123456',
  sessionId: 'st',
  participantId: 'two\nlines',
  bucketName: 'b',
  prefix: 'p',
};
const event = (id: number) => ({ id, event: recordingStarted(recording, new Date()).event });

it('adds a line for each event, also after the file was moved away', async () => {
  const path = join(folder, 'events.jsonl');
  const sink = new FileSink(path);
  const [one, two, three] = [event(1), event(2), event(3)];
  await sink.deliver(one);
  await sink.deliver(two);
  renameSync(path, `${path}.1`);
  await sink.deliver(three);
  const lines = (file: string) =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  expect(lines(`${path}.1`)).toEqual([one.event, two.event]);
  expect(lines(path)).toEqual([three.event]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('begins a line of its own after half of one', async () => {
  const path = join(folder, 'events.jsonl');
  appendFileSync(path, '{"version":"0","i');
  const one = event(1);
  await new FileSink(path).deliver(one);
  expect(JSON.parse(readFileSync(path, 'utf8').split('\n')[1] ?? '')).toEqual(one.event);
});

it('rejects while the file cannot be written', async () => {
  await expect(new FileSink(join(folder, 'none', 'events.jsonl')).deliver(event(1))).rejects.toThrow('ENOENT');
});
