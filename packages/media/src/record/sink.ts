/** Where the objects of a recording go. */
export interface Sink {
  /** Stores an object whole, replacing what was there; resolves when it is durable. Once `signal` is aborted nothing is replaced any more. */
  write(key: string, body: Uint8Array, contentType: string, signal: AbortSignal): Promise<void>;
}

/** As the events of recordings name failures: no such bucket, no leave to write into it, anything else. */
export type SinkFailure = 'ResourceNotFoundException' | 'AccessDeniedException' | 'InternalServerException';

/** A sink that says why an object is not stored: it is of no use to offer it for long. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly code: SinkFailure;

  constructor(code: SinkFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
