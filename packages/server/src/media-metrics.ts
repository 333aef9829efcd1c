import type { Media, MediaStatistics } from '@footlights/media';
import { Gauge, type Registry } from 'prom-client';

/** One answer of the workers serves all metrics of a scrape. */
const sharedMs = 500;

/** Metrics of the media workers: how many connections, how late their event loops are, what overload held back. */
export function registerMediaMetrics(registry: Registry, media: Media): void {
  const statistics = shared(() => media.statistics());
  const registers = [registry];
  new Gauge({
    name: 'footlights_media_connections',
    help: 'Media connections that are up, by role.',
    labelNames: ['role'],
    registers,
    async collect() {
      const connections = (await statistics()).workers.flatMap((worker) => worker.connections);
      for (const role of ['publish', 'subscribe']) {
        this.set({ role }, connections.filter((connection) => connection.connected && connection.role === role).length);
      }
    },
  });
  new Gauge({
    name: 'footlights_media_loop_delay_seconds',
    help: 'How late the timers of a media worker ran in the last second, at worst, by UDP port.',
    labelNames: ['port'],
    registers,
    async collect() {
      for (const { port, loopDelayMs } of (await statistics()).workers) this.set({ port }, loopDelayMs / 1000);
    },
  });
  new Gauge({
    name: 'footlights_media_dropped_by_overload',
    help: 'Video packets held back from the connections that are up, because a worker was late.',
    registers,
    async collect() {
      const connections = (await statistics()).workers.flatMap((worker) => worker.connections);
      this.set(connections.reduce((sum, { droppedByOverload }) => sum + droppedByOverload, 0));
    },
  });
}

function shared(ask: () => Promise<MediaStatistics>): () => Promise<MediaStatistics> {
  let last: { at: number; answer: Promise<MediaStatistics> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > sharedMs) last = { at: Date.now(), answer: ask() };
    return last.answer;
  };
}
