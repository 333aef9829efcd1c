import { describe, expect, it } from 'vitest';
import { iceServersOf, linkTo, parseLinks } from './links.ts';

const joined = [
  '<stun:stun.example:3478>; rel="ice-server"',
  '<turn:turn.example?transport=udp>; rel="ice-server"; username="a, \\"b\\"; c"; credential="x\\\\y="; credential-type="password"',
  '<http://127.0.0.1/layers>;rel=urn:layers',
].join(', ');

describe('links', () => {
  it('are found where the headers of an answer are joined', () => {
    expect(linkTo(parseLinks(joined), 'urn:layers')).toBe('http://127.0.0.1/layers');
    expect(linkTo(parseLinks(joined), 'elsewhere')).toBeUndefined();
    expect(parseLinks(null)).toEqual([]);
    expect(parseLinks('nonsense, <')).toEqual([]);
  });

  it('become the ICE servers of a connection, with what was quoted', () => {
    expect(iceServersOf(parseLinks(joined))).toEqual([
      { urls: 'stun:stun.example:3478' },
      { urls: 'turn:turn.example?transport=udp', username: 'a, "b"; c', credential: 'x\\y=' },
    ]);
  });
});
