import { randomUUID } from 'node:crypto';
import { ApiError, encodeError } from '@footlights/model';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

/** Bytes of one body; a route may allow less. */
export const bodyLimit = 1024 * 1024;
/** Bytes of the request line and all headers together; Node.js answers 431 beyond. */
export const headersSizeLimit = 16 * 1024;
/** Headers of one request. */
export const headersCountLimit = 100;

// A connection that does not finish its headers, or its request, in time is closed: 1,000 half-open ones cost memory for
// ten seconds, and nobody else anything.
const defaultHeadersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const connectionsCheckingIntervalMs = 1_000;
const keepAliveTimeoutMs = 72_000;

/** What the HTTP server is made of. */
export interface HttpOptions {
  /** PEM texts; absent: plain HTTP. */
  tls?: { cert: string; key: string };
  /** How long a client may take for the headers of a request; 10 s when not given. */
  headersTimeoutMs?: number;
}

/** The one HTTP server of the process, with its limits; routes are registered by their owners. */
export function createHttpApp(options: HttpOptions = {}): FastifyInstance {
  const { headersTimeoutMs: headersTimeout = defaultHeadersTimeoutMs } = options;
  const server = {
    maxHeaderSize: headersSizeLimit,
    headersTimeout,
    connectionsCheckingInterval: Math.min(connectionsCheckingIntervalMs, headersTimeout),
  };
  const app = createFastify(server, options.tls);
  // One more than the limit, so that the hook can tell; what lies beyond is not even parsed.
  app.server.maxHeadersCount = headersCountLimit + 1;
  app.addHook('onRequest', refuseManyHeaders);
  return app;
}

function createFastify(server: object, tls: HttpOptions['tls']): FastifyInstance {
  const common = {
    logger: false,
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    return503OnClosing: true,
    frameworkErrors: refuseBadUrl,
  } as const;
  // The raw server's type differs between the two; nobody who registers routes needs to know.
  if (tls) return fastify({ ...common, https: { ...server, ...tls } }) as unknown as FastifyInstance;
  return fastify({ ...common, http: server });
}

/** A path that cannot be decoded is on nobody's route: it is refused as the API refuses. */
function refuseBadUrl(_error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  const error = new ApiError('MalformedHttpRequestException', 'The path is not well-formed percent-encoded UTF-8');
  const { status, headers, body } = encodeError(error, randomUUID());
  void reply.code(status).headers(headers).send(Buffer.from(body));
}

function refuseManyHeaders(request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (request.raw.rawHeaders.length <= 2 * headersCountLimit) {
    next();
    return;
  }
  const message = `a request may have at most ${headersCountLimit} headers`;
  void reply.code(431).send({ code: 'RequestHeaderFieldsTooLarge', message });
}
