import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyRequest } from '@footlights/model';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const cli = join(import.meta.dirname, '../../../dist/cli.cjs');
const arn = 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh';

interface Received {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

let server: Server;
let home = '';
let received: Received[] = [];
type Respond = (response: ServerResponse, request: Received) => void;
let respond: Respond;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Respond =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

beforeAll(async () => {
  expect(existsSync(cli), 'dist/cli.cjs is missing: npm run build').toBe(true);
  home = mkdtempSync(join(tmpdir(), 'footlights-cli-'));
  server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true });
});
afterEach(() => {
  received = [];
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = '', url = '', headers } = request;
  const entry = { method, url, headers: headers as Record<string, string>, body: Buffer.concat(chunks).toString() };
  received.push(entry);
  respond(response, entry);
}

const endpoint = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(argv: string[], env: Record<string, string> = {}, signal?: NodeJS.Signals): Promise<Result> {
  const defaults = {
    HOME: home,
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-west-2',
    AWS_MAX_ATTEMPTS: '1',
  };
  const child = spawn(process.execPath, [cli, ...argv], {
    env: { ...defaults, AWS_ENDPOINT_URL: endpoint(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result: Result = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (result.stdout += data));
  child.stderr.on('data', (data) => (result.stderr += data));
  if (signal) setTimeout(() => child.kill(signal), 600);
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...result, code })));
}

const getStage = ['ivs-realtime', 'get-stage', '--arn', arn];

describe('a command', () => {
  it('sends one signed request and prints the answer in the order of the model', async () => {
    respond = json(200, { stage: { tags: {}, name: 'été', arn } });
    const result = await run(getStage);
    expect(result).toEqual({
      code: 0,
      stdout: `{\n    "stage": {\n        "arn": "${arn}",\n        "name": "été",\n        "tags": {}\n    }\n}\n`,
      stderr: '',
    });
    expect(received).toHaveLength(1);
    const { method, url, headers, body } = received[0]!;
    expect([method, url, body]).toEqual(['POST', '/GetStage', JSON.stringify({ arn })]);
    const parts = { method, rawPath: url, rawQuery: '', headers, body: Buffer.from(body) };
    const secretOf = () => 'secret';
    expect(verifyRequest(parts, { secretOf, service: 'ivs', regions: ['us-west-2'], now: new Date() })).toEqual({
      accessKeyId: 'AKID',
      region: 'us-west-2',
    });
  });

  it('keeps the path of the endpoint, and encodes ARNs in paths', async () => {
    respond = json(200, {});
    await run(['ivs-realtime', 'untag-resource', '--resource-arn', arn, '--tag-keys', 'a', 'b c'], {
      AWS_ENDPOINT_URL: `${endpoint()}/prefix/`,
    });
    expect(received[0]).toMatchObject({
      method: 'DELETE',
      url: `/prefix/tags/${encodeURIComponent(arn)}?tagKeys=a&tagKeys=b%20c`,
      body: '',
    });
  });

  it.each<[string, Respond]>([
    ['an empty object', json(200, {})],
    ['an empty body', (response) => void response.writeHead(200).end()],
    ['no JSON', (response) => void response.writeHead(200).end('<html>')],
  ])('prints nothing for %s', async (_, answer) => {
    respond = answer;
    expect(await run(['ivs-realtime', 'delete-stage', '--arn', arn])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('does not sign, and needs no keys, with --no-sign-request', async () => {
    respond = json(200, {});
    const { code } = await run([...getStage, '--no-sign-request'], {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
    });
    expect(code).toBe(0);
    expect(received[0]?.headers.authorization).toBeUndefined();
  });

  it('sends the same idempotency token with every attempt', async () => {
    respond = (response, request) => (received.length < 2 ? json(503, {}) : json(200, {}))(response, request);
    await run(['ivs-realtime', 'start-composition', '--stage-arn', arn, '--destinations', '{}'], {
      AWS_MAX_ATTEMPTS: '2',
    });
    const tokens = received.map(({ body }) => JSON.parse(body).idempotencyToken);
    expect(tokens).toHaveLength(2);
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(tokens[1]).toBe(tokens[0]);
  });

  it('pages by itself where the AWS CLI does', async () => {
    respond = (response, request) => {
      const { nextToken } = JSON.parse(request.body);
      json(200, { publicKeys: [{ arn: nextToken ?? 'first' }], ...(!nextToken && { nextToken: 'second' }) })(
        response,
        request,
      );
    };
    const { stdout } = await run(['ivs-realtime', 'list-public-keys']);
    expect(JSON.parse(stdout)).toEqual({ publicKeys: [{ arn: 'first' }, { arn: 'second' }] });
  });

  it('writes what it does to stderr with --debug, without secrets', async () => {
    respond = json(200, {});
    const { stderr } = await run([...getStage, '--debug'], { AWS_SESSION_TOKEN: 'session-token' });
    expect(stderr).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - MainThread - footlights - DEBUG - Sending http request/,
    );
    expect(stderr).not.toMatch(/session-token|Signature=/);
  });
});

describe('an error of the service', () => {
  it.each<[string, number, unknown, Record<string, string>, string]>([
    [
      'a typed one',
      404,
      { message: 'gone' },
      { 'x-amzn-errortype': 'ResourceNotFoundException:x' },
      '(ResourceNotFoundException) when calling the GetStage operation (reached max retries: 0): gone',
    ],
    [
      'the code in the body',
      400,
      { __type: 'ns#Bad', Message: 'no' },
      {},
      '(Bad) when calling the GetStage operation (reached max retries: 0): no',
    ],
    ['no code at all', 418, {}, {}, '(418) when calling the GetStage operation (reached max retries: 0): '],
    [
      'a redirect',
      302,
      {},
      { location: '/elsewhere' },
      '(302) when calling the GetStage operation (reached max retries: 0): ',
    ],
  ])('leaves exit code 254: %s', async (_, status, body, headers, message) => {
    respond = json(status, body, headers);
    expect(await run(getStage)).toEqual({ code: 254, stdout: '', stderr: `\nAn error occurred ${message}\n` });
  });

  it.each([
    [503, '', 3],
    [429, 'ThrottlingException', 3],
    [400, 'RequestTimeout', 3],
    [429, '', 1],
    [501, '', 1],
    [404, 'ResourceNotFoundException', 1],
  ])('%i %s is tried %i times by default', async (status, type, attempts) => {
    respond = json(status, { message: 'm' }, type ? { 'x-amzn-errortype': type } : {});
    const { stderr } = await run(getStage, { AWS_MAX_ATTEMPTS: '' });
    expect(received).toHaveLength(attempts);
    expect(stderr.includes(' (reached max retries: 2): m')).toBe(attempts === 3);
  });
});

describe('exit codes and texts', () => {
  const usage =
    '\nusage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can run:\n\n  aws help\n  aws <command> help\n  aws <command> <subcommand> help\n\n';

  it.each<[string[], Record<string, string>, number, string]>([
    [['ivs-realtime'], {}, 252, `${usage}aws: error: the following arguments are required: operation\n\n`],
    [['ivs-realtime', 'get-stage'], {}, 252, `${usage}aws: error: the following arguments are required: --arn\n\n`],
    [[...getStage, '--bogus', 'v'], {}, 252, `${usage}Unknown options: --bogus, v\n\n`],
    [
      [...getStage, '--arn', ''],
      {},
      252,
      '\nParameter validation failed:\nInvalid length for parameter arn, value: 0, valid min length: 1\n',
    ],
    [
      [...getStage, '--query', 'stage.['],
      {},
      252,
      '\nBad value for --query stage.[: Invalid jmespath expression: Incomplete expression:\n"stage.["\n        ^\n',
    ],
    [
      getStage,
      { AWS_REGION: '' },
      253,
      '\nYou must specify a region. You can also configure your region by running "aws configure".\n',
    ],
    [
      getStage,
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      253,
      '\nUnable to locate credentials. You can configure credentials by running "aws configure".\n',
    ],
    [
      getStage,
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      255,
      '\nCould not connect to the endpoint URL: "http://127.0.0.1:1/GetStage"\n',
    ],
    [
      getStage,
      { AWS_ENDPOINT_URL: 'ftp://x' },
      255,
      '\nAn HTTP Client raised an unhandled exception: Not supported URL scheme ftp\n',
    ],
    [
      ['env', '--data-dir', '/nowhere'],
      {},
      1,
      'footlights: no server has started in /nowhere yet; run "npm start" in the project folder first\n',
    ],
  ])('%j %j', async (argv, env, code, stderr) => {
    expect(await run(argv, env)).toEqual({ code, stdout: '', stderr });
    expect(received).toEqual([]);
  });

  it('names a connection that closes, an answer that is late, and one that is no object', async () => {
    respond = (response) => void response.destroy();
    expect(await run(getStage)).toMatchObject({
      code: 255,
      stderr: `\nConnection was closed before we received a valid response from endpoint URL: "${endpoint()}/GetStage".\n`,
    });
    respond = () => undefined;
    expect(await run([...getStage, '--cli-read-timeout', '1'])).toMatchObject({
      code: 255,
      stderr: `\nRead timeout on endpoint URL: "${endpoint()}/GetStage"\n`,
    });
    respond = json(200, []);
    expect(await run(getStage)).toMatchObject({ code: 255, stderr: '\nThe answer to GetStage is not a JSON object\n' });
  });

  it('a reader that goes away is no failure', async () => {
    const script = `"${process.execPath}" "${cli}" ivs-realtime help; echo "code $?" >&2`;
    const child = spawn('bash', ['-c', `{ ${script}; } | true`], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data) => (stderr += data));
    await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toBe('code 0\n');
  });

  it('130 for an interrupt', async () => {
    respond = () => undefined;
    expect(await run(getStage, {}, 'SIGINT')).toEqual({ code: 130, stdout: '\n', stderr: '' });
  });

  it('nothing at all', async () => {
    const stderr = `${usage}aws: error: the following arguments are required: command\n\n`;
    expect(await run([])).toEqual({ code: 252, stdout: '', stderr });
  });
});

describe('help and version', () => {
  it.each([
    [['help'], 'usage: footlights <command> [parameters]'],
    [['--help'], 'usage: footlights <command> [parameters]'],
    [['ivs-realtime', 'help'], 'footlights ivs-realtime <operation> [parameters]'],
    [['ivs-realtime', 'get-stage', 'help'], '--arn (string, required)'],
    [['ivs-realtime', 'create-stage', '--help'], 'Shorthand: --tags key=value,key=value'],
    [['--version'], 'footlights/'],
    [[...getStage, '--version'], 'footlights/'],
  ])('%j', async (argv, text) => {
    const { code, stdout, stderr } = await run(argv, { AWS_ACCESS_KEY_ID: '', AWS_REGION: '' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(text);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(400);
  });
});
