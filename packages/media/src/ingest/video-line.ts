import { av1, h264, type rtmp, vp9 } from '@footlights/protocol';
import type { VideoCodec } from '../media.ts';

/** Payload bytes of a packet: with headers, extension and SRTP's tag it fits every path (RFC 8085 section 3.2). */
const MAX_PAYLOAD = 1_180;
/** NAL units that say nothing to a decoder of RTP: access unit delimiters and filler (H.264 table 7-1). */
const UNSENT_NAL_TYPES = new Set([9, 12]);
const TYPE = 0x1f;

/** One RTP payload; `last` ends the frame. The buffer is used again for the next. */
export type EmitPayload = (payload: Buffer, last: boolean) => void;

/** Makes RTP payloads of an encoder's frames. */
export interface VideoLine {
  readonly codec: VideoCodec;
  /** As an SDP offer would have it. */
  readonly fmtp: string;
  /** Of the picture, as far as the configuration tells; else 0. */
  readonly width: number;
  readonly height: number;
  /** Payloads of a frame; a B-frame is told by `false`, and has none. */
  frame(data: Buffer, keyFrame: boolean, emit: EmitPayload): boolean;
}

/** The line for a decoder configuration; undefined when viewers could not decode what follows it. */
export function videoLine({ codec, data }: Pick<rtmp.VideoFrame, 'codec' | 'data'>): VideoLine | undefined {
  if (codec === 'avc1') return avcLine(data);
  if (codec === 'av01') return new Av1Line();
  return codec === 'vp09' ? new Vp9Line() : undefined;
}

/** FourCCs of what `videoLine` takes. */
export const forwardedVideo = ['avc1', 'av01', 'vp09'];

function avcLine(record: Buffer): VideoLine | undefined {
  const configuration = h264.parseAvcDecoderConfiguration(record);
  const sps = configuration?.sps[0];
  return configuration && sps && sps.length >= 4 ? new AvcLine(configuration, sps) : undefined;
}

/** H.264 behind NAL unit lengths: parameter sets go before each key frame, so that a viewer can begin there. */
class AvcLine implements VideoLine {
  readonly codec = 'H264';
  readonly fmtp: string;
  readonly width: number;
  readonly height: number;
  readonly #lengthSize: 1 | 2 | 4;
  readonly #parameterSets: Buffer[];

  constructor({ lengthSize, sps, pps }: h264.AvcDecoderConfiguration, first: Buffer) {
    this.#lengthSize = lengthSize;
    // The record may lie in a message that is gone when the next key frame comes.
    this.#parameterSets = [...sps, ...pps].map((nal) => Buffer.from(nal));
    const size = h264.parseSps(first);
    this.width = size?.width ?? 0;
    this.height = size?.height ?? 0;
    const profileLevelId = first.toString('hex', 1, 4);
    this.fmtp = `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}`;
  }

  frame(data: Buffer, keyFrame: boolean, emit: EmitPayload): boolean {
    const units = (h264.splitAvcc(data, this.#lengthSize) ?? []).filter(isSent);
    if (units.some((unit) => h264.sliceType(unit, 0, unit.length) === h264.sliceTypes.b)) return false;
    const inBand = units.some((unit) => (unit[0]! & TYPE) === h264.nalType.sps);
    packetizeAvc(keyFrame && !inBand ? [...this.#parameterSets, ...units] : units, emit);
    return true;
  }
}

/** Packets of an access unit's NAL units. */
export function packetizeAvc(units: readonly Buffer[], emit: EmitPayload): void {
  if (units.length > 0) h264.packetize(units, MAX_PAYLOAD, emit);
}

const isSent = (unit: Buffer) => unit.length > 0 && !UNSENT_NAL_TYPES.has(unit[0]! & TYPE);

class Av1Line implements VideoLine {
  readonly codec = 'AV1';
  readonly fmtp = '';
  readonly width = 0;
  readonly height = 0;

  frame(data: Buffer, _keyFrame: boolean, emit: EmitPayload): boolean {
    av1.packetize(data, MAX_PAYLOAD, emit);
    return true;
  }
}

class Vp9Line implements VideoLine {
  readonly codec = 'VP9';
  readonly fmtp = 'profile-id=0';
  readonly width = 0;
  readonly height = 0;
  #pictureId = 0;

  frame(data: Buffer, _keyFrame: boolean, emit: EmitPayload): boolean {
    this.#pictureId = (this.#pictureId + 1) & 0x7fff;
    if (data.length > 0) vp9.packetize(data, MAX_PAYLOAD, this.#pictureId, emit);
    return true;
  }
}
