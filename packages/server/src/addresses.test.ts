import { describe, expect, test } from 'vitest';
import { mediaAddress, publicEndpoints } from './addresses.ts';
import { type Config, loadConfig } from './config.ts';

const endpoints = (...flags: string[]) => publicEndpoints(loadConfig(flags, {}) as Config, 7070, [7071]);

describe('the URLs that clients are told', () => {
  test('are those of the host', () => {
    expect(endpoints()).toEqual({
      api: 'http://127.0.0.1:7070',
      whip: 'http://127.0.0.1:7070/whip',
      events: 'ws://127.0.0.1:7070/events',
      region: 'us-west-2',
      media: ['udp://127.0.0.1:7071'],
    });
    expect(endpoints('--host', '::1').api).toBe('http://[::1]:7070');
  });

  test('are those of the announced address', () => {
    expect(endpoints('--host', '0.0.0.0', '--announce-ip', '203.0.113.7')).toMatchObject({
      api: 'http://203.0.113.7:7070',
      media: ['udp://203.0.113.7:7071'],
    });
  });

  test('are below the public URL of a proxy', () => {
    expect(endpoints('--public-url', 'https://live.example/stages/')).toMatchObject({
      api: 'https://live.example/stages',
      whip: 'https://live.example/stages/whip',
      events: 'wss://live.example/stages/events',
      media: ['udp://127.0.0.1:7071'],
    });
    for (const url of ['live.example', 'ftp://live.example', 'https://live.example/?a=b', 'https://me@live.example']) {
      expect(() => endpoints('--public-url', url)).toThrow(/--public-url.*http or https URL/);
    }
  });

  test('are never those of a wildcard', () => {
    expect(endpoints('--host', '0.0.0.0').api).not.toContain('0.0.0.0');
  });
});

test('the media address of a name is looked up, and of an unknown one is an error in words', async () => {
  expect(await mediaAddress('localhost')).toBe('127.0.0.1');
  await expect(mediaAddress('nowhere.invalid')).rejects.toThrow(/--host nowhere\.invalid: no IPv4 address/);
});
