import type { FastifyInstance } from 'fastify';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { OperationContext } from './operations/context.ts';

/** What the gateway needs to answer API calls. */
export interface GatewayOptions {
  context: OperationContext;
  /** False: nobody's signature is asked for. */
  auth: boolean;
  secretOf(accessKeyId: string): string | undefined;
  metrics: Metrics;
  log: Log;
}

/** Answers everything that no other route takes, as the API. */
export function registerGateway(_app: FastifyInstance, _options: GatewayOptions): void {}
