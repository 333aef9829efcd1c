import { describe, expect, it } from 'vitest';
import { MediaPlaylist, type Segment, videoCodecs, writeMultivariantPlaylist } from './index.ts';

const segment = (number: number, more: Partial<Segment> = {}): Segment => ({
  uri: `${number}.mp4`,
  durationMs: 6_000,
  mapUri: 'init-0.mp4',
  discontinuity: false,
  startedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) + number * 6_000,
  ...more,
});

function write(targetSeconds: number, segments: readonly Segment[], ended: boolean): string {
  const playlist = new MediaPlaylist(targetSeconds);
  for (const one of segments) playlist.add(one);
  return playlist.write(ended);
}

describe('a media playlist', () => {
  it('tells time and map at the start, and again behind a discontinuity', () => {
    const segments = [
      segment(0),
      segment(1, { durationMs: 6_033.4 }),
      segment(2, { discontinuity: true, mapUri: 'init-1.mp4' }),
    ];
    expect(write(6, segments, true).split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-TARGETDURATION:7',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PLAYLIST-TYPE:VOD',
      '#EXT-X-MAP:URI="init-0.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z',
      '#EXTINF:6.00000,',
      '0.mp4',
      '#EXTINF:6.03340,',
      '1.mp4',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-MAP:URI="init-1.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:17.678Z',
      '#EXTINF:6.00000,',
      '2.mp4',
      '#EXT-X-ENDLIST',
      '',
    ]);
  });

  it('has no end while it grows, and a duration no lower than the target', () => {
    const text = write(10, [segment(0, { durationMs: 120 })], false);
    expect(text).toContain('#EXT-X-TARGETDURATION:10\n');
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n');
    expect(text).not.toContain('ENDLIST');
  });
});

describe('a multivariant playlist', () => {
  it('names codecs, size and bandwidth', () => {
    const codecs = [videoCodecs(Buffer.from('6742c01f', 'hex')), 'mp4a.40.2'];
    const rendition = { uri: 'high/playlist.m3u8', bandwidth: 2_600_000.4, averageBandwidth: 2_400_000, codecs };
    expect(writeMultivariantPlaylist({ ...rendition, width: 1_280, height: 720 })).toBe(
      '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=2600000,AVERAGE-BANDWIDTH=2400000,CODECS="avc1.42c01f,mp4a.40.2",RESOLUTION=1280x720\nhigh/playlist.m3u8\n',
    );
    expect(writeMultivariantPlaylist({ ...rendition, codecs: ['mp4a.40.2'] })).not.toContain('RESOLUTION');
  });
});
