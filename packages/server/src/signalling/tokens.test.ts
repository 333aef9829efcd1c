import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { Refusal } from './refusal.ts';
import { claimsFor } from './testing.ts';
import { maxTokenLength, TokenAuthority } from './tokens.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const authority = new TokenAuthority(keys);
const claims = claimsFor('arn:aws:ivs:us-west-2:123456789012:stage/abcdABCDefgh', {
  user_id: 'alice',
  attributes: { a: 'b' },
});

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('a participant token', () => {
  test('comes back as the claims that it was issued with', async () => {
    const token = await authority.issue(claims);
    expect(await authority.verify(token)).toEqual(claims);
    expect(await authority.verify(token)).toEqual(claims);
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: 'ES384',
      typ: 'JWT',
    });
  });

  test('expires to the second, remembered or not', async () => {
    let now = new Date();
    const clocked = new TokenAuthority(keys, () => now);
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
    const other = new TokenAuthority(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
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
