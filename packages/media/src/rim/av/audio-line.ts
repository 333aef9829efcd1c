import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_SAMPLE_FMT_NONE,
  type AVSampleFormat,
} from 'node-av/constants';
import {
  avGetBytesPerSample,
  avSampleFmtIsPlanar,
  type ChannelLayout,
  Frame,
  SoftwareResampleContext,
} from 'node-av/lib';
import { DriftControl } from './drift.ts';
import { must } from './native.ts';

/** Sound is 48,000 samples a second here, whatever came. */
export const SAMPLE_RATE = 48_000;
/** node-av hands over pointers of this many channels. */
const MAX_CHANNELS = 8;
/** Silence is made in pieces of a second at most, so that little memory is needed. */
const MAX_SILENCE = SAMPLE_RATE;
/** Half of the resampler's filter in input samples, and as much again to be sure. */
const FILTER_MARGIN = 40;

export interface AudioLineOptions {
  channels: 1 | 2;
  format: AVSampleFormat;
  /** Samples of each block. */
  blockSize: number;
  /** What becomes of time without sound: `jump` leaves it out, `fill` makes silence of it. */
  gaps: 'jump' | 'fill';
  /** Samples that are further off their timestamps than this are put where they belong; less than that is made good slowly. */
  maxDifference: number;
}

/** `frame` holds the block while the call lasts; `timestamp` is its first sample's, `jumped` says that time was left out before it. */
export type BlockListener = (frame: Frame, timestamp: number, jumped: boolean) => void;

/**
 * Lays decoded sound of any rate and layout on a line of 48 kHz, cut into blocks. Timestamps are counted in samples of that line, from any
 * origin, and are not wrapped. Each sample comes within a few milliseconds of its timestamp, however long the line.
 */
export class AudioLine {
  readonly #options: AudioLineOptions;
  readonly #onBlock: BlockListener;
  readonly #drift = new DriftControl();
  readonly #layout: ChannelLayout;
  readonly #block = new Frame();
  #blockData: Buffer[] | undefined;
  #resampler: SoftwareResampleContext | undefined;
  #inputRate = 0;
  #inputFormat: number = AV_SAMPLE_FMT_NONE;
  #inputMask = 0n;
  #inputChannels = 0;
  /** Samples that must stay in the resampler, because its filter needs what follows them. */
  #margin = 0;
  /** Timestamp of the first sample of the next block; undefined before the first sample. */
  #next: number | undefined;
  /** Samples of that block that are there. */
  #made = 0;
  #jumped = false;

  constructor(options: AudioLineOptions, onBlock: BlockListener) {
    this.#options = options;
    this.#onBlock = onBlock;
    this.#layout = options.channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    this.#block.alloc();
    this.#block.format = options.format;
    this.#block.sampleRate = SAMPLE_RATE;
    this.#block.channelLayout = this.#layout;
    this.#block.nbSamples = options.blockSize;
    must(this.#block.getBuffer(), 'a block of samples');
  }

  /** Where the line ends; undefined while it is empty. */
  get end(): number | undefined {
    return this.#next === undefined ? undefined : this.#next + this.#made + this.#held();
  }

  /** Puts the samples of `frame` at `timestamp`. False when they lie before the end of the line, or cannot be taken at all. */
  push(frame: Frame, timestamp: number): boolean {
    if (!this.#accept(frame)) return false;
    const samples = (frame.nbSamples * SAMPLE_RATE) / this.#inputRate;
    if (!this.#place(timestamp, samples)) return false;
    const data = frame.data;
    if (!data || !this.#resampler) return false;
    this.#resampler.convertSync(null, 0, data, frame.nbSamples);
    this.#cut();
    return true;
  }

  /** Stands in with silence for `samples` at `timestamp` that could not be decoded. Nothing happens when the line does not go on there. */
  conceal(timestamp: number, samples: number): void {
    const { end } = this;
    if (end !== undefined && Math.abs(timestamp - end) <= this.#options.maxDifference) this.extend(end + samples);
  }

  /** Makes silence up to `timestamp`, when the line does not reach it. */
  extend(timestamp: number): void {
    for (let missing = this.#missing(timestamp); missing >= 1; missing = this.#missing(timestamp)) {
      this.#silence(Math.min(missing, MAX_SILENCE));
      this.#cut();
    }
  }

  /** How many samples of the line's end are missing to `timestamp`; whole ones of the input alone can be made. */
  #missing(timestamp: number): number {
    const { end } = this;
    if (end === undefined) return 0;
    const inputs = Math.round(((timestamp - end) * this.#inputRate) / SAMPLE_RATE);
    return inputs < 1 ? 0 : timestamp - end;
  }

  close(): void {
    this.#block.free();
    this.#resampler?.free();
  }

  /** Timestamps that follow the samples within the limit correct their speed; others move the line, or are refused. */
  #place(timestamp: number, samples: number): boolean {
    const { end } = this;
    if (end === undefined || this.#next === undefined) {
      this.#next = timestamp;
      return true;
    }
    const difference = timestamp - end;
    const { maxDifference } = this.#options;
    if (difference < -maxDifference) return false;
    if (difference > maxDifference) this.#bridge(timestamp);
    else this.#correct(difference, samples);
    return true;
  }

  #correct(difference: number, samples: number): void {
    const correction = this.#drift.observe(difference, samples);
    if (correction) this.#resampler?.setCompensation(correction.samples, correction.over);
  }

  #bridge(timestamp: number): void {
    this.#drift.reset();
    if (this.#options.gaps === 'fill') {
      this.extend(timestamp);
      return;
    }
    this.#complete();
    this.#next = timestamp - this.#held() - this.#made;
    this.#jumped = true;
  }

  /** What is held is heard to its end, and a little silence makes its block whole. */
  #complete(): void {
    // Twice, because a correction may end in between.
    for (let i = 0; i < 2 && (this.#made > 0 || this.#held() > this.#margin); i++) {
      this.#silence(this.#options.blockSize - this.#made + this.#margin + 1 - this.#held());
      this.#cut();
    }
  }

  /** Samples of the line that are in the resampler. */
  #held(): number {
    return Number(this.#resampler?.getDelay(BigInt(SAMPLE_RATE)) ?? 0n);
  }

  #silence(samples: number): void {
    const inputs = Math.round((samples * this.#inputRate) / SAMPLE_RATE);
    if (inputs > 0) this.#resampler?.injectSilence(inputs);
  }

  /**
   * Hands out the blocks that are whole. A call of the resampler ends where a correction does, and then gives no more before more input comes, so a
   * block may be begun by one call and ended by a later one.
   */
  #cut(): void {
    const resampler = this.#resampler;
    const { blockSize } = this.#options;
    while (resampler && this.#next !== undefined && this.#held() >= blockSize - this.#made + this.#margin) {
      // An empty input, because null would mean that the stream ends.
      const got = resampler.convertSync(this.#restOfBlock(), blockSize - this.#made, [], 0);
      if (got <= 0) return;
      this.#made += got;
      if (this.#made === blockSize) this.#hand(this.#next);
    }
  }

  #hand(timestamp: number): void {
    const jumped = this.#jumped;
    this.#next = timestamp + this.#options.blockSize;
    this.#made = 0;
    this.#jumped = false;
    this.#onBlock(this.#block, timestamp, jumped);
  }

  #restOfBlock(): Buffer[] {
    const block = this.#writableBlock();
    if (this.#made === 0) return block;
    const { format, channels } = this.#options;
    const from = this.#made * avGetBytesPerSample(format) * (avSampleFmtIsPlanar(format) ? 1 : channels);
    return block.map((plane) => plane.subarray(from));
  }

  /** The encoder may still hold the buffers of the block before. */
  #writableBlock(): Buffer[] {
    if (!this.#blockData || !this.#block.isWritable) {
      must(this.#block.makeWritable(), 'a block of samples');
      this.#blockData = this.#block.data ?? undefined;
    }
    return this.#blockData ?? [];
  }

  /** Readies the resampler for what `frame` is; what it held of another kind is let go. */
  #accept(frame: Frame): boolean {
    const { sampleRate, format, channelLayout, nbSamples } = frame;
    const { nbChannels, mask } = channelLayout;
    if (
      sampleRate === this.#inputRate &&
      format === this.#inputFormat &&
      mask === this.#inputMask &&
      nbChannels === this.#inputChannels
    )
      return true;
    if (sampleRate <= 0 || nbSamples <= 0 || nbChannels < 1 || nbChannels > MAX_CHANNELS) return false;
    const resampler = new SoftwareResampleContext();
    const opened =
      resampler.allocSetOpts2(
        this.#layout,
        this.#options.format,
        SAMPLE_RATE,
        channelLayout,
        format as AVSampleFormat,
        sampleRate,
      ) >= 0 &&
      // Without it equal rates could not be corrected.
      resampler.setOption('flags', 'res') >= 0 &&
      resampler.init() >= 0;
    if (!opened) {
      resampler.free();
      return false;
    }
    this.#replace(resampler);
    this.#inputRate = sampleRate;
    this.#inputFormat = format;
    this.#inputMask = mask;
    this.#inputChannels = nbChannels;
    this.#margin = Math.ceil(FILTER_MARGIN * Math.max(1, SAMPLE_RATE / sampleRate));
    return true;
  }

  #replace(resampler: SoftwareResampleContext): void {
    if (this.#resampler) this.#complete();
    const { end } = this;
    this.#resampler?.free();
    this.#resampler = resampler;
    this.#made = 0;
    this.#next = end;
  }
}
