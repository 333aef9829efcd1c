import { ByteWriter } from '../bytes.ts';
import { AUDIO_PACKET, type AudioPacket } from './audio.ts';
import { EX_HEADER, hasCompositionTime, LEGACY_AAC, LEGACY_AVC } from './codecs.ts';
import { FRAME_TYPE, VIDEO_PACKET, type VideoPacket } from './video.ts';

const MOD_EX = 7;
const MANY_TRACKS_MANY_CODECS = 2;
/** 44.1 kHz, 16 bits, stereo: what AAC's tag always says, whatever is in it (FLV specification 10.1, E.4.2.1). */
const AAC_FLAGS = 0x0f;

const AUDIO_TYPES: Record<AudioPacket['type'], number> = {
  config: AUDIO_PACKET.sequenceStart,
  frame: AUDIO_PACKET.codedFrames,
  end: AUDIO_PACKET.sequenceEnd,
  channels: AUDIO_PACKET.channels,
};

const VIDEO_TYPES: Record<VideoPacket['type'], number> = {
  config: VIDEO_PACKET.sequenceStart,
  frame: VIDEO_PACKET.codedFrames,
  end: VIDEO_PACKET.sequenceEnd,
  metadata: VIDEO_PACKET.metadata,
  descriptor: VIDEO_PACKET.descriptor,
};

/** An AAC message as encoders sent it before Enhanced RTMP: a configuration or a raw frame. */
export function writeAac(type: 'config' | 'frame', data: Buffer): Buffer {
  return Buffer.concat([Buffer.of((LEGACY_AAC << 4) | AAC_FLAGS, type === 'config' ? 0 : 1), data]);
}

/** An AVC message as encoders sent it before Enhanced RTMP. */
export function writeAvc(
  type: 'config' | 'frame' | 'end',
  data: Buffer,
  keyFrame: boolean,
  compositionTimeMs = 0,
): Buffer {
  const header = Buffer.of(
    ((keyFrame ? FRAME_TYPE.key : FRAME_TYPE.inter) << 4) | LEGACY_AVC,
    VIDEO_TYPES[type],
    0,
    0,
    0,
  );
  header.writeIntBE(compositionTimeMs, 2, 3);
  return Buffer.concat([header, data]);
}

/** An audio message of Enhanced RTMP v2. Of several packets, all of one type, each goes with its track and codec. */
export function writeExAudio(...packets: [AudioPacket, ...AudioPacket[]]): Buffer {
  return writeEx(
    EX_HEADER << 4,
    AUDIO_PACKET.multitrack,
    AUDIO_TYPES[packets[0].type],
    packets,
    (packet) => packet.data,
  );
}

/** A video message of Enhanced RTMP v2. Of several packets, all of one type, each goes with its track and codec. */
export function writeExVideo(...packets: [VideoPacket, ...VideoPacket[]]): Buffer {
  const frameType = packets[0].keyFrame ? FRAME_TYPE.key : FRAME_TYPE.inter;
  const type = VIDEO_TYPES[packets[0].type];
  return writeEx(0x80 | (frameType << 4), VIDEO_PACKET.multitrack, type, packets, videoBody);
}

function videoBody(packet: VideoPacket): Buffer {
  if (packet.type !== 'frame' || !hasCompositionTime(packet.codec)) return packet.data;
  const time = Buffer.alloc(3);
  time.writeIntBE(packet.compositionTimeMs, 0, 3);
  return Buffer.concat([time, packet.data]);
}

function writeEx<P extends AudioPacket | VideoPacket>(
  first: number,
  multitrack: number,
  type: number,
  packets: P[],
  body: (packet: P) => Buffer,
): Buffer {
  const out = new ByteWriter();
  const only = packets.length === 1 && packets[0]!.track === 0;
  writeHeader(out, first, only ? type : multitrack, packets[0]!.nanoOffset);
  if (!only) out.uint8((MANY_TRACKS_MANY_CODECS << 4) | type);
  for (const packet of packets) {
    const data = body(packet);
    out.bytes(Buffer.from(packet.codec, 'latin1'));
    if (!only) {
      out.uint8(packet.track);
      out.uint24(data.length);
    }
    out.bytes(data);
  }
  return out.finish();
}

/** The first byte, with a modifier for the nanoseconds when there are some. */
function writeHeader(out: ByteWriter, first: number, type: number, nanoOffset: number): void {
  if (nanoOffset === 0) {
    out.uint8(first | type);
    return;
  }
  out.uint8(first | MOD_EX);
  out.uint8(2);
  out.uint24(nanoOffset);
  out.uint8(type);
}
