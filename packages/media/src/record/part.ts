import { trackOf } from '../publication.ts';
import type { RelayedPublication } from '../relay/index.ts';
import type { Thumbnail } from '../rim/av/index.ts';
import { AudioSource } from './audio-source.ts';
import { LATENCY_MS } from './limits.ts';
import type { RecordingOptions } from './options.ts';
import { type FinishedSegment, type Format, Segmenter } from './segmenter.ts';
import { VideoSource } from './video-source.ts';
import { ArrivalDelay } from './wall-clock.ts';

export interface PartOptions {
  recording: RecordingOptions;
  publication: RelayedPublication;
  now(): number;
  originMs?: number;
  /** When the next thumbnail is due, in milliseconds since 1970; undefined: none. */
  thumbnailDueMs(): number | undefined;
  onFormat(format: Format): void;
  onSegment(segment: FinishedSegment): void;
  onThumbnail(picture: Thumbnail, timeMs: number): void;
}

/** What is recorded of one publication, from when it comes to when it goes. */
export class Part {
  readonly publication: RelayedPublication;
  readonly #options: PartOptions;
  readonly #delay = new ArrivalDelay();
  readonly #audio: AudioSource | undefined;
  readonly #video: VideoSource | undefined;
  readonly #segmenter: Segmenter | undefined;
  #askedAt: number | undefined;

  constructor(options: PartOptions) {
    const { publication, recording, now, originMs, onFormat, onSegment } = options;
    this.#options = options;
    this.publication = publication;
    const [audio, video] = [trackOf(publication, 'audio'), trackOf(publication, 'video')];
    const shared = { now, delay: this.#delay };
    const records = recording.media !== 'NONE';
    if (audio && records)
      this.#audio = new AudioSource({ ...shared, track: audio, onUnit: (unit) => this.#segmenter?.pushAudio(unit) });
    const recordsVideo = recording.media === 'AUDIO_VIDEO';
    if (video && (recordsVideo || recording.thumbnails))
      this.#video = new VideoSource({
        ...shared,
        track: video,
        picturesOnly: !recordsVideo,
        onUnit: (unit) => this.#segmenter?.pushVideo(unit),
        onKeyFrame: (timeMs, draw) => this.#onKeyFrame(timeMs, draw),
      });
    if (!records) return;
    this.#segmenter = new Segmenter({
      targetMs: recording.targetSegmentSeconds * 1_000,
      video: recordsVideo && video !== undefined,
      ...(this.#audio && { audio: this.#audio.audioSpecificConfig }),
      ...(originMs !== undefined && { originMs }),
      onFormat,
      onSegment,
    });
  }

  get originMs(): number | undefined {
    return this.#segmenter?.originMs;
  }

  tick(now: number): void {
    this.#video?.tick(now);
    this.#audio?.tick(now, this.#beginMs());
    const delayMs = this.#delay.ms;
    // Sound and pictures go on together, or a segment would end without one of them.
    const isReady = (this.#video?.isReady(now) ?? true) && (this.#audio?.isReady(now) ?? true);
    if (!isReady) this.#askWhileWaiting(now);
    if (delayMs === undefined || !isReady) return;
    const timeMs = now - delayMs;
    this.#audio?.advance(timeMs - LATENCY_MS);
    this.#segmenter?.advance(timeMs - LATENCY_MS);
    this.#askForKeyFrame(timeMs, now);
  }

  /** The publication is over: all that came is recorded. */
  close(now: number): void {
    this.#video?.close(now);
    this.#audio?.close(now, this.#beginMs());
    this.#segmenter?.finish();
  }

  /** There is sound from the first picture on, if only silence. */
  #beginMs(): number | undefined {
    const firstMs = this.#video?.firstMs;
    return firstMs === undefined ? undefined : firstMs - 40;
  }

  #askForKeyFrame(timeMs: number, now: number): void {
    const due = [this.#segmenter?.keyFrameDueMs, this.#options.thumbnailDueMs()].filter((at) => at !== undefined);
    if (due.some((at) => at <= timeMs && (this.#video?.lastKeyFrameMs ?? 0) < at)) this.#video?.requestKeyFrame(now);
  }

  /** Segments are cut later, when it is known when their pictures were sampled. */
  #askWhileWaiting(now: number): void {
    if (!this.#video?.hasPictures) return;
    this.#askedAt ??= now;
    if (now - this.#askedAt < this.#options.recording.targetSegmentSeconds * 1_000) return;
    this.#askedAt = now;
    this.#video.requestKeyFrame(now);
  }

  #onKeyFrame(timeMs: number, draw: () => Thumbnail | undefined): void {
    const dueMs = this.#options.thumbnailDueMs();
    if (dueMs === undefined || timeMs < dueMs) return;
    const picture = draw();
    if (picture) this.#options.onThumbnail(picture, timeMs);
  }
}
