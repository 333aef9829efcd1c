import type { IncomingHttpHeaders } from 'node:http';
import { describeClient } from './client-description.ts';
import type { LiveStage } from './live-stage.ts';
import type { LiveStages } from './live-stages.ts';
import type { Identity } from './participant.ts';
import { Refusal } from './refusal.ts';
import type { TokenAuthority, VerifiedToken } from './tokens.ts';

/** A client that has shown a valid token, and the stage that it is for. */
export interface Authenticated {
  identity: Identity;
  verified: VerifiedToken;
  stage: LiveStage;
}

/** Verifies a participant token and finds its stage; throws a Refusal. */
export async function authenticate(
  token: string | undefined,
  headers: IncomingHttpHeaders,
  { tokens, stages }: { tokens: TokenAuthority; stages: LiveStages },
): Promise<Authenticated> {
  if (!token) throw new Refusal('TOKEN_MISSING', 'A participant token is needed: "Authorization: Bearer <token>".');
  const verified = await tokens.verify(token);
  const stage = await stages.of(verified.claims);
  return { identity: { claims: verified.claims, client: describeClient(headers) }, verified, stage };
}

/** The token of an "Authorization: Bearer" header (RFC 6750 section 2.1). */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}
