import { readFileSync } from 'node:fs';
import { flv, rtmp } from '@footlights/protocol';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

// What encoders sent to a server of ours, from the first byte to the last. Made with
//
//   ffmpeg 5.1 -re -f lavfi -i testsrc2=s=64x48:r=10 -f lavfi -i sine=r=44100 -t 1.5 -c:v libx264 -profile:v baseline
//     -preset ultrafast -g 10 -bf 0 -b:v 30k -c:a aac -b:a 32k -ac 1 -f flv rtmp://127.0.0.1:<port>/app/sk_test_key
//   the same with -profile:v main -bf 2 -b_strategy 0, -ac 2 and 48 kHz for one second
//   OBS Studio 29.0.2, simple output, x264 128x96 at 10 fps, keyint=10 bframes=0, no sources; cut off after three seconds
//   FFmpeg 8.1, copying streams of 64x64 (and 32x32) at 10 fps and mono audio of 48 kHz into its FLV muxer over RTMP

vi.setConfig({ testTimeout: 30_000 });

interface Recording {
  video: rtmp.VideoFrame[];
  audio: rtmp.AudioFrame[];
  metadata: Record<string, unknown>;
  requests: unknown[];
  unpublished: number;
  closes: rtmp.CloseReason[];
  counters: { malformed: number; ignored: number };
}

const bytesOf = (name: string) => readFileSync(new URL(`testdata/${name}.bin`, import.meta.url));

/** Replays bytes in the pieces that `next` sizes. */
function replay(bytes: Buffer, next: () => number): Recording {
  const heard: Omit<Recording, 'counters'> = {
    video: [],
    audio: [],
    metadata: {},
    requests: [],
    unpublished: 0,
    closes: [],
  };
  const session: rtmp.RtmpServerSession = new rtmp.RtmpServerSession(
    {
      send: () => {},
      connect: ({ app, fourCcs }) => {
        heard.requests.push({ app, fourCcs });
        session.accept();
      },
      publish: (request) => {
        heard.requests.push(request);
        session.accept();
      },
      metadata: ({ members }) => Object.assign(heard.metadata, Object.fromEntries(members)),
      audio: (frame) => heard.audio.push(frame),
      video: (frame) => heard.video.push(frame),
      unpublish: () => heard.unpublished++,
      close: (reason) => heard.closes.push(reason),
    },
    { videoCodecs: [], audioCodecs: [] },
  );
  for (let at = 0; at < bytes.length; ) {
    const size = next();
    session.receive(bytes.subarray(at, at + size));
    at += size;
  }
  return { ...heard, counters: session.counters };
}

/** `track codec type: how many, bytes in all`. */
function summary(frames: (rtmp.AudioFrame | rtmp.VideoFrame)[]): string[] {
  const sums = new Map<string, { count: number; bytes: number }>();
  for (const { track, codec, type, data } of frames) {
    const key = `${track} ${codec} ${type}`;
    const sum = sums.get(key) ?? { count: 0, bytes: 0 };
    sums.set(key, { count: sum.count + 1, bytes: sum.bytes + data.length });
  }
  return [...sums].map(([key, { count, bytes }]) => `${key}: ${count}, ${bytes}`);
}

const names = [
  'ffmpeg-5.1-h264-aac',
  'ffmpeg-5.1-h264-bframes-aac',
  'ffmpeg-8.1-hevc-opus',
  'ffmpeg-8.1-av1-ac3',
  'ffmpeg-8.1-vp9-flac',
  'ffmpeg-8.1-tracks',
  'obs-29.0-h264-aac',
] as const;

describe.each(names)('%s', (name) => {
  const bytes = bytesOf(name);
  const whole = replay(bytes, () => bytes.length);

  it('is one stream from its start to its end', () => {
    expect(whole.requests).toMatchObject([{ app: 'app' }, { streamKey: 'sk_test_key', query: '', type: 'live' }]);
    expect([whole.unpublished, whole.closes, whole.counters]).toEqual([1, [], { malformed: 0, ignored: 0 }]);
  });

  it('has times that rise in each track', () => {
    for (const frames of [whole.audio, whole.video]) {
      const tracks = new Map<number, number>();
      for (const { track, timestampMs } of frames) {
        expect(timestampMs).toBeGreaterThanOrEqual(tracks.get(track) ?? 0);
        tracks.set(track, timestampMs);
      }
    }
  });

  it('has frames of H.264 and HEVC that are NAL units behind their lengths', () => {
    for (const { codec, type, data } of whole.video) {
      if (type !== 'frame' || (codec !== 'avc1' && codec !== 'hvc1')) continue;
      let at = 0;
      while (at < data.length) at += 4 + data.readUInt32BE(at);
      expect(at).toBe(data.length);
    }
  });

  it('is the same in any pieces', () => {
    const digest = JSON.stringify(whole);
    expect(JSON.stringify(replay(bytes, () => 1)) === digest).toBe(true);
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3_000 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(sizes, (pattern) => {
        let i = 0;
        expect(JSON.stringify(replay(bytes, () => pattern[i++ % pattern.length]!)) === digest).toBe(true);
      }),
      { numRuns: 10 },
    );
  });
});

// The bytes of frames that FFmpeg copied are those that ffprobe counts in what it copied.
it.each<[name: (typeof names)[number], video: string[], audio: string[]]>([
  [
    'ffmpeg-5.1-h264-aac',
    ['0 avc1 config: 1, 36', '0 avc1 frame: 15, 8276', '0 avc1 end: 1, 0'],
    ['0 mp4a config: 1, 5', '0 mp4a frame: 66, 6199'],
  ],
  [
    'ffmpeg-5.1-h264-bframes-aac',
    ['0 avc1 config: 1, 38', '0 avc1 frame: 10, 3934', '0 avc1 end: 1, 0'],
    ['0 mp4a config: 1, 5', '0 mp4a frame: 48, 4018'],
  ],
  [
    'ffmpeg-8.1-av1-ac3',
    ['0 av01 config: 1, 16', '0 av01 metadata: 1, 33', '0 av01 frame: 10, 7193'],
    ['0 ac-3 config: 1, 0', '0 ac-3 channels: 1, 6', '0 ac-3 frame: 32, 8192'],
  ],
  [
    'ffmpeg-8.1-hevc-opus',
    ['0 hvc1 config: 1, 2404', '0 hvc1 metadata: 1, 33', '0 hvc1 frame: 10, 6156'],
    ['0 Opus config: 1, 19', '0 Opus channels: 1, 6', '0 Opus frame: 51, 2231'],
  ],
  [
    'ffmpeg-8.1-tracks',
    [
      '0 avc1 config: 1, 37',
      '1 avc1 config: 1, 37',
      '0 avc1 frame: 10, 9508',
      '1 avc1 frame: 10, 3677',
      '0 avc1 end: 2, 0',
    ],
    [
      '0 mp4a config: 1, 5',
      '1 mp4a config: 1, 5',
      '1 mp4a channels: 1, 6',
      '0 mp4a frame: 48, 2957',
      '1 mp4a frame: 48, 2961',
    ],
  ],
  [
    'ffmpeg-8.1-vp9-flac',
    ['0 vp09 config: 1, 12', '0 vp09 metadata: 1, 33', '0 vp09 frame: 10, 5849'],
    ['0 fLaC config: 1, 34', '0 fLaC channels: 1, 6', '0 fLaC frame: 11, 13231'],
  ],
  [
    'obs-29.0-h264-aac',
    ['0 avc1 config: 1, 41', '0 avc1 frame: 31, 23213'],
    ['0 mp4a config: 1, 5', '0 mp4a frame: 141, 846'],
  ],
])('%s has all that was sent', (name, video, audio) => {
  const heard = replay(bytesOf(name), () => 65_536);
  expect(summary(heard.video)).toEqual(video);
  expect(summary(heard.audio)).toEqual(audio);
});

it('tells B-frames by their composition times', () => {
  const times = (name: (typeof names)[number]) =>
    replay(bytesOf(name), () => 65_536)
      .video.filter(({ type }) => type === 'frame')
      .map(({ compositionTimeMs }) => compositionTimeMs);
  expect(new Set(times('ffmpeg-5.1-h264-aac'))).toEqual(new Set([0]));
  expect(times('ffmpeg-5.1-h264-bframes-aac')).toEqual([200, 400, 100, 100, 400, 100, 100, 400, 100, 100]);
});

it('has metadata and configurations that say the same', () => {
  const { metadata, audio } = replay(bytesOf('obs-29.0-h264-aac'), () => 65_536);
  expect(metadata).toMatchObject({ width: 128, height: 96, framerate: 10, audiosamplerate: 48_000, audiochannels: 2 });
  expect(flv.parseAudioSpecificConfig(audio[0]!.data)).toMatchObject({
    objectType: 2,
    sampleRate: 48_000,
    channels: 2,
  });
});
