// OBS Studio, seen and heard by Chromium. It is large, so that npm test does not install it; where it is, it is tested.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateIngestConfigurationCommand, GetStageCommand } from '@aws-sdk/client-ivs-realtime';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { launchChromium, statistics, subscribe } from './support/chromium.ts';
import { FILE_SECONDS, hasObs, Obs } from './support/obs.ts';
import { clockOnScreen } from './support/picture-clock.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, eventNames, openTestPage } from './support/stage.ts';
import { timed } from './support/timed.ts';

if (!hasObs)
  console.warn('SKIPPED: /usr/bin/obs and /usr/bin/Xvfb are not installed, nothing is tested with OBS Studio');

describe.skipIf(!hasObs)('OBS Studio', timed, () => {
  let server: RunningServer;
  let browser: Browser;
  let obs: Obs | undefined;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), launchChromium()]);
  });

  afterEach(async () => {
    await obs?.end();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.dispose();
  });

  test.each(['RTMP', 'RTMPS'] as const)(
    'over %s is seen and heard, and leaves',
    { timeout: 120_000 },
    async (protocol) => {
      const stageArn = await createStage(server);
      const input = { ingestProtocol: protocol, insecureIngest: protocol === 'RTMP', stageArn };
      const { ingestConfiguration } = await server.client.send(new CreateIngestConfigurationCommand(input));
      const { streamKey = '', participantId = '' } = ingestConfiguration ?? {};
      const isSecure = protocol === 'RTMPS';
      // It compares names of a certificate, not addresses.
      const url = (isSecure ? server.endpoints.rtmps : server.endpoints.rtmp).replace('127.0.0.1', 'localhost');
      obs = new Obs();
      // It trusts what the system trusts: as a user would, the server's own certificate is added.
      await obs.start(url, streamKey, isSecure ? readFileSync(join(server.dataDir, 'rtmps.pem'), 'utf8') : undefined);
      const page = await openTestPage(server, browser);
      const { token } = await createToken(server, stageArn);
      const subscription = { whip: server.endpoints.whip, token, publisherId: participantId };
      const subscribed = vi.waitFor(() => subscribe(page, subscription), { timeout: 40_000, interval: 1_000 });
      await subscribed.catch((error: Error) => {
        throw new Error(`${error.message}\n${server.output()}\n${obs?.output.slice(-4_000)}`);
      });
      await vi.waitFor(
        async () => {
          const now = await statistics(page, participantId);
          expect(now.framesDecoded).toBeGreaterThan(60);
          expect(now.audioEnergy).toBeGreaterThan(0.001);
          expect(now).toMatchObject({ videoCodec: 'video/H264', frameWidth: 640 });
        },
        { timeout: 30_000, interval: 500 },
      );
      const before = { at: Date.now(), ...(await clockOnScreen(page)) };
      await sleep(3_000);
      const after = { at: Date.now(), ...(await clockOnScreen(page)) };
      expect(before.counter).toBeGreaterThan(0);
      // OBS plays 30 pictures a second, and begins again at the end of its file.
      const shown = after.counter < before.counter ? after.counter + FILE_SECONDS * 30 : after.counter;
      expect(Math.abs(shown - before.counter - (30 * (after.at - before.at)) / 1_000)).toBeLessThan(30);
      await obs.end();
      const { stage } = await server.client.send(new GetStageCommand({ arn: stageArn }));
      await vi.waitFor(
        async () =>
          expect(await eventNames(server, stageArn, stage?.activeSessionId, participantId)).toEqual([
            'JOINED',
            'PUBLISH_STARTED',
            'PUBLISH_STOPPED',
            'LEFT',
          ]),
        { timeout: 10_000, interval: 200 },
      );
    },
  );
});
