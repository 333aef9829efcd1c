// The ingest process of a real server under real streams: so many encoders, each an ingest configuration of its own, send the same H.264 and AAC over
// loopback in real time; the sound is turned into Opus. Prints the process's CPU; a core is 100 %. Needs the ffmpeg program, which makes the media.
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateIngestConfigurationCommand, CreateStageCommand } from '@aws-sdk/client-ivs-realtime';
import { flv } from '@footlights/protocol';
import { type RunningServer, startServer } from '../test/support/server.ts';
import { childrenOf } from '../test/support/workers.ts';
import { cpuTimes, load, residentBytes } from './support/machine.ts';
import { openEncoder, play, type Where, whereOf } from './support/rtmp-encoder.ts';
import { cell, Table } from './support/table.ts';

const cases = [
  { publishers: 0, idle: 0 },
  { publishers: 0, idle: 100 },
  { publishers: 1, idle: 0 },
  { publishers: 12, idle: 0 },
  { publishers: 50, idle: 0 },
];
const kbps = 2_500;
/** V8 optimizes meanwhile. Encoders that send nothing are ended after 8 s: of those less is waited. */
const warmUpMs = { sending: 12_000, idle: 2_500 };
const measureMs = 5_000;
const fileSeconds = 30;

interface Order {
  url: Where;
  /** An FLV file. */
  file: string;
  keys: string[];
  /** The rest connects and sends nothing. */
  publishers: number;
}

if (process.send) process.on('message', (order: Order) => encode(order));
else await measure();

async function measure(): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), 'footlights-bench-')), 'source.flv');
  makeFile(file);
  const table = new Table(['publishers', 'idle', 'CPU %', 'user', 'system', '% each', 'RSS MiB', 'load']);
  for (const one of cases) {
    const server = await startServer();
    let encoders: ChildProcess | undefined;
    try {
      const keys = await Promise.all(Array.from({ length: one.publishers + one.idle }, () => streamKey(server)));
      encoders = fork(fileURLToPath(import.meta.url), [], { stdio: 'inherit' });
      encoders.send({
        url: whereOf(server.endpoints.rtmp),
        file,
        keys,
        publishers: one.publishers,
      } satisfies Order);
      await once(encoders, 'message');
      await sleep(one.idle > 0 ? warmUpMs.idle : warmUpMs.sending);
      const [pid = 0] = childrenOf(server.process.pid ?? 0, 'ingest-worker');
      const [before, at] = [cpuTimes(pid), performance.now()];
      await sleep(measureMs);
      const [after, elapsed] = [cpuTimes(pid), performance.now() - at];
      const [user, system] = [after.userMs - before.userMs, after.systemMs - before.systemMs].map(
        (ms) => (100 * ms) / elapsed,
      );
      const sum = (user ?? 0) + (system ?? 0);
      const each = one.publishers > 0 ? sum / one.publishers : undefined;
      const rest = [
        cell(sum, 1),
        cell(user, 1),
        cell(system, 1),
        cell(each, 2),
        cell(residentBytes(pid) / 2 ** 20),
        load(),
      ];
      table.print([`${one.publishers}`, `${one.idle}`, ...rest]);
    } finally {
      encoders?.kill('SIGKILL');
      await server.dispose();
    }
  }
  rmSync(dirname(file), { recursive: true });
}

/** Of a stage of its own: a stage has 12 publishers. */
async function streamKey({ client }: RunningServer): Promise<string> {
  const { stage } = await client.send(new CreateStageCommand({}));
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn: stage?.arn };
  const { ingestConfiguration } = await client.send(new CreateIngestConfigurationCommand(input));
  return ingestConfiguration?.streamKey ?? '';
}

function makeFile(file: string): void {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=30:duration=${fileSeconds}`];
  const tone = [
    '-f',
    'lavfi',
    '-i',
    `aevalsrc=0.2*sin(2*PI*t*(200+100*sin(t)))+0.1*(random(0)-0.5):s=48000:d=${fileSeconds}`,
  ];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '60', '-pix_fmt', 'yuv420p'];
  const rate = [
    '-b:v',
    `${kbps}k`,
    '-minrate',
    `${kbps}k`,
    '-maxrate',
    `${kbps}k`,
    '-bufsize',
    `${kbps}k`,
    '-nal-hrd',
    'cbr',
  ];
  const audio = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2'];
  const args = ['-v', 'error', ...picture, ...tone, ...video, ...rate, ...audio, file];
  execFileSync('ffmpeg', args);
}

/** Every stream begins at its own time within a second. */
function encode({ url, file, keys, publishers }: Order): void {
  const tags = flv.parseFile(readFileSync(file));
  if (typeof tags === 'string') throw new Error(tags);
  let granted = 0;
  const begun = () => {
    if (++granted === keys.length) process.send?.('granted');
  };
  if (keys.length === 0) process.send?.('granted');
  for (const [index, key] of keys.entries()) {
    openEncoder(url, key, (client) => {
      if (index < publishers) setTimeout(() => play(client, tags), (1_000 * index) / publishers);
      begun();
    });
  }
}
