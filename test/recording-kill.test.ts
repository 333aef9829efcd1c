// Processes are killed while an encoder and a browser are recorded: what a playlist listed stays playable, every recording is closed, and events say so.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListParticipantEventsCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { launchChromium, publish } from './support/chromium.ts';
import { FlashAndBeep, stageCodecs } from './support/flash-and-beep.ts';
import { isSound } from './support/recording-checks.ts';
import { createRecordedStage, encoderOf, getParticipant, RecordingFolder, toldEvents } from './support/recordings.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createToken, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';
import { childrenOf } from './support/workers.ts';

const victims = ['recorder-worker', 'media-worker', 'ingest-worker', 'server'] as const;
/** How often something is killed; KILL_ROUNDS makes it more. */
const rounds = Number(process.env.KILL_ROUNDS ?? victims.length);
/** Nothing is recorded in the first second or two; segments last two. */
const latestMs = 8_000;

let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServer({ args: ['--events-stdout', '--media-workers', '1'] }),
    launchChromium(),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const waitFor = <T>(check: () => Promise<T> | T) => vi.waitFor(check, { timeout: 20_000, interval: 100 });

interface Publisher {
  stageArn: string;
  id: string;
  sessionId: string;
  /** What a playlist listed before the kill. */
  listed: string[];
}

async function kill(victim: (typeof victims)[number]): Promise<void> {
  if (victim !== 'server') {
    // It starts with the first recording.
    const pid = await waitFor(
      () => childrenOf(server.process.pid ?? 0, victim)[0] ?? Promise.reject(new Error(`no ${victim}`)),
    );
    process.kill(pid, 'SIGKILL');
    return;
  }
  const { dataDir } = server;
  await server.end('SIGKILL');
  server.client.destroy();
  server = await startServer({ dataDir, args: ['--events-stdout', '--media-workers', '1'] });
}

const recordOf = ({ stageArn, id, sessionId }: Publisher) => getParticipant(server, stageArn, id, sessionId);

async function folderOf(publisher: Publisher): Promise<RecordingFolder> {
  return new RecordingFolder(server, (await recordOf(publisher)).recordingS3Prefix);
}

const uris = (folder: RecordingFolder) => folder.runs().flatMap(({ segments }) => segments.map(({ uri }) => uri));
const hasPlaylist = (folder: RecordingFolder) => folder.has('media/hls/high/playlist.m3u8');

/** What the server told since it started of a participant. */
const told = ({ id }: Publisher) =>
  toldEvents(server)
    .filter(({ participant_id }) => participant_id === id)
    .map(({ event_name }) => event_name);

/** All that was listed is there and plays, and the files, the state and the last event agree. */
async function isClosed(publisher: Publisher): Promise<void> {
  await waitFor(async () => expect((await recordOf(publisher)).recordingState).toMatch(/^(STOPPED|FAILED)$/));
  const { recordingState } = await recordOf(publisher);
  const folder = await folderOf(publisher);
  // Events come a little after the state that they tell of.
  const lastTold = (name: string | RegExp) =>
    waitFor(() => expect(told(publisher).findLast((one) => one.startsWith('Recording'))).toMatch(name));
  if (!hasPlaylist(folder)) {
    expect(recordingState).toBe('FAILED');
    expect(publisher.listed).toEqual([]);
    await lastTold(/^Recording (Start|End) Failure$/);
    return;
  }
  expect(folder.playlist).toContain('#EXT-X-ENDLIST');
  expect(uris(folder).slice(0, publisher.listed.length)).toEqual(publisher.listed);
  for (const run of folder.runs()) await isSound(folder.bytes(run));
  const status = recordingState === 'STOPPED' ? 'RECORDING_ENDED' : 'RECORDING_ENDED_WITH_FAILURE';
  const { recording_status, media } = folder.event('ended');
  expect([recording_status, media.hls.duration_ms]).toEqual([status, Math.round(folder.seconds * 1_000)]);
  await lastTold(recordingState === 'STOPPED' ? /^Recording End$/ : /^Recording End Failure$/);
}

async function hasEnded({ stageArn, id: participantId, sessionId }: Publisher): Promise<void> {
  const { events = [] } = await server.client.send(
    new ListParticipantEventsCommand({ stageArn, sessionId, participantId }),
  );
  const names = events.map(({ name }) => name);
  const count = (wanted: string) => names.filter((name) => name === wanted).length;
  expect([count('PUBLISH_STARTED'), count('JOINED')]).toEqual([count('PUBLISH_STOPPED'), count('LEFT')]);
}

const plan = Array.from(
  { length: rounds },
  (_, round) => [victims[round % victims.length]!, randomInt(latestMs)] as const,
);

test.each(plan)('%s is killed after %i ms', timed, async (victim, ms) => {
  const stageArn = await createRecordedStage(server);
  const [encoded, alice] = [await encoderOf(server, stageArn), await createToken(server, stageArn)];
  const encoder = new FlashAndBeep([...stageCodecs, '-f', 'flv', encoded.url]);
  onTestFinished(() => encoder.end());
  const page = await openTestPage(server, browser);
  await publish(page, { url: server.endpoints.whip, token: alice.token, codec: 'H264' });
  const ids = [encoded.id, alice.id];
  await waitFor(async () => {
    for (const id of ids)
      expect((await getParticipant(server, stageArn, id)).recordingState).toMatch(/STARTING|ACTIVE/);
  });
  const { recordingS3Prefix } = await getParticipant(server, stageArn, alice.id);
  const publishers = ids.map(
    (id): Publisher => ({ stageArn, id, sessionId: recordingS3Prefix?.split('/')[1] ?? '', listed: [] }),
  );
  await sleep(ms);
  for (const publisher of publishers) {
    const folder = await folderOf(publisher);
    if (hasPlaylist(folder)) publisher.listed = uris(folder);
  }
  await kill(victim);
  if (victim === 'recorder-worker')
    // It is started again, and goes on.
    for (const publisher of publishers)
      await waitFor(async () => {
        const folder = await folderOf(publisher);
        expect(hasPlaylist(folder) ? uris(folder).length : 0).toBeGreaterThan(publisher.listed.length + 1);
      });
  await encoder.end();
  await page.evaluate(() => window.peers.publish?.close());
  for (const publisher of publishers) {
    await isClosed(publisher);
    await hasEnded(publisher);
  }
  if (victim === 'recorder-worker')
    for (const publisher of publishers) expect((await recordOf(publisher)).recordingState).toBe('STOPPED');
  if (victim === 'server')
    for (const publisher of publishers) {
      expect((await recordOf(publisher)).recordingState).toBe('FAILED');
      await waitFor(() => expect(told(publisher)).toContain('Participant Unpublished'));
    }
});
