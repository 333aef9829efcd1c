import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Config, loadConfig } from './config.ts';
import { ingestTls } from './tls.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'footlights-tls-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = (...flags: string[]) => loadConfig(['--data-dir', folder, ...flags], {}) as Config;

describe('the certificate of RTMPS', () => {
  test('is made once, for its owner alone, and has a fingerprint', () => {
    const first = ingestTls(config(), new Date());
    expect(first.fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(statSync(join(folder, 'rtmps.pem')).mode & 0o777).toBe(0o600);
    expect(ingestTls(config('--public-url', 'https://live.example'), new Date())).toEqual(first);
  });

  test('is the one of the server when that has one', () => {
    const own = ingestTls(config(), new Date());
    const file = join(folder, 'given.pem');
    writeFileSync(file, own.cert);
    const given = ingestTls(config('--tls-cert', file, '--tls-key', file), new Date());
    expect(given).toEqual({ cert: own.cert, key: own.key });
  });

  test.each(['', 'nonsense', 'half'])('that is %j is an error in words', (text) => {
    const path = join(folder, 'rtmps.pem');
    ingestTls(config(), new Date());
    const half = readFileSync(path, 'utf8').split('-----BEGIN PRIVATE')[0] ?? '';
    writeFileSync(path, text === 'half' ? half : text);
    expect(() => ingestTls(config(), new Date())).toThrow(/rtmps\.pem is not a certificate with its key.*delete it/);
  });
});
