import type { ConnectionStatistics } from '@footlights/media';
import { Registry } from 'prom-client';
import { afterEach, expect, test, vi } from 'vitest';
import { registerMediaMetrics } from './media-metrics.ts';
import { MediaSnapshots, sharedMs } from './media-snapshots.ts';
import { connectionStatistics, idleWorker, layerStatistics } from './media-statistics.testing.ts';

afterEach(() => vi.restoreAllMocks());

/** A registry whose workers have the connections given; `scrape` returns the lines of one metric, at a later moment each time. */
function metricsOf(connections: ConnectionStatistics[]) {
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const worker = { ...idleWorker, port: 7071, loopDelayMs: 12, cpu: 0.25, connections };
  const recorder = { recordings: 0, spooledBytes: 0, loopDelayMs: 0, cpu: 0 };
  const statistics = vi.fn(async () => ({ workers: [worker], recorder }));
  const registry = new Registry();
  registerMediaMetrics(registry, new MediaSnapshots({ statistics }));
  const scrape = async (name: string) => {
    now += sharedMs + 1;
    const lines = (await registry.metrics()).split('\n');
    return lines
      .filter((line) => line.startsWith(`footlights_media_${name}{`))
      .map((line) => line.split(/[{}]/).slice(1));
  };
  return { worker, recorder, scrape, statistics, registry };
}

const video = (more: object) => ({ tracks: [{ kind: 'video' as const, codec: 'H264', ...more }] });

const alice = connectionStatistics({
  connectionId: 'alice',
  packetsReceived: 1000,
  packetsLost: 3,
  ...video({
    layers: [
      layerStatistics({ encodingId: 'low', keyFrames: 2, nacksSent: 5, plisSent: 1 }),
      layerStatistics({ encodingId: 'hi', keyFrames: 1 }),
    ],
  }),
});

const viewer = (id: string, more: Partial<ConnectionStatistics> = {}, track: object = { layer: 'low' }) =>
  connectionStatistics({ connectionId: id, role: 'subscribe', ...video(track), ...more });

test('what connections count is added up, and does not fall when they go', async () => {
  const bob = viewer('bob', { packetsSent: 100, packetsLost: 7, nacksReceived: 9 });
  const { worker, scrape } = metricsOf([alice, bob]);
  expect(await scrape('packets_total')).toEqual([
    ['direction="in"', ' 1000'],
    ['direction="out"', ' 100'],
  ]);
  worker.connections = [alice, { ...bob, packetsSent: 150 }, viewer('carol', { packetsSent: 10 })];
  expect((await scrape('packets_total')).at(1)).toEqual(['direction="out"', ' 160']);
  worker.connections = [];
  expect((await scrape('packets_total')).at(1)).toEqual(['direction="out"', ' 160']);
  expect(await scrape('packets_lost_total')).toEqual([
    ['direction="in"', ' 3'],
    ['direction="out"', ' 7'],
  ]);
  expect(await scrape('nacks_total')).toEqual([
    ['direction="sent"', ' 5'],
    ['direction="received"', ' 9'],
  ]);
  expect((await scrape('key_frames_total')).at(0)).toEqual(['direction="in"', ' 3']);
});

test('drops are told by reason', async () => {
  const { scrape } = metricsOf([viewer('bob', {}, { dropped: { overload: 1, congestion: 2, temporal: 3 } })]);
  expect(await scrape('dropped_total')).toEqual([
    ['reason="overload"', ' 1'],
    ['reason="congestion"', ' 2'],
    ['reason="temporal"', ' 3'],
  ]);
});

test('layers and estimates are distributions with labels of our own, whatever publishers call their layers', async () => {
  const { scrape } = metricsOf([
    viewer('a', { estimatedBps: 90_000 }),
    viewer('b', { estimatedBps: 300_000 }, { layer: 'mid' }),
    viewer('c', { estimatedBps: 9e6 }, { layer: 'x"y' }),
    viewer('d', {}, {}),
    viewer('e', { connected: false }),
  ]);
  const layers = Object.fromEntries(await scrape('layers'));
  expect(layers).toEqual({
    'layer="low"': ' 1',
    'layer="mid"': ' 1',
    'layer="hi"': ' 0',
    'layer="other"': ' 1',
    'layer="none"': ' 1',
  });
  const estimates = Object.fromEntries(await scrape('estimated_bps'));
  expect(estimates).toMatchObject({
    'le="100000"': ' 1',
    'le="300000"': ' 2',
    'le="8500000"': ' 2',
    'le="+Inf"': ' 3',
  });
});

test('workers tell their load, and are asked once for all metrics of a scrape', async () => {
  const { scrape, statistics } = metricsOf([]);
  expect(await scrape('worker_cpu_cores')).toEqual([['port="7071"', ' 0.25']]);
  expect(statistics).toHaveBeenCalledTimes(1);
  expect(await scrape('loop_delay_seconds')).toEqual([['port="7071"', ' 0.012']]);
});

test('workers tell their connections that are up, and what passes between them', async () => {
  const { worker, scrape } = metricsOf([alice, viewer('bob'), viewer('carol', { connected: false })]);
  worker.relayed = { sent: 7, received: 5, dropped: 1 };
  expect(await scrape('worker_connections')).toEqual([['port="7071"', ' 2']]);
  expect(await scrape('relay_packets_sent_total')).toEqual([['port="7071"', ' 7']]);
  expect(await scrape('relay_packets_received_total')).toEqual([['port="7071"', ' 5']]);
  expect(await scrape('relay_packets_dropped_total')).toEqual([['port="7071"', ' 1']]);
});

test('recordings under way, and what waits on disk for storage', async () => {
  const { recorder, scrape, registry } = metricsOf([]);
  Object.assign(recorder, { recordings: 2, spooledBytes: 4_096, loopDelayMs: 12, cpu: 0.25 });
  await scrape('packets_total');
  const lines = (await registry.metrics()).split('\n').filter((line) => /^footlights_record/.test(line));
  expect(lines).toEqual([
    'footlights_recordings 2',
    'footlights_recorder_spool_bytes 4096',
    'footlights_recorder_loop_delay_seconds 0.012',
    'footlights_recorder_cpu_cores 0.25',
  ]);
});
