// Recording participants: CPU of the recorder process for each participant that sends 720p30 H.264 and stereo sound over RTMP, thumbnails every 60 s
// included, and how many pictures are missing of what they have recorded; and CPU of FFmpeg's own program as it records the same stream to HLS with
// sound encoded anew. Needs the ffmpeg program and the built server.
// Run: npm run bench -- record.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateIngestConfigurationCommand } from '@aws-sdk/client-ivs-realtime';
import { createRecordedStage, getParticipant, probe, RecordingFolder } from '../test/support/recordings.ts';
import { type RunningServer, startServer } from '../test/support/server.ts';
import { childrenOf } from '../test/support/workers.ts';
import { cpuTimes, residentBytes } from './support/machine.ts';

const PARTICIPANTS = [1, 4, 12];
const WARM_UP_MS = 8_000;
const MEASURE_MS = 10_000;
const BPS = '2500k';
const FRAME_RATE = 30;

const folder = mkdtempSync(join(tmpdir(), 'footlights-bench-'));
const source = join(folder, 'source.flv');
const children: ChildProcess[] = [];

function start(program: string, args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

/** Share of a core that a process uses, in percent. */
async function shareOf(pid: number): Promise<number> {
  const cpuMs = () => Object.values(cpuTimes(pid)).reduce((sum, ms) => sum + ms);
  const [before, at] = [cpuMs(), performance.now()];
  await sleep(MEASURE_MS);
  return (100 * (cpuMs() - before)) / (performance.now() - at);
}

function makeSource(): void {
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline'];
  const rate = ['-b:v', BPS, '-maxrate', BPS, '-bufsize', BPS, '-g', '60', '-pix_fmt', 'yuv420p'];
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=30:d=10', '-f', 'lavfi', '-i', 'sine=f=440:d=10'];
  const args = ['-v', 'error', ...inputs, ...video, ...rate, '-c:a', 'aac', '-ac', '2', '-ar', '48000', source];
  execFileSync('ffmpeg', args);
}

const publish = (url: string) =>
  start('ffmpeg', ['-v', 'error', '-re', '-stream_loop', '-1', '-i', source, '-c', 'copy', '-f', 'flv', url]);

async function measureServer(): Promise<void> {
  const server = await startServer();
  try {
    const thumbnailConfiguration = { recordingMode: 'INTERVAL' as const, targetIntervalSeconds: 60 };
    const hlsConfiguration = { targetSegmentDurationSeconds: 6 };
    const stageArn = await createRecordedStage(server, { hlsConfiguration, thumbnailConfiguration });
    const ids: string[] = [];
    for (const participants of PARTICIPANTS) {
      while (ids.length < participants) ids.push(await publishTo(server, stageArn));
      await sleep(WARM_UP_MS);
      const [pid = 0] = childrenOf(server.process.pid ?? 0, 'recorder-worker');
      const share = await shareOf(pid);
      const missing = await Promise.all(ids.map((id) => missingOf(server, stageArn, id)));
      const sum = missing.reduce((all, one) => all + one);
      print('footlights', participants, share, residentBytes(pid) / 2 ** 20, sum);
    }
  } finally {
    await server.dispose();
  }
}

async function publishTo(server: RunningServer, stageArn: string): Promise<string> {
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn };
  const { ingestConfiguration } = await server.client.send(new CreateIngestConfigurationCommand(input));
  publish(`${server.endpoints.rtmp}${ingestConfiguration?.streamKey}`);
  return ingestConfiguration?.participantId ?? '';
}

/** Pictures that are not in what the playlist has of a recording so far: there is one every 33 ms. */
async function missingOf(server: RunningServer, stageArn: string, id: string): Promise<number> {
  const { recordingS3Prefix } = await getParticipant(server, stageArn, id);
  const folder = new RecordingFolder(server, recordingS3Prefix);
  const runs = folder.runs();
  const packets = await Promise.all(runs.map(async (run) => (await probe(folder.bytes(run))).packets));
  const pictures = packets.flat().filter(({ codec_type }) => codec_type === 'video').length;
  const seconds = runs.flatMap(({ segments }) => segments).reduce((sum, segment) => sum + segment.seconds, 0);
  return Math.round(seconds * FRAME_RATE) - pictures;
}

async function measureFfmpeg(): Promise<void> {
  const output = ['-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k', '-f', 'hls', '-hls_time', '6'];
  const files = ['-hls_segment_type', 'fmp4', '-hls_list_size', '0', join(folder, 'peer.m3u8')];
  const input = ['-v', 'error', '-re', '-stream_loop', '-1', '-i', source];
  const { pid = 0 } = start('ffmpeg', [...input, ...output, ...files]);
  await sleep(WARM_UP_MS);
  const share = await shareOf(pid);
  print('ffmpeg', 1, share, residentBytes(pid) / 2 ** 20);
}

function print(recorder: string, participants: number, share: number, mib: number, missing?: number): void {
  const cells = [participants, share.toFixed(1), (share / participants).toFixed(2), mib.toFixed(0), missing ?? '-'];
  console.log(`${recorder.padEnd(12)}${cells.map((cell) => String(cell).padStart(16)).join('')}`);
}

try {
  makeSource();
  const titles = ['participants', 'CPU %', '% each', 'resident MiB', 'lost pictures'];
  console.log(`${'recorder'.padEnd(12)}${titles.map((title) => title.padStart(16)).join('')}`);
  await measureServer();
  for (const child of children.splice(0)) child.kill('SIGTERM');
  await sleep(2_000);
  await measureFfmpeg();
} finally {
  for (const child of children) child.kill('SIGKILL');
  await sleep(500);
  rmSync(folder, { recursive: true, force: true });
}
