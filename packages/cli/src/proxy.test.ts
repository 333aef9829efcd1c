import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTunnel, proxyFor, proxyHeaders, withoutUser } from './proxy.ts';

const proxy = (url: string, env: Record<string, string>): string | undefined => proxyFor(new URL(url), env)?.href;

describe('the proxy for a URL', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['http://a.example/', {}, undefined],
    ['http://a.example/', { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['http://a.example/', { HTTP_PROXY: 'p:1' }, 'http://p:1/'],
    ['http://a.example/', { HTTP_PROXY: 'http://upper', http_proxy: 'http://lower' }, 'http://lower/'],
    ['http://a.example/', { HTTP_PROXY: 'http://p', http_proxy: '' }, undefined],
    ['http://a.example/', { HTTPS_PROXY: 'http://p' }, undefined],
    ['https://a.example/', { HTTPS_PROXY: 'http://p' }, 'http://p/'],
    ['http://127.0.0.1:7070/', { HTTP_PROXY: 'http://p' }, 'http://p/'],
    ['http://127.0.0.1:7070/', { HTTP_PROXY: 'http://p', NO_PROXY: '127.0.0.1' }, undefined],
    ['http://a.example/', { HTTP_PROXY: 'http://p', NO_PROXY: 'b, .example' }, undefined],
    ['http://a.example:81/', { HTTP_PROXY: 'http://p', NO_PROXY: 'a.example:81' }, undefined],
    ['http://notexample/', { HTTP_PROXY: 'http://p', NO_PROXY: 'example' }, 'http://p/'],
    ['http://a.example/', { HTTP_PROXY: 'http://p', NO_PROXY: '*' }, undefined],
  ])('%s with %j', (url, env, expected) => {
    expect(proxy(url, env)).toBe(expected);
  });

  it('keeps its password out of messages', () => {
    const url = new URL('http://me:s%40cret@p:3128');
    expect(withoutUser(url)).toBe('http://***:***@p:3128');
    expect(proxyHeaders(url)).toEqual({
      'proxy-authorization': `Basic ${Buffer.from('me:s@cret').toString('base64')}`,
    });
  });
});

describe('a tunnel', () => {
  const target = createServer((_, response) => response.end('through'));
  const refusing = createServer();
  const tunnelling = createServer();
  const port = (server: typeof target): number => (server.address() as AddressInfo).port;
  beforeAll(async () => {
    refusing.on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    tunnelling.on('connect', (request, socket) => {
      const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    const servers = [target, refusing, tunnelling];
    await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  });
  afterAll(() => {
    for (const server of [target, refusing, tunnelling]) {
      server.closeAllConnections();
      server.close();
    }
  });

  const open = (server: typeof target, to = port(target)) =>
    openTunnel(new URL(`http://127.0.0.1:${port(server)}`), new URL(`https://127.0.0.1:${to}`), 5);

  it('carries bytes to the host', async () => {
    const socket = await open(tunnelling);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toContain('through');
  });

  it('fails when the proxy says no', async () => {
    await expect(open(refusing)).rejects.toThrow('The proxy answers 403');
  });
});
