import fastify, { type FastifyInstance } from 'fastify';

/** The one HTTP server of the process, with its limits; routes are registered by their owners. */
export function createHttpApp(_options: { tls?: { cert: string; key: string } } = {}): FastifyInstance {
  return fastify({ logger: false });
}
