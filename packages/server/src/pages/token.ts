// The participant token as a page reads it: decoded, not verified. The server verifies it at every use.

/** What a page needs of a token's claims. */
export interface Token {
  /** The JWT itself, the one credential. */
  jwt: string;
  participantId: string;
  userId: string;
  /** ARN of the stage. */
  stageArn: string;
  topic: string;
  eventsUrl: string;
  whipUrl: string;
  mayPublish: boolean;
  maySubscribe: boolean;
  expires: Date;
}

/** Why a text is no token that can be used. */
export type TokenProblem = 'TOKEN_MISSING' | 'TOKEN_MALFORMED' | 'TOKEN_EXPIRED';

/** Finds the token in what was pasted (the JWT, or the whole JSON answer that holds it) and reads its claims. */
export function readToken(text: string, now: Date): Token | TokenProblem {
  if (text.trim() === '') return 'TOKEN_MISSING';
  const jwt = /[\w-]+\.[\w-]+\.[\w-]+/.exec(text)?.[0];
  const claims = jwt === undefined ? undefined : readClaims(jwt);
  if (jwt === undefined || claims === undefined) return 'TOKEN_MALFORMED';
  const token = toToken(jwt, claims);
  if (token === undefined) return 'TOKEN_MALFORMED';
  return token.expires <= now ? 'TOKEN_EXPIRED' : token;
}

type Claims = Record<string, unknown>;

function readClaims(jwt: string): Claims | undefined {
  try {
    const payload = (jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Claims => typeof value === 'object' && value !== null;

function toToken(jwt: string, claims: Claims): Token | undefined {
  const { jti, user_id, resource, topic, events_url, whip_url, exp, capabilities } = claims;
  const texts = [jti, resource, topic, events_url, whip_url];
  if (!texts.every((value) => typeof value === 'string' && value !== '')) return undefined;
  if (typeof exp !== 'number' || !isObject(capabilities)) return undefined;
  return {
    jwt,
    participantId: String(jti),
    userId: typeof user_id === 'string' ? user_id : '',
    stageArn: String(resource),
    topic: String(topic),
    eventsUrl: String(events_url),
    whipUrl: String(whip_url),
    mayPublish: capabilities.allow_publish === true,
    maySubscribe: capabilities.allow_subscribe === true,
    expires: new Date(exp * 1000),
  };
}
