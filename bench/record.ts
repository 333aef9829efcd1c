// Recording participants: CPU of the recorder process for each participant that sends 720p30 H.264 and stereo sound over RTMP, thumbnails every 60 s
// included, and of FFmpeg's own program as it records the same stream to HLS with sound encoded anew. Needs the ffmpeg program and the built server.
// Run: npm run bench -- record.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from '../test/support/workers.ts';
import { cpuTimes, residentBytes } from './support/machine.ts';

const PARTICIPANTS = [1, 4, 12];
const WARM_UP_MS = 8_000;
const MEASURE_MS = 10_000;
const BPS = '2500k';

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

interface Server {
  pid: number;
  rtmp: string;
  env: NodeJS.ProcessEnv;
}

async function startServer(): Promise<Server> {
  const dataDir = join(folder, 'data');
  const ports = ['--port', '0', '--media-port', '0', '--rtmp-port', '0', '--rtmps-port', '0'];
  const child = start(process.execPath, ['bin/footlights', 'start', '--data-dir', dataDir, ...ports]);
  for (;;) {
    await sleep(200);
    try {
      const { api, rtmp } = JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8'));
      const env = { ...process.env, FOOTLIGHTS_DATA_DIR: dataDir, AWS_ENDPOINT_URL_IVS_REALTIME: api };
      const credentials = { AWS_SHARED_CREDENTIALS_FILE: join(dataDir, 'credentials'), AWS_REGION: 'us-west-2' };
      return { pid: child.pid ?? 0, rtmp, env: { ...env, ...credentials } };
    } catch {}
  }
}

function api({ env }: Server, ...args: string[]): Record<string, Record<string, string>> {
  const text = execFileSync('bin/footlights', ['ivs-realtime', ...args, '--output', 'json'], { env, encoding: 'utf8' });
  return JSON.parse(text);
}

const publish = (url: string) =>
  start('ffmpeg', ['-v', 'error', '-re', '-stream_loop', '-1', '-i', source, '-c', 'copy', '-f', 'flv', url]);

async function measureServer(): Promise<void> {
  const server = await startServer();
  const storage = api(server, 'create-storage-configuration', '--s3', 'bucketName=bench').storageConfiguration;
  const thumbnails = { recordingMode: 'INTERVAL', targetIntervalSeconds: 60, storage: ['SEQUENTIAL'] };
  const recording = { storageConfigurationArn: storage?.arn, thumbnailConfiguration: thumbnails };
  const configuration = ['--auto-participant-recording-configuration', JSON.stringify(recording)];
  const stageArn = api(server, 'create-stage', ...configuration).stage?.arn ?? '';
  let published = 0;
  for (const participants of PARTICIPANTS) {
    for (; published < participants; published++) {
      const kind = ['--ingest-protocol', 'RTMP', '--insecure-ingest', '--stage-arn', stageArn];
      const key = api(server, 'create-ingest-configuration', ...kind).ingestConfiguration?.streamKey ?? '';
      publish(`${server.rtmp}${key}`);
    }
    await sleep(WARM_UP_MS);
    const [pid = 0] = childrenOf(server.pid, 'recorder-worker');
    const share = await shareOf(pid);
    print('footlights', participants, share, residentBytes(pid) / 2 ** 20);
  }
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

function print(recorder: string, participants: number, share: number, mib: number): void {
  const cells = [participants, share.toFixed(1), (share / participants).toFixed(2), mib.toFixed(0)];
  console.log(`${recorder.padEnd(12)}${cells.map((cell) => String(cell).padStart(16)).join('')}`);
}

try {
  makeSource();
  const titles = ['participants', 'CPU %', '% each', 'resident MiB'];
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
