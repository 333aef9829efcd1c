import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_TOKEN_LIFETIME, parseClaims, type TokenClaims } from './tokens.ts';

const claims: TokenClaims = {
  exp: 1_800_000_000,
  iat: 1_799_999_000,
  jti: 'abcdABCD_-12',
  resource: 'arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh',
  topic: 'abcdABCDefgh',
  events_url: 'ws://127.0.0.1:8080/events',
  whip_url: 'http://127.0.0.1:8080/whip',
  capabilities: { allow_publish: true },
  version: '1.0',
};

test('claims are read as they are written, without anything unknown', () => {
  expect(parseClaims({ ...claims, extra: 1, capabilities: { allow_publish: true, fly: true } })).toEqual(claims);
  const full = { ...claims, user_id: 'bob', attributes: { a: 'b' } };
  expect(parseClaims(full)).toEqual(full);
  expect(parseClaims({ ...claims, user_id: null, attributes: null })).toEqual(claims);
});

test.each(['exp', 'iat', 'jti', 'resource', 'topic', 'events_url', 'whip_url', 'capabilities', 'version'] as const)(
  '%s must be there and of its type',
  (name) => {
    const { [name]: _, ...without } = claims;
    expect(parseClaims(without)).toBeUndefined();
    for (const value of [null, '', [], 1.5, true]) expect(parseClaims({ ...claims, [name]: value })).toBeUndefined();
  },
);

const at = (change: object) => parseClaims({ ...claims, ...change }) !== undefined;

test('a token lives for at most 14 days', () => {
  expect([at({ exp: claims.iat + MAX_TOKEN_LIFETIME }), at({ exp: claims.iat + MAX_TOKEN_LIFETIME + 1 })]).toEqual([
    true,
    false,
  ]);
  expect([at({ exp: claims.iat + 1 }), at({ exp: claims.iat })]).toEqual([true, false]);
});

test('jti has at most 64 characters of A-Za-z0-9_-', () => {
  expect([at({ jti: 'a'.repeat(64) }), at({ jti: 'a'.repeat(65) })]).toEqual([true, false]);
  for (const jti of ['a b', 'a/b', '../x', 'a\n', 'é']) expect(at({ jti })).toBe(false);
});

test('user_id has at most 128 code points', () => {
  expect([at({ user_id: '😀'.repeat(128) }), at({ user_id: '😀'.repeat(129) }), at({ user_id: 1 })]).toEqual([
    true,
    false,
    false,
  ]);
});

test('attributes hold at most 1024 bytes of UTF-8', () => {
  const of = (bytes: number) => ({ attributes: { é: 'x'.repeat(bytes - 2) } });
  expect([at(of(1024)), at(of(1025)), at({ attributes: { a: 1 } }), at({ attributes: ['a'] })]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test('URLs have at most 2048 characters, the version 16', () => {
  expect([at({ whip_url: 'h'.repeat(2048) }), at({ whip_url: 'h'.repeat(2049) })]).toEqual([true, false]);
  expect([at({ version: '1'.repeat(16) }), at({ version: '1'.repeat(17) })]).toEqual([true, false]);
});

test('the topic is the id of the stage', () => {
  expect(at({ topic: 'other' })).toBe(false);
  expect(at({ resource: claims.resource.replace('stage', 'channel') })).toBe(false);
});

test('capabilities are true, false or absent', () => {
  expect(at({ capabilities: {} })).toBe(true);
  expect([at({ capabilities: { allow_publish: 'true' } }), at({ capabilities: { allow_subscribe: 1 } })]).toEqual([
    false,
    false,
  ]);
});

test('an attribute named __proto__ is an attribute', () => {
  const attributes = JSON.parse('{"__proto__":"x"}');
  expect(Object.entries(parseClaims({ ...claims, attributes })?.attributes ?? {})).toEqual([['__proto__', 'x']]);
});

test('any JSON is read or refused, never thrown at', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => parseClaims(value) === undefined));
  const names = Object.keys(claims) as (keyof TokenClaims)[];
  fc.assert(
    fc.property(fc.constantFrom(...names, 'user_id' as const, 'attributes' as const), fc.jsonValue(), (name, value) => {
      parseClaims({ ...claims, [name]: value });
    }),
  );
});
