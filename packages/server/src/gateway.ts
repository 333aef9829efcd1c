import { randomUUID } from 'node:crypto';
import {
  ApiError,
  assertValid,
  decodeRequest,
  encodeError,
  encodeResponse,
  type HttpAnswer,
  type HttpRequestParts,
  type Operation,
  route,
} from '@footlights/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authorize, type Caller, type CallerOptions, Callers } from './callers.ts';
import { bodyLimit, partsOf } from './http.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { handlers, type OperationContext } from './operations/index.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Scope } from './store/index.ts';

/** What the gateway needs to answer API calls. */
export interface GatewayOptions {
  /** What operations work with, whoever calls. */
  context: Omit<OperationContext, keyof Scope>;
  callers: CallerOptions;
  /** Absent: none. */
  rateLimits?: RateLimits;
  metrics: Metrics;
  log: Log;
}

/** Answers everything that no other route takes, as the API. */
export function registerGateway(app: FastifyInstance, options: GatewayOptions): void {
  const gateway = new Gateway(options);
  // A scope of its own: what it says of bodies and errors holds for no other route.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, request, reply) => gateway.refuse(error, request, reply));
    scope.setNotFoundHandler((request, reply) => gateway.handle(request, reply));
    scope.options('/*', (_request, reply) => reply.code(204).headers(gateway.preflightHeaders).send());
    scope.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/*',
      exposeHeadRoute: false,
      handler: (request, reply) => gateway.handle(request, reply),
    });
    done();
  });
}

class Gateway {
  readonly #options: GatewayOptions;
  readonly #callers: Callers;
  readonly preflightHeaders: Record<string, string>;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#callers = new Callers(options.callers);
    // Pages of other sites may call when they can sign. Without signatures any page that a user of this machine looks
    // at could, so browsers are not given leave.
    this.preflightHeaders = options.callers.auth ? preflightHeaders : {};
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const started = performance.now();
    const requestId = randomUUID();
    const parts = partsOf(request);
    const operation = route(parts.method, parts.rawPath);
    const answer = await this.#answer(operation, parts, requestId);
    const name = operation?.name ?? 'unknown';
    this.#options.metrics.apiRequest(name, answer.status, (performance.now() - started) / 1000);
    this.#options.log.debug({ operation: name, status: answer.status, requestId }, 'API call');
    return this.#write(reply, answer, requestId);
  }

  /** Answers what went wrong before there was a whole request. */
  refuse(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const requestId = randomUUID();
    return this.#write(reply, this.#errorAnswer(toApiError(error), requestId), requestId);
  }

  async #answer(operation: Operation | undefined, parts: HttpRequestParts, requestId: string): Promise<HttpAnswer> {
    try {
      if (!operation)
        throw new ApiError('UnknownOperationException', `No operation at ${parts.method} ${shown(parts)}`);
      const caller = this.#admit(operation, parts);
      const input = decodeRequest(operation, parts);
      assertValid(operation, input);
      return encodeResponse(operation, await this.#call(caller, operation, input));
    } catch (error) {
      return this.#errorAnswer(error, requestId, operation);
    }
  }

  #admit(operation: Operation, parts: HttpRequestParts): Caller {
    const caller = this.#callers.identify(parts);
    authorize(caller, operation);
    this.#options.rateLimits?.admit(operation.name, caller);
    return caller;
  }

  #call({ account, region }: Caller, operation: Operation, input: unknown): Promise<object> {
    // The table types each operation's input; that this input is of that type has just been asserted.
    const handler = handlers[operation.name] as (context: OperationContext, input: unknown) => Promise<object>;
    return handler({ ...this.#options.context, account, region }, input);
  }

  #errorAnswer(error: unknown, requestId: string, operation?: Operation): HttpAnswer {
    if (error instanceof ApiError) return encodeError(error, requestId);
    this.#options.log.error({ err: error, requestId }, 'an API call failed for a reason of our own');
    const declared = operation?.errors.includes('InternalServerException');
    const message = `Something went wrong in the server; its log says more about request ${requestId}`;
    return encodeError(new ApiError(declared ? 'InternalServerException' : 'InternalFailure', message), requestId);
  }

  // With a serializer, Fastify leaves the content type as AWS sends it, without a charset.
  #write(reply: FastifyReply, answer: HttpAnswer, requestId: string): FastifyReply {
    return reply
      .code(answer.status)
      .headers(this.#options.callers.auth ? { ...corsHeaders, ...answer.headers } : withoutCors(answer.headers))
      .header('x-amzn-requestid', requestId)
      .serializer(asItIs)
      .send(answer.body);
  }
}

const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-requestid,x-amzn-errortype,x-amzn-errormessage,x-amzn-trace-id,date',
};

const preflightHeaders = {
  ...corsHeaders,
  'access-control-allow-methods': 'GET,POST,DELETE,OPTIONS',
  'access-control-allow-headers':
    'authorization,content-type,x-amz-date,x-amz-content-sha256,x-amz-security-token,x-amz-user-agent,amz-sdk-invocation-id,amz-sdk-request',
  'access-control-max-age': '86400',
};

const withoutCors = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('access-control-')));

const asItIs = (body: unknown) => String(body);

const shown = ({ rawPath }: HttpRequestParts) => (rawPath.length > 128 ? `${rawPath.slice(0, 128)}…` : rawPath);

/** Fastify's own refusals in AWS's words. */
function toApiError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ApiError('RequestEntityTooLargeException', `The body is larger than ${bodyLimit} bytes`);
  if (typeof statusCode === 'number' && statusCode < 500)
    return new ApiError('MalformedHttpRequestException', 'The request is not well-formed HTTP');
  return error;
}
