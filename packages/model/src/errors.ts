/** Every error that a client can meet: those that AWS's model declares, then those common to its services. */
export const errors = {
  AccessDeniedException: { status: 403, description: 'The caller may not do this.' },
  ConflictException: { status: 409, description: 'The resource is in a state that does not allow this.' },
  InternalServerException: { status: 500, description: 'Something went wrong in the server.' },
  PendingVerification: { status: 403, description: 'The account must be verified first.' },
  ResourceNotFoundException: { status: 404, description: 'There is no such resource.' },
  ServiceQuotaExceededException: { status: 402, description: 'A quota of the account is used up.' },
  ValidationException: { status: 400, description: 'The input breaks a rule of the model.' },
  ExpiredTokenException: { status: 403, description: 'The security token has expired.' },
  IncompleteSignature: { status: 403, description: 'The Authorization header is not a complete AWS signature.' },
  InternalFailure: { status: 500, description: 'Something unforeseen went wrong in the server.' },
  InvalidSignatureException: { status: 403, description: 'The signature does not fit the request.' },
  MalformedHttpRequestException: { status: 400, description: 'The request is not well-formed HTTP.' },
  MissingAuthenticationToken: { status: 403, description: 'The request is not signed.' },
  NotAuthorized: { status: 401, description: 'The caller is not allowed to do this.' },
  OptInRequired: { status: 403, description: 'The account has not opted in to the service.' },
  RequestAbortedException: { status: 400, description: 'The client went away before the answer.' },
  RequestEntityTooLargeException: { status: 413, description: 'The body is too large.' },
  RequestTimeoutException: { status: 408, description: 'The request did not arrive in time.' },
  SerializationException: { status: 400, description: 'The body is not JSON of the expected form.' },
  ServiceUnavailable: { status: 503, description: 'The server cannot serve the request for now.' },
  ThrottlingException: { status: 400, description: 'Too many requests.' },
  UnknownOperationException: { status: 404, description: 'There is no such operation.' },
  UnrecognizedClientException: { status: 403, description: 'The access key is not known.' },
  UnsupportedMediaTypeException: { status: 415, description: 'The content type of the body is not JSON.' },
  ValidationError: { status: 400, description: 'The input breaks a rule of the service.' },
} as const satisfies Record<string, { status: number; description: string }>;

/** Name of an error, as `x-amzn-ErrorType` carries it. */
export type ErrorName = keyof typeof errors;

/** An error that becomes an answer: thrown anywhere, written in one place. */
export class ApiError extends Error {
  readonly shape: ErrorName;
  readonly status: number;

  constructor(shape: ErrorName, message: string) {
    super(message);
    this.name = 'ApiError';
    this.shape = shape;
    this.status = errors[shape].status;
  }
}
