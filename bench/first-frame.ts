// From the subscribe request to the first frame that Chromium shows, on loopback: with a picture that the server still
// has (somebody watches already, or the key frame is recent), and with one that has to be asked for.
import { CreateParticipantTokenCommand, CreateStageCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { launchChromium, publish, subscribe } from '../test/support/chromium.ts';
import { type RunningServer, startServer } from '../test/support/server.ts';

const runs = 10;
/** The server keeps what came since a key frame for 2 s; Chromium sends the next one when it is asked. */
const waits = { 'key frame at hand': 0, 'key frame to be asked for': 2500 };

const server = await startServer();
const browser = await launchChromium();
try {
  console.log(`subscribe to first frame, ${runs} runs`.padEnd(46), '  min   median      max');
  for (const codec of ['H264', 'VP8'] as const) {
    for (const [name, wait] of Object.entries(waits)) {
      const times = [];
      for (let run = 0; run < runs; run++) times.push(await measure(server, browser, codec, wait));
      console.log(`${codec}, ${name}`.padEnd(46), describe(times));
    }
  }
} finally {
  await browser.close();
  await server.dispose();
}

/** One publisher, and after `wait` milliseconds one viewer; the milliseconds that the viewer waits. */
async function measure(
  { client, endpoints }: RunningServer,
  browser: Browser,
  codec: 'H264' | 'VP8',
  wait: number,
): Promise<number> {
  const { stage } = await client.send(new CreateStageCommand({}));
  const [alice, bob] = await Promise.all(
    ['alice', 'bob'].map((userId) => client.send(new CreateParticipantTokenCommand({ stageArn: stage?.arn, userId }))),
  );
  const [publisher, viewer] = [await browser.newPage(), await browser.newPage()];
  for (const page of [publisher, viewer]) await page.goto(`${endpoints.api}/healthz`);
  await publish(publisher, { url: endpoints.whip, token: alice?.participantToken?.token ?? '', codec });
  await new Promise((resolve) => setTimeout(resolve, wait));
  const { firstFrameMs } = await subscribe(viewer, {
    whip: endpoints.whip,
    token: bob?.participantToken?.token ?? '',
    publisherId: alice?.participantToken?.participantId ?? '',
  });
  await Promise.all([publisher.close(), viewer.close()]);
  return firstFrameMs;
}

function describe(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return [at(0), at(0.5), at(1)].map((time) => `${time.toFixed(0)} ms`.padStart(8)).join(' ');
}
