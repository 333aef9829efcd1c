import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FF_DECODER_H264 } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { Decoder } from './native.ts';
import type { VideoCodec } from './video-to-h264.ts';

/** What tests of pictures measure with: video made by the system's ffmpeg in which each picture's brightness says its number. */

export interface VideoUnit {
  data: Buffer;
  /** Presentation time at 90 kHz. */
  timestamp: number;
  keyFrame: boolean;
}

export interface VideoStream {
  configuration: Buffer;
  units: VideoUnit[];
  frames: number;
}

export interface VideoSource {
  codec: VideoCodec;
  width: number;
  height: number;
  frames: number;
  rate: number;
  /** Options of ffmpeg's encoder. */
  options?: string[];
}

const ENCODERS: Record<VideoCodec, string[]> = {
  h264: ['libx264', '-preset', 'ultrafast', '-g', '30'],
  hevc: ['libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'],
  av1: ['libaom-av1', '-cpu-used', '8', '-usage', 'realtime'],
  vp8: ['libvpx', '-deadline', 'realtime'],
  vp9: ['libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
};
const BOXES: Partial<Record<VideoCodec, string>> = { h264: 'avcC', hevc: 'hvcC', av1: 'av1C' };

/** Brightness of picture `n`: neighbours are far apart. */
export const lumaOf = (n: number): number => 30 + ((n * 37) % 190);

/** Which picture among the first `count` a brightness belongs to. */
export function pictureOf(luma: number, count: number): number {
  let best = 0;
  for (let n = 1; n < count; n++) if (Math.abs(lumaOf(n) - luma) < Math.abs(lumaOf(best) - luma)) best = n;
  return best;
}

function pictures({ width, height, frames, rate }: VideoSource): string {
  return `color=black:s=32x18:r=${rate}:d=${frames / rate},geq=lum='30+mod(N*37,190)':cb=128:cr=128,scale=${width}:${height}:flags=neighbor,format=yuv420p`;
}

/** The units of an MP4 (IVF for VP8), as a demuxer hands them over. */
export function makeVideo(source: VideoSource): VideoStream {
  const folder = mkdtempSync(join(tmpdir(), 'footlights-video-'));
  try {
    const file = join(folder, source.codec === 'vp8' ? 'a.ivf' : 'a.mp4');
    const encoder = ['-c:v', ...ENCODERS[source.codec], ...(source.options ?? [])];
    run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', pictures(source), ...encoder, '-y', file]);
    const bytes = readFileSync(file);
    // In an IVF file the position is that of a frame's header of 12 bytes.
    const units = packetsOf(file, bytes, source.codec === 'vp8' ? 12 : 0).map(({ data, seconds, keyFrame }) => ({
      data,
      timestamp: Math.round(seconds * 90_000),
      keyFrame,
    }));
    return { configuration: configurationIn(bytes, BOXES[source.codec]), units, frames: source.frames };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What ffprobe finds in `file`, in decoding order. */
export function probePackets(file: string): { pts: number; dts: number; stream: number; duration: number }[] {
  const entries = 'packet=pts,dts,stream_index,duration';
  const listed = run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', file]).toString();
  const { packets } = JSON.parse(listed) as {
    packets: { pts: number; dts: number; stream_index: number; duration: number }[];
  };
  return packets.map(({ stream_index, ...times }) => ({ ...times, stream: stream_index }));
}

/** The packets of a file whose container keeps each in one piece, `skipped` bytes past where ffprobe says. */
export function packetsOf(
  file: string,
  bytes: Buffer,
  skipped = 0,
): { data: Buffer; seconds: number; keyFrame: boolean }[] {
  const entries = 'packet=pts_time,pos,size,flags';
  const listed = run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', file]).toString();
  const { packets } = JSON.parse(listed) as {
    packets: { pts_time: string; pos: string; size: string; flags: string }[];
  };
  return packets.map(({ pts_time, pos, size, flags }) => {
    const at = Number(pos) + skipped;
    return {
      data: Buffer.from(bytes.subarray(at, at + Number(size))),
      seconds: Number(pts_time),
      keyFrame: flags.startsWith('K'),
    };
  });
}

function configurationIn(bytes: Buffer, box: string | undefined): Buffer {
  const at = box ? bytes.indexOf(box, 0, 'latin1') : -1;
  return at < 0 ? Buffer.alloc(0) : bytes.subarray(at + 4, at - 4 + bytes.readUInt32BE(at - 4));
}

/** What `program` writes, or an error with its complaints. */
export function run(program: string, args: string[], input?: Buffer): Buffer {
  const done = spawnSync(program, args, { input, maxBuffer: 1 << 30 });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** The NAL units of an access unit with 4-byte lengths; throws when the lengths do not add up. */
export function nalUnits(unit: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at < unit.length) {
    const length = unit.readUInt32BE(at);
    if (length === 0 || at + 4 + length > unit.length) throw new Error(`a NAL unit of ${length} bytes at ${at}`);
    found.push(unit.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** The same access unit with start codes instead of lengths. */
export function toAnnexB(unit: Buffer): Buffer {
  return Buffer.concat(nalUnits(unit).flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal]));
}

export interface Picture {
  timestamp: number;
  width: number;
  height: number;
  luma: number;
}

/** Decodes access units as `VideoToH264` makes them, one picture of each. */
export function decodeH264(units: readonly { unit: Buffer; timestamp: number }[]): Picture[] {
  const frame = new Frame();
  frame.alloc();
  const decoder = new Decoder(FF_DECODER_H264, undefined, frame);
  const found: Picture[] = [];
  const onFrame = () => {
    const { width, height } = frame;
    found.push({ timestamp: Number(frame.pts), width, height, luma: meanLuma(frame) });
  };
  for (const { unit, timestamp } of units) decoder.decode(toAnnexB(unit), BigInt(timestamp), onFrame);
  decoder.drain(onFrame);
  decoder.close();
  frame.free();
  return found;
}

export function meanLuma(frame: Frame): number {
  const plane = frame.data?.[0];
  const stride = frame.linesize[0] ?? 0;
  let sum = 0;
  let count = 0;
  for (let y = 0; y < frame.height; y += 8)
    for (let x = 0; x < frame.width; x += 8) {
      sum += plane?.[y * stride + x] ?? 0;
      count += 1;
    }
  return sum / count;
}
