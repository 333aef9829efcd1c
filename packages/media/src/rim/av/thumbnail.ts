import { AV_CODEC_FLAG_QSCALE, AV_PIX_FMT_YUVJ420P, AVCOL_RANGE_JPEG, FF_ENCODER_MJPEG } from 'node-av/constants';
import { type CodecContext, Frame, Rational } from 'node-av/lib';
import { CodecError, Decoder, Encoder } from './native.ts';
import { fitPicture, MAX_PICTURE, type Size } from './picture-size.ts';
import { Scaler } from './scaler.ts';
import { DECODERS, MAX_DECODED_PIXELS, MAX_VIDEO_ACCESS_UNIT, type VideoCodec } from './video-to-h264.ts';

/** FFmpeg's quantizer, 2 (best) to 31; FF_QP2LAMBDA makes a quality of it. */
const QUANTIZER = 4;
const LAMBDA = 118;

export interface ThumbnailOptions {
  codec: VideoCodec;
  /** As `VideoToH264Options.configuration`. */
  configuration?: Uint8Array;
  /** 1280 by 720 when absent. */
  maxPicture?: Size;
}

/** A picture as a JPEG file. */
export interface Thumbnail extends Size {
  jpeg: Buffer;
}

/**
 * The picture of one key frame's access unit, or undefined when it cannot be decoded. Opens and frees all that it needs: some 12 ms of a core for
 * 720p. Never throws for what a peer sent.
 */
export function thumbnail(keyFrame: Uint8Array, options: ThumbnailOptions): Thumbnail | undefined {
  if (keyFrame.length > MAX_VIDEO_ACCESS_UNIT) return undefined;
  const frame = new Frame();
  frame.alloc();
  try {
    return decodeOne(keyFrame, options, frame);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  } finally {
    frame.free();
  }
}

function decodeOne(keyFrame: Uint8Array, options: ThumbnailOptions, frame: Frame): Thumbnail | undefined {
  const { codec, configuration, maxPicture = MAX_PICTURE } = options;
  const limits = { max_pixels: String(MAX_DECODED_PIXELS) };
  const decoder = new Decoder(DECODERS[codec], configuration, frame, limits);
  let found: Thumbnail | undefined;
  const onFrame = (): void => {
    found ??= toJpeg(frame, maxPicture);
  };
  try {
    decoder.decode(keyFrame, 0n, onFrame);
    decoder.drain(onFrame);
    return found;
  } finally {
    decoder.close();
  }
}

function toJpeg(frame: Frame, maxPicture: Size): Thumbnail | undefined {
  const { num, den } = frame.sampleAspectRatio;
  const size = fitPicture(frame, num > 0 && den > 0 ? num / den : 1, maxPicture);
  const scaler = new Scaler(frame, size, AV_PIX_FMT_YUVJ420P);
  try {
    return scaler.scale(frame) ? encode(scaler.frame, size) : undefined;
  } finally {
    scaler.close();
  }
}

function encode(picture: Frame, size: Size): Thumbnail | undefined {
  const configure = (context: CodecContext): void => {
    context.width = size.width;
    context.height = size.height;
    context.pixelFormat = AV_PIX_FMT_YUVJ420P;
    context.colorRange = AVCOL_RANGE_JPEG;
    context.timeBase = new Rational(1, 1);
    context.setFlags(AV_CODEC_FLAG_QSCALE);
    context.globalQuality = QUANTIZER * LAMBDA;
  };
  const encoder = new Encoder(FF_ENCODER_MJPEG, configure);
  let jpeg: Buffer | undefined;
  picture.quality = QUANTIZER * LAMBDA;
  picture.pts = 0n;
  encoder.encode(picture, (data) => {
    jpeg = data;
  });
  encoder.close();
  return jpeg && { ...size, jpeg };
}
