import { createHmac } from 'node:crypto';
import type { StoredEvent } from '../store/types.ts';
import type { EventSink } from './sink.ts';

/** How long a webhook has to answer. */
export const webhookTimeoutMs = 10_000;
/** Stages whose events are sent at once. */
const webhookParallel = 8;

export const webhookHeaders = {
  id: 'footlights-event-id',
  timestamp: 'footlights-timestamp',
  signature: 'footlights-signature',
} as const;

/** `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in lower-case hex; `timestamp` is in whole Unix seconds. */
export function webhookSignature(secret: string, timestamp: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Events as the bodies of POST requests. Any 2xx takes the event; no redirect is followed, for it could lead anywhere. */
export class WebhookSink implements EventSink {
  readonly name = 'webhook';
  readonly parallel = webhookParallel;
  readonly #url: string;
  readonly #secret: string;
  readonly #timeoutMs: number;

  constructor({ url, secret, timeoutMs = webhookTimeoutMs }: { url: string; secret: string; timeoutMs?: number }) {
    this.#url = url;
    this.#secret = secret;
    this.#timeoutMs = timeoutMs;
  }

  async deliver({ event }: StoredEvent, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify(event);
    // Each try is signed anew: receivers may refuse old timestamps.
    const timestamp = Math.floor(Date.now() / 1000);
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'footlights',
        [webhookHeaders.id]: event.id,
        [webhookHeaders.timestamp]: String(timestamp),
        [webhookHeaders.signature]: webhookSignature(this.#secret, timestamp, body),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
    }).catch((error: Error) => {
      throw error.cause instanceof Error ? error.cause : error;
    });
    // What the receiver has to say is not waited for.
    await response.body?.cancel().catch(() => {});
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
  }
}
