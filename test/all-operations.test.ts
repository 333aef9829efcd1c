import { generateKeyPairSync } from 'node:crypto';
import * as sdk from '@aws-sdk/client-ivs-realtime';
import { operations } from '@footlights/model';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, publish } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';

// Every operation through AWS's own client, which knows nothing of Footlights but its URL.

const names = Object.keys(operations);
let server: RunningServer;
let browser: Browser;
/** Operations that have answered as they should. */
const succeeded = new Set<string>();

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await server.dispose();
});

/** Sends a command and notes that its operation has answered. */
const client = {
  send: (async (command: sdk.GetStageCommand) => {
    const output = await server.client.send(command);
    succeeded.add(command.constructor.name.replace(/Command$/, ''));
    return output;
  }) as sdk.IVSRealTimeClient['send'],
};

const pem = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
const arnPattern = (type: string) => expect.stringMatching(new RegExp(`^arn:aws:ivs:us-west-2:123456789012:${type}/`));

async function createStage(): Promise<string> {
  const { stage } = await client.send(new sdk.CreateStageCommand({ name: 'demo', tags: { a: 'b' } }));
  return stage?.arn ?? '';
}

async function createEncoder(): Promise<string> {
  const video = { width: 640, height: 360 };
  const { encoderConfiguration } = await client.send(new sdk.CreateEncoderConfigurationCommand({ video }));
  expect(encoderConfiguration?.video).toEqual({ ...video, framerate: 30, bitrate: 2_500_000 });
  return encoderConfiguration?.arn ?? '';
}

async function createStorage(): Promise<string> {
  const s3 = { bucketName: 'recordings' };
  const { storageConfiguration } = await client.send(new sdk.CreateStorageConfigurationCommand({ s3 }));
  expect(storageConfiguration).toEqual({ arn: arnPattern('storage-configuration'), name: '', s3, tags: {} });
  return storageConfiguration?.arn ?? '';
}

describe('with the AWS SDK for JavaScript', () => {
  test('stages and tags', async () => {
    const arn = await createStage();
    const { stage } = await client.send(new sdk.UpdateStageCommand({ arn, name: 'renamed' }));
    expect(await client.send(new sdk.GetStageCommand({ arn }))).toMatchObject({ stage });
    await client.send(new sdk.TagResourceCommand({ resourceArn: arn, tags: { 'c d/é': '1' } }));
    await client.send(new sdk.UntagResourceCommand({ resourceArn: arn, tagKeys: ['a'] }));
    const { tags } = await client.send(new sdk.ListTagsForResourceCommand({ resourceArn: arn }));
    expect(tags).toEqual({ 'c d/é': '1' });
    const { stages } = await client.send(new sdk.ListStagesCommand({ maxResults: 100 }));
    expect(stages).toContainEqual({ arn, name: 'renamed', tags });
    await client.send(new sdk.DeleteStageCommand({ arn }));
    await expect(server.client.send(new sdk.GetStageCommand({ arn }))).rejects.toBeInstanceOf(
      sdk.ResourceNotFoundException,
    );
  });

  test('encoder and storage configurations', async () => {
    const [encoder, storage] = [await createEncoder(), await createStorage()];
    const made = await client.send(new sdk.GetEncoderConfigurationCommand({ arn: encoder }));
    expect(made.encoderConfiguration).toMatchObject({ arn: encoder, tags: {} });
    const { encoderConfigurations } = await client.send(new sdk.ListEncoderConfigurationsCommand({}));
    expect(encoderConfigurations).toContainEqual({ arn: encoder, name: '', tags: {} });
    const { storageConfiguration } = await client.send(new sdk.GetStorageConfigurationCommand({ arn: storage }));
    const { storageConfigurations } = await client.send(new sdk.ListStorageConfigurationsCommand({}));
    expect(storageConfigurations).toContainEqual(storageConfiguration);
    await client.send(new sdk.DeleteEncoderConfigurationCommand({ arn: encoder }));
    await client.send(new sdk.DeleteStorageConfigurationCommand({ arn: storage }));
  });

  test('ingest configurations', async () => {
    const stageArn = await createStage();
    const { ingestConfiguration: made } = await client.send(
      new sdk.CreateIngestConfigurationCommand({ ingestProtocol: 'RTMPS', userId: 'camera', redundantIngest: true }),
    );
    expect(made?.redundantIngestCredentials).toHaveLength(2);
    const arn = made?.arn;
    const update = new sdk.UpdateIngestConfigurationCommand({ arn, stageArn, redundantIngest: false });
    const { ingestConfiguration } = await client.send(update);
    expect(ingestConfiguration).toMatchObject({ stageArn, participantId: made?.participantId, state: 'INACTIVE' });
    const shown = await client.send(new sdk.GetIngestConfigurationCommand({ arn }));
    expect(shown.ingestConfiguration).toEqual(ingestConfiguration);
    const pages = sdk.paginateListIngestConfigurations({ client: server.client }, { filterByStageArn: stageArn });
    for await (const page of pages) expect(page.ingestConfigurations).toMatchObject([{ arn, userId: 'camera' }]);
    await client.send(new sdk.ListIngestConfigurationsCommand({ filterByState: 'INACTIVE' }));
    await client.send(new sdk.DeleteIngestConfigurationCommand({ arn, force: true }));
  });

  test('public keys', async () => {
    const publicKeyMaterial = pem();
    const { publicKey } = await client.send(new sdk.ImportPublicKeyCommand({ publicKeyMaterial, name: 'mine' }));
    expect(publicKey).toMatchObject({ publicKeyMaterial, fingerprint: expect.stringMatching(/^([0-9a-f]{2}:){15}/) });
    const { arn } = publicKey ?? {};
    expect((await client.send(new sdk.GetPublicKeyCommand({ arn }))).publicKey).toEqual(publicKey);
    const { publicKeys } = await client.send(new sdk.ListPublicKeysCommand({}));
    expect(publicKeys).toEqual([{ arn, name: 'mine', tags: {} }]);
    await expect(server.client.send(new sdk.ImportPublicKeyCommand({ publicKeyMaterial }))).rejects.toBeInstanceOf(
      sdk.ConflictException,
    );
    await client.send(new sdk.DeletePublicKeyCommand({ arn }));
  });

  test('compositions', async () => {
    const [stageArn, encoder, storageConfigurationArn] = [
      await createStage(),
      await createEncoder(),
      await createStorage(),
    ];
    const s3 = { storageConfigurationArn, encoderConfigurationArns: [encoder] };
    const input = { stageArn, destinations: [{ s3 }], idempotencyToken: 'one' };
    const { composition } = await client.send(new sdk.StartCompositionCommand(input));
    expect(composition).toMatchObject({ state: 'STARTING', startTime: expect.any(Date), layout: { grid: {} } });
    const { arn } = composition ?? {};
    expect((await client.send(new sdk.StartCompositionCommand(input))).composition?.arn).toBe(arn);
    const other = new sdk.StartCompositionCommand({ ...input, tags: { a: 'b' } });
    await expect(server.client.send(other)).rejects.toBeInstanceOf(sdk.ConflictException);
    await vi.waitFor(async () => {
      const got = await client.send(new sdk.GetCompositionCommand({ arn }));
      expect(got.composition).toMatchObject({ state: 'FAILED', endTime: expect.any(Date) });
    });
    expect(server.output()).toMatch(/composition failed.*does not compose pictures|does not compose pictures.*failed/);
    const filter = { filterByStageArn: stageArn, filterByEncoderConfigurationArn: encoder };
    const { compositions } = await client.send(new sdk.ListCompositionsCommand(filter));
    expect(compositions).toMatchObject([{ arn, destinations: [{ state: 'FAILED' }] }]);
    await client.send(new sdk.StopCompositionCommand({ arn }));
  });

  test('tokens, sessions, participants and replication', async () => {
    const [stageArn, destinationStageArn] = [await createStage(), await createStage()];
    const { participantToken } = await client.send(
      new sdk.CreateParticipantTokenCommand({ stageArn, userId: 'alice' }),
    );
    const { participantId = '', token = '' } = participantToken ?? {};
    const page = await browser.newPage();
    await page.goto(`${server.endpoints.api}/healthz`);
    await publish(page, { url: server.endpoints.whip, token });
    // The browser may be connected a moment before the server has written it down.
    const sessionId = await vi.waitFor(async () => {
      const { stage } = await client.send(new sdk.GetStageCommand({ arn: stageArn }));
      const published = { stageArn, sessionId: stage?.activeSessionId, filterByPublished: true };
      const { participants } = await client.send(new sdk.ListParticipantsCommand(published));
      expect(participants).toHaveLength(1);
      return stage?.activeSessionId;
    }, 10_000);
    const of = { stageArn, sessionId, participantId };

    const replication = { sourceStageArn: stageArn, destinationStageArn, participantId };
    const started = await client.send(new sdk.StartParticipantReplicationCommand(replication));
    expect(started).toMatchObject({ accessControlAllowOrigin: '*', xFrameOptions: 'DENY' });
    const { participant } = await client.send(new sdk.GetParticipantCommand(of));
    expect(participant).toMatchObject({ userId: 'alice', published: true, replicationType: 'SOURCE' });
    await client.send(new sdk.StopParticipantReplicationCommand(replication));
    const replicas = await client.send(new sdk.ListParticipantReplicasCommand(replication));
    expect(replicas.replicas).toMatchObject([{ ...replication, replicationState: 'STOPPED' }]);
    const again = server.client.send(new sdk.StopParticipantReplicationCommand(replication));
    await expect(again).rejects.toBeInstanceOf(sdk.ResourceNotFoundException);

    await client.send(new sdk.DisconnectParticipantCommand({ stageArn, participantId, reason: 'bye' }));
    const { participants } = await client.send(new sdk.ListParticipantsCommand({ stageArn, sessionId }));
    expect(participants).toMatchObject([{ participantId, state: 'DISCONNECTED' }]);
    const { events } = await client.send(new sdk.ListParticipantEventsCommand(of));
    expect(events?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['JOINED', 'PUBLISH_STARTED', 'REPLICATION_STARTED', 'REPLICATION_STOPPED', 'LEFT']),
    );
    const { stageSession } = await client.send(new sdk.GetStageSessionCommand({ stageArn, sessionId }));
    const { stageSessions } = await client.send(new sdk.ListStageSessionsCommand({ stageArn }));
    expect(stageSessions).toEqual([stageSession]);
    await page.close();
  });

  test('that was all 39', () => {
    expect([...succeeded].sort()).toEqual(names.toSorted());
    expect(succeeded.size).toBe(39);
  });
});

const commands: Record<string, unknown> = { ...sdk };

describe('refusals reach the AWS SDK for JavaScript', () => {
  /** Names of nothing, in forms that the client takes without a word. */
  const bad = {
    ...{ arn: 'x', stageArn: 'x', resourceArn: 'x', sourceStageArn: 'x', destinationStageArn: 'x' },
    ...{ name: 'no spaces', maxResults: 101, tags: { '': '' }, tagKeys: [''], sessionId: 'x', participantId: '/' },
    ...{ s3: { bucketName: '' }, video: { width: 1 }, ingestProtocol: 'SRT', publicKeyMaterial: 'x', destinations: [] },
  };

  test.each(names)('of %s', async (name) => {
    // The SDK types each command's input on its own; what matters here is the error.
    const Command = commands[`${name}Command`] as typeof sdk.GetStageCommand;
    await expect(server.client.send(new Command(bad as unknown as sdk.GetStageCommandInput))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/^\d+ validation errors? detected: Value /),
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });
});
