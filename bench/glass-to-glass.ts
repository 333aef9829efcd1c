// From the making of a picture to its decoding in Chromium, on loopback: an encoder over RTMP (FFmpeg, x264 without delay), and a browser over WebRTC
// with the same picture. The time stands in the picture. Of RTMP also by how much sound comes after its picture.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateIngestConfigurationCommand,
  CreateParticipantTokenCommand,
  CreateStageCommand,
} from '@aws-sdk/client-ivs-realtime';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, publish, subscribe } from '../test/support/chromium.ts';
import { FlashAndBeep, skews, stageCodecs, watchOnsets } from '../test/support/flash-and-beep.ts';
import { seenFrames } from '../test/support/frame-clock.ts';
import { type RunningServer, startServer } from '../test/support/server.ts';
import { load } from './support/machine.ts';
import { cell, Table } from './support/table.ts';

const settleMs = 15_000;
const measureMs = 15_000;

const [server, browser] = [await startServer(), await launchChromium()];
const table = new Table(['from', 'frames', 'p50 ms', 'p95 ms', 'max ms', 'sound after picture, ms', 'load'], 8);
try {
  for (let run = 0; run < 3; run++) {
    await fromEncoder(server, browser);
    await fromBrowser(server, browser);
  }
} finally {
  await browser.close();
  await server.dispose();
}

async function fromEncoder({ client, endpoints }: RunningServer, browser: Browser): Promise<void> {
  const { stage } = await client.send(new CreateStageCommand({}));
  const input = { ingestProtocol: 'RTMP' as const, insecureIngest: true, stageArn: stage?.arn };
  const { ingestConfiguration } = await client.send(new CreateIngestConfigurationCommand(input));
  const { streamKey, participantId = '' } = ingestConfiguration ?? {};
  const source = new FlashAndBeep([...stageCodecs, '-f', 'flv', `${endpoints.rtmp}${streamKey}`]);
  const page = await watch(server, browser, stage?.arn, participantId);
  await watchOnsets(page);
  await report('RTMP', page, participantId);
  await source.end();
  await page.close();
}

async function fromBrowser(server: RunningServer, browser: Browser): Promise<void> {
  const { stage } = await server.client.send(new CreateStageCommand({}));
  const alice = await server.client.send(new CreateParticipantTokenCommand({ stageArn: stage?.arn }));
  const { token = '', participantId = '' } = alice.participantToken ?? {};
  const publisher = await blankPage(server, browser);
  const clock = { width: 640, height: 360, frameRate: 30 };
  await publish(publisher, { url: server.endpoints.whip, token, codec: 'H264', clock });
  const page = await watch(server, browser, stage?.arn, participantId);
  await report('WebRTC', page, participantId);
  await publisher.close();
  await page.close();
}

/** A viewer that has settled; the publisher may take its time to come. */
async function watch(
  { client, endpoints }: RunningServer,
  browser: Browser,
  stageArn: string | undefined,
  publisherId: string,
): Promise<Page> {
  const { participantToken } = await client.send(new CreateParticipantTokenCommand({ stageArn }));
  const page = await blankPage(server, browser);
  const subscription = { whip: endpoints.whip, token: participantToken?.token ?? '', publisherId, clock: true };
  for (let tries = 0; ; tries++) {
    const done = await subscribe(page, subscription).catch((error: Error) => error);
    if (!(done instanceof Error)) return page;
    if (tries > 30) throw done;
    await sleep(300);
  }
}

async function blankPage({ endpoints }: RunningServer, browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${endpoints.api}/healthz`);
  return page;
}

async function report(from: string, page: Page, publisherId: string): Promise<void> {
  await sleep(settleMs);
  const since = Date.now();
  await sleep(measureMs);
  const frames = (await seenFrames(page, publisherId, since)).filter(({ counter }) => counter >= 0);
  const ages = frames.map(({ ageMs }) => ageMs).sort((a, b) => a - b);
  const at = (share: number) => cell(ages[Math.min(ages.length - 1, Math.floor(share * ages.length))]);
  const apart =
    from === 'RTMP'
      ? (await skews(page))
          .slice(-12)
          .map((ms) => cell(ms))
          .join(' ')
      : '';
  table.print([from, cell(frames.length), at(0.5), at(0.95), at(1), apart, load()]);
}
