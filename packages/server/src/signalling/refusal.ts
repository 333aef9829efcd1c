import { MediaError } from '@footlights/media';

/** Why a join, publish or subscribe is refused, with the HTTP status that says so. */
export const refusalStatus = {
  TOKEN_MISSING: 401,
  TOKEN_MALFORMED: 401,
  TOKEN_ALGORITHM_NOT_ALLOWED: 401,
  TOKEN_SIGNATURE_INVALID: 401,
  TOKEN_EXPIRED: 401,
  INVALID_STREAM_KEY: 401,
  TOKEN_KEY_NOT_FOUND: 401,
  TOKEN_KEY_WRONG_SCOPE: 403,
  TOKEN_EXCHANGE_REFUSED: 403,
  TOKEN_WRONG_STAGE: 403,
  TOKEN_WRONG_PARTICIPANT: 403,
  PARTICIPANT_DISCONNECTED: 403,
  INSUFFICIENT_CAPABILITIES: 403,
  INVALID_PROTOCOL: 403,
  STAGE_DELETED: 404,
  PUBLISHER_NOT_FOUND: 404,
  RESOURCE_NOT_FOUND: 404,
  LAYER_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  QUOTA_EXCEEDED: 409,
  CONNECTION_CLOSED: 409,
  REUSE_OF_STREAM_KEY: 409,
  PRECONDITION_FAILED: 412,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  ICE_RESTART_UNSUPPORTED: 422,
  TOO_MANY_REQUESTS: 429,
  INVALID_OFFER: 400,
  INVALID_FRAGMENT: 400,
  INVALID_LAYER: 400,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;

export type RefusalCode = keyof typeof refusalStatus;

/** A refusal that the client is told; its message names what is wrong and, where it helps, what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  /** The participant event's errorCode (ivs-realtime Event); undefined where AWS records no event. */
  readonly eventErrorCode: string | undefined;

  constructor(code: RefusalCode, message: string, eventErrorCode: string | undefined = eventErrorCodeOf(code)) {
    super(message);
    this.code = code;
    this.eventErrorCode = eventErrorCode;
  }

  get status(): number {
    return refusalStatus[this.code];
  }
}

function eventErrorCodeOf(code: RefusalCode): string | undefined {
  switch (code) {
    case 'INSUFFICIENT_CAPABILITIES':
    case 'QUOTA_EXCEEDED':
    case 'PUBLISHER_NOT_FOUND':
    case 'INVALID_STREAM_KEY':
    case 'INVALID_PROTOCOL':
    case 'REUSE_OF_STREAM_KEY':
      return code;
    case 'INVALID_OFFER':
    case 'TOKEN_WRONG_PARTICIPANT':
      return 'INVALID_INPUT';
    case 'NOT_ACCEPTABLE':
      return 'INVALID_VIDEO_CODEC';
    case 'INTERNAL':
    case 'UNAVAILABLE':
      return 'INTERNAL_SERVER_EXCEPTION';
    default:
      return undefined;
  }
}

/** What the media refuses of an offer: of one without a codec that fits, the event says whether video or audio had none. */
export function refusalOfOffer(error: unknown, offer: string): Refusal {
  const refusal = toRefusal(error);
  if (refusal.code !== 'NOT_ACCEPTABLE') return refusal;
  const kind = /^m=video /m.test(offer) ? 'INVALID_VIDEO_CODEC' : 'INVALID_AUDIO_CODEC';
  return new Refusal(refusal.code, refusal.message, kind);
}

/** Anything that was thrown while a client was served, as what the client may be told. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof MediaError) return new Refusal(error.code, error.message);
  return new Refusal('INTERNAL', 'The server failed to answer; its log has the reason.');
}
