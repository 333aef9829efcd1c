// What tests ask of recordings.
import { expect, vi } from 'vitest';
import {
  decodeErrors,
  getParticipant,
  type Probed,
  packetTimes,
  probe,
  type RecordedFrame,
  RecordingFolder,
} from './recordings.ts';
import type { RunningServer } from './server.ts';

const within = { timeout: 15_000, interval: 100 };

/** The files of a participant's recording, once it has begun. */
export async function activeRecording(server: RunningServer, stageArn: string, id: string): Promise<RecordingFolder> {
  await vi.waitFor(
    async () => expect((await getParticipant(server, stageArn, id)).recordingState).toBe('ACTIVE'),
    within,
  );
  return new RecordingFolder(server, (await getParticipant(server, stageArn, id)).recordingS3Prefix);
}

export async function recordingEnds(server: RunningServer, stageArn: string, id: string, state = 'STOPPED') {
  await vi.waitFor(async () => expect((await getParticipant(server, stageArn, id)).recordingState).toBe(state), within);
}

/** Times rise, and nothing in it fails to decode. */
export async function isSound(mp4: Buffer): Promise<Probed> {
  const probed = await probe(mp4);
  for (const type of ['video', 'audio']) {
    const times = packetTimes(probed, type, 'dts_time');
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  }
  expect(await decodeErrors(mp4)).toBe('');
  return probed;
}

/** Every picture from the first to the last, and each can be read. */
export function isComplete(pictures: readonly RecordedFrame[], count: number): void {
  const counters = pictures.map(({ counter }) => counter);
  expect(counters.length).toBeGreaterThan(count);
  expect(counters).toEqual(counters.map((_, index) => (counters[0] ?? 0) + index));
}
