import { AV_PIX_FMT_YUV420P, type AVPixelFormat, SWS_BILINEAR } from 'node-av/constants';
import { Frame, SoftwareScaleContext } from 'node-av/lib';
import { must } from './native.ts';
import type { Size } from './picture-size.ts';

/** Pictures of one size and format into another; `frame` holds the last one. */
export class Scaler {
  readonly frame = new Frame();
  readonly #context = new SoftwareScaleContext();
  readonly #source: Size & { format: number };

  /** For pictures that are as `source` is. */
  constructor(source: Frame, { width, height }: Size, format: AVPixelFormat = AV_PIX_FMT_YUV420P) {
    this.#source = { width: source.width, height: source.height, format: source.format };
    this.#context.getContext(
      source.width,
      source.height,
      source.format as AVPixelFormat,
      width,
      height,
      format,
      SWS_BILINEAR,
    );
    this.frame.alloc();
    this.frame.width = width;
    this.frame.height = height;
    this.frame.format = format;
    must(this.frame.getBuffer(), 'a picture');
  }

  fits(source: Frame): boolean {
    return (
      source.width === this.#source.width &&
      source.height === this.#source.height &&
      source.format === this.#source.format
    );
  }

  /** False when FFmpeg cannot convert it. */
  scale(source: Frame): boolean {
    if (!this.frame.isWritable && this.frame.makeWritable() < 0) return false;
    return this.#context.scaleFrameSync(this.frame, source) >= 0;
  }

  close(): void {
    this.#context.freeContext();
    this.frame.free();
  }
}
