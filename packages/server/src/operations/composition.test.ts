import { formatArn, newResourceId } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Compositions } from '../compositions.ts';
import { createLog } from '../log.ts';
import { account, Harness, region } from './harness.ts';

const notFound = { status: 404, error: 'ResourceNotFoundException' };
const invalid = { status: 400, error: 'ValidationException' };
const conflict = { status: 409, error: 'ConflictException' };
const minute = 60_000;

const channelArn = formatArn({ region, account, type: 'channel', id: 'chan' });
const grid = {
  featuredParticipantAttribute: '',
  omitStoppedVideo: false,
  videoAspectRatio: 'VIDEO',
  videoFillMode: '',
  gridGap: 2,
  participantOrderAttribute: '',
};

let api: Harness;
let stageArn: string;
let encoder: string;
let storage: string;
beforeEach(async () => {
  api = await Harness.open();
  stageArn = await api.newStage();
  encoder = arnIn(await api.output('CreateEncoderConfiguration'));
  storage = arnIn(await api.output('CreateStorageConfiguration', { s3: { bucketName: 'bucket' } }));
});
afterEach(() => api.close());

interface Shown {
  arn: string;
  state: string;
  destinations: { id: string; state: string }[];
}
const arnIn = (output: object) => (Object.values(output)[0] as { arn: string }).arn;
const s3 = (more: object = {}) => ({
  s3: { storageConfigurationArn: storage, encoderConfigurationArns: [encoder], ...more },
});
const channel = (more: object = {}) => ({ channel: { channelArn, ...more } });
const input = (more: object = {}) => ({ stageArn, destinations: [s3()], ...more });
const start = async (more: object = {}) => (await api.output('StartComposition', input(more))).composition as Shown;
const get = async (arn: string) => (await api.output('GetComposition', { arn })).composition as Shown;
const listed = async (filter: object = {}) =>
  ((await api.output('ListCompositions', { ...filter })).compositions as Shown[]).map(({ arn }) => arn);

describe('StartComposition', () => {
  it('shows the composition filled as AWS fills it', async () => {
    const composition = await start({ destinations: [channel(), s3()], tags: { a: 'b' } });
    const id = (i: number) => composition.destinations[i]?.id;
    const part = (arn: string) => arn.split('/')[1];
    expect(composition).toEqual({
      arn: expect.stringMatching(/^arn:aws:ivs:us-west-2:123456789012:composition\/[a-zA-Z0-9]{12}$/),
      stageArn,
      state: 'STARTING',
      layout: { grid },
      destinations: [
        { id: expect.any(String), state: 'STARTING', configuration: { name: '', ...channel() } },
        {
          id: expect.any(String),
          state: 'STARTING',
          configuration: {
            name: '',
            ...s3({ recordingConfiguration: { format: 'HLS', hlsConfiguration: { targetSegmentDurationSeconds: 2 } } }),
          },
          detail: {
            s3: { recordingPrefix: `${part(stageArn)}/${part(composition.arn)}/${id(1)}/composite` },
          },
        },
      ],
      tags: { a: 'b' },
      startTime: '2026-01-01T12:00:00.000Z',
    });
    expect(id(0)).not.toBe(id(1));
    expect(await get(composition.arn)).toEqual(composition);
    const { layout: _layout, destinations, ...summary } = composition as Shown & { layout: object };
    expect(await api.output('ListCompositions')).toEqual({
      compositions: [{ ...summary, destinations: destinations.map(({ id, state }) => ({ id, state })) }],
    });
  });

  it('keeps what was given and fills the rest', async () => {
    const pip = { pipWidth: 320, videoFillMode: 'FILL', gridGap: 7 };
    const { layout, destinations } = (await start({
      layout: { pip },
      destinations: [
        {
          name: 'one',
          ...s3({
            recordingConfiguration: { hlsConfiguration: { targetSegmentDurationSeconds: 5 } },
            thumbnailConfigurations: [{}],
          }),
        },
      ],
    })) as unknown as Record<string, unknown>;
    expect(layout).toEqual({
      pip: {
        featuredParticipantAttribute: '',
        omitStoppedVideo: false,
        videoFillMode: 'FILL',
        gridGap: 7,
        pipParticipantAttribute: '',
        pipBehavior: 'STATIC',
        pipOffset: 0,
        pipPosition: 'BOTTOM_RIGHT',
        pipWidth: 320,
        participantOrderAttribute: '',
      },
    });
    expect(destinations).toMatchObject([
      {
        configuration: {
          name: 'one',
          s3: {
            recordingConfiguration: { format: 'HLS', hlsConfiguration: { targetSegmentDurationSeconds: 5 } },
            thumbnailConfigurations: [{ targetIntervalSeconds: 60, storage: ['SEQUENTIAL'] }],
          },
        },
      },
    ]);
    expect(await start({ layout: { grid: { gridGap: 0 } } })).toMatchObject({
      layout: { grid: { ...grid, gridGap: 0 } },
    });
    expect(await start({ layout: {} })).toMatchObject({ layout: { grid } });
  });

  it.each<[string, () => object]>([
    ['no destination', () => ({ destinations: [] })],
    ['three destinations', () => ({ destinations: [channel(), s3(), s3()] })],
    ['an empty destination', () => ({ destinations: [{ name: 'x' }] })],
    ['a destination of two kinds', () => ({ destinations: [{ ...channel(), ...s3() }] })],
    ['two channels', () => ({ destinations: [channel(), channel()] })],
    ['two buckets', () => ({ destinations: [s3(), s3()] })],
    ['two layouts', () => ({ layout: { grid: {}, pip: {} } })],
    ['no encoder', () => ({ destinations: [s3({ encoderConfigurationArns: [] })] })],
    ['two encoders', () => ({ destinations: [s3({ encoderConfigurationArns: [encoder, encoder] })] })],
    ['a reserved tag', () => ({ tags: { 'aws:a': '' } })],
    ['an empty token', () => ({ idempotencyToken: '' })],
    ['a long token', () => ({ idempotencyToken: 'a'.repeat(65) })],
  ])('refuses %s', async (_what, more) => {
    expect(await api.call('StartComposition', input(more()))).toMatchObject(invalid);
    expect(await listed()).toEqual([]);
  });

  it('needs what it names', async () => {
    const other = (arn: string) => [arn.replace(account, '000000000000'), `${arn}x`];
    const bad = [
      ...other(stageArn).map((arn) => ({ stageArn: arn })),
      ...other(encoder).map((arn) => ({ destinations: [s3({ encoderConfigurationArns: [arn] })] })),
      ...other(encoder).map((arn) => ({ destinations: [channel({ encoderConfigurationArn: arn })] })),
      ...other(storage).map((arn) => ({ destinations: [s3({ storageConfigurationArn: arn })] })),
      { destinations: [{ channel: { channelArn: channelArn.replace(region, 'eu-west-1') } }] },
    ];
    for (const more of bad) expect(await api.call('StartComposition', input(more))).toMatchObject(notFound);
    expect(await listed()).toEqual([]);
  });

  it('returns the same composition for the same token and parameters, and no other', async () => {
    const idempotencyToken = 'a-Z_9'.padEnd(64, 'x');
    const given = { idempotencyToken, tags: { a: '1', b: '2' }, layout: { grid: { gridGap: 1 } } };
    const all = await Promise.all(Array.from({ length: 5 }, () => start(given)));
    expect(new Set(all.map(({ arn }) => arn)).size).toBe(1);
    expect(await start({ ...given, tags: { b: '2', a: '1' } })).toEqual(all[0]);
    for (const other of [{ tags: { a: '1' } }, { layout: {} }, { destinations: [channel()] }])
      expect(await api.call('StartComposition', input({ ...given, ...other }))).toMatchObject({
        ...conflict,
        message: expect.stringContaining(idempotencyToken),
      });
    await api.pass(0);
    expect((await start(given)).state).toBe('FAILED');
    await api.pass(5 * minute);
    expect((await start(given)).arn).not.toBe(all[0]?.arn);
  });

  it('stops at the quotas of the stage and of the account, which what has ended does not count for', async () => {
    api.quotas['compositions-per-stage'] = 2;
    api.quotas.compositions = 3;
    const first = await start();
    await start();
    const quota = (name: string) => ({
      ...{ status: 402, error: 'ServiceQuotaExceededException' },
      message: expect.stringContaining(`--quota ${name}=`),
    });
    expect(await api.call('StartComposition', input())).toMatchObject(quota('compositions-per-stage'));
    await start({ stageArn: await api.newStage() });
    const another = input({ stageArn: await api.newStage() });
    expect(await api.call('StartComposition', another)).toMatchObject(quota('compositions'));
    await api.output('StopComposition', { arn: first.arn });
    await start();
  });
});

describe('a composition', () => {
  it('fails at once and says why in the log, since nothing composes pictures yet', async () => {
    const { arn } = await start();
    api.time += 1000;
    await api.pass(0);
    const end = { state: 'FAILED', endTime: '2026-01-01T12:00:01.000Z' };
    expect(await get(arn)).toMatchObject({ ...end, destinations: [end] });
    expect(api.logLines.filter((line) => line.includes(arn))).toEqual([
      expect.stringMatching(/"warn".*does not compose pictures.*composition failed/),
    ]);
  });

  it('is stopped, and stays so', async () => {
    const { arn } = await start();
    expect(await api.output('StopComposition', { arn })).toEqual({});
    await api.pass(1000);
    expect(await api.output('StopComposition', { arn })).toEqual({});
    const end = { state: 'STOPPED', endTime: '2026-01-01T12:00:00.000Z' };
    expect(await get(arn)).toMatchObject({ ...end, destinations: [end] });
    expect(await api.call('StopComposition', { arn: `${arn}x` })).toMatchObject(notFound);
  });

  it('can be looked at for five minutes after its end', async () => {
    const { arn } = await start();
    await api.pass(0);
    await api.pass(5 * minute - 1);
    expect(await listed()).toEqual([arn]);
    await api.pass(1);
    expect(await listed()).toEqual([]);
    for (const name of ['GetComposition', 'StopComposition'] as const)
      expect(await api.call(name, { arn })).toMatchObject(notFound);
  });

  it('fails and is forgotten in time when the server was started anew meanwhile', async () => {
    const [ended, running] = [await start(), await start()];
    await api.output('StopComposition', { arn: ended.arn });
    api.compositions.close();
    expect(api.timers.size).toBe(0);
    await api.pass(4 * minute);
    const timers = new Map<() => void, number>();
    const again = new Compositions({
      store: api.store,
      log: createLog({ level: 'silent' }),
      now: () => new Date(api.time),
      timer: (milliseconds, run) => {
        timers.set(run, milliseconds);
        return () => timers.delete(run);
      },
    });
    await again.resume();
    expect((await get(ended.arn)).state).toBe('STOPPED');
    expect((await get(running.arn)).state).toBe('FAILED');
    expect([...timers.values()]).toEqual([minute, 5 * minute]);
    api.time += 9 * minute;
    again.close();
    await again.resume();
    expect([...timers.values()]).toEqual([0, 0]);
  });

  it('holds on to its encoder and storage configuration until its end', async () => {
    const { arn } = await start();
    const remove = () =>
      Promise.all([
        api.call('DeleteEncoderConfiguration', { arn: encoder }),
        api.call('DeleteStorageConfiguration', { arn: storage }),
      ]);
    for (const answer of await remove())
      expect(answer).toMatchObject({ ...conflict, message: expect.stringMatching(/^A composition uses arn:/) });
    await api.output('StopComposition', { arn });
    expect(await remove()).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it('is listed by stage and by encoder, page by page', async () => {
    const other = await api.newStage();
    api.time += 1;
    const one = await start();
    api.time += 1;
    const two = await start({ destinations: [channel()] });
    api.time += 1;
    const three = await start({ stageArn: other, destinations: [channel({ encoderConfigurationArn: encoder })] });
    expect(await listed()).toEqual([one.arn, two.arn, three.arn]);
    expect(await listed({ filterByStageArn: stageArn })).toEqual([one.arn, two.arn]);
    expect(await listed({ filterByEncoderConfigurationArn: encoder })).toEqual([one.arn, three.arn]);
    expect(await listed({ filterByStageArn: other, filterByEncoderConfigurationArn: encoder })).toEqual([three.arn]);
    const { nextToken } = await api.output('ListCompositions', { maxResults: 2 });
    expect(await listed({ nextToken })).toEqual([three.arn]);
    expect(await api.call('ListCompositions', { nextToken, filterByStageArn: stageArn })).toMatchObject(invalid);
  });

  it('is tagged', async () => {
    const { arn: resourceArn } = await start({ tags: { a: 'b' } });
    await api.output('TagResource', { resourceArn, tags: { c: 'd' } });
    expect(await api.output('ListTagsForResource', { resourceArn })).toEqual({ tags: { a: 'b', c: 'd' } });
    expect(await get(resourceArn)).toMatchObject({ tags: { a: 'b', c: 'd' } });
  });

  it('of another account or region is not found', async () => {
    const { arn } = await start();
    const record = (await api.store.compositions.get(arn))!;
    const elsewhere = { ...record, arn: arn.replace(account, '000000000000'), account: '000000000000' };
    await api.store.change(({ compositions }) => compositions.insert({ ...elsewhere, idempotencyToken: 'theirs' }));
    expect(await listed()).toEqual([arn]);
    expect((await start({ idempotencyToken: 'theirs' })).arn).not.toBe(elsewhere.arn);
    for (const name of ['GetComposition', 'StopComposition'] as const)
      for (const other of [elsewhere.arn, formatArn({ region, account, type: 'composition', id: newResourceId() })])
        expect(await api.call(name, { arn: other })).toMatchObject(notFound);
  });
});
