import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpApp, headersCountLimit, headersSizeLimit } from './http.ts';

describe('createHttpApp', () => {
  let app: FastifyInstance;
  let port: number;
  let sockets: Socket[];

  beforeEach(async () => {
    sockets = [];
    app = createHttpApp({ headersTimeoutMs: 3_000 });
    app.get('/', () => 'hello');
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await app.close();
  });

  async function open(begin: string, on = port): Promise<Socket> {
    const socket = connect(on, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(begin);
    return socket;
  }

  const statusOf = async (request: string) => Number((await text(await open(request))).slice(9, 12));
  const get = (headers: string) => `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`;

  it('answers others beside 1,000 half-open connections, and closes those in time', async () => {
    const halfOpen = await Promise.all(Array.from({ length: 1_000 }, () => open('GET / HTTP/1.1\r\nHost: a\r\n')));
    const closed = Promise.all(halfOpen.map((socket) => once(socket.resume(), 'close')));
    const started = performance.now();
    expect(await statusOf(get(''))).toBe(200);
    expect(performance.now() - started).toBeLessThan(3_000);
    await closed;
    expect(performance.now() - started).toBeLessThan(12_000);
  }, 20_000);

  it.each(['', 'GET / HT', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab'])(
    'closes in time although a client sent %j and waits',
    async (begun) => {
      await open(begun);
      expect(await statusOf(get(''))).toBe(200);
      const started = performance.now();
      await app.close();
      expect(performance.now() - started).toBeLessThan(4_000);
    },
  );

  it('takes 100 headers and answers 431 to one more', async () => {
    const headers = (count: number) => Array.from({ length: count - 2 }, (_, i) => `x-${i}: \r\n`).join('');
    expect(await statusOf(get(headers(headersCountLimit)))).toBe(200);
    expect(await statusOf(get(headers(headersCountLimit + 1)))).toBe(431);
    expect(await statusOf(get(headers(headersCountLimit + 500)))).toBe(431);
  });

  it('takes 16 KiB of headers and answers 431 to more', async () => {
    const padding = (length: number) => get(`x: ${'a'.repeat(length)}\r\n`);
    expect(await statusOf(padding(headersSizeLimit - 200))).toBe(200);
    expect(await statusOf(padding(headersSizeLimit + 1))).toBe(431);
  });

  /** Everything that comes back on a connection. */
  async function answer(request: string, on = port) {
    const [head = '', body = ''] = (await text(await open(request, on))).split('\r\n\r\n');
    const [status = '', ...lines] = head.split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
    return { status, headers, body: JSON.parse(body) };
  }
  const refusal = (status: string, error: string, message: string) => ({
    status: `HTTP/1.1 ${status}`,
    headers: {
      'content-type': 'application/json',
      'x-amzn-errortype': error,
      'x-amzn-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
    body: { message, exceptionMessage: message },
  });

  it('refuses in the form of the API what never became a request', async () => {
    const malformed = 'MalformedHttpRequestException';
    const bad = await answer('no HTTP\r\n\r\n');
    expect(bad).toMatchObject(refusal('400 Bad Request', malformed, 'The request is not well-formed HTTP'));
    expect(bad.headers).not.toHaveProperty('access-control-allow-origin');
    const tooLarge = '431 Request Header Fields Too Large';
    expect(await answer(get(`x: ${'a'.repeat(headersSizeLimit)}\r\n`))).toMatchObject(
      refusal(tooLarge, malformed, 'The request line and the headers together may have at most 16384 bytes'),
    );
    const many = Array.from({ length: headersCountLimit + 1 }, (_, i) => `x-${i}: \r\n`).join('');
    expect(await answer(get(many))).toMatchObject(
      refusal(tooLarge, malformed, 'A request may have at most 100 headers'),
    );
    expect(await answer('GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatchObject(
      refusal('400 Bad Request', malformed, 'The path is not well-formed percent-encoded UTF-8'),
    );
  });

  it('answers 408 to headers and bodies that do not come', async () => {
    const late = refusal('408 Request Timeout', 'RequestTimeoutException', 'The request did not arrive in time');
    const quick = createHttpApp({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    quick.post('/', () => 'hello');
    await quick.listen({ host: '127.0.0.1', port: 0 });
    const on = (quick.server.address() as AddressInfo).port;
    const begun = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n';
    for (const request of [begun, `${begun}\r\n{`]) expect(await answer(request, on)).toMatchObject(late);
    await quick.close();
  });

  it('answers 400 to what is not HTTP', async () => {
    expect(await statusOf('\u0016\u0003\u0001 hello\r\n\r\n')).toBe(400);
    expect(await statusOf(get('a b: c\r\n'))).toBe(400);
  });
});
