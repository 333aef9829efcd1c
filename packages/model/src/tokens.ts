import { parseArn } from './ids.ts';
import { codePointLength, isJsonObject, mapBytes, ownValue } from './json.ts';
import { MAX_ATTRIBUTES_BYTES } from './shapes/common.ts';

/** What a participant token says; the names are those of the JWT payload. */
export interface TokenClaims {
  /** End of the token, in seconds since 1970. */
  exp: number;
  /** When the token was made, in seconds since 1970. */
  iat: number;
  /** Id of the participant; each token has its own. */
  jti: string;
  /** ARN of the stage. */
  resource: string;
  /** Id of the stage. */
  topic: string;
  events_url: string;
  whip_url: string;
  user_id?: string;
  attributes?: Record<string, string>;
  capabilities: { allow_publish?: boolean; allow_subscribe?: boolean };
  version: string;
}

/** Longest life of a token, in seconds: 14 days. */
export const MAX_TOKEN_LIFETIME = 14 * 24 * 60 * 60;
/** Most characters of the id of a token. */
export const MAX_JTI_LENGTH = 64;
/** Most code points of a user id. */
export const MAX_USER_ID_LENGTH = 128;
/** Most characters of a URL in a token. */
export const MAX_TOKEN_URL_LENGTH = 2048;
/** Most characters of a token's version. */
export const MAX_TOKEN_VERSION_LENGTH = 16;

/** A claim's value, when it keeps to its rule; else what it must be, to follow "must be". */
interface Rule {
  name: keyof TokenClaims;
  optional?: true;
  expected: string;
  holds(value: unknown): boolean;
}

const isText = (maxLength: number) => (value: unknown) =>
  typeof value === 'string' && value.length > 0 && value.length <= maxLength;

function isUserId(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 2 * MAX_USER_ID_LENGTH) return false;
  return codePointLength(value) <= MAX_USER_ID_LENGTH;
}

function isAttributes(value: unknown): boolean {
  if (!isJsonObject(value) || !Object.values(value).every((text) => typeof text === 'string')) return false;
  return mapBytes(value as Record<string, string>) <= MAX_ATTRIBUTES_BYTES;
}

function isCapabilities(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const flags = [ownValue(value, 'allow_publish'), ownValue(value, 'allow_subscribe')];
  return flags.every((flag) => flag === undefined || typeof flag === 'boolean');
}

const rules: readonly Rule[] = [
  { name: 'exp', expected: 'a whole number of seconds', holds: Number.isSafeInteger },
  { name: 'iat', expected: 'a whole number of seconds', holds: Number.isSafeInteger },
  {
    name: 'jti',
    expected: `a string of 1 to ${MAX_JTI_LENGTH} characters of A-Za-z0-9_-`,
    holds: (value) => isText(MAX_JTI_LENGTH)(value) && /^[A-Za-z0-9_-]+$/.test(String(value)),
  },
  { name: 'resource', expected: 'the ARN of a stage', holds: (value) => stageIdOf(value) !== undefined },
  { name: 'topic', expected: 'the id of the stage in "resource"', holds: (value) => typeof value === 'string' },
  {
    name: 'events_url',
    expected: `a URL of at most ${MAX_TOKEN_URL_LENGTH} characters`,
    holds: isText(MAX_TOKEN_URL_LENGTH),
  },
  {
    name: 'whip_url',
    expected: `a URL of at most ${MAX_TOKEN_URL_LENGTH} characters`,
    holds: isText(MAX_TOKEN_URL_LENGTH),
  },
  {
    name: 'user_id',
    optional: true,
    expected: `a string of at most ${MAX_USER_ID_LENGTH} characters`,
    holds: isUserId,
  },
  {
    name: 'attributes',
    optional: true,
    expected: `an object of strings of at most ${MAX_ATTRIBUTES_BYTES} bytes in all`,
    holds: isAttributes,
  },
  {
    name: 'capabilities',
    expected: 'an object whose "allow_publish" and "allow_subscribe" are true or false',
    holds: isCapabilities,
  },
  {
    name: 'version',
    expected: `a string of 1 to ${MAX_TOKEN_VERSION_LENGTH} characters`,
    holds: isText(MAX_TOKEN_VERSION_LENGTH),
  },
];

function stageIdOf(resource: unknown): string | undefined {
  const arn = typeof resource === 'string' ? parseArn(resource) : undefined;
  return arn?.type === 'stage' ? arn.id : undefined;
}

/** What is wrong with the claims of each other; undefined when nothing is. */
function disagreement(claims: TokenClaims): string | undefined {
  const lifetime = claims.exp - claims.iat;
  if (lifetime <= 0) return 'the claim "exp" must be later than "iat"';
  if (lifetime > MAX_TOKEN_LIFETIME) return 'the claim "exp" must be at most 14 days after "iat"';
  if (claims.topic !== stageIdOf(claims.resource)) return 'the claim "topic" must be the id of the stage in "resource"';
  return undefined;
}

/** Copies the claims that we know. */
function knownClaims(payload: Record<string, unknown>): TokenClaims {
  const known = rules.flatMap(({ name }) => {
    const value = ownValue(payload, name);
    return value === undefined ? [] : [[name, name === 'capabilities' ? knownCapabilities(value as object) : value]];
  });
  return Object.fromEntries(known) as TokenClaims;
}

function knownCapabilities(value: object): TokenClaims['capabilities'] {
  const names = ['allow_publish', 'allow_subscribe'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(value, name) ? [[name, Reflect.get(value, name)]] : [])),
  );
}

/** The claims of a JWT payload, without anything unknown, or in words which of them breaks its rule. */
export function readClaims(payload: unknown): { claims: TokenClaims } | { error: string } {
  if (!isJsonObject(payload)) return { error: 'its payload is not a JSON object' };
  for (const { name, optional, expected, holds } of rules) {
    const value = ownValue(payload, name);
    if (value === undefined && optional) continue;
    if (value === undefined) return { error: `the claim "${name}" is missing; it must be ${expected}` };
    if (!holds(value)) return { error: `the claim "${name}" must be ${expected}` };
  }
  const claims = knownClaims(payload);
  const error = disagreement(claims);
  return error === undefined ? { claims } : { error };
}

/** The claims of a JWT payload; undefined when one is missing or breaks its limit. */
export function parseClaims(payload: unknown): TokenClaims | undefined {
  const read = readClaims(payload);
  return 'claims' in read ? read.claims : undefined;
}
