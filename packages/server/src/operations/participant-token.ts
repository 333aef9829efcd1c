import {
  type Input,
  newResourceId,
  type Output,
  type ParticipantToken,
  type ParticipantTokenConfiguration,
  parseArn,
  type TokenClaims,
} from '@footlights/model';
import type { OperationContext } from './context.ts';
import { requireStage } from './lookup.ts';

const defaultDurationMinutes = 720;
const claimsVersion = '1.0';

export async function createParticipantToken(
  context: OperationContext,
  input: Input<'CreateParticipantToken'>,
): Promise<Output<'CreateParticipantToken'>> {
  const { stageArn, ...configuration } = input;
  await requireStage(context, stageArn);
  return { participantToken: await issueToken(context, stageArn, configuration) };
}

/** Makes one token. The answer repeats what the caller gave, not the defaults that were filled in. */
export async function issueToken(
  context: OperationContext,
  stageArn: string,
  configuration: ParticipantTokenConfiguration,
): Promise<ParticipantToken> {
  const { duration, userId, attributes, capabilities } = configuration;
  const claims = claimsOf(context, stageArn, configuration);
  return {
    participantId: claims.jti,
    token: await context.tokens.issue(claims),
    userId,
    attributes,
    duration,
    capabilities,
    expirationTime: new Date(claims.exp * 1000).toISOString(),
  };
}

function claimsOf(
  context: OperationContext,
  stageArn: string,
  { duration = defaultDurationMinutes, userId, attributes, capabilities }: ParticipantTokenConfiguration,
): TokenClaims {
  const iat = Math.floor(context.now().getTime() / 1000);
  const { events, whip } = context.endpoints();
  const allowed = capabilities ?? ['PUBLISH', 'SUBSCRIBE'];
  return {
    exp: iat + duration * 60,
    iat,
    jti: newResourceId(),
    resource: stageArn,
    topic: parseArn(stageArn)?.id ?? '',
    events_url: events,
    whip_url: whip,
    ...(userId !== undefined && { user_id: userId }),
    ...(attributes && { attributes }),
    capabilities: {
      ...(allowed.includes('PUBLISH') && { allow_publish: true }),
      ...(allowed.includes('SUBSCRIBE') && { allow_subscribe: true }),
    },
    version: claimsVersion,
  };
}
