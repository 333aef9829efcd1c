import { describe, expect, test } from 'vitest';
import { mediaAddress, publicEndpoints } from './addresses.ts';
import { type Config, loadConfig } from './config.ts';

const ports = { http: 7070, media: [7071], ingest: { rtmp: 1935, rtmps: 443 } };
const endpoints = (...flags: string[]) => publicEndpoints(loadConfig(flags, {}) as Config, ports);

describe('the URLs that clients are told', () => {
  test('are those of the host', () => {
    expect(endpoints()).toEqual({
      api: 'http://127.0.0.1:7070',
      whip: 'http://127.0.0.1:7070/whip',
      events: 'ws://127.0.0.1:7070/events',
      rtmp: 'rtmp://127.0.0.1:1935/app/',
      rtmps: 'rtmps://127.0.0.1:443/app/',
      region: 'us-west-2',
      media: ['udp://127.0.0.1:7071'],
    });
    expect(endpoints('--host', '::1').api).toBe('http://[::1]:7070');
  });

  test('of encoders are those of a public name, and none when there are no ports for them', () => {
    expect(endpoints('--public-url', 'https://live.example:8443/', '--announce-ip', '203.0.113.7')).toMatchObject({
      rtmp: 'rtmp://live.example:1935/app/',
      rtmps: 'rtmps://live.example:443/app/',
    });
    expect(endpoints('--public-url', 'http://[::1]:8080').rtmp).toBe('rtmp://[::1]:1935/app/');
    expect(endpoints('--announce-ip', '203.0.113.7').rtmps).toBe('rtmps://203.0.113.7:443/app/');
    const { rtmp, rtmps } = publicEndpoints(loadConfig([], {}) as Config, { http: 7070, media: [7071] });
    expect([rtmp, rtmps]).toEqual([undefined, undefined]);
  });

  test('are those of the announced address', () => {
    expect(endpoints('--host', '0.0.0.0', '--announce-ip', '203.0.113.7')).toMatchObject({
      api: 'http://203.0.113.7:7070',
      media: ['udp://203.0.113.7:7071'],
    });
    expect(endpoints('--host=::', '--announce-ip=2001:db8::7', '--announce-ip=203.0.113.7')).toMatchObject({
      api: 'http://[2001:db8::7]:7070',
      media: ['udp://[2001:db8::7]:7071', 'udp://203.0.113.7:7071'],
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
    expect(endpoints('--host', '::').api).not.toContain('[::]');
  });
});

describe('the address of the media sockets', () => {
  test('is the one given, of either family', async () => {
    for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) expect(await mediaAddress(address)).toBe(address);
  });

  test('of a name is looked up, and of an unknown one is an error in words', async () => {
    expect(await mediaAddress('localhost')).toBe('127.0.0.1');
    await expect(mediaAddress('nowhere.invalid')).rejects.toThrow(/--host nowhere\.invalid: no address is known/);
  });
});
