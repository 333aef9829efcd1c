import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_LOG_QUIET,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  FF_DECODER_VP9,
  type FFDecoderCodec,
  type FFEncoderCodec,
} from 'node-av/constants';
import { Codec, CodecContext, CodecParameters, FFmpegError, Frame, Log, Packet } from 'node-av/lib';

/**
 * What the rest of this folder may do with node-av 6.1.1, because other ways crash the process or leak:
 * - options are set before `open2Sync`, which frees a dictionary that node-av frees once more;
 * - a packet is unreferenced before it gets data, which node-av would otherwise leak;
 * - no empty packet is sent, which would mean "end of stream" to FFmpeg;
 * - buffers of a frame are not touched after the frame is freed or unreferenced;
 * - everything is freed by `close`: the garbage collector does not feel native memory.
 */

// FFmpeg describes damaged input line by line on stderr.
Log.setLevel(AV_LOG_QUIET);

/** FFmpeg refused something that does not depend on a peer's bytes, or a stream's parameters. */
export class CodecError extends Error {}

/** FFmpeg's answer, or a CodecError that says what failed. */
export function must(answer: number, what: string): number {
  if (answer < 0) throw new CodecError(`${what}: ${new FFmpegError(answer).message}`);
  return answer;
}

/** An option's value as FFmpeg's command line takes it. */
export type Options = Readonly<Record<string, string>>;

function allocate(codec: Codec | null, name: string, options: Options): CodecContext {
  if (!codec) throw new CodecError(`this FFmpeg has no ${name}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  for (const [key, value] of Object.entries(options)) must(context.setOption(key, value), `option ${key} of ${name}`);
  return context;
}

/** Opens `context`, or frees it and throws a CodecError. */
function open(context: CodecContext, codec: Codec | null, name: string): void {
  const answer = context.open2Sync(codec);
  if (answer < 0) context.freeContext();
  must(answer, `opening ${name}`);
}

/** One decoder of one stream. */
export class Decoder {
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #frame: Frame;
  /** Receives the next picture of VP9, while the last one is kept. */
  readonly #next: Frame | undefined;

  /**
   * `frame` receives what is decoded; it is the caller's to free. Of VP9 only the last picture of a unit is told: the others are its lower spatial layers.
   * Throws a CodecError when `extraData` is refused.
   */
  constructor(name: FFDecoderCodec, extraData: Uint8Array | undefined, frame: Frame, options: Options = {}) {
    const codec = Codec.findDecoderByName(name);
    this.#context = allocate(codec, name, options);
    if (extraData && extraData.length > 0) this.#context.extraData = Buffer.from(extraData);
    open(this.#context, codec, name);
    this.#packet.alloc();
    this.#frame = frame;
    if (name !== FF_DECODER_VP9) return;
    this.#next = new Frame();
    this.#next.alloc();
  }

  /**
   * Calls `onFrame` while the frame holds each picture or block of samples that `unit` completes. False when FFmpeg refused the
   * unit or a part of it.
   */
  decode(unit: Uint8Array, pts: bigint, onFrame: () => void): boolean {
    if (unit.length === 0) return false;
    this.#packet.unref();
    this.#packet.data = asBuffer(unit);
    this.#packet.pts = pts;
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    return this.#receive(onFrame) && sent >= 0;
  }

  /** The frames that were held back for their order; nothing can be decoded after it. */
  drain(onFrame: () => void): void {
    this.#context.sendPacketSync(null);
    this.#receive(onFrame);
  }

  close(): void {
    this.#packet.free();
    this.#next?.free();
    this.#context.freeContext();
  }

  #receive(onFrame: () => void): boolean {
    if (this.#next) return this.#receiveLast(this.#next, onFrame);
    for (;;) {
      const answer = this.#context.receiveFrameSync(this.#frame);
      if (answer < 0) return answer === AVERROR_EAGAIN || answer === AVERROR_EOF;
      onFrame();
      this.#frame.unref();
    }
  }

  #receiveLast(next: Frame, onFrame: () => void): boolean {
    let isDecoded = false;
    for (;;) {
      const answer = this.#context.receiveFrameSync(next);
      if (answer < 0) {
        if (isDecoded) onFrame();
        this.#frame.unref();
        return answer === AVERROR_EAGAIN || answer === AVERROR_EOF;
      }
      this.#frame.unref();
      isDecoded = this.#frame.ref(next) >= 0;
      next.unref();
    }
  }
}

/** node-av takes Buffers alone. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One encoder of one stream. */
export class Encoder {
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  /** Samples that the encoder puts before the first one that it was given. */
  readonly initialPadding: number;
  /** Codec configuration that goes ahead of the stream; empty when the codec has none. */
  readonly extraData: Buffer;

  /** `configure` sets what has no option. `globalHeader` keeps the configuration out of the stream. Throws a CodecError. */
  constructor(
    name: FFEncoderCodec,
    configure: (context: CodecContext) => void,
    options: Options = {},
    globalHeader = false,
  ) {
    const codec = Codec.findEncoderByName(name);
    this.#context = allocate(codec, name, options);
    configure(this.#context);
    if (globalHeader) this.#context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    open(this.#context, codec, name);
    const parameters = new CodecParameters();
    parameters.alloc();
    parameters.fromContext(this.#context);
    this.initialPadding = parameters.initialPadding;
    parameters.free();
    this.extraData = Buffer.from(this.#context.extraData ?? []);
    this.#packet.alloc();
  }

  /** Calls `onPacket` with each packet that `frame` completes. False when FFmpeg refused the frame. */
  encode(frame: Frame, onPacket: (data: Buffer, packet: Packet) => void): boolean {
    const sent = this.#context.sendFrameSync(frame);
    this.#receive(onPacket);
    return sent >= 0;
  }

  /** The packets that were held back; nothing can be encoded after it. */
  drain(onPacket: (data: Buffer, packet: Packet) => void): void {
    this.#context.sendFrameSync(null);
    this.#receive(onPacket);
  }

  close(): void {
    this.#packet.free();
    this.#context.freeContext();
  }

  #receive(onPacket: (data: Buffer, packet: Packet) => void): void {
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      // A copy: it lives on when the packet is used again.
      const { data } = this.#packet;
      if (data) onPacket(data, this.#packet);
      this.#packet.unref();
    }
  }
}
