import type { CloseReason, IngestRequest } from '@footlights/media';
import { formatArn, newResourceId } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../log.ts';
import type { IngestConfigurationRecord } from '../store/index.ts';
import { Ingest, resetIngestConfigurations } from './ingest.ts';
import { account, claimsFor, openTestStages, region } from './testing.ts';

type Stages = Awaited<ReturnType<typeof openTestStages>>;

const lines: string[] = [];
const log = createLog({ level: 'debug', terminal: false, output: { write: (line) => void lines.push(line) } });

let opened: Stages;
let ingest: Ingest;

beforeEach(async () => {
  lines.length = 0;
  opened = await openTestStages({ publishers: 2, log });
  ingest = new Ingest({ ...opened, now: () => new Date() });
});

afterEach(() => opened.close());

/** An ingest configuration in the store, bound to the test's stage unless told otherwise. */
async function configuration(more: Partial<IngestConfigurationRecord> = {}): Promise<IngestConfigurationRecord> {
  const id = newResourceId();
  const owner = { account, region, ...more };
  const record: IngestConfigurationRecord = {
    arn: formatArn({ ...owner, type: 'ingest-configuration', id }),
    ...{ name: '', tags: {}, createdAt: new Date().toISOString(), account, region },
    ...{ ingestProtocol: 'RTMPS', participantId: newResourceId(), stageArn: opened.stageArn, state: 'INACTIVE' },
    ...{ userId: 'camera', attributes: { seat: '4' }, redundantIngest: false, redundantIngestCredentials: [] },
    streamKey: `rt_${owner.account}_${owner.region}_${id}_secret`,
    ...more,
  };
  await opened.store.change(({ ingestConfigurations }) => ingestConfigurations.insert(record));
  return record;
}

const ask = (streamKey: string, protocol: IngestRequest['protocol'] = 'RTMPS') =>
  ingest.authorize({ streamKey, protocol, address: '127.0.0.1:40000' });

async function admitted(streamKey: string, protocol: IngestRequest['protocol'] = 'RTMPS') {
  const answer = await ask(streamKey, protocol);
  if ('refused' in answer) throw new Error(answer.refused.code);
  return answer.accepted;
}

async function refusal(streamKey: string, protocol: IngestRequest['protocol'] = 'RTMPS') {
  const answer = await ask(streamKey, protocol);
  return 'refused' in answer ? answer.refused.code : 'accepted';
}

const liveStage = () => opened.stages.of(claimsFor(opened.stageArn));

async function session(): Promise<string> {
  await (await liveStage()).flushed();
  return (await opened.store.getStage(opened.stageArn))?.activeSessionId ?? '';
}

/** Event names of a participant, oldest first. */
async function events(participantId: string) {
  const { items } = await opened.store.listEvents(opened.stageArn, await session(), participantId, {});
  return items.reverse().map((event) => (event.errorCode ? `${event.name} ${event.errorCode}` : event.name));
}

const stateOf = async ({ arn }: IngestConfigurationRecord) => (await opened.store.ingestConfigurations.get(arn))?.state;

/** What was written because of an event of the media. */
const settled = () => opened.store.change(async () => {});

describe('an encoder with a stream key', () => {
  test('becomes the participant of its ingest configuration', async () => {
    const record = await configuration();
    const { connectionId, stageId, participantId } = await admitted(record.streamKey);
    expect([stageId, participantId]).toEqual([opened.stageArn.split('/')[1], record.participantId]);
    expect(await stateOf(record)).toBe('ACTIVE');
    expect(await events(participantId)).toEqual(['JOINED']);
    opened.media.emit({ type: 'connected', connectionId });
    expect(await events(participantId)).toEqual(['JOINED', 'PUBLISH_STARTED']);
    expect(await opened.store.getParticipant(opened.stageArn, await session(), participantId)).toMatchObject({
      ...{ userId: 'camera', attributes: { seat: '4' }, state: 'CONNECTED', published: true },
      ...{ protocol: 'RTMPS', ingestConfigurationArn: record.arn, redundantIngest: false },
    });
    const stage = await liveStage();
    expect(JSON.parse(stage.snapshot()).payload.participants).toEqual([
      {
        ...{ id: participantId, userId: 'camera', attributes: { seat: '4' } },
        ...{ isPublishing: true, audioMuted: false, videoStopped: false },
      },
    ]);
    const viewer = { claims: claimsFor(opened.stageArn), client: {} };
    expect(stage.admitSubscribe(viewer, participantId).source).toEqual({ connectionId, stageId });
  });

  test('leaves, and may come again', async () => {
    const record = await configuration();
    const first = await admitted(record.streamKey);
    opened.media.emit({ type: 'connected', connectionId: first.connectionId });
    opened.media.emit({ type: 'closed', connectionId: first.connectionId, reason: 'peer-closed' });
    await settled();
    expect(await stateOf(record)).toBe('INACTIVE');
    expect(await events(record.participantId)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']);
    const second = await admitted(record.streamKey);
    expect(second.connectionId).not.toBe(first.connectionId);
    expect(await stateOf(record)).toBe('ACTIVE');
  });

  test.each<[CloseReason, string]>([
    ['b-frame-present', 'B_FRAME_PRESENT'],
    ['bitrate-exceeded', 'BITRATE_EXCEEDED'],
    ['resolution-exceeded', 'RESOLUTION_EXCEEDED'],
    ['duration-exceeded', 'STREAM_DURATION_EXCEEDED'],
    ['invalid-video-codec', 'INVALID_VIDEO_CODEC'],
    ['invalid-audio-codec', 'INVALID_AUDIO_CODEC'],
    ['missing-audio', 'INVALID_INPUT'],
    ['missing-video', 'INVALID_INPUT'],
  ])('that is ended with %s has a PUBLISH_ERROR %s', async (reason, errorCode) => {
    const record = await configuration();
    const { connectionId, participantId } = await admitted(record.streamKey);
    opened.media.emit({ type: 'closed', connectionId, reason });
    await settled();
    expect(await events(participantId)).toEqual(['JOINED', `PUBLISH_ERROR ${errorCode}`, 'LEFT']);
    expect(await stateOf(record)).toBe('INACTIVE');
    expect(lines.join('')).toContain(errorCode);
  });

  test('is let in once at a time, even when two ask in the same moment', async () => {
    const record = await configuration();
    const answers = await Promise.all([ask(record.streamKey), ask(record.streamKey)]);
    expect(answers.map((answer) => ('refused' in answer ? answer.refused.code : 'accepted')).sort()).toEqual([
      'REUSE_OF_STREAM_KEY',
      'accepted',
    ]);
    expect(await refusal(record.streamKey)).toBe('REUSE_OF_STREAM_KEY');
    expect((await events(record.participantId)).at(-1)).toBe('PUBLISH_ERROR REUSE_OF_STREAM_KEY');
    expect(await stateOf(record)).toBe('ACTIVE');
  });

  test('needs RTMPS unless its configuration allows RTMP', async () => {
    const secure = await configuration();
    const plain = await configuration({ ingestProtocol: 'RTMP' });
    await admitted(plain.streamKey, 'RTMP');
    expect(await refusal(secure.streamKey, 'RTMP')).toBe('INVALID_PROTOCOL');
    expect(await events(secure.participantId)).toEqual(['PUBLISH_ERROR INVALID_PROTOCOL']);
    expect(await opened.store.getParticipant(opened.stageArn, await session(), plain.participantId)).toMatchObject({
      protocol: 'RTMP',
    });
    expect(await refusal(secure.streamKey, 'RTMPS')).toBe('accepted');
  });

  test('counts among the publishers of the stage', async () => {
    for (let i = 0; i < 2; i++) await admitted((await configuration()).streamKey);
    const third = await configuration();
    expect(await refusal(third.streamKey)).toBe('QUOTA_EXCEEDED');
    expect(await events(third.participantId)).toEqual(['PUBLISH_ERROR QUOTA_EXCEEDED']);
    expect(await stateOf(third)).toBe('INACTIVE');
  });

  test('is one of two with redundant ingest', async () => {
    const base = await configuration();
    const [one, two] = [`${base.streamKey}1`, `${base.streamKey}2`];
    const redundantIngestCredentials = [one, two].map((streamKey) => ({ streamKey, participantId: newResourceId() }));
    await opened.store.change(({ ingestConfigurations }) =>
      ingestConfigurations.update(base.arn, () => ({ redundantIngest: true, redundantIngestCredentials })),
    );
    const [first, second] = [await admitted(one), await admitted(two)];
    expect([first.participantId, second.participantId]).toEqual(
      redundantIngestCredentials.map(({ participantId }) => participantId),
    );
    const { connectionId = '', participantId } = first.redundant ?? {};
    expect([second.redundant, participantId]).toEqual([first.redundant, base.participantId]);
    for (const id of [first.connectionId, second.connectionId, connectionId])
      opened.media.emit({ type: 'connected', connectionId: id });
    const stage = await liveStage();
    const shown = JSON.parse(stage.snapshot()).payload.participants as { id: string }[];
    expect(shown.map(({ id }) => id)).toEqual([base.participantId]);
    const viewer = { claims: claimsFor(opened.stageArn), client: {} };
    expect(stage.admitSubscribe(viewer, base.participantId).source.connectionId).toBe(connectionId);
    expect(() => stage.admitSubscribe(viewer, first.participantId)).toThrow(/publishing/);
    // The quota of two counts what viewers see.
    expect(await refusal((await configuration()).streamKey)).toBe('accepted');
    expect(await refusal((await configuration()).streamKey)).toBe('QUOTA_EXCEEDED');
    opened.media.close(first.connectionId);
    await settled();
    expect(await stateOf(base)).toBe('ACTIVE');
    expect(opened.media.closed).not.toContain(connectionId);
    opened.media.close(second.connectionId);
    await settled();
    expect(await stateOf(base)).toBe('INACTIVE');
    expect(opened.media.closed).toContain(connectionId);
    expect(await events(base.participantId)).toEqual(['JOINED', 'PUBLISH_STARTED', 'PUBLISH_STOPPED', 'LEFT']);
  });
});

describe('a stream key', () => {
  test('that is nobody’s, or has no stage, is refused and not logged', async () => {
    const record = await configuration();
    const unbound = await configuration({ stageArn: '' });
    const elsewhere = record.streamKey.replace(account, '000000000000');
    for (const key of ['', 'x', record.streamKey.slice(0, -1), `${record.streamKey}x`, elsewhere, unbound.streamKey])
      expect(await refusal(key)).toBe('INVALID_STREAM_KEY');
    expect(lines.filter((line) => line.includes('encoder refused'))).toHaveLength(6);
    expect(lines.join('')).not.toContain('secret"');
    expect(await session()).toBe('');
  });

  test('is refused when the stage is gone, or the server is about to stop', async () => {
    const record = await configuration();
    const orphan = await configuration({
      stageArn: formatArn({ account, region, type: 'stage', id: newResourceId() }),
    });
    expect(await refusal(orphan.streamKey)).toBe('STAGE_DELETED');
    await opened.stages.stageDeleted(opened.stageArn);
    expect(await refusal(record.streamKey)).toBe('STAGE_DELETED');
    await opened.stages.drain();
    expect(['UNAVAILABLE', 'STAGE_DELETED']).toContain(await refusal(record.streamKey));
    expect(await stateOf(record)).toBe('INACTIVE');
  });

  test('is refused without words of the database when that fails', async () => {
    const record = await configuration();
    opened.store.change = async () => {
      throw new Error('the disk is gone');
    };
    const answer = await ask(record.streamKey);
    expect(answer).toMatchObject({ refused: { code: 'INTERNAL' } });
    expect(JSON.stringify(answer)).not.toContain('disk');
  });
});

describe('an ingest configuration', () => {
  test('that is taken away ends its encoder', async () => {
    const record = await configuration();
    const { connectionId, participantId } = await admitted(record.streamKey);
    await ingest.end((await configuration()).arn);
    expect(opened.media.closed).toEqual([]);
    await ingest.end(record.arn);
    expect(opened.media.closed).toEqual([connectionId]);
    expect(await events(participantId)).toEqual(['JOINED', 'LEFT']);
  });

  test('that is taken away while its encoder comes lets it not in', async () => {
    const record = await configuration();
    const asked = refusal(record.streamKey);
    const change = opened.store.change.bind(opened.store);
    opened.store.change = async (run) => {
      const result = await change(run);
      opened.store.change = change;
      await ingest.end(record.arn);
      return result;
    };
    expect(await asked).toBe('INVALID_STREAM_KEY');
    expect(await stateOf(record)).toBe('INACTIVE');
  });

  test('whose participant was disconnected can be bound to the stage again', async () => {
    const record = await configuration();
    const { participantId } = await admitted(record.streamKey);
    expect(await opened.stages.disconnectParticipant(opened.stageArn, participantId)).toBe(true);
    expect(await events(participantId)).toEqual(['JOINED', 'LEFT']);
    expect(await refusal(record.streamKey)).toBe('accepted');
  });

  test('is INACTIVE after a crash', async () => {
    const record = await configuration({ state: 'ACTIVE' });
    await resetIngestConfigurations(opened.store);
    expect(await stateOf(record)).toBe('INACTIVE');
  });
});
