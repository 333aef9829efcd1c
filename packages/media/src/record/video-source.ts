import { h264 } from '@footlights/protocol';
import type { Layer } from '../layer.ts';
import type { VideoCodec } from '../media.ts';
import { type Thumbnail, thumbnail, VideoToH264 } from '../rim/av/index.ts';
import type { UpTrack } from '../up-track.ts';
import { LayerReader, type Picture } from './layer-reader.ts';
import { KEY_FRAME_RETRY_MS, MIN_FRAME_MS, VIDEO_BPS } from './limits.ts';
import type { ArrivalDelay } from './wall-clock.ts';

/** One H.264 access unit, its parameter sets beside it. */
export interface VideoUnit {
  /** NAL units with sizes of 4 bytes, without parameter sets. */
  unit: Buffer;
  keyFrame: boolean;
  /** When it was sampled, in milliseconds since 1970. */
  timeMs: number;
  sps: Buffer;
  pps: Buffer;
}

const nal = { sps: 7, pps: 8, delimiter: 9 } as const;
const typeOf = (unit: Buffer): number => unit[0]! & 0x1f;
const avNames = { H264: 'h264', VP8: 'vp8', VP9: 'vp9', AV1: 'av1' } as const;

export interface VideoSourceOptions {
  track: UpTrack;
  now(): number;
  delay: ArrivalDelay;
  /** No H.264 is needed: key frames alone are looked at. */
  picturesOnly: boolean;
  onUnit(unit: VideoUnit): void;
  /** A key frame that was sampled at `timeMs`; `draw` makes a picture of it, which costs some 20 ms. */
  onKeyFrame(timeMs: number, draw: () => Thumbnail | undefined): void;
}

/** A publisher's video as H.264: the highest layer that it sends, in mid-stream another one from its next key frame on. */
export class VideoSource {
  readonly #options: VideoSourceOptions;
  readonly #codec: VideoCodec;
  readonly #encoder: VideoToH264 | undefined;
  #current: LayerReader | undefined;
  #candidate: LayerReader | undefined;
  #sps: Buffer | undefined;
  #pps: Buffer | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** When the first picture of the recording was sampled. */
  firstMs: number | undefined;
  /** When the newest key frame was sampled. */
  lastKeyFrameMs = Number.NEGATIVE_INFINITY;

  constructor(options: VideoSourceOptions) {
    this.#options = options;
    this.#codec = options.track.codec as VideoCodec;
    if (this.#codec === 'H264' || options.picturesOnly) return;
    this.#encoder = new VideoToH264({ codec: avNames[this.#codec], bitrate: VIDEO_BPS }, (unit, timestamp, keyFrame) =>
      this.#emit(h264.splitAvcc(unit, 4) ?? [], timestamp / 90, keyFrame),
    );
  }

  tick(now: number): void {
    this.#choose(now);
    this.#candidate?.tick(now);
    this.#current?.tick(now);
    if (this.#current) this.#read(this.#current, now, false);
    this.#switch(now);
    if (this.#current?.needsKeyFrame || this.#candidate?.needsKeyFrame) this.requestKeyFrame(now);
  }

  /** False while it is not known yet when packets were sampled. */
  isReady(now: number): boolean {
    return this.#current === undefined || this.#current.clock.isReady(now);
  }

  /** The first one came. */
  get hasPictures(): boolean {
    return this.firstMs !== undefined || (this.#current?.pictures.length ?? 0) > 0;
  }

  /** Asks for a key frame, not more often than is of use. */
  requestKeyFrame(now: number): void {
    if (now - this.#askedAt < KEY_FRAME_RETRY_MS) return;
    this.#askedAt = now;
    this.#encoder?.requestKeyFrame();
    for (const reader of [this.#current, this.#candidate]) {
      if (reader && (!this.#encoder || reader.needsKeyFrame)) reader.layer.keyFrames.request(now);
    }
  }

  close(now: number): void {
    this.#current?.close();
    this.#candidate?.close();
    if (this.#current) this.#read(this.#current, now, true);
    this.#encoder?.finish();
  }

  #choose(now: number): void {
    const best = this.#options.track.activeLayers(now).at(-1);
    if (!best || best === this.#current?.layer) {
      this.#drop();
      return;
    }
    if (best === this.#candidate?.layer) return;
    this.#drop();
    const reader = new LayerReader(best as Layer, this.#options.now);
    if (this.#current) this.#candidate = reader;
    else this.#current = reader;
  }

  #drop(): void {
    this.#candidate?.close();
    this.#candidate = undefined;
  }

  /** The candidate takes over at a key frame that was sampled after all that is recorded. */
  #switch(now: number): void {
    const candidate = this.#candidate;
    if (!candidate?.clock.isReady(now)) return;
    const later = ({ keyFrame, timestamp }: Picture) => keyFrame && candidate.clock.timeOf(timestamp) > this.#lastMs;
    const from = candidate.pictures.findIndex(later);
    if (from < 0) {
      candidate.pictures = [];
      candidate.needsKeyFrame = true;
      return;
    }
    candidate.pictures.splice(0, from);
    this.#current?.close();
    this.#current = candidate;
    this.#candidate = undefined;
    this.#read(candidate, now, false);
  }

  #read(reader: LayerReader, now: number, always: boolean): void {
    if (!always && !reader.clock.isReady(now)) return;
    const { pictures } = reader;
    reader.pictures = [];
    if (this.#options.track.isStopped) {
      if (pictures.length > 0) reader.needsKeyFrame = true;
      return;
    }
    for (const picture of pictures) {
      const timeMs = reader.clock.timeOf(picture.timestamp);
      this.#options.delay.observe(now - timeMs, now);
      this.#take(picture, timeMs);
    }
  }

  #take(picture: Picture, timeMs: number): void {
    const { onKeyFrame, picturesOnly } = this.#options;
    const data = picture.frame ?? h264.writeAnnexB(this.#withParameterSets(picture));
    if (picture.keyFrame) {
      this.lastKeyFrameMs = timeMs;
      onKeyFrame(timeMs, () => thumbnail(data, { codec: avNames[this.#codec] }));
    }
    if (picturesOnly) return;
    if (this.#encoder) this.#encoder.push(data, Math.round(timeMs * 90));
    else this.#emit(picture.nalUnits ?? [], timeMs, picture.keyFrame);
  }

  /** A key frame may come without those that came before it. */
  #withParameterSets({ nalUnits = [], keyFrame }: Picture): Buffer[] {
    if (!keyFrame || nalUnits.some((unit) => typeOf(unit) === nal.sps)) return nalUnits;
    return [this.#sps, this.#pps, ...nalUnits].filter((unit) => unit !== undefined);
  }

  #emit(nalUnits: Buffer[], timeMs: number, keyFrame: boolean): void {
    this.#sps = nalUnits.find((unit) => typeOf(unit) === nal.sps) ?? this.#sps;
    this.#pps = nalUnits.find((unit) => typeOf(unit) === nal.pps) ?? this.#pps;
    const kept = nalUnits.filter((unit) => ![nal.sps, nal.pps, nal.delimiter].includes(typeOf(unit) as 7));
    if (kept.length === 0 || !this.#sps || !this.#pps) return;
    // Those after it refer to it: none is left out for its time.
    const shownMs = Math.max(timeMs, this.#lastMs + MIN_FRAME_MS);
    this.#lastMs = shownMs;
    this.firstMs ??= shownMs;
    if (this.#encoder && keyFrame) this.lastKeyFrameMs = shownMs;
    this.#options.onUnit({ unit: h264.writeAvcc(kept), keyFrame, timeMs: shownMs, sps: this.#sps, pps: this.#pps });
  }
}
