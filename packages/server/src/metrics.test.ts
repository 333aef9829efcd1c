import { describe, expect, it } from 'vitest';
import { createHttpApp } from './http.ts';
import { createMetrics, registerHealth } from './metrics.ts';

function serve(ready = { value: true }) {
  const metrics = createMetrics();
  const app = createHttpApp();
  registerHealth(app, { ready: () => ready.value, metrics });
  return { metrics, app };
}

describe('metrics', () => {
  it('counts API calls by operation and status', async () => {
    const { app, metrics } = serve();
    metrics.apiRequest('GetStage', 200, 0.0007);
    metrics.apiRequest('GetStage', 404, 0.002);
    metrics.apiRequest('GetStage', 200, 0.0007);
    const { body, headers } = await app.inject('/metrics');
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(body).toContain('footlights_api_requests_total{operation="GetStage",status="200"} 2');
    expect(body).toContain('footlights_api_requests_total{operation="GetStage",status="404"} 1');
    expect(body).toContain('footlights_api_request_duration_seconds_bucket{le="0.001",operation="GetStage"} 2');
    expect(body).toContain('nodejs_eventloop_lag_seconds');
  });

  it('asks gauges at each scrape', async () => {
    const { app, metrics } = serve();
    let stages = 1;
    metrics.gauge('footlights_stages', 'Stages that exist.', async () => stages);
    expect((await app.inject('/metrics')).body).toContain('\nfootlights_stages 1\n');
    stages = 2;
    expect((await app.inject('/metrics')).body).toContain('\nfootlights_stages 2\n');
  });
});

describe('health', () => {
  it('is healthy at once and ready when told', async () => {
    const ready = { value: false };
    const { app } = serve(ready);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    expect((await app.inject('/readyz')).statusCode).toBe(503);
    ready.value = true;
    expect((await app.inject('/readyz')).statusCode).toBe(200);
  });
});
