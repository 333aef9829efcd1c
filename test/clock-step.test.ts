// The machine's clock is set by an hour, there and back, while a participant is recorded: libfaketime tells the server's processes so.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FlashAndBeep, stageCodecs } from './support/flash-and-beep.ts';
import { activeRecording, isComplete, isSound, recordingEnds } from './support/recording-checks.ts';
import { createRecordedStage, encoderOf, picturesOf } from './support/recordings.ts';
import { type RunningServer, startServer, temporaryFolder } from './support/server.ts';
import { timed } from './support/timed.ts';

const folder = temporaryFolder();
const file = join(folder, 'clock');
let server: RunningServer;

const setClock = (offset: string) => writeFileSync(file, `${offset}\n`);

beforeAll(async () => {
  setClock('+0');
  const env = {
    LD_PRELOAD: library(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  server = await startServer({ env });
});

afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Debian has it in a folder of the machine's architecture. */
function library(): string {
  const [found] = readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name, 'faketime'))
    .filter((path) => {
      try {
        return readdirSync(path).includes('libfaketimeMT.so.1');
      } catch {
        return false;
      }
    });
  if (!found) throw new Error('libfaketime is not installed: sudo apt-get install faketime');
  return join(found, 'libfaketimeMT.so.1');
}

test('a recording does not mind', timed, async () => {
  setClock('+0');
  const stageArn = await createRecordedStage(server);
  const { url, id } = await encoderOf(server, stageArn);
  const encoder = new FlashAndBeep([...stageCodecs, '-f', 'flv', url]);
  onTestFinished(() => encoder.end());
  const began = Date.now();
  const recording = await activeRecording(server, stageArn, id);
  for (const offset of ['+3600', '-3600']) {
    await sleep(2_500);
    setClock(offset);
  }
  await sleep(2_500);
  await encoder.end();
  const seconds = (Date.now() - began) / 1_000;
  await recordingEnds(server, stageArn, id);
  const [run, ...others] = recording.runs();
  expect(others).toEqual([]);
  await isSound(recording.bytes(run!));
  isComplete(await picturesOf(recording), 7 * 30);
  expect(Math.abs(run!.startedAt - began)).toBeLessThan(3_000);
  expect(Math.abs(recording.seconds - seconds)).toBeLessThan(1.5);
  const ended = recording.event('ended') as unknown as Record<string, string>;
  expect(ended.recording_status).toBe('RECORDING_ENDED');
  expect(Date.parse(ended.recording_ended_at ?? '')).toBeGreaterThanOrEqual(began);
  // It took the step, or nothing was tested.
  const times = [...server.output().matchAll(/"time":"([^"]+)"/g)].map(([, time]) => Date.parse(time ?? ''));
  expect(Math.min(...times)).toBeLessThan(began - 3_000_000);
});
