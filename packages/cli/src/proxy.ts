// Requests through a proxy: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as Python's urllib reads them.

import type { RequestOptions } from 'node:http';
import type { Socket } from 'node:net';

/** The proxy for a URL: that of its scheme, unless NO_PROXY names the host. Lower-case variables win. */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const proxy = variable(env, `${url.protocol.slice(0, -1)}_proxy`);
  if (!proxy || isExempt(url, variable(env, 'no_proxy') ?? '')) return undefined;
  const text = proxy.startsWith('//') ? `http:${proxy}` : proxy;
  return new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
}

const variable = (env: NodeJS.ProcessEnv, name: string): string | undefined => env[name] ?? env[name.toUpperCase()];

function isExempt({ host, hostname }: URL, list: string): boolean {
  if (list === '*') return true;
  const names = list.split(',').map((name) => name.trim().replace(/^\.+/, '').toLowerCase());
  return names.some((name) => name !== '' && [host, hostname].some((own) => own === name || own.endsWith(`.${name}`)));
}

/** What a plain request needs to go through the proxy: the whole URL stands on the request line. */
export function throughProxy(proxy: URL, url: string): RequestOptions {
  return { ...address(proxy), path: url };
}

/** Headers that name the user of the proxy. */
export function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

const address = (proxy: URL): RequestOptions => ({
  protocol: 'http:',
  hostname: proxy.hostname.replace(/^\[|\]$/g, ''),
  port: proxy.port || 80,
});

/** A tunnel to the host of an https URL; fails when the proxy does not answer 200. */
export async function openTunnel(proxy: URL, target: URL, timeout: number): Promise<Socket> {
  const http = await import('node:http');
  const authority = `${target.hostname}:${target.port || 443}`;
  return new Promise((resolve, reject) => {
    const request = http.request({
      ...address(proxy),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyHeaders(proxy) },
      ...(timeout > 0 && { timeout: timeout * 1000 }),
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('The proxy does not answer')));
    request.on('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`The proxy answers ${response.statusCode}`));
    });
    request.end();
  });
}

/** The proxy's URL for a message: without its user's name and password. */
export function withoutUser(proxy: URL): string {
  const shown = new URL(proxy);
  if (shown.username !== '') [shown.username, shown.password] = ['***', '***'];
  return shown.href.replace(/\/$/, '');
}
