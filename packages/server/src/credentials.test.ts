import { sign, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSecrets, parseCredentials, writeEndpoints } from './credentials.ts';
import { StartupError } from './startup-error.ts';

const root = mkdtempSync(join(tmpdir(), 'footlights-secrets-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = () => join(root, `data-${folders++}`, 'deep');
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('openSecrets', () => {
  it('makes folder, access key and token key at the first start, for the owner alone', () => {
    const folder = newFolder();
    const { accessKeys, keyOf } = openSecrets(folder);
    expect(accessKeys).toEqual([
      {
        accessKeyId: expect.stringMatching(/^FLKEY[A-Z2-7]{15}$/),
        secretAccessKey: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
      },
    ]);
    expect(keyOf(accessKeys[0]!.accessKeyId)).toEqual(accessKeys[0]);
    expect(keyOf('FLKEYAAAAAAAAAAAAAAA')).toBeUndefined();
    expect(readdirSync(folder).sort()).toEqual(['credentials', 'token-key.pem']);
    expect([folder, join(folder, 'credentials'), join(folder, 'token-key.pem')].map(modeOf)).toEqual([
      '700',
      '600',
      '600',
    ]);
  });

  it('reads the same secrets at the next start, and shares none with another folder', () => {
    const folder = newFolder();
    const first = openSecrets(folder);
    const second = openSecrets(folder);
    expect(second.accessKeys).toEqual(first.accessKeys);
    expect(openSecrets(newFolder()).accessKeys).not.toEqual(first.accessKeys);
    const signature = sign('sha384', Buffer.from('token'), first.tokenKey.privateKey);
    expect(verify('sha384', Buffer.from('token'), second.tokenKey.publicKey, signature)).toBe(true);
  });

  it('writes what the AWS tools read', () => {
    const folder = newFolder();
    const [key] = openSecrets(folder).accessKeys;
    expect(readFileSync(join(folder, 'credentials'), 'utf8')).toBe(
      `[default]\naws_access_key_id = ${key?.accessKeyId}\naws_secret_access_key = ${key?.secretAccessKey}\n`,
    );
  });

  it('says in one line what is wrong with a file of the folder', () => {
    const folder = newFolder();
    openSecrets(folder);
    writeFileSync(join(folder, 'credentials'), '[default]\n');
    expect(() => openSecrets(folder)).toThrow(/^\S+credentials has no section with aws_access_key_id and .*: add one/);
    rmSync(join(folder, 'credentials'));
    writeFileSync(join(folder, 'token-key.pem'), 'no key');
    expect(() => openSecrets(folder)).toThrow(/^\S+token-key\.pem is not the key that tokens are signed with \(.+\): /);
  });

  it('says in one line why the folder cannot be used', () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    expect(() => openSecrets(join(file, 'data'))).toThrow(StartupError);
    expect(() => openSecrets(join(file, 'data'))).toThrow(
      /^the data folder \S+ cannot be used \(ENOTDIR.*\): make it /,
    );
  });

  it.skipIf(process.getuid?.() === 0)('says so when it may not write there', () => {
    const folder = newFolder();
    openSecrets(folder);
    chmodSync(folder, 0o500);
    expect(() => writeEndpoints(folder, { api: '', whip: '', events: '', region: '', media: [] })).toThrow(
      /cannot be used \(EACCES/,
    );
    chmodSync(folder, 0o700);
  });
});

describe('parseCredentials', () => {
  it('reads every section that has a whole pair', () => {
    const text = [
      '# made by hand',
      '[default]',
      'aws_access_key_id=ONE',
      '  AWS_SECRET_ACCESS_KEY =  first=1/+ ',
      '[half]\r',
      'aws_access_key_id = HALF\r',
      '; [commented]',
      '[profile two]',
      'region = us-west-2',
      'aws_secret_access_key = second',
      'aws_access_key_id = TWO',
    ].join('\n');
    expect(parseCredentials(text)).toEqual([
      { accessKeyId: 'ONE', secretAccessKey: 'first=1/+' },
      { accessKeyId: 'TWO', secretAccessKey: 'second' },
    ]);
  });

  const section = (...members: string[]) =>
    ['[ci]', 'aws_access_key_id = A', 'aws_secret_access_key = B', ...members].join('\n');

  it('reads account, regions and access', () => {
    const pair = { accessKeyId: 'A', secretAccessKey: 'B' };
    expect(parseCredentials(section('account_id = 000000000001', 'regions = us-west-2 , eu-west-1'))).toEqual([
      { ...pair, accountId: '000000000001', regions: ['us-west-2', 'eu-west-1'] },
    ]);
    expect(parseCredentials(section('regions=*', 'access = read-only'))).toEqual([
      { ...pair, regions: '*', readOnly: true },
    ]);
    expect(parseCredentials(section('access = full'))).toEqual([{ ...pair, readOnly: false }]);
  });

  it.each([
    ['account_id = 1', 'account_id in section [ci] of /d/credentials is "1", it must be 12 digits'],
    [
      'regions = US',
      'regions in section [ci] of /d/credentials is "US", it must be regions with commas between them, or *',
    ],
    ['regions =', 'regions in section [ci] of /d/credentials is "", it must be regions with commas between them, or *'],
    ['access = some', 'access in section [ci] of /d/credentials is "some", it must be full or read-only'],
  ])('refuses %s', (member, message) => {
    expect(() => parseCredentials(section(member), '/d/credentials')).toThrow(new StartupError(message));
  });

  it('finds nothing in other text', () => {
    for (const text of ['', 'aws_access_key_id = ONE\naws_secret_access_key = no section', '\0\n[]\n='])
      expect(parseCredentials(text)).toEqual([]);
  });
});

describe('writeEndpoints', () => {
  it('replaces the file as a whole', () => {
    const folder = newFolder();
    openSecrets(folder);
    const endpoints = {
      api: 'http://a',
      whip: 'http://a/whip',
      events: 'ws://a/events',
      region: 'r',
      media: ['udp://a:1'],
    };
    writeEndpoints(folder, { ...endpoints, media: [] });
    const path = writeEndpoints(folder, endpoints);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(endpoints);
    expect(readdirSync(folder).sort()).toEqual(['credentials', 'endpoints.json', 'token-key.pem']);
  });
});
