import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { recordingStarted } from './bus-event.ts';
import { WebhookSink, webhookSignature } from './webhook-sink.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function receiver(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`;
}

const recording = {
  stageArn: 'arn:aws:ivs:us-west-2:123456789012:stage/AbCdEf123456',
  sessionId: 'st',
  participantId: 'é',
  bucketName: 'b',
  prefix: 'p',
};
const event = { id: 1, event: recordingStarted(recording, new Date()).event };
const never = new AbortController().signal;
const deliver = (url: string, timeoutMs?: number) =>
  new WebhookSink({ url, secret: 'secret', ...(timeoutMs !== undefined && { timeoutMs }) }).deliver(event, never);

it('signs time and body', async () => {
  const seen: { headers: IncomingHttpHeaders; body: string; url: string | undefined }[] = [];
  const url = await receiver(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ headers: request.headers, body, url: request.url });
    response.writeHead(204).end();
  });
  await deliver(url);
  const [{ headers, body, url: path } = { headers: {}, body: '', url: '' }] = seen;
  expect(path).toBe('/hook?key=1');
  expect(JSON.parse(body)).toEqual(event.event);
  expect(headers['footlights-event-id']).toBe(event.event.id);
  const timestamp = Number(headers['footlights-timestamp']);
  expect(Math.abs(timestamp - Date.now() / 1000)).toBeLessThan(5);
  expect(headers['footlights-signature']).toBe(webhookSignature('secret', timestamp, body));
});

it('computes the signature as its documentation says', () => {
  // echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
  expect(webhookSignature('secret', 1_700_000_000, '{"a":1}')).toBe(
    'v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686',
  );
});

it.each([400, 404, 500, 503])('is refused by %d', async (status) => {
  const url = await receiver((_request, response) => response.writeHead(status).end('no'));
  await expect(deliver(url)).rejects.toThrow(`the webhook answered ${status}`);
});

it('follows no redirect', async () => {
  let followed = false;
  const other = await receiver((_request, response) => {
    followed = true;
    response.end();
  });
  const url = await receiver((_request, response) => response.writeHead(307, { location: other }).end());
  await expect(deliver(url)).rejects.toThrow('the webhook answered 307');
  expect(followed).toBe(false);
});

it('waits neither for an answer nor for the end of one for ever', async () => {
  const silent = await receiver(() => {});
  await expect(deliver(silent, 100)).rejects.toThrow(/timeout/i);
  const endless = await receiver((_request, response) => response.writeHead(200).write('x'));
  await deliver(endless, 5_000);
});

it('says what is wrong with the connection', async () => {
  const url = await receiver((request) => request.socket.destroy());
  await expect(deliver(url)).rejects.toThrow();
  servers[0]?.close();
  await expect(deliver('http://127.0.0.1:1/')).rejects.toThrow();
});
