import { h264, type rtmp } from '@footlights/protocol';
import type { CloseReason } from '../media.ts';
import type { Feed } from './feed.ts';
import { modulo32, rtpTimestamp, type TrackTime } from './timeline.ts';
import { packetizeAvc, type VideoLine, videoLine } from './video-line.ts';

/** Any video to H.264 without B-frames and no larger than the limit, as the native part has it. */
export interface VideoTranscoder {
  /** In decoding order; the presentation time at 90 kHz, not wrapped. */
  push(accessUnit: Uint8Array, timestamp: number): void;
  close(): void;
}

/** Makes a transcoder whose access units have 4-byte lengths; throws when FFmpeg refuses the configuration. */
export type MakeTranscoder = (
  options: { codec: TranscodedCodec; configuration: Buffer | undefined },
  onUnit: (accessUnit: Buffer, timestamp: number) => void,
) => VideoTranscoder;

export type TranscodedCodec = 'h264' | 'hevc' | 'av1' | 'vp9';

/** By FourCC. */
const TRANSCODED: Record<string, TranscodedCodec | undefined> = {
  avc1: 'h264',
  hvc1: 'hevc',
  av01: 'av1',
  vp09: 'vp9',
};
const CLOCK_RATE = 90_000;

/** What a video track may be, and what is done about one that is not. */
export interface VideoRules {
  /** Width times height. */
  pixels: number;
  /** Absent: what breaks the rules is refused. */
  transcode: MakeTranscoder | undefined;
}

/** One video track of an encoder: its frames in, packets of its layer out. */
export class VideoInput {
  readonly time: TrackTime;
  readonly #rules: VideoRules;
  readonly #now: () => number;
  #fourCc = '';
  #configuration: Buffer | undefined;
  #line: VideoLine | undefined;
  #transcoder: VideoTranscoder | undefined;
  #needsKeyFrame = false;
  feed: Feed | undefined;

  constructor(time: TrackTime, rules: VideoRules, now: () => number) {
    this.time = time;
    this.#rules = rules;
    this.#now = now;
  }

  /** What viewers are told of the video. */
  get description(): Pick<VideoLine, 'codec' | 'fmtp' | 'width' | 'height'> {
    if (this.#transcoder || !this.#line) return TRANSCODED_DESCRIPTION;
    return this.#line;
  }

  /** Takes a decoder configuration, or the first frame of a codec without one; returns why it cannot be. */
  configure({ codec, data }: Pick<rtmp.VideoFrame, 'codec' | 'data'>): CloseReason | undefined {
    this.#fourCc = codec;
    this.#configuration = Buffer.from(data);
    const before = this.description.codec;
    const line = videoLine({ codec, data });
    const changes = this.feed !== undefined && line?.codec !== before;
    if (!line || changes || this.#transcoder) return this.#transcodeInstead('invalid-video-codec');
    if (line.width * line.height > this.#rules.pixels) return this.#transcodeInstead('resolution-exceeded');
    this.#line = line;
    return undefined;
  }

  /** Sends a frame that is shown at `lineMs`; returns why it cannot be. */
  frame({ data, keyFrame }: rtmp.VideoFrame, lineMs: number): CloseReason | undefined {
    if (this.#needsKeyFrame && !keyFrame) return undefined;
    this.#needsKeyFrame = false;
    if (this.#transcoder) {
      this.#transcoder.push(data, Math.round(lineMs * (CLOCK_RATE / 1_000)));
      return undefined;
    }
    const timestamp = rtpTimestamp(lineMs, CLOCK_RATE);
    const now = this.#now();
    const fine = this.#line?.frame(data, keyFrame, (payload, last) => this.feed?.packet(payload, timestamp, last, now));
    if (fine !== false) return undefined;
    // What its frames refer to has been forwarded, not decoded here.
    this.#needsKeyFrame = true;
    return this.#transcodeInstead('b-frame-present');
  }

  close(): void {
    this.#transcoder?.close();
  }

  #transcodeInstead(reason: CloseReason): CloseReason | undefined {
    const codec = TRANSCODED[this.#fourCc];
    if (!this.#rules.transcode || !codec) return reason;
    this.#transcoder?.close();
    // An AV1 or VP9 frame that came without a configuration is none.
    const configuration = codec === 'h264' || codec === 'hevc' || codec === 'av1' ? this.#configuration : undefined;
    try {
      this.#transcoder = this.#rules.transcode({ codec, configuration }, (unit, timestamp) =>
        this.#onUnit(unit, timestamp),
      );
      return undefined;
    } catch {
      return 'invalid-video-codec';
    }
  }

  #onUnit(accessUnit: Buffer, timestamp: number): void {
    const now = this.#now();
    const emit = (payload: Buffer, last: boolean) => this.feed?.packet(payload, modulo32(timestamp), last, now);
    packetizeAvc(h264.splitAvcc(accessUnit, 4) ?? [], emit);
  }
}

/** Constrained baseline, what every browser decodes. */
const TRANSCODED_DESCRIPTION = {
  codec: 'H264',
  fmtp: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  width: 0,
  height: 0,
} as const;
