import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  CreateIngestConfigurationCommand,
  CreateStageCommand,
  DeleteIngestConfigurationCommand,
  DisconnectParticipantCommand,
  GetIngestConfigurationCommand,
  GetParticipantCommand,
  GetStageCommand,
  type IngestConfiguration,
  ListIngestConfigurationsCommand,
  ListParticipantEventsCommand,
  UpdateIngestConfigurationCommand,
} from '@aws-sdk/client-ivs-realtime';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type RunningServer, startServer } from './support/server.ts';

let server: RunningServer;
const encoders: ChildProcess[] = [];

beforeAll(async () => {
  server = await startServer();
}, 120_000);

afterEach(() => {
  for (const encoder of encoders.splice(0)) encoder.kill('SIGKILL');
});

afterAll(() => server?.dispose());

/** A moving picture and a tone of FFmpeg; `more` are options of the encoder. */
function publish(url: string, ...more: string[]): { exit: Promise<unknown>; words(): string } {
  const input = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=15', '-f', 'lavfi', '-i', 'sine'];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '30', '-b:v', '200k'];
  const options = [...video, ...(more.length > 0 ? more : ['-bf', '0']), '-c:a', 'aac', '-f', 'flv', url];
  const child = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...input, ...options]);
  encoders.push(child);
  let words = '';
  child.stderr.on('data', (chunk) => (words += chunk));
  return { exit: once(child, 'exit'), words: () => words };
}

async function configure(ingestProtocol: 'RTMP' | 'RTMPS') {
  const { stage } = await server.client.send(new CreateStageCommand({}));
  const { ingestConfiguration } = await server.client.send(
    new CreateIngestConfigurationCommand({
      ...{ ingestProtocol, insecureIngest: true, stageArn: stage?.arn, userId: 'camera', attributes: { seat: '4' } },
    }),
  );
  return { stageArn: stage?.arn ?? '', stage, configuration: ingestConfiguration as IngestConfiguration };
}

async function state({ arn }: IngestConfiguration) {
  const { ingestConfiguration } = await server.client.send(new GetIngestConfigurationCommand({ arn }));
  return ingestConfiguration?.state;
}

async function listed(filterByState: 'ACTIVE' | 'INACTIVE') {
  const { ingestConfigurations = [] } = await server.client.send(
    new ListIngestConfigurationsCommand({ filterByState }),
  );
  return ingestConfigurations.map(({ arn }) => arn);
}

async function sessionId(arn: string): Promise<string> {
  return (await server.client.send(new GetStageCommand({ arn }))).stage?.activeSessionId ?? '';
}

async function events(stageArn: string, { participantId }: IngestConfiguration) {
  const input = { stageArn, sessionId: await sessionId(stageArn), participantId };
  const { events = [] } = await server.client.send(new ListParticipantEventsCommand(input));
  return events.reverse().map(({ name, errorCode }) => (errorCode ? `${name} ${errorCode}` : name));
}

const within = { timeout: 30_000, interval: 200 };

test.each(['RTMP', 'RTMPS'] as const)(
  'FFmpeg is a participant of the stage over %s',
  async (protocol) => {
    const { stageArn, stage, configuration } = await configure(protocol);
    const { rtmp, rtmps } = stage?.endpoints ?? {};
    expect([rtmp, rtmps]).toEqual([server.endpoints.rtmp, server.endpoints.rtmps]);
    const url = `${protocol === 'RTMP' ? rtmp : rtmps}${configuration.streamKey}`;
    const encoder = publish(url);
    await vi.waitFor(
      async () => expect(await events(stageArn, configuration)).toEqual(['JOINED', 'PUBLISH_STARTED']),
      within,
    );
    const { arn, participantId = '' } = configuration;
    const { participant } = await server.client.send(
      new GetParticipantCommand({ stageArn, sessionId: await sessionId(stageArn), participantId }),
    );
    expect(participant).toMatchObject({
      ...{ userId: 'camera', attributes: { seat: '4' }, state: 'CONNECTED', published: true, protocol },
      ...{ ingestConfigurationArn: arn, redundantIngest: false },
    });
    expect(await state(configuration)).toBe('ACTIVE');
    expect([await listed('ACTIVE'), await listed('INACTIVE')].map((arns) => arns.includes(arn))).toEqual([true, false]);
    const conflict = { name: 'ConflictException' };
    await expect(server.client.send(new UpdateIngestConfigurationCommand({ arn, stageArn }))).rejects.toMatchObject(
      conflict,
    );
    await expect(server.client.send(new DeleteIngestConfigurationCommand({ arn }))).rejects.toMatchObject(conflict);

    const second = publish(url);
    await second.exit;
    expect((await events(stageArn, configuration)).at(-1)).toBe('PUBLISH_ERROR REUSE_OF_STREAM_KEY');

    await server.client.send(new DisconnectParticipantCommand({ stageArn, participantId }));
    await encoder.exit;
    const { ingestConfiguration } = await server.client.send(new GetIngestConfigurationCommand({ arn }));
    expect(ingestConfiguration).toMatchObject({ stageArn: '', state: 'INACTIVE' });
    const third = publish(url);
    await third.exit;
    expect(server.output()).toContain('INVALID_STREAM_KEY');
    expect(server.output()).not.toContain(configuration.streamKey);
  },
  120_000,
);

test('FFmpeg with B-frames is refused, and the owner is told why', async () => {
  const { stageArn, configuration } = await configure('RTMP');
  const encoder = publish(`${server.endpoints.rtmp}${configuration.streamKey}`, '-bf', '2', '-b_strategy', '0');
  await encoder.exit;
  await vi.waitFor(
    async () => expect(await events(stageArn, configuration)).toContain('PUBLISH_ERROR B_FRAME_PRESENT'),
    within,
  );
  await vi.waitFor(async () => expect(await state(configuration)).toBe('INACTIVE'), within);
}, 120_000);

test('plain RTMP is refused to a configuration of RTMPS, and a delete by force ends its stream', async () => {
  const { stageArn, configuration } = await configure('RTMPS');
  const encoder = publish(`${server.endpoints.rtmps}${configuration.streamKey}`);
  await vi.waitFor(async () => expect(await events(stageArn, configuration)).toContain('PUBLISH_STARTED'), within);
  const plain = publish(`${server.endpoints.rtmp}${configuration.streamKey}`);
  await plain.exit;
  expect((await events(stageArn, configuration)).at(-1)).toBe('PUBLISH_ERROR INVALID_PROTOCOL');
  await server.client.send(new DeleteIngestConfigurationCommand({ arn: configuration.arn, force: true }));
  await encoder.exit;
  expect((await events(stageArn, configuration)).slice(-2)).toEqual(['PUBLISH_STOPPED', 'LEFT']);
}, 120_000);

test('OBS is told which tracks to make', async () => {
  const { configuration } = await configure('RTMPS');
  const response = await fetch(`${server.endpoints.api}/api/v3/GetClientConfiguration`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ service: 'IVS', schema_version: '2024-06-04', authentication: configuration.streamKey },
      client: { name: 'obs-studio', version: '30.2.0', supported_codecs: ['h264'] },
      preferences: { width: 1920, height: 1080, framerate: { numerator: 30, denominator: 1 }, maximum_video_tracks: 3 },
    }),
  });
  const body = (await response.json()) as Record<string, unknown[]>;
  expect(body.status).toEqual({ result: 'success' });
  expect(body.ingest_endpoints).toEqual([{ protocol: 'RTMPS', url_template: `${server.endpoints.rtmps}{stream_key}` }]);
  expect(body.encoder_configurations).toHaveLength(3);
});
