import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from './log.ts';
import { Recordings } from './recordings.ts';
import { account, createTestStage, FakeMedia, region } from './signalling/testing.ts';
import { openStore, type RecordingConfiguration, type Store } from './store/index.ts';

const sessionId = 'st-0123456789abc';
const storageConfigurationArn = `arn:aws:ivs:${region}:${account}:storage-configuration/abcdefghijkl`;

let folder: string;
let store: Store;
let media: FakeMedia;
let recordings: Recordings;
let stageArn: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
  store = await openStore(join(folder, 'footlights.db'));
  stageArn = await createTestStage(store);
  await store.change(({ storageConfigurations }) =>
    storageConfigurations.insert({
      ...{ arn: storageConfigurationArn, account, region, name: '', tags: {}, createdAt: new Date(0).toISOString() },
      bucketName: 'bucket',
    }),
  );
  await store.startSession({ stageArn, sessionId, startTime: new Date(0).toISOString() });
  await store.putParticipant({
    ...{ stageArn, sessionId, participantId: 'alice', userId: '', attributes: {}, client: {}, barred: false },
    ...{ state: 'CONNECTED', firstJoinTime: new Date(0).toISOString(), published: true, protocol: 'WHIP' },
  });
  media = new FakeMedia();
  recordings = new Recordings({
    ...{ store, media, log: createLog({ level: 'silent' }), folder },
    now: () => new Date('2026-01-02T03:04:05.678Z'),
    transcode: true,
    sinkOf: (bucket) => ({ type: 'folder', root: folder, bucket }),
  });
});

afterEach(async () => {
  await recordings.flushed();
  await store.close();
  rmSync(folder, { recursive: true });
});

async function configure(more: Partial<RecordingConfiguration> = {}): Promise<void> {
  await store.updateStage(stageArn, ({ recording }) => ({
    recording: { ...recording, storageConfigurationArn, ...more },
  }));
}

const follow = (connectionId?: string, replica = false) =>
  recordings.follow({
    ...{ stageArn, stageId: 'stage', sessionId, participantId: 'alice', replica },
    ...(connectionId && { connectionId }),
  });

/** What the bus is told of the stage. */
async function told() {
  await recordings.flushed();
  const stored = await store.outbox.list({ account, region, stageArn, limit: 10 });
  return stored.map(({ event }) => ({ type: event['detail-type'], ...event.detail }));
}

const did = () => media.recordings.map(({ what }) => what);

/** Waits until the media were asked for so many things. */
const asked = (count: number) => vi.waitFor(() => expect(media.recordings).toHaveLength(count));

async function state() {
  await recordings.flushed();
  const participant = await store.getParticipant(stageArn, sessionId, 'alice');
  return participant?.recordingState;
}

describe('a participant that publishes', () => {
  it('is recorded from state to state, and each is told', async () => {
    await configure();
    follow('a');
    await asked(1);
    const id = media.recordings[0]?.id ?? '';
    expect(media.recordings).toEqual([{ id, what: 'record', connectionId: 'a' }]);
    expect(await state()).toBe('STARTING');
    media.emitRecording({ type: 'started', id });
    expect(await state()).toBe('ACTIVE');
    expect(recordings.isRecording(stageArn)).toBe(true);
    follow();
    await asked(2);
    expect(await state()).toBe('STOPPING');
    media.emitRecording({ type: 'ended', id, started: true, durationMs: 1_234 });
    expect(await state()).toBe('STOPPED');
    expect(recordings.isRecording(stageArn)).toBe(false);
    expect(await store.openRecordings()).toEqual([]);
    const detail = {
      type: 'IVS Participant Recording State Change',
      session_id: sessionId,
      participant_id: 'alice',
      recording_s3_bucket_name: 'bucket',
      recording_s3_key_prefix: `stage/${sessionId}/alice/2026-01-02T03-04-05Z`,
    };
    expect(await told()).toEqual([
      { ...detail, event_name: 'Recording Start' },
      { ...detail, event_name: 'Recording End', recording_duration_ms: 1_234 },
    ]);
  });

  it('is not recorded where the stage is not configured for it', async () => {
    follow('a');
    follow();
    await configure({ recordParticipantReplicas: false });
    follow('b', true);
    await recordings.drain();
    expect(media.recordings).toEqual([]);
    expect(await state()).toBe('DISABLED');
  });

  it('of whom nothing can be recorded has failed', async () => {
    await configure();
    follow('a');
    await asked(1);
    const failure = { code: 'ResourceNotFoundException' as const, reason: 'bucket not found' };
    media.emitRecording({
      type: 'ended',
      id: media.recordings[0]?.id ?? '',
      started: false,
      durationMs: 0,
      failure,
    });
    expect(await state()).toBe('FAILED');
    expect(await told()).toMatchObject([
      {
        event_name: 'Recording Start Failure',
        ...{ error_code: 'ResourceNotFoundException', reason: 'bucket not found' },
      },
    ]);
  });
});

describe('a participant that comes back', () => {
  it('goes on in its recording within the window', async () => {
    await configure({ recordingReconnectWindowSeconds: 60 });
    follow('a');
    await asked(1);
    follow();
    await asked(2);
    follow('b');
    await asked(3);
    expect(did()).toEqual(['record', 'pause', 'record']);
    expect(new Set(media.recordings.map(({ id }) => id)).size).toBe(1);
  });

  it('begins another one, with another prefix, without a window', async () => {
    await configure();
    follow('a');
    await asked(1);
    follow();
    follow('b');
    await asked(3);
    expect(did()).toEqual(['record', 'end', 'record']);
    const prefixes = (await store.openRecordings()).map(({ prefix }) => prefix).sort();
    expect(prefixes.map((prefix) => prefix.slice(-3))).toEqual(['05Z', '06Z']);
  });
});

it('what an earlier run left open is closed', async () => {
  await configure();
  follow('a');
  await asked(1);
  const later = new FakeMedia();
  const next = new Recordings({
    ...{ store, media: later, log: createLog({ level: 'silent' }), folder, now: () => new Date() },
    transcode: true,
    sinkOf: (bucket) => ({ type: 'folder', root: folder, bucket }),
  });
  await next.closeUnfinished();
  expect(later.recordings.map(({ what }) => what)).toEqual(['record', 'end']);
  const failure = { code: 'InternalServerException' as const, reason: 'service internal error' };
  later.emitRecording({ type: 'ended', id: later.recordings[0]?.id ?? '', started: true, durationMs: 9, failure });
  await next.flushed();
  expect(await state()).toBe('FAILED');
  expect(await store.openRecordings()).toEqual([]);
});
