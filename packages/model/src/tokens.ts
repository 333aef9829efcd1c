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

function stringUpTo(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength;
}

function isUserId(value: unknown): value is string | undefined {
  if (value === undefined) return true;
  if (typeof value !== 'string' || value.length > 2 * MAX_USER_ID_LENGTH) return false;
  return codePointLength(value) <= MAX_USER_ID_LENGTH;
}

function isAttributes(value: unknown): value is Record<string, string> | undefined {
  if (value === undefined) return true;
  if (!isJsonObject(value) || !Object.values(value).every((text) => typeof text === 'string')) return false;
  return mapBytes(value) <= MAX_ATTRIBUTES_BYTES;
}

function isOptionalBoolean(value: unknown): value is boolean | undefined {
  return value === undefined || typeof value === 'boolean';
}

function parseCapabilities(value: unknown): TokenClaims['capabilities'] | undefined {
  if (!isJsonObject(value)) return undefined;
  const publish = ownValue(value, 'allow_publish');
  const subscribe = ownValue(value, 'allow_subscribe');
  if (!isOptionalBoolean(publish) || !isOptionalBoolean(subscribe)) return undefined;
  return {
    ...(publish === undefined ? {} : { allow_publish: publish }),
    ...(subscribe === undefined ? {} : { allow_subscribe: subscribe }),
  };
}

/** True when both are whole seconds and the token lives for more than nothing and at most 14 days. */
function areTimes(iat: unknown, exp: unknown): boolean {
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return false;
  const lifetime = Number(exp) - Number(iat);
  return lifetime > 0 && lifetime <= MAX_TOKEN_LIFETIME;
}

/** True when the resource is a stage and the topic is its id. */
function areStage(resource: unknown, topic: unknown): boolean {
  const arn = typeof resource === 'string' ? parseArn(resource) : undefined;
  return arn?.type === 'stage' && arn.id === topic;
}

/** The claims of a JWT payload, without anything unknown; undefined when one is missing or breaks its limit. */
export function parseClaims(payload: unknown): TokenClaims | undefined {
  if (!isJsonObject(payload)) return undefined;
  const claim = (name: keyof TokenClaims) => ownValue(payload, name);
  const [jti, user_id, attributes, version] = [claim('jti'), claim('user_id'), claim('attributes'), claim('version')];
  const [events_url, whip_url] = [claim('events_url'), claim('whip_url')];
  const capabilities = parseCapabilities(claim('capabilities'));
  if (!areTimes(claim('iat'), claim('exp')) || !areStage(claim('resource'), claim('topic'))) return undefined;
  if (!stringUpTo(jti, MAX_JTI_LENGTH) || !/^[A-Za-z0-9_-]+$/.test(jti)) return undefined;
  if (!stringUpTo(events_url, MAX_TOKEN_URL_LENGTH) || !stringUpTo(whip_url, MAX_TOKEN_URL_LENGTH)) return undefined;
  if (!stringUpTo(version, MAX_TOKEN_VERSION_LENGTH) || capabilities === undefined) return undefined;
  if (!isUserId(user_id) || !isAttributes(attributes)) return undefined;
  return {
    exp: Number(claim('exp')),
    iat: Number(claim('iat')),
    jti,
    resource: String(claim('resource')),
    topic: String(claim('topic')),
    events_url,
    whip_url,
    ...(user_id === undefined ? {} : { user_id }),
    ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
    capabilities,
    version,
  };
}
