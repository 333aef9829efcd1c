import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readToken } from './token.ts';

const now = new Date('2026-11-23T00:00:00Z');
const claims = {
  jti: 'abcdefABCDEF',
  user_id: 'Zoë',
  resource: 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh',
  topic: 'abcdABCDefgh',
  events_url: 'ws://127.0.0.1:7070/events',
  whip_url: 'http://127.0.0.1:7070/whip',
  exp: now.getTime() / 1000 + 60,
  capabilities: { allow_publish: true },
};

function jwt(payload: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  const text = btoa(String.fromCharCode(...bytes));
  return `eyJhbGciOiJFUzM4NCJ9.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.c2ln`;
}

describe('a participant token', () => {
  const token = jwt(claims);

  it.each([
    ['by itself', token],
    ['with blanks around it', `  ${token}\n`],
    ['in quotes', `"token": "${token}",`],
    ['in the whole answer', JSON.stringify({ participantToken: { token, userId: 'Zoë' } })],
  ])('is found %s', (_, text) => {
    expect(readToken(text, now)).toEqual({
      jwt: token,
      participantId: 'abcdefABCDEF',
      userId: 'Zoë',
      stageArn: claims.resource,
      topic: 'abcdABCDefgh',
      eventsUrl: 'ws://127.0.0.1:7070/events',
      whipUrl: 'http://127.0.0.1:7070/whip',
      mayPublish: true,
      maySubscribe: false,
      expires: new Date('2026-11-23T00:01:00Z'),
    });
  });

  it.each([
    ['', 'TOKEN_MISSING'],
    ['  ', 'TOKEN_MISSING'],
    ['nonsense', 'TOKEN_MALFORMED'],
    ['a.b.c', 'TOKEN_MALFORMED'],
    [jwt({ ...claims, whip_url: undefined }), 'TOKEN_MALFORMED'],
    [jwt({ ...claims, capabilities: undefined }), 'TOKEN_MALFORMED'],
    [jwt({ ...claims, exp: now.getTime() / 1000 }), 'TOKEN_EXPIRED'],
  ])('%j is none: %s', (text, problem) => {
    expect(readToken(text, now)).toBe(problem);
  });

  it('may be any text without a failure', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (payload, rest) => {
        expect(typeof readToken(`eyJ.${btoa(encodeURIComponent(payload))}.${rest}`, now)).toBe('string');
      }),
    );
  });
});
