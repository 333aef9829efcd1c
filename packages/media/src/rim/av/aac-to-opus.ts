import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_SAMPLE_FMT_FLT,
  FF_DECODER_AAC,
  FF_ENCODER_LIBOPUS,
} from 'node-av/constants';
import { type CodecContext, Frame } from 'node-av/lib';
import { AudioLine, SAMPLE_RATE } from './audio-line.ts';
import { CodecError, Decoder, Encoder } from './native.ts';

/** 20 ms, the packet that every WebRTC endpoint expects (RFC 7587 section 4.2). */
const OPUS_FRAME = 960;
/** Longer access units are not decoded: an ADTS header's length field has 13 bits (ISO/IEC 13818-7 section 6.2). */
export const MAX_AAC_ACCESS_UNIT = 8_191;
/** AudioSpecificConfigs are a few bytes (ISO/IEC 14496-3 section 1.6); one with a program config element is below this. */
export const MAX_AUDIO_SPECIFIC_CONFIG = 1_024;

/** RTMP timestamps jitter; but 40 ms are the most that lips may be off. */
export const MAX_DIFFERENCE = 1_920;

export interface AacToOpusOptions {
  /** ISO/IEC 14496-3 section 1.6.2.1; it says the profile, rate and channels. */
  audioSpecificConfig: Uint8Array;
  /** Bits a second, 6,000 to 510,000. The average of the packets never stays above it. */
  bitrate: number;
}

/**
 * An Opus packet of 20 ms; `timestamp` in samples at 48 kHz on the line of the access units' timestamps, such that what a receiver plays at it
 * is what was said at it. `marker` says that time without sound was left out before it.
 */
export type OpusListener = (packet: Buffer, timestamp: number, marker: boolean) => void;

/**
 * AAC to Opus, one stream, synchronously: a push costs about a quarter of a millisecond. Any AAC that FFmpeg decodes goes in; mono stays mono, all
 * else becomes stereo. Native code: for child processes alone.
 */
export class AacToOpus {
  readonly #bitrate: number;
  readonly #onPacket: OpusListener;
  readonly #decoder: Decoder;
  readonly #frame = new Frame();
  #line: AudioLine | undefined;
  #encoder: Encoder | undefined;
  #timestamp = 0;
  /** Duration of the last decoded access unit, in samples at 48 kHz. */
  #duration = 0;
  #decoded = false;
  #closed = false;
  /** Access units that could not be decoded; silence took their place. */
  failed = 0;
  /** Access units whose time had passed. */
  late = 0;

  /** Throws a CodecError when FFmpeg cannot decode what the configuration announces. */
  constructor({ audioSpecificConfig, bitrate }: AacToOpusOptions, onPacket: OpusListener) {
    if (audioSpecificConfig.length === 0 || audioSpecificConfig.length > MAX_AUDIO_SPECIFIC_CONFIG)
      throw new CodecError(`an AudioSpecificConfig has 1 to ${MAX_AUDIO_SPECIFIC_CONFIG} bytes`);
    this.#bitrate = bitrate;
    this.#onPacket = onPacket;
    this.#decoder = new Decoder(FF_DECODER_AAC, audioSpecificConfig, this.#frame);
    this.#frame.alloc();
  }

  /**
   * One raw access unit, without an ADTS header. `timestamp` is that of its first sample, in samples at 48 kHz, not wrapped; it only goes back within
   * jitter: what is before the sound so far is dropped. Never throws for what a peer sent.
   */
  push(accessUnit: Uint8Array, timestamp: number): void {
    if (this.#closed) return;
    this.#timestamp = timestamp;
    this.#decoded = false;
    if (accessUnit.length <= MAX_AAC_ACCESS_UNIT) this.#decoder.decode(accessUnit, 0n, this.#onFrame);
    if (this.#decoded) return;
    this.failed += 1;
    this.#line?.conceal(timestamp, this.#duration);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.close();
    this.#frame.free();
    this.#line?.close();
    this.#encoder?.close();
  }

  readonly #onFrame = (): void => {
    this.#decoded = true;
    this.#line ??= this.#openLine(this.#frame.channels === 1 ? 1 : 2);
    this.#duration = (this.#frame.nbSamples * SAMPLE_RATE) / this.#frame.sampleRate;
    if (!this.#line.push(this.#frame, this.#timestamp)) this.late += 1;
    this.#timestamp += this.#duration;
  };

  #openLine(channels: 1 | 2): AudioLine {
    const encoder = openOpusEncoder(channels, this.#bitrate);
    this.#encoder = encoder;
    const { initialPadding } = encoder;
    return new AudioLine(
      { channels, format: AV_SAMPLE_FMT_FLT, blockSize: OPUS_FRAME, gaps: 'jump', maxDifference: MAX_DIFFERENCE },
      (block, timestamp, jumped) => {
        encoder.encode(block, (packet) => this.#onPacket(packet, timestamp - initialPadding, jumped));
      },
    );
  }
}

function openOpusEncoder(channels: 1 | 2, bitrate: number): Encoder {
  const configure = (context: CodecContext): void => {
    context.sampleRate = SAMPLE_RATE;
    context.sampleFormat = AV_SAMPLE_FMT_FLT;
    context.channelLayout = channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    context.bitRate = BigInt(bitrate);
  };
  return new Encoder(FF_ENCODER_LIBOPUS, configure, {
    frame_duration: '20',
    // 2.5 ms of look-ahead instead of 6.5; both use CELT at the rates of music.
    application: 'lowdelay',
    vbr: 'constrained',
  });
}
