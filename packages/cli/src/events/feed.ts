// The server's feed of events, asked again and again: each answer waits on the server until there is something to tell.

import { type HttpRequestParts, signRequest } from '@footlights/model';
import { loadSettings } from '../config.ts';
import { CliError, exitCodes } from '../errors.ts';
import { type Globals, parseEndpoint } from '../globals.ts';
import { proxyFor } from '../proxy.ts';
import { type HttpAnswer, send } from '../transport.ts';
import { userAgent } from '../version.ts';
import type { BusEvent } from './line.ts';

/** Most events that the server gives at once. */
export const feedLimit = 1_000;
/** Seconds that the server may wait: less than what proxies and the read timeout allow by default. */
const waitSeconds = 20;

/** The events of one account and region, or of one stage, in their order. */
export class EventFeed {
  readonly #globals: Globals;
  readonly #env: NodeJS.ProcessEnv;
  readonly #stageArn: string | undefined;
  #after = 0;

  constructor(globals: Globals, env: NodeJS.ProcessEnv, stageArn: string | undefined) {
    this.#globals = globals;
    this.#env = env;
    this.#stageArn = stageArn;
  }

  /** The newest ones, the oldest of them first. */
  newest(last: number): Promise<BusEvent[]> {
    return this.#ask({ last: String(last) });
  }

  /** Those after the ones that were read; none when there were none for a while. */
  next(): Promise<BusEvent[]> {
    return this.#ask({ after: String(this.#after), wait: String(waitSeconds) });
  }

  async #ask(query: Record<string, string>): Promise<BusEvent[]> {
    const stage: Record<string, string> = this.#stageArn === undefined ? {} : { stage: this.#stageArn };
    const answer = await this.#send(new URLSearchParams({ ...query, ...stage }).toString());
    const { events, next } = parseAnswer(answer);
    this.#after = next;
    return events.map(({ event }) => event);
  }

  /** Settings are read each time: a server that was started anew may have another port. */
  async #send(rawQuery: string): Promise<HttpAnswer> {
    const settings = loadSettings(this.#globals, this.#env);
    const base = parseEndpoint(settings.endpoint);
    const rawPath = `${base.pathname.replace(/\/$/, '')}/events/feed`;
    const unsigned: HttpRequestParts = {
      method: 'GET',
      rawPath,
      rawQuery,
      headers: { host: base.host, 'user-agent': userAgent },
      body: new Uint8Array(),
    };
    const credentials = await settings.credentials();
    const { region } = settings;
    const signature = credentials
      ? signRequest(unsigned, { credentials, region, service: 'ivs', now: new Date() })
      : {};
    const request = { ...unsigned, headers: { ...unsigned.headers, ...signature } };
    const options = { ...this.#globals, caBundle: settings.caBundle, proxy: proxyFor(base, this.#env) };
    return send(`${base.origin}${rawPath}?${rawQuery}`, request, options).catch((error: Error) => {
      throw new CliError(exitCodes.other, error.message);
    });
  }
}

function parseAnswer({ status, body, headers }: HttpAnswer): { events: { event: BusEvent }[]; next: number } {
  const answer = parseJson(body);
  if (status === 200 && Array.isArray(answer?.events) && typeof answer.next === 'number')
    return answer as { events: { event: BusEvent }[]; next: number };
  // Behind a proxy this is a server that is away.
  if (status >= 500) throw new CliError(exitCodes.other, `The server answered ${status}`);
  const code = headers['x-amzn-errortype'];
  if (code === undefined)
    throw new CliError(exitCodes.service, `This server has no events to tail (it answered ${status})`);
  const said = answer?.message ?? answer?.exceptionMessage ?? status;
  throw new CliError(exitCodes.service, `An error occurred (${code}) when reading events: ${said}`);
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
