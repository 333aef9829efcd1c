import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatArn, newResourceId, type OperationName, type ResourceType } from '@footlights/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QuotaName } from '../quotas.ts';
import { account, Harness, region } from './harness.ts';

const notFound = { status: 404, error: 'ResourceNotFoundException' };
const invalid = { status: 400, error: 'ValidationException' };
const conflict = { status: 409, error: 'ConflictException' };

const newPem = (namedCurve = 'P-384') =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** How one kind of resource is made and shown. */
interface Kind {
  create: OperationName;
  get: OperationName;
  list: OperationName;
  remove: OperationName;
  type: ResourceType;
  quota: QuotaName;
  /** Input that is enough. */
  input(): Record<string, unknown>;
  /** Members of the answers. */
  one: string;
  many: string;
  /** Members that the list shows. */
  summary: readonly string[];
}

const kinds: Kind[] = [
  {
    create: 'CreateStorageConfiguration',
    get: 'GetStorageConfiguration',
    list: 'ListStorageConfigurations',
    remove: 'DeleteStorageConfiguration',
    type: 'storage-configuration',
    quota: 'storage-configurations',
    input: () => ({ s3: { bucketName: 'recordings' } }),
    one: 'storageConfiguration',
    many: 'storageConfigurations',
    summary: ['arn', 'name', 's3', 'tags'],
  },
  {
    create: 'CreateEncoderConfiguration',
    get: 'GetEncoderConfiguration',
    list: 'ListEncoderConfigurations',
    remove: 'DeleteEncoderConfiguration',
    type: 'encoder-configuration',
    quota: 'encoder-configurations',
    input: () => ({}),
    one: 'encoderConfiguration',
    many: 'encoderConfigurations',
    summary: ['arn', 'name', 'tags'],
  },
  {
    create: 'CreateIngestConfiguration',
    get: 'GetIngestConfiguration',
    list: 'ListIngestConfigurations',
    remove: 'DeleteIngestConfiguration',
    type: 'ingest-configuration',
    quota: 'ingest-configurations',
    input: () => ({ ingestProtocol: 'RTMPS' }),
    one: 'ingestConfiguration',
    many: 'ingestConfigurations',
    summary: ['name', 'arn', 'ingestProtocol', 'stageArn', 'participantId', 'state', 'userId', 'redundantIngest'],
  },
  {
    create: 'ImportPublicKey',
    get: 'GetPublicKey',
    list: 'ListPublicKeys',
    remove: 'DeletePublicKey',
    type: 'public-key',
    quota: 'public-keys',
    input: () => ({ publicKeyMaterial: newPem() }),
    one: 'publicKey',
    many: 'publicKeys',
    summary: ['arn', 'name', 'tags'],
  },
];

let api: Harness;
beforeEach(async () => {
  api = await Harness.open();
});
afterEach(() => api.close());

type Resource = Record<string, unknown> & { arn: string };

async function create(kind: Kind, input: Record<string, unknown> = {}): Promise<Resource> {
  const output = await api.output(kind.create, { ...kind.input(), ...input });
  return output[kind.one] as Resource;
}

const createNamed = (type: ResourceType, input: Record<string, unknown> = {}) =>
  create(kinds.find((kind) => kind.type === type)!, input);

const unknownArn = (type: ResourceType) => formatArn({ region, account, type, id: newResourceId() });

describe.each(kinds)('$type', (kind) => {
  it('is made, shown, listed and deleted', async () => {
    const made = await create(kind, { name: 'a-Z_9', tags: { a: 'b' } });
    expect(made).toMatchObject({ name: 'a-Z_9', tags: { a: 'b' } });
    expect(made.arn).toMatch(new RegExp(`^arn:aws:ivs:us-west-2:123456789012:${kind.type}/[a-zA-Z0-9]{12}$`));
    expect(await api.output(kind.get, { arn: made.arn })).toEqual({ [kind.one]: made });
    const summary = Object.fromEntries(kind.summary.map((member) => [member, made[member]]));
    expect(await api.output(kind.list)).toEqual({ [kind.many]: [summary] });
    expect(await api.output(kind.remove, { arn: made.arn })).toEqual({});
    expect(await api.output(kind.list)).toEqual({ [kind.many]: [] });
    for (const name of [kind.get, kind.remove])
      expect(await api.call(name, { arn: made.arn })).toMatchObject({
        ...notFound,
        message: expect.stringMatching(new RegExp(`^\\w+ \\w+ not found: ${made.arn}$`)),
      });
  });

  it('has an empty name and no tags unless told', async () => {
    expect(await create(kind)).toMatchObject({ name: '', tags: {} });
  });

  it('is found by no other account, region or kind', async () => {
    const { arn } = await create(kind);
    const elsewhere = [arn.replace(region, 'eu-west-1'), arn.replace(account, '000000000000'), arn.slice(0, -1)];
    for (const other of elsewhere) {
      expect(await api.call(kind.get, { arn: other })).toMatchObject(notFound);
      expect(await api.call(kind.remove, { arn: other })).toMatchObject(notFound);
    }
    expect(await api.call(kind.get, { arn: arn.replace(kind.type, 'stage') })).toMatchObject(invalid);
    expect(await api.output(kind.list)).toMatchObject({ [kind.many]: [{ arn }] });
  });

  it('stops at its quota, however many come at once, and names it', async () => {
    api.quotas[kind.quota] = 3;
    const answers = await Promise.all(Array.from({ length: 5 }, () => api.call(kind.create, kind.input())));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 402, 402]);
    expect(answers.find(({ status }) => status === 402)).toMatchObject({
      error: 'ServiceQuotaExceededException',
      message: expect.stringMatching(new RegExp(`^There are 3 .* quota ${kind.quota} .* --quota ${kind.quota}=NUMBER`)),
    });
    const listed = (await api.output(kind.list))[kind.many] as Resource[];
    await api.output(kind.remove, { arn: listed[0]!.arn });
    await create(kind);
  });

  it('is listed page by page, oldest first', async () => {
    const arns: string[] = [];
    for (let i = 0; i < 3; i++) {
      api.time += 1;
      arns.push((await create(kind)).arn);
    }
    const first = await api.output(kind.list, { maxResults: 2 });
    expect((first[kind.many] as Resource[]).map(({ arn }) => arn)).toEqual(arns.slice(0, 2));
    const second = await api.output(kind.list, { maxResults: 2, nextToken: first.nextToken });
    expect((second[kind.many] as Resource[]).map(({ arn }) => arn)).toEqual(arns.slice(2));
    expect(second).not.toHaveProperty('nextToken');
    const other = kinds[(kinds.indexOf(kind) + 1) % kinds.length]!;
    expect(await api.call(other.list, { nextToken: first.nextToken })).toMatchObject(invalid);
    expect(await api.call(kind.list, { maxResults: 101 })).toMatchObject(invalid);
  });

  it('is tagged', async () => {
    const { arn: resourceArn } = await create(kind, { tags: { a: '1' } });
    const add = (key: string) => api.output('TagResource', { resourceArn, tags: { [key]: '' } });
    await Promise.all(Array.from({ length: 10 }, (_, i) => add(`k${i}`)));
    await api.output('UntagResource', { resourceArn, tagKeys: ['a'] });
    const { tags } = await api.output('ListTagsForResource', { resourceArn });
    expect(Object.keys(tags as object)).toHaveLength(10);
    expect(await api.output(kind.get, { arn: resourceArn })).toMatchObject({ [kind.one]: { tags } });
    expect(await api.call('TagResource', { resourceArn, tags: { 'aws:x': '' } })).toMatchObject(invalid);
    expect(await api.call(kind.create, { ...kind.input(), tags: { 'AWS:x': '' } })).toMatchObject(invalid);
    for (const name of ['TagResource', 'UntagResource', 'ListTagsForResource'] as const) {
      const input = { resourceArn: unknownArn(kind.type), tags: { a: 'b' }, tagKeys: ['a'] };
      expect(await api.call(name, input)).toMatchObject(notFound);
    }
  });
});

describe('a storage configuration', () => {
  it('makes the folder of its bucket', async () => {
    await createNamed('storage-configuration', { s3: { bucketName: 'a.b-3' } });
    await createNamed('storage-configuration', { s3: { bucketName: 'a.b-3' } });
    expect(readdirSync(join(api.folder, 'buckets'))).toEqual(['a.b-3']);
  });

  it.each(['..a', 'a..b', '...', '-ab', 'ab.', 'a/b', '../x', 'AAA', 'ab', 'a'.repeat(64)])(
    'takes no bucket named %s',
    async (bucketName) => {
      expect(await api.call('CreateStorageConfiguration', { s3: { bucketName } })).toMatchObject({
        ...invalid,
        message: expect.stringContaining("'s3.bucketName'"),
      });
      expect(existsSync(join(api.folder, 'buckets'))).toBe(false);
    },
  );

  it('is not made when its folder cannot be', async () => {
    writeFileSync(join(api.folder, 'buckets'), '');
    expect(await api.call('CreateStorageConfiguration', { s3: { bucketName: 'abc' } })).toMatchObject({ status: 500 });
    expect(await api.output('ListStorageConfigurations')).toEqual({ storageConfigurations: [] });
  });

  it('is what the recordings of a stage go to', async () => {
    const { arn: storageConfigurationArn } = await createNamed('storage-configuration');
    const { stage } = await api.output('CreateStage', {
      autoParticipantRecordingConfiguration: {
        storageConfigurationArn,
        thumbnailConfiguration: { recordingMode: 'INTERVAL' },
        recordParticipantReplicas: false,
      },
    });
    const recording = {
      storageConfigurationArn,
      mediaTypes: ['AUDIO_VIDEO'],
      thumbnailConfiguration: { targetIntervalSeconds: 60, storage: ['SEQUENTIAL'], recordingMode: 'INTERVAL' },
      recordingReconnectWindowSeconds: 0,
      hlsConfiguration: { targetSegmentDurationSeconds: 6 },
      recordParticipantReplicas: false,
    };
    expect(stage).toHaveProperty('autoParticipantRecordingConfiguration', recording);
    const { arn } = stage as { arn: string };
    const changed = { storageConfigurationArn, hlsConfiguration: { targetSegmentDurationSeconds: 2 } };
    const update = () => api.call('UpdateStage', { arn, autoParticipantRecordingConfiguration: changed });
    api.publishing.add(arn);
    expect(await update()).toMatchObject({ ...conflict, message: expect.stringContaining('while participants') });
    expect(await api.call('UpdateStage', { arn, name: 'renamed' })).toMatchObject({ status: 200 });
    api.publishing.clear();
    expect((await update()).body.stage).toMatchObject({
      name: 'renamed',
      autoParticipantRecordingConfiguration: { ...changed, recordParticipantReplicas: true },
    });
  });

  it('of another account or region is none', async () => {
    const { arn } = await createNamed('storage-configuration');
    for (const storageConfigurationArn of [arn.replace(region, 'eu-west-1'), arn.replace(account, '000000000000')]) {
      const autoParticipantRecordingConfiguration = { storageConfigurationArn };
      expect(await api.call('CreateStage', { autoParticipantRecordingConfiguration })).toMatchObject(invalid);
      const stage = await api.newStage();
      expect(await api.call('UpdateStage', { arn: stage, autoParticipantRecordingConfiguration })).toMatchObject(
        notFound,
      );
    }
  });

  it('is listed as many at a time as there may be', async () => {
    api.quotas['storage-configurations'] = 3;
    for (let i = 0; i < 3; i++) await createNamed('storage-configuration');
    api.quotas['storage-configurations'] = 2;
    expect((await api.output('ListStorageConfigurations')).storageConfigurations).toHaveLength(2);
  });
});

describe('an encoder configuration', () => {
  it('is 720p at 30 frames and 2.5 Mbit/s unless told otherwise', async () => {
    const { video } = await createNamed('encoder-configuration');
    expect(video).toEqual({ width: 1280, height: 720, framerate: 30, bitrate: 2_500_000 });
    const { video: other } = await createNamed('encoder-configuration', { video: { framerate: 29.97 } });
    expect(other).toEqual({ width: 1280, height: 720, framerate: 29.97, bitrate: 2_500_000 });
  });

  it.each([
    [
      { width: 1920, height: 1080 },
      { width: 1920, height: 1082 },
    ],
    [
      { width: 1080, height: 1920 },
      { width: 1082, height: 1920 },
    ],
    [{ width: 2, height: 2 }, { width: 3 }],
    [{ width: 1920 }, { width: 1922 }],
    [{ height: 1080 }, { height: 721 }],
    [{ framerate: 1 }, { framerate: 0.5 }],
    [{ framerate: 60 }, { framerate: 60.5 }],
    [{ bitrate: 8_500_000 }, { bitrate: 8_500_001 }],
    [{ bitrate: 1 }, { bitrate: 0 }],
  ])('may have %j and not what lies beyond', async (good, bad) => {
    expect((await createNamed('encoder-configuration', { video: good })).video).toMatchObject(good);
    expect(await api.call('CreateEncoderConfiguration', { video: bad })).toMatchObject({
      ...invalid,
      message: expect.stringContaining("'video"),
    });
  });
});

describe('an ingest configuration', () => {
  it('has a stream key and a participant of its own', async () => {
    const { arn, streamKey, participantId, ...rest } = await createNamed('ingest-configuration', {
      attributes: { seat: '4' },
      userId: 'camera',
    });
    expect(rest).toEqual({
      name: '',
      ingestProtocol: 'RTMPS',
      stageArn: '',
      state: 'INACTIVE',
      userId: 'camera',
      redundantIngest: false,
      attributes: { seat: '4' },
      tags: {},
    });
    expect(streamKey).toMatch(new RegExp(`^rt_${account}_${region}_${arn.split('/')[1]}_[a-zA-Z0-9]{30}$`));
    expect(participantId).toMatch(/^[a-zA-Z0-9]{12}$/);
    expect((await createNamed('ingest-configuration')).streamKey).not.toBe(streamKey);
    expect(api.logLines.join()).not.toContain(streamKey);
  });

  it('uses RTMP without TLS only when told that this is meant', async () => {
    const input = { ingestProtocol: 'RTMP' };
    expect(await api.call('CreateIngestConfiguration', input)).toMatchObject({
      ...invalid,
      message: expect.stringContaining('insecureIngest'),
    });
    expect((await createNamed('ingest-configuration', { ...input, insecureIngest: true })).ingestProtocol).toBe('RTMP');
    expect((await createNamed('ingest-configuration', { insecureIngest: true })).ingestProtocol).toBe('RTMPS');
  });

  it('has two ways in with redundant ingest, the first with the key that it had', async () => {
    const made = await createNamed('ingest-configuration');
    const { arn, streamKey, participantId } = made;
    expect(made).not.toHaveProperty('redundantIngestCredentials');
    const update = async (redundantIngest: boolean) =>
      (await api.output('UpdateIngestConfiguration', { arn, redundantIngest })).ingestConfiguration as Resource;
    const { redundantIngestCredentials: credentials, ...changed } = await update(true);
    expect(changed).toEqual({ ...made, redundantIngest: true });
    const [one, two] = credentials as { streamKey: string; participantId: string }[];
    expect(one?.streamKey).toBe(streamKey);
    expect(new Set([participantId, one?.participantId, two?.participantId]).size).toBe(3);
    expect((await update(true)).redundantIngestCredentials).toEqual(credentials);
    expect(await update(false)).toEqual(made);
    expect(
      (await createNamed('ingest-configuration', { redundantIngest: true })).redundantIngestCredentials,
    ).toHaveLength(2);
  });

  it('names a stage that there is, or none', async () => {
    const stageArn = await api.newStage();
    const elsewhere = stageArn.replace(account, '000000000000');
    for (const unknown of [unknownArn('stage'), elsewhere])
      expect(await api.call('CreateIngestConfiguration', { ingestProtocol: 'RTMPS', stageArn: unknown })).toMatchObject(
        { ...invalid, message: `Stage not found: ${unknown}` },
      );
    const { arn } = await createNamed('ingest-configuration', { stageArn });
    const update = (input: object) => api.call('UpdateIngestConfiguration', { arn, ...input });
    expect(await update({ stageArn: unknownArn('stage') })).toMatchObject(notFound);
    expect((await update({})).body.ingestConfiguration).toMatchObject({ stageArn });
    expect((await update({ stageArn: '' })).body.ingestConfiguration).toMatchObject({ stageArn: '' });
    expect((await update({ stageArn })).body.ingestConfiguration).toMatchObject({ stageArn });
    expect(await api.call('UpdateIngestConfiguration', { arn: unknownArn('ingest-configuration') })).toMatchObject(
      notFound,
    );
  });

  it('loses its stage with it', async () => {
    const [doomed, kept] = [await api.newStage(), await api.newStage()];
    const one = await createNamed('ingest-configuration', { stageArn: doomed });
    const two = await createNamed('ingest-configuration', { stageArn: kept });
    await api.output('DeleteStage', { arn: doomed });
    const stageOf = async ({ arn }: Resource) =>
      ((await api.output('GetIngestConfiguration', { arn })).ingestConfiguration as Resource).stageArn;
    expect([await stageOf(one), await stageOf(two)]).toEqual(['', kept]);
  });

  it('is listed by stage or by state, not by both', async () => {
    const stageArn = await api.newStage();
    const one = await createNamed('ingest-configuration', { stageArn });
    const two = await createNamed('ingest-configuration');
    await activate(two.arn);
    const listed = async (input: object) =>
      ((await api.output('ListIngestConfigurations', { ...input })).ingestConfigurations as Resource[]).map(
        ({ arn }) => arn,
      );
    expect(await listed({ filterByStageArn: stageArn })).toEqual([one.arn]);
    expect(await listed({ filterByState: 'ACTIVE' })).toEqual([two.arn]);
    expect(await listed({ filterByState: 'INACTIVE' })).toEqual([one.arn]);
    expect(
      await api.call('ListIngestConfigurations', { filterByStageArn: stageArn, filterByState: 'ACTIVE' }),
    ).toMatchObject(invalid);
  });

  it('is neither changed nor deleted while an encoder publishes, unless by force', async () => {
    const stageArn = await api.newStage();
    const { arn } = await createNamed('ingest-configuration', { stageArn });
    await activate(arn);
    expect(await api.call('UpdateIngestConfiguration', { arn, stageArn: '' })).toMatchObject(conflict);
    expect(await api.call('DeleteIngestConfiguration', { arn })).toMatchObject(conflict);
    expect(await api.output('DeleteIngestConfiguration', { arn, force: true })).toEqual({});
    expect(api.liveCalls).toEqual([['endEncoders', arn]]);
    expect(await api.call('DeleteIngestConfiguration', { arn, force: true })).toMatchObject(notFound);
  });

  it.each([false, true])(
    'loses its stage when its participant is disconnected (redundant: %s)',
    async (redundantIngest) => {
      const stageArn = await api.newStage();
      const one = await createNamed('ingest-configuration', { stageArn, redundantIngest });
      const two = await createNamed('ingest-configuration', { stageArn });
      await activate(one.arn);
      await activate(two.arn);
      const [credential] = (one.redundantIngestCredentials ?? []) as { participantId: string }[];
      const participantId = credential?.participantId ?? one.participantId;
      const disconnect = () => api.call('DisconnectParticipant', { stageArn, participantId });
      expect(await disconnect()).toMatchObject(notFound);
      const shown = async ({ arn }: Resource) =>
        (await api.output('GetIngestConfiguration', { arn })).ingestConfiguration as Resource;
      expect(await shown(one)).toMatchObject({ stageArn, state: 'ACTIVE' });
      api.livePeople.add(String(participantId));
      api.liveCalls.length = 0;
      expect(await disconnect()).toMatchObject({ status: 200 });
      expect(api.liveCalls).toEqual([
        ['disconnectParticipant', stageArn, participantId, undefined],
        ['endEncoders', one.arn],
      ]);
      expect(await shown(one)).toMatchObject({ stageArn: '', state: 'INACTIVE' });
      expect(await shown(two)).toMatchObject({ stageArn, state: 'ACTIVE' });
    },
  );

  const activate = (arn: string) =>
    api.store.change(({ ingestConfigurations }) => ingestConfigurations.update(arn, () => ({ state: 'ACTIVE' })));
});

describe('a public key', () => {
  it('has the MD5 of its DER as fingerprint', async () => {
    const publicKeyMaterial = [
      '-----BEGIN PUBLIC KEY-----',
      'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqofKIr6LBTeOscce8yCtdG4dO2KLp5uY',
      'WfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR8',
      '6doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f',
      '-----END PUBLIC KEY-----',
      '',
    ].join('\n');
    const made = await createNamed('public-key', { publicKeyMaterial });
    expect(made).toMatchObject({
      publicKeyMaterial,
      fingerprint: '89:5b:3c:15:0f:c9:0e:af:f0:2d:a3:e6:1e:0c:f5:45',
    });
    expect(await api.call('ImportPublicKey', { publicKeyMaterial })).toMatchObject({
      ...conflict,
      message: `The key was imported before, as ${made.arn}`,
    });
    const other = publicKeyMaterial.replaceAll('\n', '\r\n');
    expect(await api.call('ImportPublicKey', { publicKeyMaterial: other })).toMatchObject(conflict);
    await api.output('DeletePublicKey', { arn: made.arn });
    expect(await createNamed('public-key', { publicKeyMaterial: other })).toMatchObject({
      publicKeyMaterial: other,
      fingerprint: made.fingerprint,
    });
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const pkcs8 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  it.each([
    ['P-256', newPem('P-256'), 'is a key of type prime256v1'],
    ['P-521', newPem('P-521'), 'is a key of type secp521r1'],
    ['RSA', rsa.export({ type: 'spki', format: 'pem' }), 'is a key of type rsa'],
    ['cut off', newPem().replace(/.{20}\n-----END/, '\n-----END'), 'is not a public key'],
    ['no key at all', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'is not a public key'],
    ['a private key', pkcs8, 'pattern'],
    ['RSA in PKCS #1', rsa.export({ type: 'pkcs1', format: 'pem' }), 'pattern'],
    ['empty', '', 'pattern'],
  ])('is not one of %s', async (_what, publicKeyMaterial, words) => {
    expect(await api.call('ImportPublicKey', { publicKeyMaterial })).toMatchObject({
      ...invalid,
      message: expect.stringMatching(new RegExp(`'publicKeyMaterial'.*${words}`, 's')),
    });
  });
});
