import { Refusal } from './refusal.ts';
import type { TokenAuthority, VerifiedToken } from './tokens.ts';

/** Claims that stay with the participant for as long as it is joined. */
const fixed = ['topic', 'resource', 'jti', 'whip_url', 'events_url'] as const;

/**
 * The token that takes the place of `current`, which the participant joined with or exchanged last; `current` may have expired
 * meanwhile. Only tokens that are signed with imported keys can be exchanged, as on AWS. Throws a Refusal that says why not.
 */
export async function exchange(
  tokens: TokenAuthority,
  current: VerifiedToken,
  { oldToken, newToken }: { oldToken: string; newToken: string },
): Promise<VerifiedToken> {
  if (oldToken !== current.token) throw refused('The old token is not the one that the participant uses now.');
  const next = await tokens.verify(newToken);
  if (next.publicKeyArn === undefined || current.publicKeyArn === undefined) {
    throw refused('Only tokens that are signed with the private key of an imported public key can be exchanged.');
  }
  const changed = fixed.filter((name) => next.claims[name] !== current.claims[name]);
  if (changed.length > 0) throw refused(`The claims ${changed.join(', ')} of a token cannot change in an exchange.`);
  return next;
}

const refused = (message: string): Refusal => new Refusal('TOKEN_EXCHANGE_REFUSED', message);
