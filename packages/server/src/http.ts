import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, type ErrorName, encodeError, type HttpAnswer, type HttpRequestParts } from '@footlights/model';
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
const defaultRequestTimeoutMs = 30_000;
const connectionsCheckingIntervalMs = 1_000;
const keepAliveTimeoutMs = 72_000;
/** How long a request that is under way when the server stops has to finish. */
const closingGraceMs = 2_000;

/** What the HTTP server is made of. */
export interface HttpOptions {
  /** PEM texts; absent: plain HTTP. */
  tls?: { cert: string; key: string };
  /** How long a client may take for the headers of a request; 10 s when not given. */
  headersTimeoutMs?: number;
  /** How long a client may take for a whole request; 30 s when not given. */
  requestTimeoutMs?: number;
}

/** The one HTTP server of the process, with its limits; routes are registered by their owners. */
export function createHttpApp(options: HttpOptions = {}): FastifyInstance {
  const { headersTimeoutMs: headersTimeout = defaultHeadersTimeoutMs } = options;
  const { requestTimeoutMs: requestTimeout = defaultRequestTimeoutMs } = options;
  const server = {
    maxHeaderSize: headersSizeLimit,
    headersTimeout,
    connectionsCheckingInterval: Math.min(connectionsCheckingIntervalMs, headersTimeout, requestTimeout),
  };
  const app = createFastify(server, requestTimeout, options.tls);
  // One more than the limit, so that the hook can tell; what lies beyond is not even parsed.
  app.server.maxHeadersCount = headersCountLimit + 1;
  app.addHook('onRequest', refuseManyHeaders);
  // Node.js checks no time limits once a server closes: one connection without a whole request would keep it open.
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), closingGraceMs).unref();
  });
  return app;
}

function createFastify(server: object, requestTimeout: number, tls: HttpOptions['tls']): FastifyInstance {
  const common = {
    logger: false,
    bodyLimit,
    requestTimeout,
    keepAliveTimeout: keepAliveTimeoutMs,
    return503OnClosing: true,
    frameworkErrors: refuseBadUrl,
    clientErrorHandler: refuseOnSocket,
  } as const;
  // The raw server's type differs between the two; nobody who registers routes needs to know.
  if (tls) return fastify({ ...common, https: { ...server, ...tls } }) as unknown as FastifyInstance;
  return fastify({ ...common, http: server });
}

/** A refusal in the form of the API, to a request of which nothing is known yet. */
function refusalOf(shape: ErrorName, message: string): HttpAnswer {
  const { status, headers, body } = encodeError(new ApiError(shape, message), randomUUID());
  // Whether pages of other sites may read answers is for the API to say.
  const plain = Object.entries(headers).filter(([name]) => !name.startsWith('access-control-'));
  return { status, headers: Object.fromEntries(plain), body };
}

/** A path that cannot be decoded is on nobody's route: it is refused as the API refuses. */
function refuseBadUrl(_error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  const message = 'The path is not well-formed percent-encoded UTF-8';
  const { status, headers, body } = refusalOf('MalformedHttpRequestException', message);
  void reply.code(status).headers(headers).send(Buffer.from(body));
}

function refuseManyHeaders(request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (request.raw.rawHeaders.length <= 2 * headersCountLimit) {
    next();
    return;
  }
  const message = `A request may have at most ${headersCountLimit} headers`;
  const { headers, body } = refusalOf('MalformedHttpRequestException', message);
  void reply.code(431).headers(headers).send(Buffer.from(body));
}

/** What Node.js could not make a request of: nobody's route has seen it, the answer is written by hand. */
function refuseOnSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = socketRefusal(error.code);
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`);
}

function socketRefusal(code: string | undefined): HttpAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `The request line and the headers together may have at most ${headersSizeLimit} bytes`;
    return { ...refusalOf('MalformedHttpRequestException', message), status: 431 };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return refusalOf('RequestTimeoutException', 'The request did not arrive in time');
  return refusalOf('MalformedHttpRequestException', 'The request is not well-formed HTTP');
}

const noBody = new Uint8Array();

/** The request exactly as it was on the wire, which is what its signature is over. */
export function partsOf(request: FastifyRequest): HttpRequestParts {
  const { method = '', url = '/' } = request.raw;
  const question = url.indexOf('?');
  return {
    method,
    rawPath: question < 0 ? url : url.slice(0, question),
    rawQuery: question < 0 ? '' : url.slice(question + 1),
    headers: headersOf(request),
    body: request.body instanceof Uint8Array ? request.body : noBody,
  };
}

/** Node.js joins a header that comes twice; Set-Cookie, which no request has a use for, stays a list. */
function headersOf({ raw }: FastifyRequest): Record<string, string | undefined> {
  if (raw.headers['set-cookie'])
    return { ...raw.headers, 'set-cookie': raw.headers['set-cookie'].join(',') } as Record<string, string>;
  return raw.headers as Record<string, string | undefined>;
}
