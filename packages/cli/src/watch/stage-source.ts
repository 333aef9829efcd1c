// What is known of a stage: the API's words for it, and the counters of its media connections.
//
// It is asked for, not listened to: an events socket would make whoever watches a participant, seen by all and holding
// the session open. A token of the stage is needed for the counters alone, and joins nothing.

import { operations, parseArn } from '@footlights/model';
import type { Caller } from '../call.ts';
import { loadSettings } from '../config.ts';
import { CliError } from '../errors.ts';
import type { Globals } from '../globals.ts';
import { parseEndpoint } from '../globals.ts';
import { proxyFor } from '../proxy.ts';
import { callerWith } from '../service-caller.ts';
import { send } from '../transport.ts';
import { userAgent } from '../version.ts';
import { type ParticipantCounters, ratesOf, type Sample } from './rates.ts';
import type { ParticipantRow, StageView } from './view.ts';

/** Seconds before its end at which a token is renewed; tokens last `tokenMinutes`. */
const renewal = 60;
const tokenMinutes = 60;

interface Participant {
  participantId: string;
  userId?: string;
  state?: string;
}

/** Reads a stage again and again. */
export class StageSource {
  readonly #stageArn: string;
  readonly #globals: Globals;
  readonly #env: NodeJS.ProcessEnv;
  readonly #calls: Record<'getStage' | 'listParticipants' | 'createToken', Caller>;
  #token: { text: string; expires: number } | undefined;
  #last: Sample | undefined;
  /** Why there are no counters; nothing is asked for them any more. */
  #notice: string | undefined;

  constructor(stageArn: string, globals: Globals, env: NodeJS.ProcessEnv) {
    this.#stageArn = stageArn;
    this.#globals = globals;
    this.#env = env;
    this.#calls = {
      getStage: callerWith(operations.GetStage, globals, env),
      listParticipants: callerWith(operations.ListParticipants, globals, env),
      createToken: callerWith(operations.CreateParticipantToken, globals, env),
    };
  }

  /** The stage now; throws CliError when the API refuses. */
  async read(): Promise<StageView> {
    const { stage = {} } = (await this.#calls.getStage({ arn: this.#stageArn })) as {
      stage?: { name?: string; activeSessionId?: string };
    };
    const sessionId = stage.activeSessionId || undefined;
    const [participants, sample] = await Promise.all([this.#participants(sessionId), this.#counters()]);
    const view = {
      time: new Date().toISOString(),
      stageArn: this.#stageArn,
      name: stage.name ?? '',
      sessionId,
      participants: participants.map((participant) => this.#row(participant, sample)),
      ...(this.#notice !== undefined && { notice: this.#notice }),
    };
    this.#last = sample;
    return view;
  }

  /** Those who are connected, page by page. */
  async #participants(sessionId: string | undefined): Promise<Participant[]> {
    if (sessionId === undefined) return [];
    const found: Participant[] = [];
    let nextToken: string | undefined;
    do {
      const page = (await this.#calls.listParticipants({
        stageArn: this.#stageArn,
        sessionId,
        filterByState: 'CONNECTED',
        ...(nextToken !== undefined && { nextToken }),
      })) as { participants?: Participant[]; nextToken?: string };
      found.push(...(page.participants ?? []));
      nextToken = page.nextToken || undefined;
    } while (nextToken !== undefined);
    return found;
  }

  #row({ participantId, userId = '', state = '' }: Participant, sample: Sample | undefined): ParticipantRow {
    return { participantId, userId, state, ...(sample && ratesOf(participantId, sample, this.#last)) };
  }

  async #counters(): Promise<Sample | undefined> {
    if (this.#notice !== undefined) return undefined;
    try {
      return await this.#askCounters(await this.#freshToken());
    } catch (error) {
      if (!(error instanceof CliError || error instanceof NoCounters)) throw error;
      this.#notice = `no bitrates: ${error.message.replace(/\s+/g, ' ').trim()}`;
      return undefined;
    }
  }

  async #freshToken(): Promise<string> {
    if (this.#token && this.#token.expires - Date.now() > renewal * 1000) return this.#token.text;
    const { participantToken } = (await this.#calls.createToken({
      stageArn: this.#stageArn,
      userId: 'footlights-watch',
      duration: tokenMinutes,
      capabilities: ['SUBSCRIBE'],
    })) as { participantToken?: { token?: string } };
    const text = participantToken?.token ?? '';
    this.#token = { text, expires: Date.now() + tokenMinutes * 60_000 };
    return text;
  }

  async #askCounters(token: string): Promise<Sample> {
    const { endpoint, caBundle } = loadSettings(this.#globals, this.#env);
    const base = parseEndpoint(endpoint);
    const rawPath = `${base.pathname.replace(/\/$/, '')}/stages/${parseArn(this.#stageArn)?.id ?? ''}/statistics`;
    const headers = { host: base.host, authorization: `Bearer ${token}`, 'user-agent': userAgent };
    const answer = await send(
      base.origin + rawPath,
      { method: 'GET', rawPath, rawQuery: '', headers, body: new Uint8Array() },
      { ...this.#globals, caBundle, proxy: proxyFor(base, this.#env) },
    ).catch((error: Error) => {
      throw new NoCounters(error.message);
    });
    const counters = answer.status === 200 ? parseStatistics(answer.body) : undefined;
    if (!counters) throw new NoCounters(`this server has no statistics of version ${statisticsVersion}`);
    return { at: Date.now(), ...counters };
  }
}

class NoCounters extends Error {}

/** The version of the server's statistics that is understood here. */
const statisticsVersion = 1;

function parseStatistics(body: string): Omit<Sample, 'at'> | undefined {
  try {
    const { version, participants, speakers } = JSON.parse(body) as {
      version: unknown;
      participants: ParticipantCounters[];
      speakers: { participantId: string }[];
    };
    if (version !== statisticsVersion || !Array.isArray(participants) || !Array.isArray(speakers)) return undefined;
    return { participants, speakers: speakers.map(({ participantId }) => participantId) };
  } catch {
    return undefined;
  }
}
