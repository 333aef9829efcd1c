import { h264, hls } from '@footlights/protocol';
import { AAC_FRAME, Fmp4Muxer, VIDEO_TIMESCALE } from '../rim/av/index.ts';
import type { AudioUnit } from './audio-source.ts';
import { MAX_QUEUED_UNITS, MAX_SEGMENT_BYTES, MAX_SEGMENT_MS, VIDEO_GONE_MS, VIDEO_WAIT_MS } from './limits.ts';
import type { VideoUnit } from './video-source.ts';

const SAMPLE_RATE = 48_000;
const AUDIO_FRAME_MS = (AAC_FRAME * 1_000) / SAMPLE_RATE;
/** What a last picture lasts when nothing tells. */
const FRAME_MS = 33;
const AAC_LC = 'mp4a.40.2';

/** The format of segments until it changes. */
export interface Format {
  init: Buffer;
  /** As RFC 6381 names them. */
  codecs: string[];
  width?: number;
  height?: number;
}

export interface FinishedSegment {
  body: Buffer;
  startedAtMs: number;
  durationMs: number;
}

export interface SegmenterOptions {
  targetMs: number;
  /** AudioSpecificConfig; absent: there is no sound. */
  audio?: Buffer;
  /** There is to be video. */
  video: boolean;
  /** Time 0 of the file, in milliseconds since 1970; the first sample's when it is not known. */
  originMs?: number;
  onFormat(format: Format): void;
  onSegment(segment: FinishedSegment): void;
}

/**
 * Cuts one publication's sound and pictures into segments: at the first key frame past the target; without pictures, at the target. When parameter sets
 * change, or pictures stop or come, another format begins. Times are milliseconds since 1970.
 */
export class Segmenter {
  readonly #options: SegmenterOptions;
  #video: VideoUnit[] = [];
  #audio: AudioUnit[] = [];
  #muxer: Fmp4Muxer | undefined;
  /** Of the format that has video. */
  #sets: { sps: Buffer; pps: Buffer } | undefined;
  #originMs: number | undefined;
  #startMs = 0;
  #bytes = 0;
  #firstAudioMs: number | undefined;
  #lastVideoMs = Number.NEGATIVE_INFINITY;
  #frameMs = FRAME_MS;
  #audioEndMs = Number.NEGATIVE_INFINITY;

  constructor(options: SegmenterOptions) {
    this.#options = options;
    this.#originMs = options.originMs;
  }

  /** When the segment's time is over and a key frame is due; undefined while there is none with pictures. */
  get keyFrameDueMs(): number | undefined {
    return this.#muxer && this.#sets ? this.#startMs + this.#options.targetMs : undefined;
  }

  /** When the first sample was; undefined before it. */
  get originMs(): number | undefined {
    return this.#originMs;
  }

  pushVideo(unit: VideoUnit): void {
    if (this.#video.length < MAX_QUEUED_UNITS) this.#video.push(unit);
  }

  pushAudio(unit: AudioUnit): void {
    if (this.#audio.length < MAX_QUEUED_UNITS) this.#audio.push(unit);
  }

  /** Takes in what was sampled up to `timeMs`, in the order of time. */
  advance(timeMs: number): void {
    this.#takeIn(timeMs);
    if (!this.#options.audio && this.#sets && timeMs - this.#lastVideoMs > VIDEO_GONE_MS) this.#endFormat(timeMs);
  }

  /** All that came, and the last segment. */
  finish(): void {
    if (!this.#muxer && this.#firstAudioMs === undefined) this.#firstAudioMs = this.#audio[0]?.timeMs;
    this.#takeIn(Number.MAX_SAFE_INTEGER);
    const first = this.#audio[0];
    if (!this.#muxer && first) {
      this.#beginFormat(first.timeMs);
      this.#takeIn(Number.MAX_SAFE_INTEGER);
    }
    const videoEndMs = this.#sets ? this.#lastVideoMs + this.#frameMs : Number.NEGATIVE_INFINITY;
    this.#endFormat(Math.max(videoEndMs, this.#audioEndMs));
  }

  #takeIn(timeMs: number): void {
    for (;;) {
      const [video, audio] = [this.#video[0], this.#audio[0]];
      const isVideo = video !== undefined && (audio === undefined || video.timeMs <= audio.timeMs);
      const next = isVideo ? video : audio;
      if (!next || next.timeMs > timeMs) break;
      if (isVideo) this.#onVideo(this.#video.shift() as VideoUnit);
      else if (!this.#onAudio(next as AudioUnit)) break;
      else this.#audio.shift();
    }
  }

  #onVideo(unit: VideoUnit): void {
    const { keyFrame, timeMs, sps, pps } = unit;
    const isSame = this.#sets?.sps.equals(sps) && this.#sets.pps.equals(pps);
    if (!isSame && !keyFrame) return;
    if (!isSame) this.#beginFormat(timeMs, { sps, pps });
    // The first picture may come a little late, and an encoder's next key frame would be seconds away.
    else if (keyFrame && timeMs - this.#startMs >= this.#options.targetMs - this.#frameMs) this.#cut(timeMs);
    if (!this.#muxer || this.#bytes > MAX_SEGMENT_BYTES) return;
    const frameMs = timeMs - this.#lastVideoMs;
    if (frameMs > 0 && frameMs < 1_000) this.#frameMs = frameMs;
    this.#lastVideoMs = timeMs;
    this.#bytes += unit.unit.length;
    const at = this.#videoTime(timeMs);
    this.#muxer.writeVideo({ unit: unit.unit, decodedAt: at, presentedAt: at, keyFrame });
  }

  /** False while it has to wait for the first picture. */
  #onAudio({ unit, timeMs }: AudioUnit): boolean {
    if (!this.#muxer) {
      this.#firstAudioMs ??= timeMs;
      // What is heard before the first picture is left out, so that both begin together.
      if (this.#video.length > 0) return true;
      if (this.#options.video && !this.#hasWaited()) return false;
      this.#beginFormat(timeMs);
    }
    const elapsedMs = timeMs - this.#startMs;
    if (elapsedMs < -AUDIO_FRAME_MS / 2) return true;
    if (this.#sets && this.#isVideoGone(timeMs, elapsedMs)) this.#beginFormat(timeMs);
    else if (elapsedMs >= (this.#sets ? MAX_SEGMENT_MS : this.#options.targetMs)) this.#cut(timeMs);
    this.#audioEndMs = timeMs + AUDIO_FRAME_MS;
    this.#bytes += unit.length;
    this.#muxer?.writeAudio(unit, this.#audioTime(timeMs));
    return true;
  }

  #hasWaited(): boolean {
    const newest = this.#audio.at(-1)?.timeMs ?? 0;
    return newest - (this.#firstAudioMs ?? newest) >= VIDEO_WAIT_MS;
  }

  #isVideoGone(timeMs: number, elapsedMs: number): boolean {
    return elapsedMs >= this.#options.targetMs + VIDEO_GONE_MS && timeMs - this.#lastVideoMs >= VIDEO_GONE_MS;
  }

  #beginFormat(timeMs: number, sets?: { sps: Buffer; pps: Buffer }): void {
    const { audio, onFormat } = this.#options;
    const avcC = sets && h264.writeAvcDecoderConfiguration(sets.sps, sets.pps);
    const size = sets && h264.parseSps(sets.sps);
    if (sets && (!avcC || !size)) return;
    this.#endFormat(timeMs);
    this.#originMs ??= timeMs;
    this.#startMs = timeMs;
    this.#sets = sets;
    const { width = 0, height = 0 } = size ?? {};
    this.#muxer = new Fmp4Muxer({
      ...(avcC && { video: { avcC, width, height } }),
      ...(audio && { audio: { audioSpecificConfig: audio, sampleRate: SAMPLE_RATE, channels: 2 } }),
    });
    const codecs = [...(sets ? [hls.videoCodecs(sets.sps)] : []), ...(audio ? [AAC_LC] : [])];
    onFormat({ init: this.#muxer.init, codecs, ...(sets && { width, height }) });
  }

  #endFormat(timeMs: number): void {
    if (!this.#muxer) return;
    this.#cut(timeMs);
    this.#muxer.close();
    this.#muxer = undefined;
    this.#sets = undefined;
  }

  #cut(timeMs: number): void {
    if (!this.#muxer) return;
    const body = this.#muxer.cut(this.#videoTime(timeMs));
    const segment = { body, startedAtMs: this.#startMs, durationMs: timeMs - this.#startMs };
    this.#startMs = timeMs;
    this.#bytes = 0;
    if (body.length > 0) this.#options.onSegment(segment);
  }

  #videoTime(timeMs: number): number {
    return Math.max(0, Math.round(((timeMs - (this.#originMs ?? timeMs)) * VIDEO_TIMESCALE) / 1_000));
  }

  #audioTime(timeMs: number): number {
    return Math.max(0, Math.round(((timeMs - (this.#originMs ?? timeMs)) * SAMPLE_RATE) / 1_000));
  }
}
