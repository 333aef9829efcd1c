import type { KeyObject } from 'node:crypto';
import { parseClaims, type TokenClaims } from '@footlights/model';
import { compactVerify, decodeProtectedHeader, SignJWT } from 'jose';
import type { TokenIssuer } from '../operations/context.ts';
import { Refusal } from './refusal.ts';

/** Longest token that is looked at, in characters: 1 KiB of attributes, the URLs and a signature fit three times. */
export const maxTokenLength = 8192;

/** Verified tokens that are remembered: a subscriber of twelve publishers shows the same one thirteen times. */
const maxRemembered = 10_000;

/** Signs participant tokens (JWT, ES384, the claims of `TokenClaims`) and verifies what clients show. */
export class TokenAuthority implements TokenIssuer {
  private readonly verified = new Map<string, TokenClaims>();
  private readonly keys: { privateKey: KeyObject; publicKey: KeyObject };
  private readonly now: () => Date;

  constructor(keys: { privateKey: KeyObject; publicKey: KeyObject }, now: () => Date = () => new Date()) {
    this.keys = keys;
    this.now = now;
  }

  issue(claims: TokenClaims): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES384', typ: 'JWT' }).sign(this.keys.privateKey);
  }

  /** The claims of a token that is ours and not expired; throws a Refusal that says which of this it is not. */
  async verify(token: string): Promise<TokenClaims> {
    const claims = this.verified.get(token) ?? (await this.verifySignature(token));
    const now = this.now().getTime() / 1000;
    if (claims.exp <= now) {
      const since = new Date(claims.exp * 1000).toISOString();
      throw new Refusal(
        'TOKEN_EXPIRED',
        `The token expired at ${since}. Create a new one with CreateParticipantToken.`,
      );
    }
    return claims;
  }

  private async verifySignature(token: string): Promise<TokenClaims> {
    requireAlgorithm(token);
    const payload = await compactVerify(token, this.keys.publicKey, { algorithms: ['ES384'] }).then(
      (result) => result.payload,
      () => {
        throw new Refusal('TOKEN_SIGNATURE_INVALID', 'The token was not signed by this server, or was changed.');
      },
    );
    const claims = parseClaims(parseJson(payload));
    if (claims === undefined) throw malformed('a claim is missing or has the wrong type');
    this.remember(token, claims);
    return claims;
  }

  private remember(token: string, claims: TokenClaims): void {
    const oldest = this.verified.size >= maxRemembered ? this.verified.keys().next().value : undefined;
    if (oldest !== undefined) this.verified.delete(oldest);
    this.verified.set(token, claims);
  }
}

function malformed(why: string): Refusal {
  return new Refusal('TOKEN_MALFORMED', `The token is not a participant token: ${why}.`);
}

/** RFC 8725 section 3.1: the algorithm is pinned before any key is used. */
function requireAlgorithm(token: string): void {
  if (token.length > maxTokenLength) throw malformed(`it has more than ${maxTokenLength} characters`);
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw malformed('it does not have three base64url parts');
  let algorithm: unknown;
  try {
    algorithm = decodeProtectedHeader(token).alg;
  } catch {
    throw malformed('its header is not JSON');
  }
  if (algorithm !== 'ES384') {
    throw new Refusal(
      'TOKEN_ALGORITHM_NOT_ALLOWED',
      `The token's "alg" is ${JSON.stringify(algorithm)?.slice(0, 40)}; only ES384 is accepted.`,
    );
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw malformed('its payload is not JSON');
  }
}
