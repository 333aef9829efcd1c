// One participant that comes and goes, thousands of times within the reconnect window of its recording: all of it is one recording. Prints over time the
// memory of the server's processes and what a reconnect takes; at the end, what the playlist has. Needs the ffmpeg program, which makes the media.
// Run: npm run bench -- record-reconnects; FOOTLIGHTS_RECONNECTS says how many, 5000 when not given.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateIngestConfigurationCommand } from '@aws-sdk/client-ivs-realtime';
import { flv } from '@footlights/protocol';
import { createRecordedStage, decodeErrors, getParticipant, RecordingFolder } from '../test/support/recordings.ts';
import { startServer } from '../test/support/server.ts';
import { childrenOf } from '../test/support/workers.ts';
import { residentBytes } from './support/machine.ts';
import { openEncoder, play, type Where, whereOf } from './support/rtmp-encoder.ts';
import { cell, Table } from './support/table.ts';

const reconnects = Number(process.env.FOOTLIGHTS_RECONNECTS ?? 5_000);
const rows = 10;
/** How long media are sent each time. */
const stayMs = 100;
const programs = ['ingest-worker', 'recorder-worker'];

const scratch = mkdtempSync(join(tmpdir(), 'footlights-bench-'));
const server = await startServer();
try {
  await run();
} finally {
  await server.dispose();
  rmSync(scratch, { recursive: true });
}

async function run(): Promise<void> {
  const { client, endpoints, process: main } = server;
  const stageArn = await createRecordedStage(server, { recordingReconnectWindowSeconds: 30 });
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn };
  const { ingestConfiguration } = await client.send(new CreateIngestConfigurationCommand(input));
  const { streamKey = '', participantId: id = '' } = ingestConfiguration ?? {};
  const tags = makeMedia();
  const table = new Table(['reconnects', 'ms each', 'server MB', ...programs.map((name) => `${name} MB`), 'segments']);
  let [refused, at] = [0, performance.now()];
  const perRow = reconnects / rows;
  for (let count = 1; count <= reconnects; count++) {
    if (!(await visit(whereOf(endpoints.rtmp), streamKey, tags))) refused += 1;
    if (count % perRow !== 0) continue;
    const pids = [main.pid ?? 0, ...programs.map((program) => childrenOf(main.pid ?? 0, program)[0] ?? 0)];
    const memory = pids.map((pid) => cell(residentBytes(pid) / 2 ** 20, 1));
    const { recordingS3Prefix } = await getParticipant(server, stageArn, id);
    const segments = new RecordingFolder(server, recordingS3Prefix).runs().length;
    table.print([`${count}`, cell((performance.now() - at) / perRow, 1), ...memory, `${segments}`]);
    at = performance.now();
  }
  console.log(`${refused} refused`);
  for (;;) {
    const { recordingState, recordingS3Prefix } = await getParticipant(server, stageArn, id);
    if (recordingState === 'STOPPED' || recordingState === 'FAILED') {
      await examine(new RecordingFolder(server, recordingS3Prefix), recordingState);
      break;
    }
    await sleep(1_000);
  }
}

/** H.264 and AAC of one second. */
function makeMedia(): flv.Tag[] {
  const file = join(scratch, 'source.flv');
  const inputs =
    '-f lavfi -i testsrc2=size=640x360:rate=30:duration=1 -f lavfi -i sine=frequency=440:sample_rate=48000:duration=1';
  const codecs = '-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -c:a aac -b:a 96k';
  execFileSync('ffmpeg', ['-v', 'error', ...inputs.split(' '), ...codecs.split(' '), file]);
  const tags = flv.parseFile(readFileSync(file));
  if (typeof tags === 'string') throw new Error(tags);
  return tags;
}

/** Publishes for a moment; false when it was not let in. */
function visit(where: Where, streamKey: string, tags: readonly flv.Tag[]): Promise<boolean> {
  return new Promise((resolve) => {
    const leave = (wasLetIn: boolean) => {
      socket.once('close', () => resolve(wasLetIn));
      socket.destroy();
    };
    const begin = (client: Parameters<typeof play>[0]) => {
      const stop = play(client, tags);
      setTimeout(() => {
        stop();
        leave(true);
      }, stayMs);
    };
    const socket = openEncoder(where, streamKey, begin, () => leave(false));
  });
}

async function examine(folder: RecordingFolder, state: string): Promise<void> {
  const runs = folder.runs();
  const step = Math.max(1, Math.floor(runs.length / 50));
  let broken = 0;
  for (let index = 0; index < runs.length; index += step)
    if ((await decodeErrors(folder.bytes(runs[index]!))) !== '') broken += 1;
  const kilobytes = statSync(join(folder.path, 'media/hls/high/playlist.m3u8')).size / 1_024;
  console.log(
    `${state}: ${runs.length} runs, ${cell(folder.seconds, 1)} s, playlist of ${cell(kilobytes)} KiB, ${broken} of 50 runs that were decoded are broken, ` +
      `recording-ended.json says ${folder.event('ended').media.hls.duration_ms} ms`,
  );
}
