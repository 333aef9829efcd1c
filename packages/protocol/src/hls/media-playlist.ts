/** One segment of a media playlist (RFC 8216 section 4.3.2). */
export interface Segment {
  uri: string;
  durationMs: number;
  /** What the segment needs before it: told where it changes. */
  mapUri: string;
  /** Does not go on where the one before ended, in time or in format. */
  discontinuity: boolean;
  /** When, by the clock on the wall, its first sample was; told at the start and behind each discontinuity. */
  startedAtMs: number;
}

/** A playlist of all segments of a recording, which grows. A day of segments of two seconds makes a megabyte: what is there is not written anew. */
export class MediaPlaylist {
  #longest: number;
  #map = '';
  #lines = '';

  /** `targetSeconds`: what segments are meant to last. */
  constructor(targetSeconds: number) {
    this.#longest = targetSeconds;
  }

  add({ uri, durationMs, mapUri, discontinuity, startedAtMs }: Segment): void {
    this.#longest = Math.max(this.#longest, Math.ceil(durationMs / 1_000));
    const isFirst = this.#lines === '';
    if (discontinuity && !isFirst) this.#lines += '#EXT-X-DISCONTINUITY\n';
    if (mapUri !== this.#map) this.#lines += `#EXT-X-MAP:URI="${mapUri}"\n`;
    this.#map = mapUri;
    if (discontinuity || isFirst) this.#lines += `#EXT-X-PROGRAM-DATE-TIME:${new Date(startedAtMs).toISOString()}\n`;
    this.#lines += `#EXTINF:${(durationMs / 1_000).toFixed(5)},\n${uri}\n`;
  }

  /** EVENT while it grows, VOD when nothing more will come. EXT-X-TARGETDURATION is the longest segment's length, and never less than the target. */
  write(ended: boolean): string {
    const head = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      `#EXT-X-TARGETDURATION:${this.#longest}`,
      '#EXT-X-MEDIA-SEQUENCE:0',
      `#EXT-X-PLAYLIST-TYPE:${ended ? 'VOD' : 'EVENT'}`,
    ];
    return `${head.join('\n')}\n${this.#lines}${ended ? '#EXT-X-ENDLIST\n' : ''}`;
  }
}
