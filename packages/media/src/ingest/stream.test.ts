import { readFileSync } from 'node:fs';
import { rtmp, video } from '@footlights/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { VideoCodec } from '../media.ts';
import { awsMediaLimits, type CloseReason, type MediaLimits } from '../media.ts';
import { AacToOpus, VideoToH264 } from '../rim/av/index.ts';
import { FakeClock } from '../rim/fake.ts';
import { noTransports } from '../rim/no-transports.ts';
import type { UpTrack } from '../up-track.ts';
import type { RtmpSession } from './rtmp-connection.ts';
import { IngestStream } from './stream.ts';
import type { MakeTranscoder } from './video-input.ts';

const transcode: MakeTranscoder = ({ codec, configuration }, onUnit) =>
  new VideoToH264({ codec, ...(configuration && { configuration }), bitrate: 500_000 }, onUnit);

const streams: IngestStream[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.end('requested');
});

/** A packet that left a layer. */
interface Sent {
  number: number;
  timestamp: number;
  marker: boolean;
  payload: Buffer;
}

/** What came of a stream. */
class Outcome {
  tracks: readonly UpTrack[] = [];
  ended: CloseReason | undefined;
  /** What the encoder was told. */
  told = '';
  /** By layer, the smallest first. */
  video: Sent[][] = [];
  audio: Sent[] = [];

  /** Packets that begin a key frame, with the size that they tell. */
  keyFrames(layer = 0): { index: number; width: number; height: number }[] {
    const facts = video.emptyFacts();
    const codec = this.tracks[1]?.codec as VideoCodec;
    return (this.video[layer] ?? []).flatMap(({ payload }, index) => {
      video.inspect(codec, facts, payload, 0, payload.length);
      return facts.keyFrame && facts.width > 0 ? [{ index, width: facts.width, height: facts.height }] : [];
    });
  }
}

/** Plays what an encoder sent, message by message on its own clock. */
function play(
  name: string,
  options: { transcode?: MakeTranscoder; limits?: Partial<MediaLimits>; times?: number } = {},
) {
  const outcome = new Outcome();
  const clock = new FakeClock();
  const session = { reject: (_code: string, description: string) => (outcome.told = description) };
  const identity = { connectionId: 'c', stageId: 's', participantId: 'p' };
  const stream = new IngestStream(identity, session as unknown as RtmpSession, {
    host: noTransports,
    clock,
    limits: { ...awsMediaLimits, ...options.limits },
    transcode: options.transcode,
    aacToOpus: (audioSpecificConfig, bitrate, onPacket) => new AacToOpus({ audioSpecificConfig, bitrate }, onPacket),
    published: ({ tracks }) => listen(tracks, outcome),
    ended: (_stream, reason) => (outcome.ended = reason),
  });
  streams.push(stream);
  let last = 0;
  const at = <Frame extends rtmp.AudioFrame | rtmp.VideoFrame>(frame: Frame, take: (frame: Frame) => void) => {
    clock.advance(Math.max(0, frame.timestampMs - last));
    last = Math.max(last, frame.timestampMs);
    take(frame);
    stream.tick(clock.now());
  };
  replay(name, {
    audio: (frame) => at(frame, (one) => stream.audio(one)),
    video: (frame) => at(frame, (one) => stream.video(one)),
  });
  return { outcome, stream, clock };
}

function listen(tracks: readonly UpTrack[], outcome: Outcome): void {
  outcome.tracks = tracks;
  const into =
    (list: Sent[]) =>
    (arrival: { buffer: Buffer; payloadOffset: number; payloadEnd: number } & Omit<Sent, 'payload'>) =>
      list.push({
        number: arrival.number,
        timestamp: arrival.timestamp,
        marker: arrival.marker,
        payload: Buffer.from(arrival.buffer.subarray(arrival.payloadOffset, arrival.payloadEnd)),
      });
  for (const layer of tracks[0]?.layers ?? []) layer.tap(into(outcome.audio));
  for (const layer of tracks[1]?.layers ?? []) {
    const list: Sent[] = [];
    outcome.video.push(list);
    layer.tap(into(list));
  }
}

function replay(name: string, media: Pick<rtmp.ServerHandler, 'audio' | 'video'>): void {
  const session: rtmp.RtmpServerSession = new rtmp.RtmpServerSession(
    {
      send: () => {},
      connect: () => session.accept(),
      publish: () => session.accept(),
      metadata: () => {},
      unpublish: () => {},
      close: () => {},
      ...media,
    },
    { videoCodecs: [], audioCodecs: [] },
  );
  session.receive(readFileSync(new URL(`testdata/${name}.bin`, import.meta.url)));
}

describe('an encoder that sends what every browser plays', () => {
  it('is published with H.264 and Opus, key frames with their parameter sets, numbered without gaps', () => {
    const { outcome } = play('ffmpeg-5.1-h264-aac');
    const [audio, picture] = outcome.tracks;
    expect(audio?.description).toMatchObject({ kind: 'audio', codec: 'opus' });
    expect(picture?.description).toMatchObject({ kind: 'video', codec: 'H264', encodingIds: [undefined] });
    expect(picture?.description.fmtp).toMatch(/packetization-mode=1;profile-level-id=42[0-9a-f]{4}$/);
    const [packets = []] = outcome.video;
    expect(packets.map(({ number }) => number)).toEqual(packets.map((_, index) => index));
    expect(packets.filter(({ marker }) => marker)).toHaveLength(15);
    expect(outcome.keyFrames().map(({ width, height }) => [width, height])).toEqual([
      [64, 48],
      [64, 48],
    ]);
    expect(outcome.ended).toBeUndefined();
  });

  it('has sound in packets of 20 ms, on the picture’s time', () => {
    const { outcome } = play('ffmpeg-5.1-h264-aac');
    const steps = outcome.audio
      .slice(1)
      .map(({ timestamp }, index) => (timestamp - (outcome.audio[index]?.timestamp ?? 0)) | 0);
    expect(new Set(steps)).toEqual(new Set([960]));
    expect(outcome.audio.length).toBeGreaterThan(65);
    const [first] = outcome.video[0] ?? [];
    const wall = (track: number, timestamp: number) => outcome.tracks[track]?.layers[0]?.clock.timeOf(timestamp) ?? 0;
    const apart = wall(1, first?.timestamp ?? 0) - wall(0, outcome.audio[0]?.timestamp ?? 0);
    // The sound began before the picture was there to publish with; never by more than a few packets.
    expect(Math.abs(apart)).toBeLessThan(150);
  });

  it('OBS is one', () => {
    const { outcome } = play('obs-29.0-h264-aac');
    expect(outcome.keyFrames().length).toBeGreaterThan(2);
    expect(outcome.ended).toBeUndefined();
  });
});

describe('several video tracks', () => {
  it('become layers, the smallest first', () => {
    const { outcome } = play('ffmpeg-8.1-tracks');
    expect(outcome.tracks[1]?.description.encodingIds).toEqual(['low', 'hi']);
    expect(outcome.keyFrames(0)[0]?.width ?? 32).toBe(32);
    expect(outcome.keyFrames(1)[0]?.width ?? 64).toBe(64);
  });
});

describe('what is not taken', () => {
  it.each([
    ['ffmpeg-5.1-h264-bframes-aac', 'b-frame-present', 'B_FRAME_PRESENT'],
    ['ffmpeg-8.1-hevc-opus', 'invalid-video-codec', 'INVALID_VIDEO_CODEC'],
    ['ffmpeg-8.1-av1-ac3', 'invalid-audio-codec', 'INVALID_AUDIO_CODEC'],
    ['ffmpeg-8.1-vp9-flac', 'invalid-audio-codec', 'INVALID_AUDIO_CODEC'],
  ])('%s ends with %s', (name, reason, code) => {
    const { outcome } = play(name);
    expect(outcome.ended).toBe(reason);
    expect(outcome.told).toContain(code);
  });

  it('is a picture of one pixel more than the limit', () => {
    expect(play('ffmpeg-5.1-h264-aac', { limits: { pixels: 64 * 48 } }).outcome.ended).toBeUndefined();
    expect(play('ffmpeg-5.1-h264-aac', { limits: { pixels: 64 * 48 - 1 } }).outcome.ended).toBe('resolution-exceeded');
  });
});

describe('with transcoding', () => {
  it('a stream with B-frames goes on from its next key frame without them', () => {
    const { outcome } = play('ffmpeg-5.1-h264-bframes-aac', { transcode });
    expect(outcome.ended).toBeUndefined();
    const [packets = []] = outcome.video;
    const facts = video.emptyFacts();
    for (const { payload } of packets) {
      video.inspect('H264', facts, payload, 0, payload.length);
      expect(facts.bFrame).toBe(false);
    }
    const timestamps = packets.map(({ timestamp }) => timestamp);
    expect(
      timestamps.every((timestamp, index) => index === 0 || ((timestamp - (timestamps[index - 1] ?? 0)) | 0) >= 0),
    ).toBe(true);
  });

  it('HEVC is published as constrained baseline', () => {
    const { outcome } = play('ffmpeg-8.1-hevc-opus', { transcode });
    expect(outcome.ended).toBeUndefined();
    expect(outcome.tracks[1]?.description.fmtp).toContain('profile-level-id=42e01f');
    expect(outcome.keyFrames()[0]).toMatchObject({ width: 64, height: 64 });
    expect(outcome.audio.length).toBeGreaterThan(30);
  });
});
