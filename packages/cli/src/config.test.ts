import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from './config.ts';
import { environment } from './env.ts';
import { parseGlobals, requireScheme } from './globals.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'footlights-cli-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function file(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

const settings = (argv: string[] = [], env: Record<string, string> = {}) =>
  loadSettings(parseGlobals(argv).globals, { HOME: home, ...env });
const keys = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'secret-env' };
const region = { AWS_REGION: 'eu-west-1' };

const twoProfiles = () => {
  file(
    '.aws/credentials',
    '[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n[half]\naws_access_key_id = A\n',
  );
  file(
    '.aws/config',
    `# comment
[default]
region = us-east-1
[profile two]
region=ap-south-1
services = s
aws_access_key_id = AKIDTWO
aws_secret_access_key = two
aws_session_token = token
[services s]
ivs_realtime =
  endpoint_url = http://services:1
`,
  );
};

const runningServer = (folder = '.footlights') => {
  file(`${folder}/endpoints.json`, '{"api":"http://127.0.0.1:7070","region":"us-west-2"}');
  file(`${folder}/credentials`, "[default]\naws_access_key_id = AKIDLOCAL\naws_secret_access_key = lo'cal\\\n");
};

describe('region', () => {
  it('comes from the option, AWS_REGION, AWS_DEFAULT_REGION, the profile: the first that is there', () => {
    twoProfiles();
    const env = { AWS_REGION: 'r1', AWS_DEFAULT_REGION: 'r2' };
    expect(settings(['--region', 'r0'], env).region).toBe('r0');
    expect(settings([], env).region).toBe('r1');
    expect(settings([], { ...env, AWS_REGION: '' }).region).toBe('r2');
    expect(settings().region).toBe('us-east-1');
    expect(settings(['--profile', 'two']).region).toBe('ap-south-1');
    expect(settings([], { AWS_PROFILE: 'two' }).region).toBe('ap-south-1');
  });

  it('must be there and well-formed', () => {
    expect(() => settings([], keys)).toThrow('You must specify a region.');
    expect(() => settings(['--region', 'a_b'], keys)).toThrow("Provided region_name 'a_b' doesn't match a supported");
  });
});

describe('credentials', () => {
  it('come from the environment, unless --profile is given', async () => {
    twoProfiles();
    expect(await settings([], keys).credentials()).toEqual({ accessKeyId: 'AKIDENV', secretAccessKey: 'secret-env' });
    expect(await settings([], { AWS_PROFILE: 'two', ...keys }).credentials()).toMatchObject({ accessKeyId: 'AKIDENV' });
    expect(await settings(['--profile', 'two'], keys).credentials()).toEqual({
      accessKeyId: 'AKIDTWO',
      secretAccessKey: 'two',
      sessionToken: 'token',
    });
    expect(await settings().credentials()).toMatchObject({ accessKeyId: 'AKIDFILE' });
  });

  it('come from a program', async () => {
    const script = `process.stdout.write(JSON.stringify({Version:1,AccessKeyId:"A B",SecretAccessKey:"S"}))`;
    file('.aws/config', `[default]\nregion = r\ncredential_process = "${process.execPath}" -e '${script}'\n`);
    expect(await settings().credentials()).toEqual({ accessKeyId: 'A B', secretAccessKey: 'S' });
    file(
      '.aws/config',
      `[default]\nregion = r\ncredential_process = ${process.execPath} -e 'console.error("oops");process.exit(3)'\n`,
    );
    await expect(settings().credentials()).rejects.toThrow(
      'Error when retrieving credentials from custom-process: oops\n',
    );
  });

  it('are not asked for when the request is not signed', async () => {
    expect(await settings(['--no-sign-request'], region).credentials()).toBeUndefined();
  });

  it.each<[Record<string, string>, string[], string]>([
    [{}, [], 'Unable to locate credentials.'],
    [{ AWS_ACCESS_KEY_ID: 'A' }, [], 'Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY'],
    [{}, ['--profile', 'half'], 'Partial credentials found in shared-credentials-file, missing: aws_secret_access_key'],
  ])('are refused: %j %j', async (env, argv, message) => {
    file('.aws/credentials', '[half]\naws_access_key_id = A\n');
    await expect(settings(argv, { ...region, ...env }).credentials()).rejects.toThrow(message);
  });

  it('of a kind that is not there yet are named', async () => {
    file('.aws/config', '[default]\nregion = r\nrole_arn = x\n');
    await expect(settings().credentials()).rejects.toThrow('role_arn (profile default) is not there yet');
  });
});

describe('endpoint', () => {
  it('comes from the option, the environment, the services section, the profile, AWS: the first that is there', () => {
    twoProfiles();
    const env = { AWS_ENDPOINT_URL_IVS_REALTIME: 'http://specific/', AWS_ENDPOINT_URL: 'http://general', ...keys };
    expect(settings(['--endpoint-url', 'http://option/x/'], env).endpoint).toBe('http://option/x');
    expect(settings([], env).endpoint).toBe('http://specific');
    expect(settings([], { ...env, AWS_ENDPOINT_URL_IVS_REALTIME: '' }).endpoint).toBe('http://general');
    expect(settings(['--profile', 'two']).endpoint).toBe('http://services:1');
    expect(settings().endpoint).toBe('https://ivsrealtime.us-east-1.amazonaws.com');
    expect(settings([], { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'TRUE' }).endpoint).toContain('amazonaws.com');
  });

  it('needs a scheme', () => {
    expect(() => requireScheme('localhost')).toThrow('Bad value for --endpoint-url "localhost": scheme is missing.');
    expect(() => requireScheme('http://localhost')).not.toThrow();
  });
});

describe('a Footlights on this machine', () => {
  it('is found when nothing is configured', async () => {
    runningServer();
    const found = settings();
    expect(found).toMatchObject({ endpoint: 'http://127.0.0.1:7070', region: 'us-west-2', local: true });
    expect(await found.credentials()).toEqual({ accessKeyId: 'AKIDLOCAL', secretAccessKey: "lo'cal\\" });
  });

  it('is found in FOOTLIGHTS_DATA_DIR, with the region that is asked for', () => {
    runningServer('elsewhere');
    const env = { FOOTLIGHTS_DATA_DIR: join(home, 'elsewhere') };
    expect(settings(['--region', 'eu-west-3'], env)).toMatchObject({ region: 'eu-west-3', local: true });
  });

  it('lends its keys to its own URL only', async () => {
    runningServer();
    const own = settings(['--endpoint-url', 'http://127.0.0.1:7070/'], region);
    expect(await own.credentials()).toMatchObject({ accessKeyId: 'AKIDLOCAL' });
    expect(own.local).toBe(false);
    await expect(settings(['--endpoint-url', 'http://other'], region).credentials()).rejects.toThrow(
      'Unable to locate',
    );
  });

  it('is left alone with --no-local, and when AWS is configured', () => {
    runningServer();
    expect(() => settings(['--no-local'])).toThrow('You must specify a region.');
    expect(settings([], { ...keys, ...region })).toMatchObject({ local: false });
  });

  it('gives its environment to a shell, quoted', () => {
    runningServer();
    const env = { HOME: home };
    expect(environment([], env)).toBe(
      "export AWS_ENDPOINT_URL_IVS_REALTIME='http://127.0.0.1:7070';\nexport AWS_ACCESS_KEY_ID='AKIDLOCAL';\nexport AWS_SECRET_ACCESS_KEY='lo'\\''cal\\';\nexport AWS_REGION='us-west-2';\nexport AWS_DEFAULT_REGION='us-west-2';\n",
    );
    expect(environment(['--shell', 'fish'], env)).toContain("set -gx AWS_SECRET_ACCESS_KEY 'lo\\'cal\\\\';\n");
    expect(environment(['--shell', 'powershell'], env)).toContain("$env:AWS_SECRET_ACCESS_KEY = 'lo''cal\\';\n");
  });

  it('is missed with one line that says what to do', () => {
    expect(() => environment(['--data-dir', '/nowhere'], {})).toThrow(
      'no server has started in /nowhere yet; run "npm start" in the project folder first',
    );
    expect(() => environment(['--shell', 'tcsh'], {})).toThrow('--shell "tcsh" is not one of sh, fish, powershell');
  });
});

describe('files and limits', () => {
  it.each<[Record<string, string>, string[], string]>([
    [{}, ['--profile', 'nope'], 'The config profile (nope) could not be found'],
    [
      { AWS_RETRY_MODE: 'legacy' },
      [],
      'Invalid value provided to "mode": "legacy" must be one of: "standard" or "adaptive"',
    ],
    [
      { AWS_MAX_ATTEMPTS: '0' },
      [],
      'Value provided to "max_attempts": 0 must be an integer greater than or equal to one.',
    ],
  ])('refuse %j %j', (env, argv, message) => {
    expect(() => settings(argv, { ...region, ...keys, ...env })).toThrow(message);
  });

  it('name the output form and the pager', () => {
    const base = { ...region, ...keys };
    expect(settings([], base)).toMatchObject({ output: 'json', pager: 'less' });
    expect(settings([], { ...base, PAGER: 'more' }).pager).toBe('more');
    file('.aws/config', '[default]\noutput = text\ncli_pager =\n');
    expect(settings([], { ...base, PAGER: 'more' })).toMatchObject({ output: 'text', pager: '' });
    expect(settings([], { ...base, AWS_DEFAULT_OUTPUT: 'table', AWS_PAGER: 'cat' })).toMatchObject({
      output: 'table',
      pager: 'cat',
    });
    expect(settings(['--output', 'yaml', '--no-cli-pager'], { ...base, AWS_PAGER: 'cat' })).toMatchObject({
      output: 'yaml',
      pager: '',
    });
  });

  it('refuse a file that is no configuration', () => {
    file('.aws/config', 'garbage\n');
    expect(() => settings()).toThrow(`Unable to parse config file: ${home}/.aws/config`);
    file('.aws/config', '[default]\ncli_timestamp_format = zzz\nregion = r\n');
    expect(() => settings()).toThrow('Unknown cli_timestamp_format value: zzz, valid values are "wire" or "iso8601"');
  });
});
