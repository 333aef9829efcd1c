import { hls } from '@footlights/protocol';
import { JournalFile } from '../rim/journal-file.ts';
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

/** An init segment, which the segments after it cannot be played without. */
interface Init {
  body: Buffer;
  generation: number;
  state: 'waiting' | 'stored' | 'given up';
}

/** The files of one recording below its prefix, as they come to be: a segment is listed after it is stored. */
export class PlaylistFiles {
  readonly #options: RecordingOptions;
  readonly #store: StoreQueue;
  readonly #complain: (message: string) => void;
  readonly #journal: JournalFile<Entry>;
  readonly #playlist: hls.MediaPlaylist;
  readonly #pending = new Set<Promise<unknown>>();
  #format: Omit<Format, 'init'> | undefined;
  #init: Init | undefined;
  #generation = -1;
  #number = 0;
  #thumbnail = 0;
  #endMs: number | undefined;
  /** The last segment is not in the list. */
  #isBroken = false;
  #listed = 0;
  #originMs: number | undefined;
  #durationMs = 0;
  #peakBps = 0;
  #bytes = 0;
  #playlistWanted = false;
  /** Segments that were left out. */
  lost = 0;

  constructor(options: RecordingOptions, store: StoreQueue, complain: (message: string) => void) {
    this.#options = options;
    this.#store = store;
    this.#complain = complain;
    this.#playlist = new hls.MediaPlaylist(options.targetSegmentSeconds);
    this.#journal = new JournalFile(options.journalPath);
    for (const entry of this.#journal.entries) this.#recall(entry);
  }

  /** Time 0 of the segments' timestamps; undefined before the first. */
  get originMs(): number | undefined {
    return this.#originMs;
  }

  get durationMs(): number {
    return Math.round(this.#durationMs);
  }

  get isEmpty(): boolean {
    return this.#listed === 0;
  }

  /** What follows does not go on where the last segment ended. */
  interrupt(): void {
    this.#endMs = undefined;
  }

  /** Resolves with false when its init segment is given up; `forMs` as of StoreQueue. */
  format({ init, ...format }: Format, forMs?: number): Promise<boolean> {
    this.#generation += 1;
    this.#endMs = undefined;
    const larger = (format.width ?? 0) >= (this.#format?.width ?? 0);
    if (!this.#format || larger) {
      this.#format = format;
      this.#note({ type: 'format', format });
    }
    this.#init = { body: init, generation: this.#generation, state: 'waiting' };
    return this.#storeInit(this.#init, forMs);
  }

  /** A segment of the last format. */
  segment({ body, startedAtMs, durationMs }: FinishedSegment): void {
    const [number, init] = [this.#number++, this.#init];
    if (!init) return;
    const discontinuity = this.#endMs === undefined || Math.abs(startedAtMs - this.#endMs) > 1;
    this.#endMs = startedAtMs + durationMs;
    if (init.state === 'given up') void this.#storeInit(init);
    const segment = { uri: `${number}.mp4`, durationMs, mapUri: `init-${init.generation}.mp4`, startedAtMs };
    const storing = this.#put(`high/${number}.mp4`, body, MP4).then((stored) => {
      if (!stored || init.state !== 'stored') return this.#leaveOut();
      const isBreak = discontinuity || this.#isBroken;
      this.#isBroken = false;
      const { generation } = init;
      const entry: Entry = {
        ...{ type: 'segment', number, generation, bytes: body.length },
        segment: { ...segment, discontinuity: isBreak },
      };
      this.#recall(entry);
      this.#note(entry);
      this.#listSoon();
    });
    void this.#track(storing);
  }

  /** Resolves with false when it is not stored. */
  async thumbnail(jpeg: Buffer): Promise<boolean> {
    const { thumbnails, prefix } = this.#options;
    const number = ++this.#thumbnail;
    this.#note({ type: 'thumbnail', number });
    const names = [
      ...(thumbnails?.sequential ? [`thumbnails/high/${number}.jpg`] : []),
      ...(thumbnails?.latest ? ['latest_thumbnail/high/thumb.jpg'] : []),
    ];
    const storing = Promise.all(names.map((name) => this.#store.put(`${prefix}/media/${name}`, jpeg, 'image/jpeg')));
    return (await this.#track(storing)).every((stored) => stored);
  }

  /** The playlists as they stay, after all else; false when they are not stored. */
  async end(): Promise<boolean> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    return this.isEmpty || (await this.#list(true));
  }

  removeJournal(): Promise<void> {
    return this.#journal.remove();
  }

  #leaveOut(): void {
    this.lost += 1;
    this.#isBroken = true;
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
    return tracked;
  }

  /** A journal that cannot be written is missed after a crash alone. */
  #note(entry: Entry): void {
    void this.#track(
      this.#journal.add(entry).catch((error: Error) => this.#complain(`the journal is not written: ${error.message}`)),
    );
  }

  #recall(entry: Entry): void {
    if (entry.type === 'thumbnail') this.#thumbnail = Math.max(this.#thumbnail, entry.number);
    else if (entry.type === 'format') this.#format = entry.format;
    else {
      const { segment, number, generation, bytes } = entry;
      this.#playlist.add(segment);
      this.#listed += 1;
      this.#originMs ??= segment.startedAtMs;
      this.#durationMs += segment.durationMs;
      this.#number = Math.max(this.#number, number + 1);
      this.#generation = Math.max(this.#generation, generation);
      this.#bytes += bytes;
      this.#peakBps = Math.max(this.#peakBps, (bytes * 8_000) / Math.max(1, segment.durationMs));
    }
  }

  #storeInit(init: Init, forMs?: number): Promise<boolean> {
    init.state = 'waiting';
    const storing = this.#put(`high/init-${init.generation}.mp4`, init.body, MP4, forMs).then((stored) => {
      init.state = stored ? 'stored' : 'given up';
      return stored;
    });
    return this.#track(storing);
  }

  /** The newest list alone is worth storing. */
  #listSoon(): void {
    if (this.#playlistWanted) return;
    this.#playlistWanted = true;
    queueMicrotask(() => {
      this.#playlistWanted = false;
      void this.#track(this.#list(false));
    });
  }

  async #list(ended: boolean): Promise<boolean> {
    const listed = await this.#put('high/playlist.m3u8', Buffer.from(this.#playlist.write(ended)), M3U8);
    const isKnown = this.#listed > 1 && !ended;
    return isKnown ? listed : (await this.#put('multivariant.m3u8', this.#multivariant(), M3U8)) && listed;
  }

  #multivariant(): Buffer {
    const { codecs = [], width, height } = this.#format ?? {};
    const averageBandwidth = (this.#bytes * 8_000) / Math.max(1, this.durationMs);
    const size = width && height ? { width, height } : {};
    const rendition = { uri: 'high/playlist.m3u8', bandwidth: this.#peakBps, averageBandwidth, codecs, ...size };
    return Buffer.from(hls.writeMultivariantPlaylist(rendition));
  }

  #put(name: string, body: Uint8Array, contentType: string, forMs?: number): Promise<boolean> {
    return this.#store.put(`${this.#options.prefix}/media/hls/${name}`, body, contentType, forMs);
  }
}
