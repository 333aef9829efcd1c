import { hls } from '@footlights/protocol';
import { JournalFile } from '../rim/journal-file.ts';
import { STORE_END_FOR_MS, STORE_FOR_MS } from './limits.ts';
import type { RecordingOptions } from './options.ts';
import type { FinishedSegment, Format } from './segmenter.ts';
import type { StoreQueue } from './store-queue.ts';

const MP4 = 'video/mp4';
const M3U8 = 'application/vnd.apple.mpegurl';

/** What a later process has to know of an earlier one. */
type Entry =
  | { type: 'segment'; segment: hls.Segment; number: number; generation: number; bytes: number }
  | { type: 'format'; format: Omit<Format, 'init'> }
  | { type: 'thumbnail'; number: number };

/** The files of one recording below its prefix, as they come to be: a segment is listed after it is stored. */
export class PlaylistFiles {
  readonly #options: RecordingOptions;
  readonly #store: StoreQueue;
  readonly #journal: JournalFile<Entry>;
  readonly #segments: hls.Segment[] = [];
  #format: Omit<Format, 'init'> | undefined;
  #init: { body: Buffer; stored: boolean } | undefined;
  #generation = -1;
  #number = 0;
  #thumbnail = 0;
  #endMs: number | undefined;
  #peakBps = 0;
  #bytes = 0;
  #playlistWanted = false;
  /** Segments that were left out. */
  lost = 0;

  constructor(options: RecordingOptions, store: StoreQueue) {
    this.#options = options;
    this.#store = store;
    this.#journal = new JournalFile(options.journalPath);
    for (const entry of this.#journal.entries) this.#recall(entry);
  }

  /** Time 0 of the segments' timestamps; undefined before the first. */
  get originMs(): number | undefined {
    return this.#segments[0]?.startedAtMs;
  }

  get durationMs(): number {
    return Math.round(this.#segments.reduce((sum, { durationMs }) => sum + durationMs, 0));
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  /** What follows does not go on where the last segment ended. */
  interrupt(): void {
    this.#endMs = undefined;
  }

  /** Resolves when it is stored, or given up. */
  async format({ init, ...format }: Format): Promise<boolean> {
    this.#generation += 1;
    this.#endMs = undefined;
    const larger = (format.width ?? 0) >= (this.#format?.width ?? 0);
    if (!this.#format || larger) {
      this.#format = format;
      await this.#journal.add({ type: 'format', format });
    }
    return this.#storeInit({ body: init, stored: false }, this.#generation);
  }

  async segment({ body, startedAtMs, durationMs }: FinishedSegment): Promise<void> {
    const number = this.#number++;
    const generation = this.#generation;
    const discontinuity = this.#endMs === undefined || Math.abs(startedAtMs - this.#endMs) > 1;
    this.#endMs = startedAtMs + durationMs;
    if (this.#init && !this.#init.stored) await this.#storeInit(this.#init, generation);
    if (!(await this.#put(`high/${number}.mp4`, body, MP4, STORE_FOR_MS))) {
      this.lost += 1;
      this.#endMs = undefined;
      return;
    }
    const mapUri = `init-${generation}.mp4`;
    const segment = { uri: `${number}.mp4`, durationMs, mapUri, discontinuity, startedAtMs };
    const entry: Entry = { type: 'segment', segment, number, generation, bytes: body.length };
    await this.#journal.add(entry);
    this.#recall(entry);
    this.#listSoon();
  }

  async thumbnail(jpeg: Buffer): Promise<void> {
    const { thumbnails, prefix } = this.#options;
    const number = ++this.#thumbnail;
    const put = (key: string) => this.#store.put(`${prefix}/media/${key}`, jpeg, 'image/jpeg', STORE_FOR_MS);
    await this.#journal.add({ type: 'thumbnail', number });
    if (thumbnails?.sequential) await put(`thumbnails/high/${number}.jpg`);
    if (thumbnails?.latest) await put('latest_thumbnail/high/thumb.jpg');
  }

  /** The playlists as they stay; false when they are not stored. */
  async end(): Promise<boolean> {
    return this.isEmpty || (await this.#list(true));
  }

  removeJournal(): Promise<void> {
    return this.#journal.remove();
  }

  #recall(entry: Entry): void {
    if (entry.type === 'thumbnail') this.#thumbnail = Math.max(this.#thumbnail, entry.number);
    else if (entry.type === 'format') this.#format = entry.format;
    else {
      const { segment, number, generation, bytes } = entry;
      this.#segments.push(segment);
      this.#number = Math.max(this.#number, number + 1);
      this.#generation = Math.max(this.#generation, generation);
      this.#bytes += bytes;
      this.#peakBps = Math.max(this.#peakBps, (bytes * 8_000) / Math.max(1, segment.durationMs));
    }
  }

  async #storeInit(init: { body: Buffer; stored: boolean }, generation: number): Promise<boolean> {
    this.#init = init;
    init.stored = await this.#put(`high/init-${generation}.mp4`, init.body, MP4, STORE_FOR_MS);
    return init.stored;
  }

  /** The newest list alone is worth storing. */
  #listSoon(): void {
    if (this.#playlistWanted) return;
    this.#playlistWanted = true;
    queueMicrotask(() => {
      this.#playlistWanted = false;
      void this.#list(false);
    });
  }

  async #list(ended: boolean): Promise<boolean> {
    const { targetSegmentSeconds: targetSeconds } = this.#options;
    const text = hls.writeMediaPlaylist({ targetSeconds, segments: this.#segments, ended });
    const forMs = ended ? STORE_END_FOR_MS : STORE_FOR_MS;
    const listed = await this.#put('high/playlist.m3u8', Buffer.from(text), M3U8, forMs);
    const isKnown = this.#segments.length > 1 && !ended;
    return isKnown ? listed : (await this.#put('multivariant.m3u8', this.#multivariant(), M3U8, forMs)) && listed;
  }

  #multivariant(): Buffer {
    const { codecs = [], width, height } = this.#format ?? {};
    const averageBandwidth = (this.#bytes * 8_000) / Math.max(1, this.durationMs);
    const size = width && height ? { width, height } : {};
    const rendition = { uri: 'high/playlist.m3u8', bandwidth: this.#peakBps, averageBandwidth, codecs, ...size };
    return Buffer.from(hls.writeMultivariantPlaylist(rendition));
  }

  #put(name: string, body: Uint8Array, contentType: string, forMs: number): Promise<boolean> {
    return this.#store.put(`${this.#options.prefix}/media/hls/${name}`, body, contentType, forMs);
  }
}
