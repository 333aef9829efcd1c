import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseArn, readClaims, type TokenClaims } from '@footlights/model';
import { compactVerify, decodeProtectedHeader, SignJWT } from 'jose';
import type { TokenIssuer } from '../operations/context.ts';
import { Refusal } from './refusal.ts';

/** Longest token that is looked at, in characters: 1 KiB of attributes, the URLs and a signature fit three times. */
export const maxTokenLength = 8192;

/** Verified tokens that are remembered: a subscriber of twelve publishers shows the same one thirteen times. */
const maxRemembered = 10_000;

/** A token that is good now. */
export interface VerifiedToken {
  token: string;
  claims: TokenClaims;
  /** ARN of the imported public key that it is signed for; absent for a token that this server made. */
  publicKeyArn?: string;
}

/** What the authority needs besides its own keys. */
export interface TokenSurroundings {
  /** The PEM of an imported public key; undefined when there is none of this ARN, or no longer. */
  publicKeyOf(arn: string): Promise<string | undefined>;
  now(): Date;
}

/** Signs participant tokens (JWT, ES384, the claims of `TokenClaims`) and verifies what clients show. */
export class TokenAuthority implements TokenIssuer {
  private readonly verified = new Map<string, VerifiedToken>();
  private readonly keys: { privateKey: KeyObject; publicKey: KeyObject };
  private readonly surroundings: TokenSurroundings;

  constructor(keys: { privateKey: KeyObject; publicKey: KeyObject }, surroundings: TokenSurroundings) {
    this.keys = keys;
    this.surroundings = surroundings;
  }

  issue(claims: TokenClaims): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES384', typ: 'JWT' }).sign(this.keys.privateKey);
  }

  /** A token that is ours, or of an imported key, and has not expired; throws a Refusal that says which of this it is not. */
  async verify(token: string): Promise<VerifiedToken> {
    const { kid } = readHeader(token);
    // Looked up each time: a token ends with its key.
    const publicKey = kid === undefined ? this.keys.publicKey : await this.importedKey(kid);
    const verified = this.verified.get(token) ?? (await this.verifySignature(token, publicKey, kid));
    const { exp } = verified.claims;
    if (exp <= this.surroundings.now().getTime() / 1000) {
      const since = new Date(exp * 1000).toISOString();
      throw new Refusal(
        'TOKEN_EXPIRED',
        `The token expired at ${since}. Create a new one with CreateParticipantToken.`,
      );
    }
    return verified;
  }

  private async importedKey(kid: string): Promise<KeyObject> {
    const pem = parseArn(kid)?.type === 'public-key' ? await this.surroundings.publicKeyOf(kid) : undefined;
    if (pem !== undefined) return createPublicKey(pem);
    const named = JSON.stringify(kid.slice(0, 128));
    throw new Refusal('TOKEN_KEY_NOT_FOUND', `The token's "kid" ${named} is no imported public key, or was deleted.`);
  }

  private async verifySignature(token: string, publicKey: KeyObject, kid: string | undefined): Promise<VerifiedToken> {
    const payload = await compactVerify(token, publicKey, { algorithms: ['ES384'] }).then(
      (result) => result.payload,
      () => {
        const signer = kid === undefined ? 'by this server' : 'with the private key of its "kid"';
        throw new Refusal('TOKEN_SIGNATURE_INVALID', `The token was not signed ${signer}, or was changed.`);
      },
    );
    const read = readClaims(parseJson(payload));
    if ('error' in read) throw malformed(read.error);
    if (kid !== undefined) requireScope(kid, read.claims);
    const verified = { token, claims: read.claims, ...(kid !== undefined && { publicKeyArn: kid }) };
    this.remember(verified);
    return verified;
  }

  private remember(verified: VerifiedToken): void {
    const oldest = this.verified.size >= maxRemembered ? this.verified.keys().next().value : undefined;
    if (oldest !== undefined) this.verified.delete(oldest);
    this.verified.set(verified.token, verified);
  }
}

function malformed(why: string): Refusal {
  return new Refusal('TOKEN_MALFORMED', `The token is not a participant token: ${why}.`);
}

/** A token that is signed with an imported key is for stages of that key's account and region, and says version 1.0. */
function requireScope(kid: string, claims: TokenClaims): void {
  const [key, stage] = [parseArn(kid), parseArn(claims.resource)];
  if (key?.region !== stage?.region || key?.account !== stage?.account) {
    const message = 'The public key of the token is of another account or region than the stage of its "resource".';
    throw new Refusal('TOKEN_KEY_WRONG_SCOPE', message);
  }
  if (claims.version !== '1.0') throw malformed('the claim "version" must be "1.0"');
}

/** The header of a JWT. RFC 8725 section 3.1: the algorithm is pinned before any key is used. */
function readHeader(token: string): { kid?: string } {
  if (token.length > maxTokenLength) throw malformed(`it has more than ${maxTokenLength} characters`);
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw malformed('it does not have three base64url parts');
  const { alg, kid } = decodeHeader(token);
  if (alg !== 'ES384') {
    const named = JSON.stringify(alg)?.slice(0, 40);
    throw new Refusal('TOKEN_ALGORITHM_NOT_ALLOWED', `The token's "alg" is ${named}; only ES384 is accepted.`);
  }
  if (kid !== undefined && typeof kid !== 'string') throw malformed('its "kid" is not a string');
  return { kid };
}

function decodeHeader(token: string): { alg?: unknown; kid?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw malformed('its header is not JSON');
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw malformed('its payload is not JSON');
  }
}
