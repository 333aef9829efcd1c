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

export interface MediaPlaylist {
  /** What segments are meant to last, in seconds. */
  targetSeconds: number;
  segments: readonly Segment[];
  /** Nothing more will come. */
  ended: boolean;
}

/**
 * A playlist of all segments of a recording: EVENT while it grows, VOD at its end. EXT-X-TARGETDURATION is the longest segment's length, and
 * never less than the target.
 */
export function writeMediaPlaylist({ targetSeconds, segments, ended }: MediaPlaylist): string {
  const longest = Math.max(targetSeconds, ...segments.map(({ durationMs }) => Math.ceil(durationMs / 1_000)));
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${longest}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    `#EXT-X-PLAYLIST-TYPE:${ended ? 'VOD' : 'EVENT'}`,
  ];
  let map = '';
  for (const [index, segment] of segments.entries()) {
    if (segment.discontinuity && index > 0) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.mapUri !== map) lines.push(`#EXT-X-MAP:URI="${segment.mapUri}"`);
    map = segment.mapUri;
    if (segment.discontinuity || index === 0)
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedAtMs).toISOString()}`);
    lines.push(`#EXTINF:${(segment.durationMs / 1_000).toFixed(5)},`, segment.uri);
  }
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
