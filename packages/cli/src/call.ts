// One call: encode, sign, send, try again when that can help, decode.

import { randomUUID } from 'node:crypto';
import {
  type Credentials,
  decodeResponse,
  encodeRequest,
  type HttpRequestParts,
  type Operation,
  shapeOf,
  signRequest,
} from '@footlights/model';
import type { Settings } from './config.ts';
import { CliError, exitCodes } from './errors.ts';
import { parsePythonJson } from './python-json.ts';
import { type HttpAnswer, send, TransportError, type TransportOptions } from './transport.ts';
import { validateInput } from './validation.ts';
import { userAgent } from './version.ts';

/** Sends one operation's input and returns its output. */
export type Caller = (input: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** What a caller needs besides the settings. */
export interface CallOptions {
  settings: Settings;
  transport: TransportOptions;
  /** Receives one line per step; does nothing unless `--debug` is given. */
  trace(text: string): void;
  /** Receives what the user should know whatever the output is. */
  warn(text: string): void;
}

/** A caller that loads the keys once and validates every input. */
export function makeCaller(operation: Operation, options: CallOptions): Caller {
  let credentials: Promise<Credentials | undefined> | undefined;
  return async (input) => {
    const complete = withIdempotencyToken(operation, input);
    if (options.settings.validateParameters) validateInput(operation, complete);
    if (!credentials) warnOfUnverified(options);
    credentials ??= options.settings.credentials();
    return callWithRetries(operation, complete, await credentials, options);
  };
}

function warnOfUnverified({ settings, transport, warn }: CallOptions): void {
  if (transport.verifyTls || !settings.endpoint.startsWith('https:')) return;
  const { hostname } = new URL(settings.endpoint);
  warn(
    `InsecureRequestWarning: Unverified HTTPS request is being made to host '${hostname}'. Adding certificate verification is strongly advised.`,
  );
}

/** Made up here and not when encoding, so that every attempt sends the same one. */
function withIdempotencyToken(operation: Operation, input: Record<string, unknown>): Record<string, unknown> {
  const name = Object.keys(operation.input.properties).find(
    (member) => shapeOf(operation.input.properties[member]!).idempotencyToken,
  );
  return name === undefined || input[name] !== undefined ? input : { ...input, [name]: randomUUID() };
}

type Outcome = { output: Record<string, unknown> } | { failure: CliError; retry: boolean };

async function callWithRetries(
  operation: Operation,
  input: Record<string, unknown>,
  credentials: Credentials | undefined,
  options: CallOptions,
): Promise<Record<string, unknown>> {
  const { maxAttempts } = options.settings;
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt >= maxAttempts;
    const outcome = await tryOnce(
      operation,
      input,
      credentials,
      options,
      last ? ` (reached max retries: ${maxAttempts - 1})` : '',
    );
    if ('output' in outcome) return outcome.output;
    if (last || !outcome.retry) throw outcome.failure;
    const delay = backOff(attempt);
    options.trace(`retry needed, retrying request after delay of: ${delay.toFixed(3)}`);
    await new Promise((resolve) => setTimeout(resolve, delay * 1000));
  }
}

const longestDelay = 20;

/** Seconds before the next attempt: full jitter over a doubling ceiling, at most 20. */
const backOff = (attempt: number): number => Math.min(Math.random() * 2 ** (attempt - 1), longestDelay);

async function tryOnce(
  operation: Operation,
  input: Record<string, unknown>,
  credentials: Credentials | undefined,
  options: CallOptions,
  exhausted: string,
): Promise<Outcome> {
  const { url, request } = prepare(operation, input, credentials, options.settings);
  options.trace(`Sending http request: ${request.method} ${url} ${JSON.stringify(withoutSecrets(request.headers))}`);
  try {
    const answer = await send(url, request, options.transport);
    options.trace(`Response: ${answer.status} ${JSON.stringify(answer.headers)}\n${answer.body}`);
    return read(operation, answer, exhausted);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return { failure: new CliError(exitCodes.other, error.message), retry: error.retry };
  }
}

const withoutSecrets = (headers: HttpRequestParts['headers']): HttpRequestParts['headers'] => ({
  ...headers,
  ...(headers.authorization && { authorization: '***' }),
  ...(headers['x-amz-security-token'] && { 'x-amz-security-token': '***' }),
});

/** The signed request. The endpoint's path, if any, stands before the operation's. */
function prepare(
  operation: Operation,
  input: Record<string, unknown>,
  credentials: Credentials | undefined,
  settings: Settings,
): { url: string; request: HttpRequestParts } {
  const endpoint = new URL(settings.endpoint);
  const encoded = encodeRequest(operation, input);
  const rawPath = endpoint.pathname.replace(/\/$/, '') + encoded.rawPath;
  const request: HttpRequestParts = {
    method: encoded.method,
    rawPath,
    rawQuery: encoded.rawQuery,
    headers: { host: endpoint.host, ...lowerCase(encoded.headers) },
    body: Buffer.from(encoded.body ?? ''),
  };
  const signature = credentials
    ? signRequest(request, { credentials, region: settings.region, service: 'ivs', now: new Date() })
    : {};
  const headers = {
    ...request.headers,
    ...lowerCase(signature),
    'accept-encoding': 'identity',
    'user-agent': userAgent,
    ...(request.method === 'POST' && { 'content-length': String(request.body.byteLength) }),
  };
  const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
  return { url: `${endpoint.origin}${rawPath}${query}`, request: { ...request, headers } };
}

const lowerCase = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const retriedStatuses = new Set([500, 502, 503, 504]);
const retriedCodes = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

function read(operation: Operation, answer: HttpAnswer, exhausted: string): Outcome {
  const decoded = decodeResponse(operation, answer, parseBody);
  if ('output' in decoded) {
    refuseNonObject(operation, answer.body);
    return decoded;
  }
  const { code, message } = decoded.error;
  const text = `An error occurred (${code}) when calling the ${operation.name} operation${exhausted}: ${message}`;
  return {
    failure: new CliError(exitCodes.service, text),
    retry: retriedStatuses.has(answer.status) || retriedCodes.has(code),
  };
}

/** Fractions stay apart from whole numbers, `30.0` from `30`, where a body holds any; what is no JSON is undefined. */
function parseBody(text: string): unknown {
  try {
    return /\d(\.\d|[eE])/.test(text) ? parsePythonJson(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A body that is not JSON counts as an empty answer; JSON that is no object is a fault worth an error. */
function refuseNonObject(operation: Operation, body: string): void {
  if (!/^\s*(\[|"|\d|-|true|false|null)/.test(body)) return;
  try {
    JSON.parse(body);
  } catch {
    return;
  }
  throw new CliError(exitCodes.other, `The answer to ${operation.name} is not a JSON object`);
}
