import { describe, expect, it } from 'vitest';
import { checkIce, checkTransport, parse, parseFragment, type Session } from './index.ts';
import { sampleFingerprint, samples } from './samples.ts';

const ufrag = 'Uf+1';
const pwd = '0123456789abcdefghij+/';

function session(sessionLines: string[], ...media: string[][]): Session {
  const lines = ['v=0', 'o=- 1 1 IN IP4 ::1', ...sessionLines];
  for (const attributes of media) lines.push('m=video 9 UDP/TLS/RTP/SAVPF 96', ...attributes);
  const result = parse(lines.join('\n'));
  if ('error' in result) throw new Error(result.error);
  return result.session;
}

const ice = (user = ufrag, password = pwd) => [`a=ice-ufrag:${user}`, `a=ice-pwd:${password}`];
const fingerprint = (value = sampleFingerprint, hash = 'sha-256') => `a=fingerprint:${hash} ${value}`;
const good = { iceUfrag: ufrag, icePwd: pwd, fingerprintSha256: sampleFingerprint };

describe('checkTransport', () => {
  it('takes session-level attributes', () => {
    expect(checkTransport(session([...ice(), fingerprint()], []))).toEqual(good);
    expect(checkTransport(session([...ice(), fingerprint()]))).toEqual(good);
  });

  it('puts media-level attributes first', () => {
    const other = [...ice('XXXX', 'y'.repeat(22)), fingerprint('AA')];
    expect(checkTransport(session(other, [...ice(), fingerprint()]))).toEqual(good);
  });

  it('takes the first m-line of the BUNDLE group, wherever it stands', () => {
    const bundled = session(['a=group:BUNDLE b a'], ['a=mid:a'], ['a=mid:b', ...ice(), fingerprint()]);
    expect(checkTransport(bundled)).toEqual(good);
  });

  it('takes the first m-line without a group', () => {
    expect(checkTransport(session([], [...ice(), fingerprint()], ice('XXXX')))).toEqual(good);
  });

  it('does not mix credentials of two levels', () => {
    expect(checkTransport(session([...ice(), fingerprint()], ['a=ice-ufrag:XXXX']))).toEqual({ error: 'no a=ice-pwd' });
  });

  it('finds sha-256 among other hashes and writes it in upper case', () => {
    const lines = [...ice(), fingerprint('AA', 'sha-1'), fingerprint(sampleFingerprint.toLowerCase(), 'SHA-256')];
    expect(checkTransport(session([], lines))).toEqual(good);
  });

  it.each([
    [[], 'no a=ice-ufrag'],
    [['a=ice-ufrag:abcd'], 'no a=ice-pwd'],
    [ice('abc'), 'a=ice-ufrag is not 4 to 256 characters long'],
    [ice('a'.repeat(257)), 'a=ice-ufrag is not 4 to 256 characters long'],
    [ice('ab-d'), 'a=ice-ufrag has characters other than letters, digits, "+" and "/"'],
    [ice(ufrag, 'a'.repeat(21)), 'a=ice-pwd is not 22 to 256 characters long'],
    [ice(ufrag, 'a'.repeat(257)), 'a=ice-pwd is not 22 to 256 characters long'],
    [ice(ufrag, `${'a'.repeat(22)} `), 'a=ice-pwd has characters other than letters, digits, "+" and "/"'],
    [ice(), 'no sha-256 a=fingerprint'],
    [[...ice(), fingerprint('AA', 'sha-1')], 'no sha-256 a=fingerprint'],
    [[...ice(), fingerprint(`${sampleFingerprint}:00`)], 'a=fingerprint is not 32 hex pairs with colons'],
    [[...ice(), fingerprint(sampleFingerprint.slice(3))], 'a=fingerprint is not 32 hex pairs with colons'],
  ])('%j: %s', (lines, error) => {
    expect(checkTransport(session([], lines))).toEqual({ error });
  });

  it.each([
    [4, 22],
    [256, 256],
  ])('accepts %i and %i characters', (user, password) => {
    const lines = [...ice('a'.repeat(user), 'b'.repeat(password)), fingerprint()];
    expect(checkTransport(session([], lines))).toMatchObject({ iceUfrag: 'a'.repeat(user) });
  });
});

it('checkIce takes a trickle ICE fragment', () => {
  const result = parseFragment(samples.fragment);
  expect('fragment' in result && checkIce(result.fragment)).toEqual({ iceUfrag: ufrag, icePwd: pwd });
});
