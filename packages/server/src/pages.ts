import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** The pages talk to this server or, with a token of another one, to that; nothing else may run in them. */
const contentSecurityPolicy = "default-src 'self'; connect-src *; media-src 'self' blob:; frame-ancestors 'none'";

/** Serves /publish, /watch, /recordings and their files under /pages from the build's folder. */
export async function registerPages(app: FastifyInstance, folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const content = await readFile(join(folder, name));
    const url = name.endsWith('.html') ? `/${name.slice(0, -'.html'.length)}` : `/pages/${name}`;
    app.get(url, async (_request, reply) =>
      reply
        .headers({
          'content-type': contentType,
          'content-security-policy': contentSecurityPolicy,
          'x-content-type-options': 'nosniff',
          'cache-control': 'no-cache',
        })
        .send(content),
    );
  }
}
