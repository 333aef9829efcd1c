import type { ErrorName } from '@footlights/model';
import { ApiError, SignatureError, type SignatureFault } from '@footlights/model';
import { element } from './xml.ts';

/** The errors of S3 that can happen here, with their statuses. */
const statuses = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  KeyTooLongError: 400,
  MethodNotAllowed: 405,
  MissingSecurityHeader: 400,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const;
export type S3ErrorCode = keyof typeof statuses;

/** An error in S3's words; `headers` go with its answer. */
export class S3Error extends Error {
  readonly code: S3ErrorCode;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(code: S3ErrorCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.status = statuses[code];
    this.headers = headers;
  }
}

/** The body that S3's clients read. */
export function errorXml({ code, message }: S3Error, resource: string, requestId: string): string {
  return element('Error', [
    element('Code', code),
    element('Message', message),
    element('Resource', resource),
    element('RequestId', requestId),
  ]);
}

const ofFault: Record<SignatureFault, S3ErrorCode> = {
  missing: 'AccessDenied',
  malformed: 'AuthorizationHeaderMalformed',
  scope: 'AuthorizationHeaderMalformed',
  'unknown-key': 'InvalidAccessKeyId',
  time: 'RequestTimeTooSkewed',
  payload: 'XAmzContentSHA256Mismatch',
  mismatch: 'SignatureDoesNotMatch',
};

const ofShape: { readonly [N in ErrorName]?: S3ErrorCode } = {
  InvalidSignatureException: 'AuthorizationHeaderMalformed',
  ValidationException: 'InvalidArgument',
};

/** Errors of the rest of the server in S3's words; undefined for what is a fault of our own. */
export function toS3Error(error: unknown, presigned: boolean): S3Error | undefined {
  if (error instanceof S3Error) return error;
  if (error instanceof SignatureError) {
    // An expired URL is refused in these words by S3 too.
    const code = presigned && error.fault === 'time' ? 'AccessDenied' : ofFault[error.fault];
    return new S3Error(code, error.message);
  }
  if (!(error instanceof ApiError)) return undefined;
  return new S3Error(ofShape[error.shape] ?? 'AccessDenied', error.message);
}
