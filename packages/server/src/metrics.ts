import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the process counts, in Prometheus' form. */
export interface Metrics {
  readonly registry: Registry;
  /** One answered API call. */
  apiRequest(operation: string, status: number, seconds: number): void;
  /** A value that is asked for at each scrape. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
}

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** A registry of its own with the process's defaults and the API's counters. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'footlights_api_requests_total',
    help: 'API calls that were answered, by operation and HTTP status.',
    labelNames: ['operation', 'status'] as const,
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'footlights_api_request_duration_seconds',
    help: 'Time from the whole request to the answer, by operation.',
    labelNames: ['operation'] as const,
    buckets: secondsBuckets,
    registers: [registry],
  });
  return {
    registry,
    apiRequest(operation, status, seconds) {
      requests.inc({ operation, status });
      duration.observe({ operation }, seconds);
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          this.set(await read());
        },
      });
    },
  };
}

/** GET /healthz (the process answers), /readyz (it takes work: 503 until then) and /metrics. */
export function registerHealth(app: FastifyInstance, options: { ready: () => boolean; metrics: Metrics }): void {
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', (_request, reply) => {
    const ready = options.ready();
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : 'not ready\n');
  });
  app.get('/metrics', async (_request, reply) => {
    const { registry } = options.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
