// One HTTP exchange: node's own client, with limits on time and size, and failures in the AWS CLI's words.

import { readFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { HttpRequestParts } from '@footlights/model';
import { openTunnel, proxyHeaders, throughProxy, withoutUser } from './proxy.ts';

/** How to send. Timeouts are in seconds, 0 waits for ever. */
export interface TransportOptions {
  readTimeout: number;
  connectTimeout: number;
  verifyTls: boolean;
  caBundle: string | undefined;
  proxy: URL | undefined;
}

/** An answer with lower-case header names and its body as text. */
export interface HttpAnswer {
  status: number;
  reason: string;
  headers: Record<string, string | undefined>;
  body: string;
}

/** No answer came. `retry`: another attempt may fare better. */
export class TransportError extends Error {
  readonly retry: boolean;

  constructor(message: string, retry: boolean) {
    super(message);
    this.retry = retry;
  }
}

const largestAnswer = 64 * 1024 * 1024;

/** Sends the request to the URL and waits for the whole answer; throws TransportError. */
export async function send(url: string, request: HttpRequestParts, options: TransportOptions): Promise<HttpAnswer> {
  const { protocol } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    const scheme = protocol.slice(0, -1);
    throw new TransportError(`An HTTP Client raised an unhandled exception: Not supported URL scheme ${scheme}`, false);
  }
  try {
    const exchange = await open(new URL(url), request, options);
    return await finish(exchange, request.body, url, options);
  } catch (error) {
    throw describe(error as NodeJS.ErrnoException, url, options.proxy);
  }
}

/** Begins the request, on its own connection or through the proxy. */
async function open(url: URL, request: HttpRequestParts, options: TransportOptions): Promise<ClientRequest> {
  const { proxy, connectTimeout } = options;
  const settings: RequestOptions = { method: request.method, headers: definedOnly(request.headers) };
  if (url.protocol === 'http:') {
    const http = await import('node:http');
    if (!proxy) return http.request(url, settings);
    const headers = { ...definedOnly(request.headers), ...proxyHeaders(proxy) };
    return http.request({ ...settings, ...throughProxy(proxy, url.href), headers });
  }
  const https = await import('node:https');
  const tls = tlsOptions(url.href, options);
  if (!proxy) return https.request(url, { ...settings, ...tls });
  const socket = await openTunnel(proxy, url, connectTimeout).catch(() => {
    throw unreachableProxy(proxy);
  });
  const { connect } = await import('node:tls');
  const names = { host: url.hostname, ...(isIP(url.hostname) === 0 && { servername: url.hostname }) };
  return https.request(url, { ...settings, createConnection: () => connect({ socket, ...names, ...tls }) });
}

const unreachableProxy = (proxy: URL): TransportError =>
  new TransportError(`Failed to connect to proxy URL: "${withoutUser(proxy)}"`, true);

const definedOnly = (headers: HttpRequestParts['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

function tlsOptions(url: string, { verifyTls, caBundle }: TransportOptions) {
  if (!verifyTls) return { rejectUnauthorized: false };
  if (caBundle === undefined) return {};
  try {
    return { ca: readFileSync(caBundle) };
  } catch (error) {
    throw new TransportError(
      `SSL validation failed for ${url} ${describeFault(error as NodeJS.ErrnoException)}`,
      false,
    );
  }
}

const describeFault = (error: NodeJS.ErrnoException): string =>
  error.code === 'ENOENT' ? '[Errno 2] No such file or directory' : error.message;

function finish(
  exchange: ClientRequest,
  body: Uint8Array,
  url: string,
  { connectTimeout, readTimeout }: TransportOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    limitConnecting(exchange, connectTimeout, () => {
      exchange.destroy(new TransportError(`Connect timeout on endpoint URL: "${url}"`, true));
    });
    exchange.setTimeout(readTimeout * 1000, () => {
      exchange.destroy(new TransportError(`Read timeout on endpoint URL: "${url}"`, true));
    });
    exchange.on('error', reject);
    exchange.on('response', (response) => readAll(response, url).then(resolve, reject));
    exchange.end(body);
  });
}

function limitConnecting(exchange: ClientRequest, seconds: number, expire: () => void): void {
  if (seconds === 0) return;
  const timer = setTimeout(expire, seconds * 1000);
  const stop = (): void => clearTimeout(timer);
  exchange.on('close', stop);
  exchange.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', stop);
    else stop();
  });
}

async function readAll(response: IncomingMessage, url: string): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > largestAnswer) {
      throw new TransportError(`The answer of ${url} is larger than ${largestAnswer / 1024 / 1024} MiB`, false);
    }
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? '',
    headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);
const closed = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

function describe(error: NodeJS.ErrnoException, url: string, proxy: URL | undefined): TransportError {
  if (error instanceof TransportError) return error;
  const code = error.code ?? '';
  if (unreachable.has(code) && proxy) return unreachableProxy(proxy);
  if (unreachable.has(code)) return new TransportError(`Could not connect to the endpoint URL: "${url}"`, true);
  if (closed.has(code) || code.startsWith('HPE_')) {
    const message = `Connection was closed before we received a valid response from endpoint URL: "${url}".`;
    return new TransportError(message, true);
  }
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code)) {
    return new TransportError(`SSL validation failed for ${url} ${error.message}`, false);
  }
  return new TransportError(`An HTTP Client raised an unhandled exception: ${error.message}`, false);
}
