import {
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  FF_DECODER_H264,
  FF_DECODER_HEVC,
  FF_DECODER_LIBDAV1D,
  FF_DECODER_VP8,
  FF_DECODER_VP9,
  FF_ENCODER_LIBX264,
  type FFVideoDecoder,
} from 'node-av/constants';
import { type CodecContext, Frame, Rational } from 'node-av/lib';
import { Decoder, Encoder } from './native.ts';
import { fitPicture, MAX_PICTURE, type Size } from './picture-size.ts';
import { Scaler } from './scaler.ts';

/** FFmpeg's decoder of each codec: the fastest that it has. */
export const DECODERS: Record<VideoCodec, FFVideoDecoder> = {
  h264: FF_DECODER_H264,
  hevc: FF_DECODER_HEVC,
  av1: FF_DECODER_LIBDAV1D,
  vp8: FF_DECODER_VP8,
  vp9: FF_DECODER_VP9,
};

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp8' | 'vp9';

/** RTP's clock for video (RFC 6184 section 8.2.1). */
const CLOCK_RATE = 90_000;
/** Key frames come at least so often, so that new viewers and recordings need not wait. */
const KEY_FRAME_INTERVAL = 2 * CLOCK_RATE;
/** Pictures that may follow each other faster than the frame rate: a camera that was held up hurries. */
const BURST = 3;
/** Pictures of more pixels than 4K has are not decoded: a damaged or hostile header could ask for gigabytes. */
export const MAX_DECODED_PIXELS = 4_096 * 2_304;
/** Longer access units are not decoded. */
export const MAX_VIDEO_ACCESS_UNIT = 8 * 1_024 * 1_024;

export interface VideoToH264Options {
  codec: VideoCodec;
  /**
   * The avcC, hvcC or av1C record; access units then have NAL unit lengths (H.264, HEVC). Without it they are Annex B. AV1 units are OBUs with
   * sizes in any case.
   */
  configuration?: Uint8Array;
  /** Bits a second: the average and, over a second, the most. */
  bitrate: number;
  /** Pictures a second at most; others are left out. 30 when absent. */
  maxFrameRate?: number;
  /** 1280 by 720 when absent. Standing pictures may have it turned. */
  maxPicture?: Size;
  /** x264's name for how much work it does: `superfast` when absent. */
  preset?: 'ultrafast' | 'superfast' | 'veryfast';
}

/**
 * An access unit with 4-byte NAL unit lengths; a key frame's has the parameter sets in it. `timestamp` is the presentation time that came with
 * the picture.
 */
export type H264Listener = (accessUnit: Buffer, timestamp: number, keyFrame: boolean) => void;

/**
 * Any video that FFmpeg decodes to H.264 that every browser plays: constrained baseline, no reordering, no delay, at most 720p30, one stream,
 * synchronously. A push takes as long as decoding and encoding a picture do, tens of milliseconds: not for a process that forwards packets.
 */
export class VideoToH264 {
  readonly #options: Required<Pick<VideoToH264Options, 'bitrate' | 'maxFrameRate' | 'maxPicture' | 'preset'>>;
  readonly #onUnit: H264Listener;
  readonly #decoder: Decoder;
  readonly #frame = new Frame();
  #encoder: Encoder | undefined;
  #encodedSize: Size = { width: 0, height: 0 };
  #scaler: Scaler | undefined;
  #keyFrameWanted = true;
  #lastKeyFrame = 0;
  #last = Number.NEGATIVE_INFINITY;
  /** When the next picture is due by the highest frame rate. */
  #due = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Access units that FFmpeg refused, whole or in part. */
  failed = 0;

  /** Throws a CodecError when FFmpeg refuses the configuration. */
  constructor(options: VideoToH264Options, onUnit: H264Listener) {
    const {
      codec,
      configuration,
      bitrate,
      maxFrameRate = 30,
      maxPicture = MAX_PICTURE,
      preset = 'superfast',
    } = options;
    this.#options = { bitrate, maxFrameRate, maxPicture, preset };
    this.#onUnit = onUnit;
    this.#decoder = new Decoder(DECODERS[codec], configuration, this.#frame, {
      max_pixels: String(MAX_DECODED_PIXELS),
    });
    this.#frame.alloc();
  }

  /**
   * One access unit, in decoding order; `timestamp` is its presentation time at 90 kHz, not wrapped. B-frames come out in the order of presentation.
   * Never throws for what a peer sent.
   */
  push(accessUnit: Uint8Array, timestamp: number): void {
    if (this.#closed) return;
    const decoded =
      accessUnit.length <= MAX_VIDEO_ACCESS_UNIT &&
      this.#decoder.decode(accessUnit, BigInt(Math.round(timestamp)), this.#onFrame);
    if (!decoded) this.failed += 1;
  }

  /** The next picture will be a key frame. */
  requestKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  /** The pictures that the decoder holds for their order; then the end. */
  finish(): void {
    if (this.#closed) return;
    this.#decoder.drain(this.#onFrame);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.close();
    this.#frame.free();
    this.#scaler?.close();
    this.#encoder?.close();
  }

  readonly #onFrame = (): void => {
    const timestamp = Number(this.#frame.pts);
    if (!this.#isDue(timestamp)) return;
    const { num, den } = this.#frame.sampleAspectRatio;
    const size = fitPicture(this.#frame, num > 0 && den > 0 ? num / den : 1, this.#options.maxPicture);
    const picture = this.#scaled(size);
    if (picture) this.#encode(picture, size, timestamp);
  };

  /** Time rises, and no faster than the frame rate allows but for a short while. */
  #isDue(timestamp: number): boolean {
    if (timestamp <= this.#last) return false;
    const interval = CLOCK_RATE / this.#options.maxFrameRate;
    if (timestamp < this.#due - interval / 4) return false;
    const isFirst = this.#last === Number.NEGATIVE_INFINITY;
    this.#due = (isFirst ? timestamp : Math.max(this.#due, timestamp - BURST * interval)) + interval;
    this.#last = timestamp;
    return true;
  }

  #scaled(size: Size): Frame | undefined {
    const frame = this.#frame;
    if (frame.format === AV_PIX_FMT_YUV420P && frame.width === size.width && frame.height === size.height) return frame;
    if (!this.#scaler?.fits(frame) || !isSize(this.#scaler.frame, size)) {
      this.#scaler?.close();
      this.#scaler = new Scaler(frame, size);
    }
    return this.#scaler.scale(frame) ? this.#scaler.frame : undefined;
  }

  #encode(picture: Frame, size: Size, timestamp: number): void {
    const encoder = this.#encoderFor(size);
    const keyFrame = this.#keyFrameWanted || timestamp - this.#lastKeyFrame >= KEY_FRAME_INTERVAL;
    picture.pts = BigInt(timestamp);
    // Else the type that the picture had in its own stream would be kept.
    picture.pictType = keyFrame ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    this.#keyFrameWanted = false;
    if (keyFrame) this.#lastKeyFrame = timestamp;
    encoder.encode(picture, (unit, packet) => this.#onUnit(unit, Number(packet.pts), packet.isKeyframe));
  }

  #encoderFor(size: Size): Encoder {
    if (this.#encoder && isSize(this.#encodedSize, size)) return this.#encoder;
    this.#encoder?.close();
    this.#encoder = undefined;
    this.#keyFrameWanted = true;
    this.#encodedSize = size;
    this.#encoder = openX264(size, this.#options);
    return this.#encoder;
  }
}

const isSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

function openX264(
  { width, height }: Size,
  { bitrate, maxFrameRate, preset }: { bitrate: number; maxFrameRate: number; preset: string },
): Encoder {
  const configure = (context: CodecContext): void => {
    context.width = width;
    context.height = height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(1, CLOCK_RATE);
    context.framerate = new Rational(maxFrameRate, 1);
    context.bitRate = BigInt(bitrate);
    context.rcMaxRate = BigInt(bitrate);
    context.rcBufferSize = bitrate;
    context.maxBFrames = 0;
    // Key frames come when we say.
    context.gopSize = 100_000;
  };
  return new Encoder(FF_ENCODER_LIBX264, configure, {
    preset,
    tune: 'zerolatency',
    profile: 'baseline',
    'forced-idr': '1',
    sc_threshold: '0',
    'x264-params': 'annexb=0',
  });
}
