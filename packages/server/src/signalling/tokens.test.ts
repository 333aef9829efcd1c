import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { Refusal } from './refusal.ts';
import { claimsFor } from './testing.ts';
import { maxTokenLength, TokenAuthority } from './tokens.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const publicKeys = new Map<string, string>();
const surroundings = { publicKeyOf: async (arn: string) => publicKeys.get(arn), now: () => new Date() };
const authority = new TokenAuthority(keys, surroundings);
const claims = claimsFor('arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh', {
  user_id: 'alice',
  attributes: { a: 'b' },
});

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('a participant token', () => {
  test('comes back as the claims that it was issued with', async () => {
    const token = await authority.issue(claims);
    expect(await authority.verify(token)).toEqual({ token, claims });
    expect(await authority.verify(token)).toEqual({ token, claims });
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: 'ES384',
      typ: 'JWT',
    });
  });

  test('expires to the second, remembered or not', async () => {
    let now = new Date();
    const clocked = new TokenAuthority(keys, { ...surroundings, now: () => now });
    const token = await clocked.issue(claims);
    now = new Date(claims.exp * 1000 - 1);
    await clocked.verify(token);
    now = new Date(claims.exp * 1000);
    await expect(clocked.verify(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED', status: 401 });
  });

  const [, payload, signature] = ['', part(claims), part('x'.repeat(96))];
  test.each([
    ['', 'TOKEN_MALFORMED'],
    ['one.two', 'TOKEN_MALFORMED'],
    ['a.b.c.d', 'TOKEN_MALFORMED'],
    ['not base64!.b.c', 'TOKEN_MALFORMED'],
    [`${part('nonsense')}.${payload}.${signature}`, 'TOKEN_MALFORMED'],
    [`${part({ alg: 'none' })}.${payload}.${signature}`, 'TOKEN_ALGORITHM_NOT_ALLOWED'],
    [`${part({ alg: 'HS256' })}.${payload}.${signature}`, 'TOKEN_ALGORITHM_NOT_ALLOWED'],
    [`${part({ alg: 'ES384' })}.${payload}.${signature}`, 'TOKEN_SIGNATURE_INVALID'],
    ['a'.repeat(maxTokenLength + 1), 'TOKEN_MALFORMED'],
  ])('%.40s is refused with %s', async (token, code) => {
    await expect(authority.verify(token)).rejects.toMatchObject({ code });
  });

  test('of another key, or changed after signing, is refused', async () => {
    const other = new TokenAuthority(generateKeyPairSync('ec', { namedCurve: 'P-384' }), surroundings);
    await expect(authority.verify(await other.issue(claims))).rejects.toMatchObject({
      code: 'TOKEN_SIGNATURE_INVALID',
    });
    const [header, , signed] = (await authority.issue(claims)).split('.');
    const changed = [header, part({ ...claims, user_id: 'mallory' }), signed].join('.');
    await expect(authority.verify(changed)).rejects.toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  });

  test('that we signed over something else is malformed', async () => {
    const token = await new SignJWT({ sub: 'x' }).setProtectedHeader({ alg: 'ES384' }).sign(keys.privateKey);
    await expect(authority.verify(token)).rejects.toMatchObject({ code: 'TOKEN_MALFORMED' });
  });

  test('of any text is refused, never crashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((p) => p.join('.')),
        ),
        async (token) => {
          await expect(authority.verify(token)).rejects.toBeInstanceOf(Refusal);
        },
      ),
    );
  });
});

describe('a token that is signed with an imported key', () => {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const arn = 'arn:aws:ivs:us-west-2:123456789012:public-key/abcdABCDefgh';
  publicKeys.set(arn, own.publicKey.export({ type: 'spki', format: 'pem' }) as string);

  const sign = (change: Record<string, unknown> = {}, kid: unknown = arn) =>
    new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: kid as string })
      .sign(own.privateKey);

  test('is good while the key is there', async () => {
    const token = await sign();
    expect(await authority.verify(token)).toEqual({ token, claims, publicKeyArn: arn });
    publicKeys.delete(arn);
    await expect(authority.verify(token)).rejects.toMatchObject({ code: 'TOKEN_KEY_NOT_FOUND' });
    publicKeys.set(arn, own.publicKey.export({ type: 'spki', format: 'pem' }) as string);
    await authority.verify(token);
  });

  const weeks = 7 * 24 * 60 * 60;
  test.each([
    ['an unknown key', {}, arn.replace('abcd', 'wxyz'), 'TOKEN_KEY_NOT_FOUND', /imported/],
    ['a kid that is no ARN', {}, 'key-1', 'TOKEN_KEY_NOT_FOUND', /key-1/],
    ['a kid that is no string', {}, 7, 'TOKEN_MALFORMED', /kid/],
    [
      'a stage of another region',
      { resource: claims.resource.replace('us-west-2', 'eu-west-1') },
      arn,
      'TOKEN_KEY_WRONG_SCOPE',
      /region/,
    ],
    [
      'a stage of another account',
      { resource: claims.resource.replace('123456789012', '210987654321') },
      arn,
      'TOKEN_KEY_WRONG_SCOPE',
      /account/,
    ],
    ['a life of more than 14 days', { exp: claims.iat + 2 * weeks + 1 }, arn, 'TOKEN_MALFORMED', /14 days/],
    ['no jti', { jti: undefined }, arn, 'TOKEN_MALFORMED', /"jti" is missing/],
    ['no whip_url', { whip_url: undefined }, arn, 'TOKEN_MALFORMED', /"whip_url" is missing/],
    ['a fraction of a second', { iat: claims.iat + 0.5 }, arn, 'TOKEN_MALFORMED', /"iat"/],
    ['the topic of another stage', { topic: 'other' }, arn, 'TOKEN_MALFORMED', /"topic"/],
    ['another version', { version: '0.3' }, arn, 'TOKEN_MALFORMED', /"version"/],
  ])('is refused with %s', async (_what, change, kid, code, message) => {
    await expect(authority.verify(await sign(change, kid))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('lives for 14 days at most', async () => {
    await authority.verify(await sign({ exp: claims.iat + 2 * weeks }));
  });

  test('and not with that key is refused', async () => {
    const token = await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES384', kid: arn }).sign(keys.privateKey);
    await expect(authority.verify(token)).rejects.toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  });
});
