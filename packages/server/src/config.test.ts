import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, ConfigError, loadConfig, maxIceServers } from './config.ts';
import { awsQuotas, quotaNames } from './quotas.ts';

const folder = mkdtempSync(join(tmpdir(), 'footlights-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(argv: string[], env: NodeJS.ProcessEnv = {}): Config {
  const config = loadConfig(argv, env);
  if ('help' in config) throw new Error('help');
  return config;
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function refusal(argv: string[], env: NodeJS.ProcessEnv = {}): string {
  try {
    load(argv, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

describe('loadConfig', () => {
  it('has a default for everything', () => {
    expect(load([])).toMatchObject({
      host: '127.0.0.1',
      port: 7070,
      mediaPort: 7071,
      ingest: true,
      rtmpPort: 1935,
      rtmpsPort: 1936,
      ingestTranscode: false,
      announceIps: [],
      iceServers: [],
      maxPublishBitrate: 8_500_000,
      maxPublishPixels: 921_600,
      maxDuration: 86_400,
      maxSubscribeBitrate: 8_500_000,
      dataDir: join(homedir(), '.footlights'),
      region: 'us-west-2',
      accountId: '123456789012',
      auth: true,
      sessionEndDelay: 180,
      publishersPerStage: 12,
      logLevel: 'info',
    });
    expect(load([]).mediaWorkers).toBeGreaterThanOrEqual(1);
  });

  it('gives each TCP port to one', () => {
    expect(refusal(['--rtmp-port', '1936'])).toBe(
      'rtmp-port and rtmps-port are both 1936: give each a port of its own',
    );
    expect(refusal(['--rtmps-port', '7070'])).toMatch(/^port and rtmps-port are both 7070/);
    expect(load(['--rtmps-port', '7070', '--no-ingest']).ingest).toBe(false);
    expect(load(['--rtmp-port', '0', '--rtmps-port', '0', '--port', '0']).ingest).toBe(true);
    expect(load(['--ingest-transcode']).ingestTranscode).toBe(true);
    expect(load(['--ingest-transcode=false']).ingestTranscode).toBe(false);
  });

  it('lets flags win over variables, variables over the file, the file over defaults', () => {
    const config = file('order.yaml', 'port: 1\nmedia-port: 1\nsession-end-delay: 1\n');
    const env = { FOOTLIGHTS_PORT: '2', FOOTLIGHTS_MEDIA_PORT: '2', FOOTLIGHTS_CONFIG: config };
    expect(load(['--port', '3'], env)).toMatchObject({
      port: 3,
      mediaPort: 2,
      sessionEndDelay: 1,
      region: 'us-west-2',
    });
  });

  it('reads both spellings of a flag, and the last of two', () => {
    expect(load(['--port=1', '--region', 'eu-west-1', '--port', '2'])).toMatchObject({ port: 2, region: 'eu-west-1' });
  });

  it.each([
    [['--no-auth'], {}, false],
    [[], { FOOTLIGHTS_NO_AUTH: '1' }, false],
    [[], { FOOTLIGHTS_NO_AUTH: 'true' }, false],
    [[], { FOOTLIGHTS_NO_AUTH: 'false' }, true],
    [['--no-auth=false'], { FOOTLIGHTS_NO_AUTH: '1' }, true],
    [[], { FOOTLIGHTS_NO_AUTH: '' }, true],
  ])('reads the switch %j %j', (argv, env, auth) => {
    expect(load(argv, env).auth).toBe(auth);
  });

  it('reads a JSON file, and values as they were written', () => {
    const json = file('a.json', '{"port": 8080, "no-auth": true, "account-id": "000000000001"}');
    expect(load(['--config', json])).toMatchObject({ port: 8080, auth: false, accountId: '000000000001' });
    const yaml = file('a.yaml', 'account-id: 000000000001\nannounce-ip: 203.0.113.7\n');
    expect(load(['--config', yaml])).toMatchObject({ accountId: '000000000001', announceIps: ['203.0.113.7'] });
    expect(load(['--config', file('empty.yaml', '')]).port).toBe(7070);
  });

  it('resolves paths against the folder of the file, against the working folder, and from home', () => {
    const yaml = file('paths.yaml', 'data-dir: data\n');
    expect(load(['--config', yaml]).dataDir).toBe(join(folder, 'data'));
    expect(load(['--data-dir', 'data']).dataDir).toBe(join(process.cwd(), 'data'));
    expect(load([], { FOOTLIGHTS_DATA_DIR: '~/stage' }).dataDir).toBe(join(homedir(), 'stage'));
  });

  it.each([
    ['port', '0', '65535'],
    ['session-end-delay', '0', '86400'],
    ['publishers-per-stage', '1', '1000'],
    ['media-workers', '1', '256'],
    ['max-publish-bitrate', '1000', '40000000'],
    ['max-publish-pixels', '1', '33177600'],
    ['max-duration', '1', '2592000'],
    ['max-subscribe-bitrate', '1000', '200000000'],
    ['turn-ttl', '60', '2592000'],
  ])('accepts %s from %s to %s and nothing beyond', (name, from, to) => {
    expect(() => load([`--${name}`, from, '--media-port=0'])).not.toThrow();
    expect(() => load([`--${name}`, to, '--media-port=0'])).not.toThrow();
    for (const text of [String(Number(from) - 1), String(Number(to) + 1), '1.5', '0x10', ' 1', ''])
      expect(refusal([`--${name}`, text, '--media-port=0'])).toBe(
        `--${name} is ${JSON.stringify(text)}, it must be a whole number from ${from} to ${to}`,
      );
  });

  it.each<[string[], NodeJS.ProcessEnv, string]>([
    [['--prot', '1'], {}, 'unknown option "--prot": see "footlights start --help"'],
    [['7070'], {}, 'unknown option "7070": see "footlights start --help"'],
    [['--port'], {}, '--port needs a value: see "footlights start --help"'],
    [[], { FOOTLIGHTS_PORT: 'http' }, 'FOOTLIGHTS_PORT is "http", it must be a whole number from 0 to 65535'],
    [['--account-id', '1'], {}, '--account-id is "1", it must be 12 digits'],
    [['--announce-ip', 'me'], {}, '--announce-ip is "me", it must be an IPv4 or IPv6 address'],
    [['--announce-ip=::1', '--announce-ip=me'], {}, '--announce-ip is "::1,me", it must be an IPv4 or IPv6 address'],
    [
      ['--announce-ip=::1,::2,::3,::4,::5'],
      {},
      '--announce-ip is "::1,::2,::3,::4,::5", it must be at most 4 addresses',
    ],
    [['--data-dir', ''], {}, '--data-dir is "", it must be a path'],
    [['--no-auth=maybe'], {}, '--no-auth is "maybe", it must be one of true, false, 1, 0'],
    [
      ['--log-level', 'loud'],
      {},
      '--log-level is "loud", it must be one of silent, fatal, error, warn, info, debug, trace',
    ],
    [
      ['--media-port', '65535', '--media-workers', '2'],
      {},
      'media-port 65535 leaves no room for 2 media workers, which use one port each: choose at most 65534',
    ],
    [['--tls-key', import.meta.filename], {}, 'tls-key is given without tls-cert: give both, or none'],
    [['--tls-cert', import.meta.filename], {}, 'tls-cert is given without tls-key: give both, or none'],
  ])('refuses %j %j', (argv, env, message) => {
    expect(refusal(argv, env)).toBe(message);
  });

  it.each([
    ['unknown.yaml', 'prot: 1', 'unknown option "prot" in FILE: see "footlights start --help"'],
    ['number.yaml', 'port: ten', 'port in FILE is "ten", it must be a whole number from 0 to 65535'],
    ['nested.json', '{"port": [1]}', 'port in FILE must be one value, not a list or an object'],
    ['quota.json', '{"quota": [1]}', 'quota in FILE must be one value, not a list or an object'],
    ['list.json', '[1]', '--config: FILE must hold one object of options'],
  ])('refuses the file %s', (name, text, message) => {
    const path = file(name, text);
    expect(refusal(['--config', path])).toBe(message.replace('FILE', path));
  });

  it('takes several addresses to announce and ICE servers, by flags, a variable or the file', () => {
    const announceIps = ['203.0.113.7', '2001:db8::7'];
    const iceServers = ['stun:stun.example', 'turn:[2001:db8::1]:3478?transport=tcp'];
    const secret = ['--turn-secret', 'north'];
    const flags = [
      ...announceIps.map((ip) => `--announce-ip=${ip}`),
      ...iceServers.map((url) => `--ice-server=${url}`),
    ];
    expect(load([...flags, ...secret])).toMatchObject({ announceIps, iceServers, turnSecret: 'north' });
    const env = { FOOTLIGHTS_ANNOUNCE_IP: announceIps.join(), FOOTLIGHTS_ICE_SERVER: iceServers.join(', ') };
    expect(load(secret, env)).toMatchObject({ announceIps, iceServers });
    const path = file('lists.json', JSON.stringify({ 'announce-ip': announceIps, 'ice-server': iceServers }));
    expect(load(['--config', path, ...secret])).toMatchObject({ announceIps, iceServers });
    const one = file('one.yaml', 'ice-server: stun:stun.example:3478\nannounce-ip: 203.0.113.7\n');
    expect(load(['--config', one])).toMatchObject({ iceServers: ['stun:stun.example:3478'] });
  });

  it.each([
    'stun.example',
    'http://stun.example',
    'stun:',
    'stun:a b',
    'stun:a?transport=udp',
    'turn:a?transport=tls',
    'turn:a>; rel="x',
    'stun:a,',
    'stun:[::1',
  ])('refuses the ICE server %j', (url) => {
    expect(refusal(['--ice-server', url, '--turn-secret=x'])).toMatch(/^--ice-server is .*, it must be stun:HOST/);
  });

  it('takes as many ICE servers as it says', () => {
    const urls = (count: number) => Array.from({ length: count }, (_, i) => `--ice-server=stun:host-${i}`);
    expect(load(urls(maxIceServers)).iceServers).toHaveLength(maxIceServers);
    expect(refusal(urls(maxIceServers + 1))).toMatch(/at most 8 servers$/);
  });

  it.each([
    [['--turn-username=me'], 'turn-username is given without turn-credential: give both, or none'],
    [['--turn-credential=x'], 'turn-credential is given without turn-username: give both, or none'],
    [['--turn-username=me', '--turn-credential=x', '--turn-secret=y'], /^turn-username and turn-secret are both given/],
    [['--ice-server=turn:a'], 'ice-server turn:a needs turn-secret, or turn-username and turn-credential'],
    [['--events-webhook=http://a/'], 'events-webhook is given without events-webhook-secret: give both, or none'],
    [['--events-webhook-secret=x'], 'events-webhook-secret is given without events-webhook: give both, or none'],
    [['--events-webhook=ftp://a/'], /must be an http or https URL without user and fragment$/],
    [
      ['--events-webhook=http://me:hunter2@a/'],
      '--events-webhook is not shown here, it must be an http or https URL without user and fragment',
    ],
    [['--ice-server=stun:a', '--turn-secret=x'], /^credentials for TURN are given without a TURN server/],
  ])('refuses %j', (argv, message) => {
    if (typeof message === 'string') expect(refusal(argv)).toBe(message);
    else expect(refusal(argv)).toMatch(message);
  });

  it('takes sinks of events', () => {
    const webhook = ['--events-webhook', 'https://hooks.example/a?key=1', '--events-webhook-secret', 'x'];
    expect(load([...webhook, '--events-file', 'e.jsonl', '--events-stdout'])).toMatchObject({
      eventsWebhook: 'https://hooks.example/a?key=1',
      eventsFile: join(process.cwd(), 'e.jsonl'),
      eventsStdout: true,
    });
  });

  it('shows no secret, whatever is wrong with it', () => {
    const secret = 'hunter2é';
    for (const argv of [['--turn-secret', secret], [`--turn-secrets=${secret}`], [`--turn-credential=${secret}`]])
      expect(refusal(argv)).not.toContain('hunter2');
    expect(refusal([], { FOOTLIGHTS_TURN_SECRET: secret })).toBe(
      'FOOTLIGHTS_TURN_SECRET is not shown here, it must be 1 to 256 printable ASCII characters',
    );
    const help = loadConfig(['--turn-secret=hunter2', '--help'], { FOOTLIGHTS_TURN_CREDENTIAL: 'hunter2' });
    expect(JSON.stringify(help)).not.toContain('hunter2');
  });

  it("has AWS's quotas, and takes others by flags, a variable or the file", () => {
    expect(load([])).toMatchObject({ quotas: awsQuotas, rateLimits: {} });
    const changed = { ...awsQuotas, stages: 5, 'public-keys': 0 };
    expect(load(['--quota', 'stages=5', '--quota=public-keys=0']).quotas).toEqual(changed);
    expect(load(['--quota', 'stages=7', '--quota=stages=5, public-keys = 0']).quotas).toEqual(changed);
    expect(load([], { FOOTLIGHTS_QUOTA: 'stages=5,public-keys=0' }).quotas).toEqual(changed);
    for (const text of ['{"quota": {"stages": 5, "public-keys": "0"}}', 'quota: stages=5,public-keys=0'])
      expect(load(['--config', file('quota.yaml', text)]).quotas).toEqual(changed);
    expect(load(['--quota', 'stages=1000000']).quotas.stages).toBe(1_000_000);
  });

  it('takes rate limits of operations', () => {
    const rateLimits = { CreateStage: 5, ListTagsForResource: 10_000 };
    const argv = ['--rate-limit', 'CreateStage=5', '--rate-limit', 'ListTagsForResource=10000'];
    expect(load(argv).rateLimits).toEqual(rateLimits);
    expect(load([], { FOOTLIGHTS_RATE_LIMIT: 'CreateStage=5' }).rateLimits).toEqual({ CreateStage: 5 });
    expect(load(['--config', file('rate.json', '{"rate-limit": {"CreateStage": 5}}')]).rateLimits.CreateStage).toBe(5);
  });

  it.each([
    ['--quota', 'stages'],
    ['--quota', 'stages='],
    ['--quota', 'stages=-1'],
    ['--quota', 'stages=1000001'],
    ['--quota', 'stages=1=2'],
    ['--quota', 'Stages=1'],
    ['--quota', ''],
    ['--quota', 'stages=1,'],
    ['--quota', '__proto__=1'],
    ['--rate-limit', 'createStage=1'],
    ['--rate-limit', 'CreateStage=0'],
    ['--rate-limit', 'CreateStage=0.5'],
    ['--rate-limit', 'CreateStage=10001'],
  ])('refuses %s %j', (flag, text) => {
    expect(refusal([flag, text])).toMatch(
      /^--(quota|rate-limit) is ".*", it must be NAME=NUMBER, with the name of an? .* and a whole number from \d to \d+$/,
    );
  });

  it('says in one line why a file cannot be read', () => {
    const broken = refusal(['--config', file('broken.json', '{"port": ')]);
    expect(broken).toMatch(/^--config: .*broken\.json cannot be read as JSON or YAML \(.+\)$/);
    const absent = refusal([], { FOOTLIGHTS_CONFIG: join(folder, 'absent.yaml') });
    expect(absent).toMatch(/^FOOTLIGHTS_CONFIG: .*absent\.yaml cannot be read .*no such file/);
    expect(refusal(['--tls-cert', join(folder, 'absent.pem')])).toMatch(/a file that can be read \(.*no such file/);
  });

  it('prints help that names every option', () => {
    const result = loadConfig(['--port', '1', '--help'], {});
    expect(result).toHaveProperty('help');
    const text = 'help' in result ? result.help : '';
    for (const name of ['host', 'port', 'media-port', 'announce-ip', 'data-dir', 'region', 'account-id', 'tls-cert'])
      expect(text).toContain(`--${name} `);
    for (const name of ['tls-key', 'no-auth', 'media-workers', 'session-end-delay', 'log-level', 'config'])
      expect(text).toContain(`--${name} `);
    for (const name of [...quotaNames, '--quota NAME=NUMBER', '--rate-limit NAME=NUMBER']) expect(text).toContain(name);
    expect(text.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });
});
