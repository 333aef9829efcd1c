import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type AutoParticipantRecordingConfiguration,
  CreateIngestConfigurationCommand,
  CreateStageCommand,
  CreateStorageConfigurationCommand,
  GetParticipantCommand,
  GetStageCommand,
  ListStorageConfigurationsCommand,
  type Participant,
} from '@aws-sdk/client-ivs-realtime';
import { clockFilter, readClock } from './picture-clock.ts';
import type { RunningServer } from './server.ts';

const run = promisify(execFile);
export const BUCKET = 'recordings';

/** The one storage configuration of a server: there may be few. */
async function storageOf({ client }: RunningServer): Promise<string> {
  const { storageConfigurations } = await client.send(new ListStorageConfigurationsCommand({}));
  const known = storageConfigurations?.[0]?.arn;
  if (known) return known;
  const create = new CreateStorageConfigurationCommand({ s3: { bucketName: BUCKET } });
  return (await client.send(create)).storageConfiguration?.arn ?? '';
}

/** The details of the events that a server with --events-stdout has told so far. */
export function toldEvents({ output }: RunningServer): ({ event_name: string } & Record<string, unknown>)[] {
  const lines = output().split('\n');
  return lines.filter((line) => line.includes('"source":"aws.ivs"')).map((line) => JSON.parse(line).detail);
}

/** A stage whose participants are recorded into BUCKET. */
export async function createRecordedStage(
  server: RunningServer,
  more: Partial<AutoParticipantRecordingConfiguration> = {},
): Promise<string> {
  const { client } = server;
  const { stage } = await client.send(
    new CreateStageCommand({
      autoParticipantRecordingConfiguration: {
        storageConfigurationArn: await storageOf(server),
        hlsConfiguration: { targetSegmentDurationSeconds: 2 },
        ...more,
      },
    }),
  );
  return stage?.arn ?? '';
}

/** A participant of the session that is open, or of the one given. */
export async function getParticipant(
  { client }: RunningServer,
  stageArn: string,
  participantId: string,
  sessionId?: string,
): Promise<Participant> {
  const session = sessionId ?? (await client.send(new GetStageCommand({ arn: stageArn }))).stage?.activeSessionId;
  const { participant } = await client.send(new GetParticipantCommand({ stageArn, sessionId: session, participantId }));
  return participant ?? {};
}

/** A stream key of the stage, and the participant that comes by it. */
export async function encoderOf(server: RunningServer, stageArn: string): Promise<{ url: string; id: string }> {
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn };
  const { ingestConfiguration } = await server.client.send(new CreateIngestConfigurationCommand(input));
  const { streamKey, participantId: id = '' } = ingestConfiguration ?? {};
  return { url: `${server.endpoints.rtmp}${streamKey}`, id };
}

/** One run of segments without a discontinuity, in one format. */
export interface PlaylistRun {
  map: string;
  startedAt: number;
  segments: { uri: string; seconds: number }[];
}

/** A recording's files as they are in a folder: by default in BUCKET of a server's data folder. */
export class RecordingFolder {
  readonly path: string;

  constructor(where: RunningServer | string, prefix = '') {
    this.path = typeof where === 'string' ? join(where, prefix) : join(where.dataDir, 'buckets', BUCKET, prefix);
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  text(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  file(name: string): Buffer {
    return readFileSync(join(this.path, name));
  }

  event(name: string): Record<string, unknown> & { media: { hls: { duration_ms: number } } } {
    return JSON.parse(this.text(`events/recording-${name}.json`));
  }

  list(folder: string): string[] {
    return this.has(folder) ? readdirSync(join(this.path, folder)).sort() : [];
  }

  get playlist(): string {
    return this.text('media/hls/high/playlist.m3u8');
  }

  /** The runs of the playlist. */
  runs(): PlaylistRun[] {
    const runs: PlaylistRun[] = [];
    let map = '';
    let fresh = true;
    let startedAt = 0;
    let seconds = 0;
    for (const line of this.playlist.split('\n')) {
      if (line === '#EXT-X-DISCONTINUITY') fresh = true;
      map = /^#EXT-X-MAP:URI="(.*)"/.exec(line)?.[1] ?? map;
      const time = /^#EXT-X-PROGRAM-DATE-TIME:(.*)/.exec(line)?.[1];
      if (time) startedAt = Date.parse(time);
      seconds = Number(/^#EXTINF:([\d.]+)/.exec(line)?.[1] ?? seconds);
      if (line === '' || line.startsWith('#')) continue;
      if (fresh) runs.push({ map, startedAt, segments: [] });
      fresh = false;
      runs.at(-1)?.segments.push({ uri: line, seconds });
    }
    return runs;
  }

  /** Seconds of all segments. */
  get seconds(): number {
    return this.runs()
      .flatMap(({ segments }) => segments)
      .reduce((sum, { seconds }) => sum + seconds, 0);
  }

  /** The bytes of a run: init and segments. */
  bytes({ map, segments }: PlaylistRun): Buffer {
    const names = [map, ...segments.map(({ uri }) => uri)];
    return Buffer.concat(names.map((name) => readFileSync(join(this.path, 'media/hls/high', name))));
  }
}

export interface Probed {
  streams: { codec_type: string; codec_name: string; width?: number; height?: number; nb_read_packets?: string }[];
  packets: { codec_type: string; pts_time: string; dts_time: string; duration_time: string; flags: string }[];
}

/** What ffprobe sees in a fragmented MP4. */
export async function probe(mp4: Buffer): Promise<Probed> {
  const child = run('ffprobe', [...quiet, '-show_streams', '-show_packets', '-of', 'json', '-'], {
    maxBuffer: 2 ** 28,
  });
  child.child.stdin?.on('error', () => {});
  child.child.stdin?.end(mp4);
  return JSON.parse((await child).stdout) as Probed;
}

const quiet = ['-v', 'error'];

/** What FFmpeg complains of while it decodes all of it; empty when nothing is wrong. */
export async function decodeErrors(mp4: Buffer): Promise<string> {
  const child = run('ffmpeg', [...quiet, '-i', '-', '-fps_mode', 'vfr', '-f', 'null', '-'], { maxBuffer: 2 ** 28 });
  child.child.stdin?.on('error', () => {});
  child.child.stdin?.end(mp4);
  return (await child).stderr;
}

/** Seconds at which packets of one type are decoded or presented. */
export const packetTimes = ({ packets }: Probed, type: string, key: 'dts_time' | 'pts_time') =>
  packets.filter(({ codec_type }) => codec_type === type).map((packet) => Number(packet[key]));

export const span = (times: number[]) => (times.at(-1) ?? 0) - (times[0] ?? 0);

/** When, in seconds, pictures turn bright and sound begins. */
export async function flashesAndBeeps(mp4: Buffer): Promise<{ flashes: number[]; beeps: number[] }> {
  const { packets } = await probe(mp4);
  const times = (type: string) => packets.filter(({ codec_type }) => codec_type === type).map((one) => +one.pts_time);
  const frames = times('video').sort((a, b) => a - b);
  const passed = ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'];
  const light = await raw(mp4, ['-map', '0:v', ...passed, '-vf', 'scale=1:1,format=gray', '-f', 'rawvideo']);
  const sound = await raw(mp4, ['-map', '0:a', '-ac', '1', '-ar', '48000', '-f', 's16le']);
  const flashes = frames.filter((_, index) => (light[index] ?? 0) > 120 && (light[index - 1] ?? 255) <= 120);
  const beeps: number[] = [];
  let quietSince = 0;
  for (let index = 0; 2 * index + 1 < sound.length; index++) {
    if (Math.abs(sound.readInt16LE(2 * index)) < 2_000) continue;
    if (index - quietSince > 12_000) beeps.push((times('audio')[0] ?? 0) + index / 48_000);
    quietSince = index;
  }
  return { flashes, beeps };
}

/** A picture of a recording of flash-and-beep.ts or frame-clock.ts. */
export interface RecordedFrame {
  /** Its number at the source, which counts from 0 to 65535 and then from 0 again. -1: the picture cannot be read. */
  counter: number;
  /** When it was made, in milliseconds, of which the lowest 20 bits are known. */
  madeAt: number;
  /** Seconds on the file's line of time. */
  at: number;
}

/** What the pictures of a recording tell of themselves, in the order in which they are shown. */
export async function recordedFrames(mp4: Buffer): Promise<RecordedFrame[]> {
  const { packets } = await probe(mp4);
  const times = packets.filter(({ codec_type }) => codec_type === 'video').map(({ pts_time }) => +pts_time);
  const passed = ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'];
  const light = await raw(mp4, ['-map', '0:v', ...passed, '-vf', clockFilter, '-f', 'rawvideo']);
  return times.sort((a, b) => a - b).map((at, index) => ({ at, ...readClock(light, index) }));
}

/** The pictures of all of a recording, in their order. */
export async function picturesOf(recording: RecordingFolder): Promise<RecordedFrame[]> {
  const runs = await Promise.all(recording.runs().map((run) => recordedFrames(recording.bytes(run))));
  return runs.flat();
}

async function raw(mp4: Buffer, output: string[]): Promise<Buffer> {
  const child = run('ffmpeg', [...quiet, '-i', '-', ...output, '-'], { maxBuffer: 2 ** 28, encoding: 'buffer' });
  child.child.stdin?.on('error', () => {});
  child.child.stdin?.end(mp4);
  return (await child).stdout;
}
