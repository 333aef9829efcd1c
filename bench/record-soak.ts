// A long recording: one participant over RTMP and one over WebRTC (WHIP), both from encoders whose pictures tell their number and the time of their making.
// Prints over time the memory of the server's processes and how long after its last frame a segment is in the playlist; at the end, whether a picture is
// missing, how far the recording's time has moved from the clock on the wall, and how far sound is from its picture. Needs the ffmpeg program.
// Run: npm run bench -- record-soak; FOOTLIGHTS_SOAK_MINUTES says for how long, 10 when not given.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateIngestConfigurationCommand, CreateParticipantTokenCommand } from '@aws-sdk/client-ivs-realtime';
import { FlashAndBeep, median, stageCodecs } from '../test/support/flash-and-beep.ts';
import { clockDifference } from '../test/support/picture-clock.ts';
import {
  createRecordedStage,
  flashesAndBeeps,
  getParticipant,
  type PlaylistRun,
  RecordingFolder,
  recordedFrames,
} from '../test/support/recordings.ts';
import { type RunningServer, root, startServer } from '../test/support/server.ts';
import { childrenOf } from '../test/support/workers.ts';
import { Growth } from './support/growth.ts';
import { load, residentBytes } from './support/machine.ts';
import { cell, Table } from './support/table.ts';

const minutes = Number(process.env.FOOTLIGHTS_SOAK_MINUTES ?? 10);
const rows = 20;
/** Rows at the beginning in which caches fill and code is compiled: they say nothing of growth. */
const warmUpRows = rows / 4;
const programs = ['media-worker', 'ingest-worker', 'recorder-worker'];
/** Segments that are decoded at once. */
const batch = 20;
const frameRate = 30;
const counters = 1 << 16;

interface Recorded {
  name: string;
  folder: RecordingFolder;
  stop(): Promise<void>;
}

const scratch = mkdtempSync(join(tmpdir(), 'footlights-bench-'));
const server = await startServer();
try {
  const thumbnailConfiguration = { recordingMode: 'INTERVAL' as const, targetIntervalSeconds: 60 };
  const hlsConfiguration = { targetSegmentDurationSeconds: 6 };
  const stageArn = await createRecordedStage(server, { hlsConfiguration, thumbnailConfiguration });
  const all = [await overRtmp(server, stageArn), await overWhip(server, stageArn)];
  await watch(server, all);
  for (const { stop } of all) await stop();
  for (const { folder } of all) while (!folder.playlist.includes('#EXT-X-ENDLIST')) await sleep(500);
  const titles = ['over', 'playlist s', 'pictures', 'missing', 'unreadable', 'time moved ms', 'sound after picture ms'];
  const table = new Table(titles, 10);
  for (const recorded of all) table.print(await examine(recorded));
} finally {
  await server.dispose();
  rmSync(scratch, { recursive: true, force: true });
}

async function overRtmp(server: RunningServer, stageArn: string): Promise<Recorded> {
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn };
  const { ingestConfiguration } = await server.client.send(new CreateIngestConfigurationCommand(input));
  const { streamKey, participantId = '' } = ingestConfiguration ?? {};
  const source = new FlashAndBeep([...stageCodecs, '-f', 'flv', `${server.endpoints.rtmp}${streamKey}`]);
  return { name: 'RTMP', folder: await folderOf(server, stageArn, participantId), stop: () => source.end() };
}

/** FFmpeg 8 has a WHIP muxer, Debian's FFmpeg has none: the one encodes, the other sends. */
async function overWhip(server: RunningServer, stageArn: string): Promise<Recorded> {
  const { participantToken } = await server.client.send(new CreateParticipantTokenCommand({ stageArn }));
  const { participantId = '', token } = participantToken ?? {};
  const pipe = join(scratch, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const script = join(root, 'test/support/ffmpeg-send.mjs');
  const sender: ChildProcess = spawn(
    process.execPath,
    [script, pipe, 'whip', server.endpoints.whip, `authorization=${token}`],
    { stdio: 'ignore' },
  );
  const sound = ['-c:a', 'libopus', '-ac', '2', '-b:a', '96k'];
  const source = new FlashAndBeep([...stageCodecs, ...sound, '-f', 'matroska', '-y', pipe]);
  const stop = async () => {
    sender.kill('SIGKILL');
    await source.end();
  };
  return { name: 'WebRTC', folder: await folderOf(server, stageArn, participantId), stop };
}

async function folderOf(server: RunningServer, stageArn: string, id: string): Promise<RecordingFolder> {
  for (;;) {
    await sleep(500);
    const participant = await getParticipant(server, stageArn, id).catch(() => undefined);
    if (participant?.recordingState !== 'ACTIVE') continue;
    const folder = new RecordingFolder(server, participant.recordingS3Prefix);
    if (folder.has('media/hls/high/playlist.m3u8')) return folder;
  }
}

/** Prints a row in equal intervals. */
async function watch({ process: { pid = 0 } }: RunningServer, all: Recorded[]): Promise<void> {
  const pids = [pid, ...programs.map((program) => childrenOf(pid, program)[0] ?? 0)];
  const table = new Table(['minutes', 'server MB', ...programs.map((name) => `${name} MB`), 'latest ms', 'load']);
  const growths = pids.map(() => new Growth());
  const told = all.map(() => 0);
  const started = performance.now();
  for (let row = 1; row <= rows; row++) {
    await sleep(Math.max(0, started + (minutes * 60_000 * row) / rows - performance.now()));
    const hours = (performance.now() - started) / 3_600_000;
    const memory = pids.map((one) => residentBytes(one) / 1024 ** 2);
    if (row > warmUpRows) for (const [i, growth] of growths.entries()) growth.add({ hours, megabytes: memory[i] ?? 0 });
    const lags = all.flatMap(({ folder }, i) => {
      const since = lagsOf(folder).slice(told[i]);
      told[i] = (told[i] ?? 0) + since.length;
      return since;
    });
    const latest = lags.length > 0 ? Math.max(...lags) : undefined;
    table.print([cell(hours * 60, 1), ...memory.map((one) => cell(one, 1)), cell(latest), load()]);
  }
  const slopes = growths.map((growth, i) => `${['server', ...programs][i]} ${cell(growth.perHour, 1)}`);
  console.log(`MB an hour after the first ${warmUpRows} rows: ${slopes.join(', ')}`);
}

/** Of each segment, how long after its last frame was made its file was there, in milliseconds. The playlist follows at once. */
function lagsOf(folder: RecordingFolder): number[] {
  return folder.runs().flatMap(({ startedAt, segments }) => {
    let endMs = startedAt;
    return segments.map(({ uri, seconds }) => {
      endMs += seconds * 1_000;
      return statSync(join(folder.path, 'media/hls/high', uri)).mtimeMs - endMs;
    });
  });
}

/** A row of the last table. */
async function examine({ name, folder }: Recorded): Promise<string[]> {
  const offsets: number[] = [];
  let [pictures, missing, unreadable] = [0, 0, 0];
  let last: number | undefined;
  const runs = folder.runs();
  for (const run of runs) {
    let firstAt: number | undefined;
    for (const part of batches(run)) {
      for (const { counter, madeAt, at } of await recordedFrames(folder.bytes(part))) {
        firstAt ??= at;
        pictures += 1;
        if (counter < 0) {
          unreadable += 1;
          continue;
        }
        if (last !== undefined) missing += (counter - last - 1 + counters) % counters;
        last = counter;
        offsets.push(clockDifference(run.startedAt + (at - firstAt) * 1_000 - madeAt));
      }
    }
  }
  const minute = 60 * frameRate;
  const moved = median(offsets.slice(-minute)) - median(offsets.slice(0, minute));
  return [
    name,
    cell(folder.seconds, 3),
    cell(pictures),
    cell(missing - unreadable),
    cell(unreadable),
    cell(moved, 1),
    await lips(folder, runs),
  ];
}

/** Of the first and of the last segments. */
async function lips(folder: RecordingFolder, runs: PlaylistRun[]): Promise<string> {
  const [first, last] = [batches(runs[0]!)[0]!, batches(runs.at(-1)!).at(-1)!];
  const texts: string[] = [];
  for (const part of [first, last]) {
    const { flashes, beeps } = await flashesAndBeeps(folder.bytes(part));
    const skews = flashes
      .flatMap((flash) => beeps.map((beep) => (beep - flash) * 1_000))
      .filter((ms) => Math.abs(ms) < 400);
    texts.push(`${cell(median(skews))} (${cell(Math.min(...skews))} to ${cell(Math.max(...skews))})`);
  }
  return texts.join(', ');
}

function batches({ map, startedAt, segments }: PlaylistRun): PlaylistRun[] {
  const parts: PlaylistRun[] = [];
  for (let from = 0; from < segments.length; from += batch)
    parts.push({ map, startedAt, segments: segments.slice(from, from + batch) });
  return parts;
}
