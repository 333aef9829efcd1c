import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_H264,
  AV_PKT_FLAG_KEY,
  AVFLAG_NONE,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import { FormatContext, Packet, Rational, type Stream } from 'node-av/lib';
import { MemoryOutput } from './memory-output.ts';
import { CodecError, must } from './native.ts';

/** Ticks a second of a video track. */
export const VIDEO_TIMESCALE = 90_000;
const AUDIO_FRAME = 1_024;

export interface Fmp4Options {
  /** An H.264 track: its avcC record, and the picture's size. */
  video?: { avcC: Uint8Array; width: number; height: number };
  /** An AAC track; rates and channels as its AudioSpecificConfig has them. */
  audio?: { audioSpecificConfig: Uint8Array; sampleRate: number; channels: 1 | 2 };
}

/** Video times in ticks of 1/90,000 s, from any origin up to 2^53. */
export interface VideoSample {
  /** With NAL unit lengths. */
  unit: Uint8Array;
  decodedAt: number;
  presentedAt: number;
  keyFrame: boolean;
}

interface Track {
  stream: Stream;
  lastDecodedAt: number;
}

/**
 * Fragmented MP4 as HLS takes it (CMAF): `init`, then one fragment for each `cut`. Times are absolute: each fragment says when it begins
 * (`tfdt`), and the tracks' relation is kept. One muxer for each generation of parameter sets. Native code: for child processes alone.
 */
export class Fmp4Muxer {
  /** ftyp and moov: what EXT-X-MAP points at. */
  readonly init: Buffer;
  readonly #context = new FormatContext();
  readonly #output = MemoryOutput.open();
  readonly #packet = new Packet();
  readonly #video: Track | undefined;
  readonly #audio: Track | undefined;
  /** A sample is as long as it is to the next one's time, so the newest waits for it. */
  #heldVideo: VideoSample | undefined;
  #samples = 0;
  #closed = false;
  /** Samples that were left out because their decoding time did not rise. */
  refused = 0;

  /** Throws a CodecError when FFmpeg cannot describe a track. */
  constructor({ video, audio }: Fmp4Options) {
    must(this.#context.allocOutputContext2(null, 'mp4', null), 'an MP4');
    this.#packet.alloc();
    this.#context.pb = this.#output.io;
    try {
      this.#video = video && this.#addVideo(video);
      this.#audio = audio && this.#addAudio(audio);
      this.#configure();
      must(this.#context.writeHeaderSync(), 'the header of an MP4');
    } catch (error) {
      this.close();
      throw error;
    }
    this.#context.flushSync();
    this.init = this.#output.take();
  }

  writeVideo(sample: VideoSample): void {
    const held = this.#heldVideo;
    if (held && sample.decodedAt <= held.decodedAt) {
      this.refused += 1;
      return;
    }
    if (held) this.#writeVideo(held, sample.decodedAt);
    this.#heldVideo = sample;
  }

  /** An access unit of 1,024 samples; `timestamp` of its first one in samples at the track's rate. */
  writeAudio(unit: Uint8Array, timestamp: number): void {
    this.#write(this.#audio, unit, timestamp, timestamp, AUDIO_FRAME, true);
  }

  /**
   * A moof and mdat of all that came since the last cut; empty when nothing did. `videoEnd` is the decoding time of the picture that will begin the next
   * fragment.
   */
  cut(videoEnd: number): Buffer {
    if (this.#heldVideo) this.#writeVideo(this.#heldVideo, videoEnd);
    this.#heldVideo = undefined;
    if (this.#closed || this.#samples === 0) return Buffer.alloc(0);
    this.#samples = 0;
    must(this.#context.writeFrameSync(null), 'a fragment of an MP4');
    this.#context.flushSync();
    return this.#output.take();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#packet.free();
    this.#context.pb = null;
    this.#context.freeContext();
    this.#output.close();
  }

  #addVideo({ avcC, width, height }: NonNullable<Fmp4Options['video']>): Track {
    const stream = this.#context.newStream();
    stream.timeBase = new Rational(1, VIDEO_TIMESCALE);
    const { codecpar } = stream;
    codecpar.codecType = AVMEDIA_TYPE_VIDEO;
    codecpar.codecId = AV_CODEC_ID_H264;
    codecpar.extradata = Buffer.from(avcC);
    codecpar.width = width;
    codecpar.height = height;
    return { stream, lastDecodedAt: Number.NEGATIVE_INFINITY };
  }

  #addAudio({ audioSpecificConfig, sampleRate, channels }: NonNullable<Fmp4Options['audio']>): Track {
    const stream = this.#context.newStream();
    stream.timeBase = new Rational(1, sampleRate);
    const { codecpar } = stream;
    codecpar.codecType = AVMEDIA_TYPE_AUDIO;
    codecpar.codecId = AV_CODEC_ID_AAC;
    codecpar.extradata = Buffer.from(audioSpecificConfig);
    codecpar.sampleRate = sampleRate;
    codecpar.channelLayout = channels === 1 ? AV_CHANNEL_LAYOUT_MONO : AV_CHANNEL_LAYOUT_STEREO;
    codecpar.frameSize = AUDIO_FRAME;
    return { stream, lastDecodedAt: Number.NEGATIVE_INFINITY };
  }

  /** Without `frag_discont` every track would begin at 0: absolute times and the tracks' relation would be lost. */
  #configure(): void {
    const options = {
      movflags: 'empty_moov+default_base_moof+frag_custom+frag_discont+skip_trailer+cmaf',
      use_editlist: '0',
      video_track_timescale: String(VIDEO_TIMESCALE),
      avoid_negative_ts: 'disabled',
    };
    for (const [name, value] of Object.entries(options))
      must(this.#context.setOption(name, value), `option ${name} of an MP4`);
  }

  #writeVideo({ unit, decodedAt, presentedAt, keyFrame }: VideoSample, end: number): void {
    this.#write(this.#video, unit, decodedAt, presentedAt, Math.max(1, end - decodedAt), keyFrame);
  }

  #write(
    track: Track | undefined,
    unit: Uint8Array,
    decodedAt: number,
    presentedAt: number,
    duration: number,
    keyFrame: boolean,
  ): void {
    if (this.#closed) throw new CodecError('the MP4 is closed');
    if (!track || unit.length === 0 || decodedAt <= track.lastDecodedAt) {
      this.refused += 1;
      return;
    }
    track.lastDecodedAt = decodedAt;
    const packet = this.#packet;
    packet.unref();
    packet.data = Buffer.from(unit.buffer, unit.byteOffset, unit.byteLength);
    packet.streamIndex = track.stream.index;
    packet.dts = BigInt(decodedAt);
    packet.pts = BigInt(presentedAt);
    packet.duration = BigInt(duration);
    packet.timeBase = track.stream.timeBase;
    packet.flags = keyFrame ? AV_PKT_FLAG_KEY : AVFLAG_NONE;
    must(this.#context.writeFrameSync(packet), 'a sample of an MP4');
    packet.unref();
    this.#samples += 1;
  }
}
