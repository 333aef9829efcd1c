import {
  CreateParticipantTokenCommand,
  type CreateParticipantTokenCommandInput,
  CreateStageCommand,
  ListParticipantEventsCommand,
} from '@aws-sdk/client-ivs-realtime';
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { RunningServer } from './server.ts';

/** Makes a stage and returns its ARN. */
export async function createStage({ client }: RunningServer): Promise<string> {
  const { stage } = await client.send(new CreateStageCommand({ name: 'live' }));
  return stage?.arn ?? '';
}

/** Makes a participant token; `id` is the participant's. */
export async function createToken(
  { client }: RunningServer,
  stageArn: string,
  more: Omit<CreateParticipantTokenCommandInput, 'stageArn'> = {},
): Promise<{ token: string; id: string }> {
  const { participantToken } = await client.send(new CreateParticipantTokenCommand({ stageArn, ...more }));
  return { token: participantToken?.token ?? '', id: participantToken?.participantId ?? '' };
}

/** Names of a participant's events in a session, oldest first. */
export async function eventNames(
  { client }: RunningServer,
  stageArn: string,
  sessionId: string | undefined,
  participantId: string,
): Promise<(string | undefined)[]> {
  const { events } = await client.send(new ListParticipantEventsCommand({ stageArn, sessionId, participantId }));
  return (events ?? []).map(({ name }) => name).reverse();
}

/** A page of one test, closed when that ends, however it ends. */
export async function openTestPage(server: RunningServer, browser: Browser): Promise<Page> {
  const page = await openPage(server, browser);
  onTestFinished(() => page.close());
  return page;
}

/** A blank page on the server's origin, where camera and microphone may be used. */
export async function openPage({ endpoints }: RunningServer, browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${endpoints.api}/healthz`);
  return page;
}
