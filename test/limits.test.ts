import { GetStageCommand, ListParticipantEventsCommand } from '@aws-sdk/client-ivs-realtime';
import type { ServerMessage } from '@footlights/model';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { launchChromium, publish } from './support/chromium.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken, openPage } from './support/stage.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

/** Names and error codes of a participant's events, oldest first. */
async function eventsOf({ client }: RunningServer, stageArn: string, participantId: string) {
  const { stage } = await client.send(new GetStageCommand({ arn: stageArn }));
  const input = { stageArn, sessionId: stage?.activeSessionId, participantId };
  const { events = [] } = await client.send(new ListParticipantEventsCommand(input));
  return events.reverse().map(({ name, errorCode }) => (errorCode ? `${name} ${errorCode}` : name));
}

/** Publishes a picture of this width from Chromium until the server ends it; what the publisher was told, and its events. */
async function publishUntilEnded(server: RunningServer, width: number) {
  const stageArn = await createStage(server);
  const { token, id } = await createToken(server, stageArn, { userId: 'alice' });
  const told: ServerMessage[] = [];
  const socket = new WebSocket(server.endpoints.events, token);
  socket.on('message', (data) => told.push(JSON.parse(String(data))));
  const page = await openPage(server, browser);
  await publish(page, { url: server.endpoints.whip, token, width });
  const ended = await vi.waitFor(() => {
    const found = told.find((message) => message.type === 'footlights:CONNECTION_ENDED');
    if (found?.type !== 'footlights:CONNECTION_ENDED') throw new Error('it goes on');
    return found.payload;
  }, 25_000);
  const events = await eventsOf(server, stageArn, id);
  socket.terminate();
  await page.close();
  return { ended, events };
}

const eventsWith = (code: string) => ['JOINED', 'PUBLISH_STARTED', `PUBLISH_ERROR ${code}`, 'PUBLISH_STOPPED'];

test('a picture that is too large, and a connection that lasts too long, are ended with an event', async () => {
  const server = await startServer({ args: ['--max-publish-pixels', '60000', '--max-duration', '3'] });
  try {
    const large = await publishUntilEnded(server, 640);
    expect(large.ended).toMatchObject({ role: 'publish', code: 'RESOLUTION_EXCEEDED' });
    expect(large.events).toEqual(eventsWith('RESOLUTION_EXCEEDED'));
    const small = await publishUntilEnded(server, 320);
    expect(small.ended).toMatchObject({ role: 'publish', code: 'STREAM_DURATION_EXCEEDED' });
    expect(small.events).toEqual(eventsWith('STREAM_DURATION_EXCEEDED'));
    expect(server.output()).toContain('ended by the server');
  } finally {
    await server.dispose();
  }
});

test('a publisher that sends more bits than the limit is ended with an event', async () => {
  const server = await startServer({ args: ['--max-publish-bitrate', '60000'] });
  try {
    const { ended, events } = await publishUntilEnded(server, 640);
    expect(ended).toMatchObject({ role: 'publish', code: 'BITRATE_EXCEEDED' });
    expect(events).toEqual(eventsWith('BITRATE_EXCEEDED'));
  } finally {
    await server.dispose();
  }
});
