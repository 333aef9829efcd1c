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

  async function open(begin: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
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

  it('answers 400 to what is not HTTP', async () => {
    expect(await statusOf('\u0016\u0003\u0001 hello\r\n\r\n')).toBe(400);
    expect(await statusOf(get('a b: c\r\n'))).toBe(400);
  });
});
