import type {
  ConnectionStatistics,
  LayerStatistics,
  RecorderStatistics,
  TrackStatistics,
  WorkerStatistics,
} from '@footlights/media';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { MediaSnapshot, MediaSnapshots } from './media-snapshots.ts';

/** Metrics of the media workers. Labels are those written here and the workers' ports: never a participant, whatever it sends. */
export function registerMediaMetrics(registry: Registry, snapshots: MediaSnapshots): void {
  const totals = new MediaTotals();
  for (const [name, help, label, series] of counters) {
    new Counter({
      name: `footlights_media_${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
      async collect() {
        totals.add(await snapshots.read());
        this.reset();
        for (const [value, count] of Object.entries(series)) this.inc({ [label]: value }, totals.of(count));
      },
    });
  }
  for (const [name, help, count] of workerCounters) {
    new Counter({
      name: `footlights_media_${name}_total`,
      help,
      labelNames: ['port'],
      registers: [registry],
      async collect() {
        const { workers } = await snapshots.read();
        this.reset();
        for (const worker of workers) this.inc({ port: String(worker.port) }, count(worker));
      },
    });
  }
  for (const [name, help, label, read] of gauges) {
    new Gauge({
      name: `footlights_media_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      async collect() {
        const snapshot = await snapshots.read();
        this.reset();
        for (const [value, number] of read(snapshot)) this.set({ [label]: value }, number);
      },
    });
  }
  for (const [name, help, read] of recorderGauges) {
    new Gauge({
      name: `footlights_${name}`,
      help,
      registers: [registry],
      async collect() {
        const { recorder } = await snapshots.read();
        this.set(recorder ? read(recorder) : 0);
      },
    });
  }
}

type Count = (connection: ConnectionStatistics) => number;

const sum = <T>(items: readonly T[], of: (item: T) => number | undefined): number =>
  items.reduce((total, item) => total + (of(item) ?? 0), 0);

const ofRole =
  (role: ConnectionStatistics['role'], count: Count): Count =>
  (connection) =>
    connection.role === role ? count(connection) : 0;

const ofTracks =
  (of: (track: TrackStatistics) => number | undefined): Count =>
  ({ tracks }) =>
    sum(tracks, of);

const ofLayers = (of: (layer: LayerStatistics) => number): Count => ofTracks(({ layers = [] }) => sum(layers, of));

/** What connections count from their beginning: name, help, label, and what is counted under each of the label's values. */
const counters: readonly [name: string, help: string, label: string, series: Readonly<Record<string, Count>>][] = [
  [
    'packets',
    'RTP packets from and to participants.',
    'direction',
    { in: ({ packetsReceived }) => packetsReceived, out: ({ packetsSent }) => packetsSent },
  ],
  [
    'bytes',
    'Bytes of these packets.',
    'direction',
    { in: ({ bytesReceived }) => bytesReceived, out: ({ bytesSent }) => bytesSent },
  ],
  [
    'packets_lost',
    'RTP packets that did not arrive: here (in), and as subscribers report (out).',
    'direction',
    {
      in: ofRole('publish', ({ packetsLost }) => packetsLost),
      out: ofRole('subscribe', ({ packetsLost }) => packetsLost),
    },
  ],
  [
    'nacks',
    'Packets asked for again: of publishers (sent), and by subscribers (received).',
    'direction',
    { sent: ofLayers(({ nacksSent }) => nacksSent), received: ({ nacksReceived }) => nacksReceived },
  ],
  [
    'plis',
    'Key frames asked for: of publishers (sent), and by subscribers (received).',
    'direction',
    { sent: ofLayers(({ plisSent }) => plisSent), received: ({ plisReceived }) => plisReceived },
  ],
  [
    'key_frames',
    'Key frames from publishers and to subscribers.',
    'direction',
    {
      in: ofLayers((layer) => layer.keyFrames),
      out: ofRole(
        'subscribe',
        ofTracks((track) => track.keyFrames),
      ),
    },
  ],
  [
    'retransmissions',
    'Packets sent again to subscribers.',
    'direction',
    { out: ({ retransmissions }) => retransmissions },
  ],
  [
    'layer_switches',
    'Changes of the simulcast layer that a subscriber gets.',
    'direction',
    { out: ofTracks(({ layerSwitches }) => layerSwitches) },
  ],
  [
    'dropped',
    'Packets that were not forwarded to a subscriber, by reason.',
    'reason',
    {
      overload: ofTracks(({ dropped }) => dropped?.overload),
      congestion: ofTracks(({ dropped }) => dropped?.congestion),
      temporal: ofTracks(({ dropped }) => dropped?.temporal),
    },
  ],
];

/** What workers count since they started, by UDP port: it begins anew where a worker is replaced. */
const workerCounters: readonly [name: string, help: string, count: (worker: WorkerStatistics) => number][] = [
  ['relay_packets_sent', 'Packets that a media worker sent to others, by UDP port.', ({ relayed }) => relayed.sent],
  [
    'relay_packets_received',
    'Packets that a media worker received from others, by UDP port.',
    ({ relayed }) => relayed.received,
  ],
  [
    'relay_packets_dropped',
    'Packets that a media worker did not send to another one that was too slow, by UDP port.',
    ({ relayed }) => relayed.dropped,
  ],
];

const allCounts = counters.flatMap(([, , , series]) => Object.values(series));

/** Sums that only rise, out of connections that come and go; what one counts after the last look at it is missing. */
class MediaTotals {
  private readonly totals = new Map<Count, number>(allCounts.map((count) => [count, 0]));
  private seen = new Map<string, number[]>();
  private last: MediaSnapshot | undefined;

  of(count: Count): number {
    return this.totals.get(count) ?? 0;
  }

  add(snapshot: MediaSnapshot): void {
    if (snapshot === this.last) return;
    this.last = snapshot;
    const seen = new Map<string, number[]>();
    for (const [id, connection] of snapshot.connections) {
      const before = this.seen.get(id);
      const now = allCounts.map((count) => count(connection));
      seen.set(id, now);
      allCounts.forEach((count, i) => {
        const grown = (now[i] ?? 0) - (before?.[i] ?? 0);
        if (grown > 0) this.totals.set(count, this.of(count) + grown);
      });
    }
    this.seen = seen;
  }
}

type Series = Iterable<[labelValue: string, value: number]>;

/** What is so now: name, help, label, and the label's values with their numbers. */
const gauges: readonly [name: string, help: string, label: string, read: (snapshot: MediaSnapshot) => Series][] = [
  ['connections', 'Media connections that are up, by role.', 'role', connectionsByRole],
  [
    'loop_delay_seconds',
    'How late the timers of a media worker ran in the last second, at worst, by UDP port.',
    'port',
    ({ workers }) => workers.map(({ port, loopDelayMs }) => [String(port), loopDelayMs / 1000]),
  ],
  [
    'worker_cpu_cores',
    'Cores that a media worker used in the last second, by UDP port.',
    'port',
    ({ workers }) => workers.map(({ port, cpu }) => [String(port), cpu]),
  ],
  [
    'worker_connections',
    'Media connections of a media worker that are up, by UDP port.',
    'port',
    ({ workers }) =>
      workers.map(({ port, connections }) => [String(port), connections.filter(({ connected }) => connected).length]),
  ],
  ['layers', 'Subscriptions that get each simulcast layer; none: the publisher sends no layers.', 'layer', byLayer],
  [
    'estimated_bps',
    'Subscriptions whose path is thought to carry at most so many bits a second.',
    'le',
    (snapshot) => cumulative(estimateBounds, subscriptions(snapshot), ({ estimatedBps }) => estimatedBps),
  ],
  [
    'round_trip_ms',
    'Connections whose round trip takes at most so many milliseconds.',
    'le',
    ({ connections }) => cumulative(roundTripBounds, [...connections.values()], ({ roundTripMs }) => roundTripMs),
  ],
];

/** What is so of recordings. */
const recorderGauges: readonly [name: string, help: string, read: (recorder: RecorderStatistics) => number][] = [
  [
    'recordings',
    'Recordings under way, those that wait for a publisher or for storage included.',
    (recorder) => recorder.recordings,
  ],
  [
    'recorder_spool_bytes',
    'Recorded bytes on disk that storage has not taken yet.',
    (recorder) => recorder.spooledBytes,
  ],
  [
    'recorder_loop_delay_seconds',
    'How late the timers of the recorder process ran in the last second, at worst.',
    (recorder) => recorder.loopDelayMs / 1000,
  ],
  ['recorder_cpu_cores', 'Cores that the recorder process used in the last second.', (recorder) => recorder.cpu],
];

const estimateBounds = [100_000, 300_000, 700_000, 1_500_000, 2_500_000, 5_000_000, 8_500_000];
const roundTripBounds = [10, 25, 50, 100, 200, 400, 800];

function connectionsByRole({ connections }: MediaSnapshot): Series {
  const up = [...connections.values()].filter(({ connected }) => connected);
  return (['publish', 'subscribe'] as const).map((role) => [role, up.filter((one) => one.role === role).length]);
}

/** Publishers name their layers as they like: those that IVS has are told apart. */
const knownLayers = ['low', 'mid', 'hi'];

function byLayer(snapshot: MediaSnapshot): Series {
  const counts = new Map([...knownLayers, 'other', 'none'].map((name) => [name, 0]));
  for (const { tracks } of subscriptions(snapshot)) {
    for (const { kind, layer } of tracks) {
      if (kind !== 'video') continue;
      const name = layer === undefined ? 'none' : knownLayers.includes(layer) ? layer : 'other';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

const subscriptions = ({ connections }: MediaSnapshot): ConnectionStatistics[] =>
  [...connections.values()].filter(({ role, connected }) => role === 'subscribe' && connected);

/** As the buckets of a histogram are: each counts those of the smaller ones too. Of what can fall again, so no histogram. */
function cumulative<T>(bounds: readonly number[], items: readonly T[], of: (item: T) => number | undefined): Series {
  const values = items.map(of).filter((value) => value !== undefined);
  const buckets = bounds.map((bound) => [String(bound), values.filter((value) => value <= bound).length] as const);
  return [...buckets.map(([bound, count]): [string, number] => [bound, count]), ['+Inf', values.length]];
}
