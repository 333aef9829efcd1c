import type {
  ConnectionStatistics,
  Media,
  MediaStatistics,
  RecorderStatistics,
  WorkerStatistics,
} from '@footlights/media';

/** How long one answer of the workers serves everybody who asks: with thousands of connections it takes milliseconds to make. */
export const sharedMs = 500;

/** What the media workers said of themselves at one moment. */
export interface MediaSnapshot {
  at: Date;
  workers: readonly WorkerStatistics[];
  recorder: RecorderStatistics | undefined;
  /** Of all workers, by connection id. */
  connections: ReadonlyMap<string, ConnectionStatistics>;
}

/** Asks the media workers for their statistics, twice a second at most, however many want them. */
export class MediaSnapshots {
  private readonly media: Pick<Media, 'statistics'>;
  private last: { at: number; answer: Promise<MediaSnapshot> } | undefined;

  constructor(media: Pick<Media, 'statistics'>) {
    this.media = media;
  }

  read(): Promise<MediaSnapshot> {
    const now = performance.now();
    if (this.last === undefined || now - this.last.at > sharedMs) {
      this.last = { at: now, answer: this.media.statistics().then(index) };
    }
    return this.last.answer;
  }
}

function index({ workers, recorder }: MediaStatistics): MediaSnapshot {
  const connections = workers.flatMap((worker) => worker.connections.map((one) => [one.connectionId, one] as const));
  return { at: new Date(), workers, recorder, connections: new Map(connections) };
}
