import { AV_CHANNEL_LAYOUT_STEREO, AV_SAMPLE_FMT_FLTP, FF_DECODER_LIBOPUS, FF_ENCODER_AAC } from 'node-av/constants';
import { type CodecContext, Frame, Rational } from 'node-av/lib';
import { AudioLine, SAMPLE_RATE } from './audio-line.ts';
import { Decoder, Encoder } from './native.ts';

/** Samples of an AAC access unit (ISO/IEC 14496-3 section 4.5.1.1). */
export const AAC_FRAME = 1_024;
/** The largest packet: two frames of 120 ms in all (RFC 6716 section 3.2.5). */
export const MAX_OPUS_PACKET = 1_275 * 48;
/** What libopus, and so every browser, looks ahead: a packet's sound is 6.5 ms older than its RTP timestamp says. */
export const WEBRTC_LOOK_AHEAD = 312;
/**
 * RTP timestamps count samples, so what is 10 ms off is a loss or a duplicate and no jitter; silence takes its place at once.
 */
const MAX_DIFFERENCE = 480;

export interface OpusToAacOptions {
  /** Bits a second; 128,000 are good for stereo. */
  bitrate: number;
  /** Samples at 48 kHz that a packet's sound is older than its timestamp: WEBRTC_LOOK_AHEAD, or 0 for packets of `AacToOpus`. */
  lookAhead: number;
}

/** One access unit of 1,024 samples without ADTS header; `timestamp` is that of its first sample, and the next one's is 1,024 more, always. */
export type AacListener = (accessUnit: Buffer, timestamp: number) => void;

/**
 * Opus to AAC-LC, stereo, 48 kHz, for recordings: time without packets (DTX, mute, loss) becomes silence, so that the sound is as long as the clock
 * on the wall says. One stream, synchronously. Native code: for child processes alone.
 */
export class OpusToAac {
  readonly #lookAhead: number;
  readonly #frame = new Frame();
  readonly #decoder: Decoder;
  readonly #encoder: Encoder;
  readonly #line: AudioLine;
  #timestamp = 0;
  #decoded = false;
  #closed = false;
  /** Packets that could not be decoded. */
  failed = 0;
  /** Packets whose time had passed: duplicates, and what came after `advance` had gone over it. */
  late = 0;
  /** What an MP4 says of the stream (ISO/IEC 14496-3 section 1.6.2.1). */
  readonly audioSpecificConfig: Buffer;

  constructor({ bitrate, lookAhead }: OpusToAacOptions, onUnit: AacListener) {
    this.#lookAhead = lookAhead;
    this.#decoder = new Decoder(FF_DECODER_LIBOPUS, opusHead(), this.#frame);
    this.#frame.alloc();
    this.#encoder = openAacEncoder(bitrate);
    this.audioSpecificConfig = this.#encoder.extraData;
    this.#line = new AudioLine(
      { channels: 2, format: AV_SAMPLE_FMT_FLTP, blockSize: AAC_FRAME, gaps: 'fill', maxDifference: MAX_DIFFERENCE },
      (block, timestamp) => {
        block.pts = BigInt(timestamp);
        this.#encoder.encode(block, (unit, packet) => onUnit(unit, Number(packet.pts)));
      },
    );
  }

  /**
   * One packet, in the order of sequence numbers. `timestamp` is that of its RTP header in samples on the wall clock's line, not wrapped. Gaps are filled
   * whatever their length: a stream that stops for good wants a new object. Never throws for what a peer sent.
   */
  push(packet: Uint8Array, timestamp: number): void {
    if (this.#closed) return;
    this.#timestamp = Math.round(timestamp) - this.#lookAhead;
    this.#decoded = false;
    if (packet.length <= MAX_OPUS_PACKET) this.#decoder.decode(packet, 0n, this.#onFrame);
    if (!this.#decoded) this.failed += 1;
  }

  /** Makes silence up to `timestamp`, when nothing came for it: segments are to be whole though nobody speaks. */
  advance(timestamp: number): void {
    if (!this.#closed) this.#line.extend(timestamp);
  }

  /** What the encoder holds back; then the end. */
  finish(onUnit: AacListener): void {
    if (this.#closed) return;
    this.#encoder.drain((unit, packet) => onUnit(unit, Number(packet.pts)));
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.close();
    this.#frame.free();
    this.#line.close();
    this.#encoder.close();
  }

  readonly #onFrame = (): void => {
    this.#decoded = true;
    if (!this.#line.push(this.#frame, this.#timestamp)) this.late += 1;
    this.#timestamp += this.#frame.nbSamples;
  };
}

/** Two channels, nothing to skip (RFC 7845 section 5.1): RTP has no such header. */
function opusHead(): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(2, 9);
  head.writeUInt32LE(SAMPLE_RATE, 12);
  return head;
}

function openAacEncoder(bitrate: number): Encoder {
  const configure = (context: CodecContext): void => {
    context.sampleRate = SAMPLE_RATE;
    context.sampleFormat = AV_SAMPLE_FMT_FLTP;
    context.channelLayout = AV_CHANNEL_LAYOUT_STEREO;
    context.timeBase = new Rational(1, SAMPLE_RATE);
    context.bitRate = BigInt(bitrate);
  };
  // A third of the default's work; the rate makes up for it.
  return new Encoder(FF_ENCODER_AAC, configure, { aac_coder: 'fast' }, true);
}
