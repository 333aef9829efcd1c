import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { CreateParticipantTokenCommand, CreateStageCommand, ListStagesCommand } from '@aws-sdk/client-ivs-realtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { cleanEnvironment, executable, startServer, temporaryFolder } from './support/server.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = temporaryFolder();
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Runs `footlights` with the arguments to its end. */
function footlights(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [executable, ...args], {
    encoding: 'utf8',
    timeout: 15_000,
    env: { ...cleanEnvironment(), ...env },
  });
}

const startOnce = (...args: string[]) =>
  footlights([
    'start',
    '--port=0',
    '--media-port=0',
    '--rtmp-port=0',
    '--rtmps-port=0',
    '--data-dir',
    dataDir,
    ...args,
  ]);

describe('a start that fails is one clear line and exit code 1', () => {
  test('unknown option', () => {
    const { status, stderr } = startOnce('--prot', '7070');
    expect(stderr).toMatch(/^footlights: .*--prot.*\n$/);
    expect(status).toBe(1);
  });

  test.each([
    ['--port', '70700'],
    ['--media-workers', '0'],
    ['--account-id', '12'],
    ['--log-level', 'loud'],
    ['--session-end-delay', 'soon'],
  ])('%s %s', (option, value) => {
    const { status, stderr } = startOnce(option, value);
    expect(stderr).toMatch(new RegExp(`^footlights: .*${option}.*\\n$`));
    expect(status).toBe(1);
  });

  test('a variable of the environment', () => {
    const { status, stderr } = footlights(['start', '--data-dir', dataDir], { FOOTLIGHTS_PORT: 'x' });
    expect(stderr).toMatch(/^footlights: .*FOOTLIGHTS_PORT.*\n$/);
    expect(status).toBe(1);
  });

  test('the TCP port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const child = spawn(process.execPath, [
      executable,
      'start',
      '--port',
      String(port),
      '--no-ingest',
      '--media-port',
      '0',
      '--data-dir',
      dataDir,
    ]);
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(stderr).toMatch(new RegExp(`^footlights: port ${port} .*in use.*\\n$`));
    other.close();
  });

  test('the UDP port is taken', async () => {
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    const child = spawn(process.execPath, [
      executable,
      'start',
      '--port',
      '0',
      '--no-ingest',
      '--media-port',
      String(port),
      '--data-dir',
      dataDir,
    ]);
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(stderr).toMatch(new RegExp(`^footlights: .*UDP port ${port}.*\\n$`));
    other.close();
  });

  test.each(['rtmp-port', 'rtmps-port'])('the TCP port of --%s is taken', async (option) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = startOnce(`--${option}`, String(port));
    expect(stderr).toMatch(new RegExp(`^footlights: .*${port}.*in use.*\\n$`));
    expect(status).toBe(1);
    other.close();
  });

  test('the data folder is a file', () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    const { status, stderr } = startOnce('--data-dir', file);
    expect(stderr).toMatch(/^footlights: .*file.*\n$/);
    expect(status).toBe(1);
  });

  test('the database is no database', () => {
    writeFileSync(join(dataDir, 'footlights.db'), 'not a database, for sure'.repeat(100));
    const { status, stderr } = startOnce();
    expect(stderr).toMatch(/^footlights: .*footlights\.db.*\n$/);
    expect(status).toBe(1);
  });
});

describe('a server that runs', () => {
  test('keeps its keys to its owner and the same over restarts, and says where it is', async () => {
    const first = await startServer({ dataDir });
    expect(statSync(join(dataDir, 'credentials')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'credentials'), 'utf8')).toMatch(
      /^\[default\]\naws_access_key_id = ?\S+\naws_secret_access_key = ?\S{40}\n/,
    );
    expect(first.endpoints).toMatchObject({
      api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      whip: `${first.endpoints.api}/whip`,
      events: `${first.endpoints.api.replace('http', 'ws')}/events`,
      media: [expect.stringMatching(/^udp:\/\/127\.0\.0\.1:\d+$/)],
    });
    expect(first.output()).not.toContain(first.credentials.secretAccessKey);
    expect(await first.end()).toBe(0);
    const second = await startServer({ dataDir });
    expect(second.credentials).toEqual(first.credentials);
    await second.end();
  });

  test('answers health, readiness and metrics', async () => {
    const server = await startServer({ dataDir });
    await server.client.send(new ListStagesCommand({}));
    const get = async (path: string) => {
      const response = await fetch(server.endpoints.api + path);
      return { status: response.status, text: await response.text() };
    };
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    const { text } = await get('/metrics');
    expect(text).toMatch(/ListStages/);
    expect(text).toMatch(/^footlights_participants 0$/m);
    await server.end();
  });

  test('drains on SIGTERM: participants are sent away to come back, sessions end, exit code 0', async () => {
    const server = await startServer({ dataDir });
    const { stage } = await server.client.send(new CreateStageCommand({}));
    const { participantToken } = await server.client.send(new CreateParticipantTokenCommand({ stageArn: stage?.arn }));
    const socket = new WebSocket(server.endpoints.events, participantToken?.token);
    await once(socket, 'message');
    const closed = once(socket, 'close');
    expect(await server.end('SIGTERM')).toBe(0);
    expect((await closed)[0]).toBe(1012);
    const again = await startServer({ dataDir });
    expect(again.output()).not.toMatch(/left open/);
    await again.end();
  });

  test('takes its options from a YAML file, below flags and environment', async () => {
    const config = join(dataDir, 'config.yaml');
    writeFileSync(config, 'region: eu-central-1\naccount-id: "210987654321"\nlog-level: warn\n');
    const server = await startServer({
      dataDir,
      args: ['--config', config, '--log-level', 'info'],
      env: { FOOTLIGHTS_REGION: 'us-west-2' },
    });
    const { stage } = await server.client.send(new CreateStageCommand({}));
    expect(stage?.arn).toMatch(/^arn:aws:ivs:us-west-2:210987654321:stage\//);
    await server.end();
  });

  test('asks for no signature with --no-auth', async () => {
    const server = await startServer({ dataDir, args: ['--no-auth'] });
    const response = await fetch(`${server.endpoints.api}/ListStages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await response.json()).toEqual({ stages: [] });
    await server.end();
  });
});

describe('the command line beside it', () => {
  test("env exports what AWS's tools read; commands work with it, and without it from the data folder", async () => {
    const server = await startServer({ dataDir });
    const { stdout } = footlights(['env', '--data-dir', dataDir]);
    const exported = Object.fromEntries(
      [...stdout.matchAll(/^export (\w+)='?([^'\n;]+)'?;?$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(exported).toMatchObject({
      AWS_ENDPOINT_URL_IVS_REALTIME: server.endpoints.api,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: 'us-west-2',
    });
    const created = footlights(['ivs-realtime', 'create-stage', '--name', 'demo'], exported);
    expect(created.stderr).toBe('');
    const { stage } = JSON.parse(created.stdout);
    const found = footlights(['ivs-realtime', 'get-stage', '--arn', stage.arn], {
      FOOTLIGHTS_DATA_DIR: dataDir,
      HOME: dataDir,
    });
    expect(JSON.parse(found.stdout).stage.name).toBe('demo');
    const missing = footlights(
      ['ivs-realtime', 'get-stage', '--arn', `${stage.arn.slice(0, -12)}abcdefghijkl`],
      exported,
    );
    expect(missing.stderr).toMatch(
      /^\nAn error occurred \(ResourceNotFoundException\) when calling the GetStage operation: .+\n$/,
    );
    expect(missing.status).toBe(254);
    await server.end();
  });

  test('env without a server ever started says what to do', () => {
    const { status, stderr, stdout } = footlights(['env', '--data-dir', dataDir]);
    expect(stderr).toMatch(/npm start/);
    expect(stdout).toBe('');
    expect(status).toBe(1);
    expect(existsSync(join(dataDir, 'credentials'))).toBe(false);
  });
});
