import { expect, test } from 'vitest';
import { type Config, loadConfig } from './config.ts';
import { IceServers } from './ice-servers.ts';

const iceServers = (...flags: string[]) =>
  new IceServers(loadConfig(flags, {}) as Config, () => new Date('2026-01-02T03:04:05Z'));

test('are none unless told', () => {
  expect(iceServers().linksFor('alice')).toEqual([]);
  expect(iceServers().publicLinks()).toEqual([]);
});

test('are links with the given credentials, of TURN servers alone', () => {
  const servers = iceServers(
    '--ice-server=stun:stun.example:3478',
    '--ice-server=turn:turn.example:3478?transport=udp',
    '--turn-username=me "and\\" you',
    '--turn-credential=pass word',
  );
  expect(servers.publicLinks()).toEqual(['<stun:stun.example:3478>; rel="ice-server"']);
  expect(servers.linksFor('alice')).toEqual([
    '<stun:stun.example:3478>; rel="ice-server"',
    '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="me \\"and\\\\\\" you"; credential="pass word"; credential-type="password"',
  ]);
});

test('get credentials that end from a shared secret', () => {
  const servers = iceServers('--ice-server=turns:[2001:db8::1]', '--turn-secret=north', '--turn-ttl=60');
  // printf 1767323105:alice | openssl dgst -sha1 -hmac north -binary | base64
  expect(servers.linksFor('alice')).toEqual([
    '<turns:[2001:db8::1]>; rel="ice-server"; username="1767323105:alice"; credential="tmBOrNHnUj1NeRYe4GxzJBSi0Pw="; credential-type="password"',
  ]);
});
