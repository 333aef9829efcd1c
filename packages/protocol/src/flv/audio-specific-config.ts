/** What an AAC decoder must know (ISO/IEC 14496-3 1.6.2.1). */
export interface AudioSpecificConfig {
  /** 2 is AAC-LC, 5 HE-AAC (SBR), 29 HE-AAC v2 (parametric stereo). */
  objectType: number;
  /** Hz, of the core coder. */
  sampleRate: number;
  /** 0 when a program config element says it. */
  channels: number;
  /** Hz, of what is heard: twice the core's where SBR is signalled. */
  outputSampleRate: number;
}

/** Sampling frequency index (ISO/IEC 14496-3 table 1.18); 15 says that the rate follows in 24 bits. */
const SAMPLE_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const EXPLICIT_RATE = 15;
const ESCAPED_TYPE = 31;
const SBR = 5;
const PARAMETRIC_STEREO = 29;
/** Channel configuration (table 1.19). */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];

/** Reads bits from the highest on; past the end it says 0 and `overrun`. */
class Bits {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get overrun(): boolean {
    return this.at > this.bytes.length * 8;
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.at++) {
      value = (value << 1) | (((this.bytes[this.at >> 3] ?? 0) >> (7 - (this.at & 7))) & 1);
    }
    return value;
  }
}

function objectType(bits: Bits): number {
  const type = bits.read(5);
  return type === ESCAPED_TYPE ? 32 + bits.read(6) : type;
}

function sampleRate(bits: Bits): number | undefined {
  const index = bits.read(4);
  return index === EXPLICIT_RATE ? bits.read(24) : SAMPLE_RATES[index];
}

/** `| object type (5) | rate (4) | channels (4) |`, and of SBR and parametric stereo `| output rate (4) |`; undefined when it is none. */
export function parseAudioSpecificConfig(bytes: Buffer): AudioSpecificConfig | undefined {
  const bits = new Bits(bytes);
  const type = objectType(bits);
  const rate = sampleRate(bits);
  const channels = CHANNELS[bits.read(4)];
  const extended = type === SBR || type === PARAMETRIC_STEREO;
  const outputSampleRate = extended ? sampleRate(bits) : rate;
  if (bits.overrun || type === 0 || !rate || !outputSampleRate || channels === undefined) return undefined;
  return { objectType: type, sampleRate: rate, channels, outputSampleRate };
}

/** AAC-LC of this rate and these channels (1, 2, …, 6, 8); undefined when no configuration says it. */
export function writeAudioSpecificConfig(rate: number, channels: number): Buffer | undefined {
  const index = SAMPLE_RATES.indexOf(rate);
  const configuration = CHANNELS.indexOf(channels);
  if (index < 0 || configuration < 1) return undefined;
  const config = Buffer.alloc(2);
  config.writeUInt16BE((2 << 11) | (index << 7) | (configuration << 3));
  return config;
}
