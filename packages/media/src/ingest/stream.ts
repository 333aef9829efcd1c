import type { rtmp } from '@footlights/protocol';
import type { ConnectionIdentity } from '../connection.ts';
import type { CloseReason, ConnectionStatistics, MediaLimits } from '../media.ts';
import type { Publication } from '../publication.ts';
import type { Clock, TransportHost } from '../rim/transport.ts';
import { type TrackDescription, UpTrack } from '../up-track.ts';
import { Feed } from './feed.ts';
import { publicationStatistics } from './publication-statistics.ts';
import type { RtmpSession } from './rtmp-connection.ts';
import { compositionTime, modulo32, rtpTimestamp, Timeline, type TrackTime } from './timeline.ts';
import { type MakeTranscoder, VideoInput } from './video-input.ts';

/** How long an encoder may take until sound and picture are there. */
const COMPLETE_WITHIN_MS = 8_000;
/** Of several video tracks the others are waited for so long. */
const TRACKS_WITHIN_MS = 500;
const BITRATE_SECONDS = 10;
/** Names of layers by their number, the smallest first. */
const LAYER_NAMES = [[], [undefined], ['low', 'hi'], ['low', 'mid', 'hi'], ['low', 'mid', 'hi', 'max']];
export const MAX_VIDEO_TRACKS = 4;

const OPUS_FMTP = 'minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1';
const OPUS_RATE = 48_000;
const VIDEO_RATE = 90_000;
const STEREO_BPS = 96_000;

/** AAC to Opus, as the native part has it. */
export interface AudioTranscoder {
  push(accessUnit: Uint8Array, timestamp: number): void;
  close(): void;
}

/** What streams need of the process. */
export interface StreamContext {
  host: TransportHost;
  clock: Clock;
  limits: MediaLimits;
  aacToOpus(
    audioSpecificConfig: Buffer,
    bitrate: number,
    onPacket: (packet: Buffer, timestamp: number) => void,
  ): AudioTranscoder;
  /** Absent: streams that viewers could not be shown are refused. */
  transcode: MakeTranscoder | undefined;
  /** Sound and picture are there: the stream can be received. */
  published(stream: IngestStream): void;
  /** The stream is over; called once. */
  ended(stream: IngestStream, reason: CloseReason): void;
}

/** Codes and words that the encoder is told (`NetStream.Publish.…`). */
const REFUSALS: Partial<Record<CloseReason, string>> = {
  'b-frame-present':
    'B_FRAME_PRESENT: the stream has B-frames; set the encoder to 0 B-frames (FFmpeg: -bf 0, OBS: bframes=0)',
  'bitrate-exceeded': 'BITRATE_EXCEEDED: the stream has more bits per second than the server takes',
  'resolution-exceeded': 'RESOLUTION_EXCEEDED: the picture is larger than the server takes',
  'duration-exceeded': 'STREAM_DURATION_EXCEEDED: the stream has lasted as long as one may',
  'invalid-video-codec': 'INVALID_VIDEO_CODEC: viewers cannot decode this video; send H.264',
  'invalid-audio-codec': 'INVALID_AUDIO_CODEC: this audio is not taken; send AAC-LC or Opus',
  'missing-audio': 'the stream has no audio; both audio and video are needed',
  'missing-video': 'the stream has no video; both audio and video are needed',
  requested: 'the stream was disconnected',
};

/** An encoder's stream: RTMP messages in, the packets of a publication out. */
export class IngestStream implements Publication {
  readonly identity: ConnectionIdentity;
  tracks: readonly UpTrack[] = [];
  readonly #session: RtmpSession;
  readonly #context: StreamContext;
  readonly #timeline = new Timeline();
  readonly #audioTime = this.#timeline.track('audio');
  readonly #videos = new Map<number, VideoInput>();
  readonly #startedAt: number;
  #audioTranscoder: AudioTranscoder | undefined;
  #audioCodec: 'mp4a' | 'Opus' | undefined;
  #audioFeed: Feed | undefined;
  #firstVideoAt: number | undefined;
  readonly #bytesPerSecond: number[] = [];
  #bytes = 0;
  #totalBytes = 0;
  #packets = 0;
  #over = false;

  constructor(identity: ConnectionIdentity, session: RtmpSession, context: StreamContext) {
    this.identity = identity;
    this.#session = session;
    this.#context = context;
    this.#startedAt = context.clock.now();
  }

  get isPublished(): boolean {
    return this.tracks.length > 0;
  }

  audio(frame: rtmp.AudioFrame): void {
    // Viewers hear one track: the first.
    if (this.#over || frame.track !== 0) return;
    this.#count(frame.data.length);
    if (frame.type === 'config') this.#configureAudio(frame);
    else if (frame.type === 'frame') this.#audioFrame(frame);
    this.#publishWhenComplete();
  }

  video(frame: rtmp.VideoFrame): void {
    if (this.#over) return;
    this.#count(frame.data.length);
    if (frame.type === 'config') this.#configureVideo(frame);
    else if (frame.type === 'frame') this.#videoFrame(frame);
  }

  /** Every tick. */
  tick(now: number): void {
    for (const track of this.tracks) track.tick(now);
    if (!this.isPublished) this.#publishWhenComplete();
    if (this.#over || this.isPublished || now - this.#startedAt < COMPLETE_WITHIN_MS) return;
    this.end(this.#videos.size === 0 ? 'missing-video' : 'missing-audio');
  }

  /** Once a second. */
  second(now: number): void {
    this.#bytesPerSecond.push(this.#bytes);
    this.#bytes = 0;
    if (this.#bytesPerSecond.length > BITRATE_SECONDS) this.#bytesPerSecond.shift();
    const bits = this.#bytesPerSecond.reduce((sum, bytes) => sum + bytes, 0) * 8;
    const { publishBps, durationMs } = this.#context.limits;
    if (bits > publishBps * BITRATE_SECONDS) this.end('bitrate-exceeded');
    else if (now - this.#startedAt >= durationMs) this.end('duration-exceeded');
  }

  /** Ends the stream; the encoder is told why, where there is a reason that it can mend. */
  end(reason: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#audioTranscoder?.close();
    for (const input of this.#videos.values()) input.close();
    const words = REFUSALS[reason];
    if (words !== undefined) this.#session.reject('NetStream.Publish.Rejected', words);
    this.#context.ended(this, reason);
  }

  statistics(now: number): ConnectionStatistics {
    const received = { packetsReceived: this.#packets, bytesReceived: this.#totalBytes };
    return { ...publicationStatistics(this, now), ...received };
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#totalBytes += bytes;
    this.#packets += 1;
  }

  #configureAudio({ codec, data }: rtmp.AudioFrame): void {
    if (codec !== 'mp4a' && codec !== 'Opus') {
      this.end('invalid-audio-codec');
      return;
    }
    this.#audioCodec = codec;
    if (codec === 'Opus' || data.length === 0) return;
    this.#audioTranscoder?.close();
    try {
      this.#audioTranscoder = this.#context.aacToOpus(Buffer.from(data), STEREO_BPS, (packet, timestamp) =>
        this.#opus(packet, timestamp),
      );
    } catch {
      // FFmpeg cannot decode what is announced.
      this.end('invalid-audio-codec');
    }
  }

  #audioFrame({ codec, timestampMs, data }: rtmp.AudioFrame): void {
    if (codec !== 'mp4a' && codec !== 'Opus') {
      this.end('invalid-audio-codec');
      return;
    }
    this.#audioCodec = codec;
    if (data.length === 0) return;
    const samples = Math.round(this.#place(this.#audioTime, timestampMs) * (OPUS_RATE / 1_000));
    if (codec === 'Opus') this.#opus(data, samples);
    else this.#audioTranscoder?.push(data, samples);
  }

  /** `samples` at 48 kHz on the timeline, not wrapped. */
  #opus(packet: Buffer, samples: number): void {
    const feed = this.#audioFeed;
    if (!feed) return;
    const now = this.#context.clock.now();
    const timestamp = modulo32(samples);
    feed.clock(this.#timeline.wallMs(samples / (OPUS_RATE / 1_000)), timestamp, now);
    feed.packet(packet, timestamp, false, now);
  }

  #configureVideo(frame: rtmp.VideoFrame): void {
    const known = this.#videos.get(frame.track);
    if (!known && (this.isPublished || this.#videos.size >= MAX_VIDEO_TRACKS)) return;
    const { limits, clock, transcode } = this.#context;
    const rules = { pixels: limits.pixels, transcode };
    const input = known ?? new VideoInput(this.#timeline.track('video'), rules, () => clock.now());
    const problem = input.configure(frame);
    if (problem) this.end(problem);
    else if (!known) {
      this.#firstVideoAt ??= clock.now();
      this.#videos.set(frame.track, input);
    }
  }

  #videoFrame(frame: rtmp.VideoFrame): void {
    // VP9 and AV1 may come without a configuration.
    if (!this.#videos.has(frame.track) && frame.codec !== 'avc1') this.#configureVideo(frame);
    const input = this.#videos.get(frame.track);
    if (!input) {
      if (frame.track === 0) this.end('invalid-video-codec');
      return;
    }
    this.#publishWhenComplete();
    const lineMs = this.#place(input.time, frame.timestampMs) + compositionTime(frame.compositionTimeMs);
    input.feed?.clock(this.#timeline.wallMs(lineMs), rtpTimestamp(lineMs, VIDEO_RATE), this.#context.clock.now());
    const problem = input.frame(frame, lineMs);
    if (problem) this.end(problem);
  }

  #place(time: TrackTime, timestampMs: number): number {
    return time.place(timestampMs % 2 ** 32, this.#context.clock.now());
  }

  /** Both kinds are there: tracks are made, and what comes from now on can be received. */
  #publishWhenComplete(): void {
    if (this.#over || this.isPublished || !this.#audioCodec || this.#firstVideoAt === undefined) return;
    if (this.#audioCodec === 'mp4a' && !this.#audioTranscoder) return;
    const inputs = [...this.#videos.values()];
    const several = [...this.#videos.keys()].some((track) => track > 0);
    if (several && this.#context.clock.now() - this.#firstVideoAt < TRACKS_WITHIN_MS) return;
    // Layers of one track have one codec: that of the first.
    const [first] = inputs;
    const layers = inputs.filter(({ description }) => description.codec === first?.description.codec);
    layers.sort((a, b) => pixelsOf(a) - pixelsOf(b));
    this.#makeTracks(layers);
    this.#context.published(this);
  }

  #makeTracks(layers: readonly VideoInput[]): void {
    const best = layers.at(-1)?.description;
    const audio = this.#makeTrack({ kind: 'audio', codec: 'opus', fmtp: OPUS_FMTP, encodingIds: [undefined] });
    const video = this.#makeTrack({
      kind: 'video',
      codec: best?.codec ?? 'H264',
      fmtp: best?.fmtp ?? '',
      encodingIds: LAYER_NAMES[layers.length] ?? [],
    });
    this.#audioFeed = audio.layers[0] && new Feed(audio.layers[0]);
    for (const [index, input] of layers.entries()) {
      const layer = video.layers[index];
      if (layer) input.feed = new Feed(layer);
    }
    this.tracks = [audio, video];
  }

  #makeTrack(description: Omit<TrackDescription, 'keyFramesOnRequest'>): UpTrack {
    return new UpTrack({
      // An encoder cannot be asked: viewers are given what has come since its last key frame.
      description: { ...description, keyFramesOnRequest: false },
      host: this.#context.host,
      now: this.#context.clock.now(),
      requestKeyFrame: () => {},
      resized: ({ width, height }) => {
        if (width * height > this.#context.limits.pixels) this.end('resolution-exceeded');
      },
    });
  }
}

const pixelsOf = ({ description }: VideoInput) => description.width * description.height;
