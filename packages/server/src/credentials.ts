import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder, writePrivateFile } from './files.ts';
import { messageOf, StartupError } from './startup-error.ts';

/** One key pair that API calls are signed with, and what they may do. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  /** Absent: the server's own. */
  accountId?: string;
  /** Absent: the server's own. */
  regions?: readonly string[] | '*';
  /** Whether it may call Get* and List* alone. */
  readOnly?: boolean;
}

/** The secrets of one data folder. */
export interface Secrets {
  /** In the order of the credentials file; at least one. */
  accessKeys: readonly AccessKey[];
  keyOf(accessKeyId: string): AccessKey | undefined;
  /** P-384, signs participant tokens with ES384. */
  tokenKey: { privateKey: KeyObject; publicKey: KeyObject };
}

/** What `endpoints.json` tells other programs about the running server. */
export interface Endpoints {
  api: string;
  whip: string;
  events: string;
  /** Where encoders publish, with a slash at the end; absent when they may not. */
  rtmp?: string;
  rtmps?: string;
  region: string;
  /** `udp://address:port` of each media worker. */
  media: readonly string[];
}

/** Reads the secrets of the folder; makes the folder and what is missing in it. */
export function openSecrets(dataDir: string): Secrets {
  inFolder(dataDir, () => makePrivateFolder(dataDir));
  const accessKeys = openAccessKeys(dataDir);
  const keys = new Map(accessKeys.map((key) => [key.accessKeyId, key]));
  return { accessKeys, keyOf: (id) => keys.get(id), tokenKey: openTokenKey(dataDir) };
}

/** Replaces `<dataDir>/endpoints.json` and returns its path. */
export function writeEndpoints(dataDir: string, endpoints: Endpoints): string {
  const path = join(dataDir, 'endpoints.json');
  inFolder(dataDir, () => writePrivateFile(path, `${JSON.stringify(endpoints, null, 2)}\n`));
  return path;
}

function openAccessKeys(dataDir: string): AccessKey[] {
  const path = join(dataDir, 'credentials');
  const text = readOrMake(dataDir, path, () => formatCredentials(newAccessKey()));
  const keys = parseCredentials(text, path);
  if (keys.length > 0) return keys;
  throw new StartupError(
    `${path} has no section with aws_access_key_id and aws_secret_access_key: add one, or delete the file to get a new key`,
  );
}

function openTokenKey(dataDir: string): Secrets['tokenKey'] {
  const path = join(dataDir, 'token-key.pem');
  const pem = readOrMake(dataDir, path, newTokenKey);
  const help = 'restore it, or delete it to get a new one, which makes all tokens of today invalid';
  try {
    const privateKey = createPrivateKey(pem);
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'secp384r1') throw new Error('not a P-384 key');
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (error) {
    throw new StartupError(`${path} is not the key that tokens are signed with (${messageOf(error)}): ${help}`);
  }
}

/** The text of a file of the data folder; what `make` returns when it is not there yet, which it is from now on. */
export function readOrMake(dataDir: string, path: string, make: () => string): string {
  return inFolder(dataDir, () => {
    if (!existsSync(path)) writePrivateFile(path, make());
    return readFileSync(path, 'utf8');
  });
}

function inFolder<T>(dataDir: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw new StartupError(
      `the data folder ${dataDir} cannot be used (${messageOf(error)}): make it readable and writable, or choose another --data-dir`,
    );
  }
}

function newTokenKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** As long as AWS's, but told apart from those at a glance. */
function newAccessKey(): AccessKey {
  const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const any = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return { accessKeyId: `FLKEY${randomText(upper, 15)}`, secretAccessKey: randomText(any, 40) };
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}

function formatCredentials({ accessKeyId, secretAccessKey }: AccessKey): string {
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

/**
 * AWS's shared-credentials form: a key pair in each section, and three members of our own: `account_id`, `regions` (by
 * commas, or `*`) and `access` (`full` or `read-only`). Sections without a pair are passed over.
 */
export function parseCredentials(text: string, path = 'credentials'): AccessKey[] {
  const sections: { title: string; members: Map<string, string> }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, title] = /^\s*\[\s*(.*?)\s*\]/.exec(line) ?? [];
    if (title !== undefined) sections.push({ title, members: new Map() });
    const [, name = '', value = ''] = /^\s*([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name) sections.at(-1)?.members.set(name.toLowerCase(), value);
  }
  return sections.flatMap((section) => accessKeyOf(section, path) ?? []);
}

interface Section {
  title: string;
  members: ReadonlyMap<string, string>;
}

function accessKeyOf({ title, members }: Section, path: string): AccessKey | undefined {
  const [accessKeyId, secretAccessKey] = [members.get('aws_access_key_id'), members.get('aws_secret_access_key')];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const member = (name: string, pattern: RegExp, words: string): string | undefined => {
    const value = members.get(name);
    if (value === undefined || pattern.test(value)) return value;
    throw new StartupError(`${name} in section [${title}] of ${path} is "${value}", it must be ${words}`);
  };
  const accountId = member('account_id', /^\d{12}$/, '12 digits');
  const regions = member('regions', regionList, 'regions with commas between them, or *');
  const access = member('access', /^(?:full|read-only)$/, 'full or read-only');
  return {
    ...{ accessKeyId, secretAccessKey },
    ...(accountId !== undefined && { accountId }),
    ...(regions !== undefined && { regions: regions === '*' ? '*' : regions.split(/ *, */) }),
    ...(access !== undefined && { readOnly: access === 'read-only' }),
  };
}

const regionList = /^(?:\*|[a-z0-9-]{1,32}(?: *, *[a-z0-9-]{1,32})*)$/;
