import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  ApiError,
  encodeRequest,
  type HttpRequestParts,
  type Operation,
  type OperationName,
  operations,
  signRequest,
  type TokenClaims,
} from '@footlights/model';
import type { FastifyInstance } from 'fastify';
import { BucketFolders } from '../buckets.ts';
import { Compositions, type Timer } from '../compositions.ts';
import type { AccessKey } from '../credentials.ts';
import { registerGateway } from '../gateway.ts';
import { createHttpApp } from '../http.ts';
import { createLog } from '../log.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { awsQuotas, type QuotaName } from '../quotas.ts';
import { RateLimits } from '../rate-limits.ts';
import { openStore, type Store } from '../store/index.ts';

export const account = '123456789012';
export const region = 'us-west-2';
export const credentials = { accessKeyId: 'FLKEYTEST', secretAccessKey: 'a secret' };
export const endpoints = {
  events: 'ws://127.0.0.1:7070/events',
  whip: 'http://127.0.0.1:7070/whip',
  rtmp: 'rtmp://127.0.0.1:1935/app/',
  rtmps: 'rtmps://127.0.0.1:1936/app/',
};

/** An answer of the API, as its reader sees it. */
export interface Answer {
  status: number;
  /** From x-amzn-ErrorType. */
  error: string | undefined;
  message: string;
  body: Record<string, unknown>;
  headers: Record<string, unknown>;
}

/** What a test may change of a request: before it is signed, or how. */
export interface Sending {
  parts?: Partial<HttpRequestParts>;
  sign?: Partial<Parameters<typeof signRequest>[1]> | false;
  /** Headers that are added after signing. */
  headers?: Record<string, string>;
}

/** The API over a real database, with stages that are never live. */
export class Harness {
  readonly store: Store;
  readonly app: FastifyInstance;
  readonly metrics: Metrics = createMetrics();
  readonly logLines: string[] = [];
  /** The claims of every token that was issued. */
  readonly issued: TokenClaims[] = [];
  /** Calls of LiveStages and Encoders, in order. */
  readonly liveCalls: unknown[][] = [];
  /** Participants that LiveStages knows. */
  readonly livePeople = new Set<string>();
  /** Stages that LiveStages says are published to. */
  readonly publishing = new Set<string>();
  readonly compositions: Compositions;
  readonly keys: AccessKey[] = [credentials];
  readonly rateLimits: Partial<Record<OperationName, number>> = {};
  /** What was put off, by when it is due. */
  readonly timers = new Map<() => void, number>();
  readonly quotas: Record<QuotaName, number> = { ...awsQuotas };
  time = Date.UTC(2026, 0, 1, 12);
  readonly folder: string;

  static async open(options: { auth?: boolean; region?: string } = {}): Promise<Harness> {
    const folder = mkdtempSync(join(tmpdir(), 'footlights-api-'));
    return new Harness(folder, await openStore(join(folder, 'a.db')), options);
  }

  private constructor(folder: string, store: Store, options: { auth?: boolean; region?: string }) {
    this.folder = folder;
    this.store = store;
    const log = createLog({
      ...{ level: 'debug', terminal: false },
      output: { write: (line) => void this.logLines.push(line) },
    });
    this.compositions = new Compositions({ store, log, now: () => new Date(this.time), timer: this.#timer });
    this.app = createHttpApp();
    registerGateway(this.app, {
      context: {
        now: () => new Date(this.time),
        store,
        endpoints: () => endpoints,
        compositions: this.compositions,
        buckets: new BucketFolders(join(folder, 'buckets')),
        quotas: this.quotas,
        tokens: { issue: async (claims) => `token-${this.issued.push(claims)}` },
        encoders: { end: async (arn) => void this.liveCalls.push(['endEncoders', arn]) },
        live: {
          stageDeleted: async (arn) => void this.liveCalls.push(['stageDeleted', arn, await store.getStage(arn)]),
          disconnectParticipant: async (...call) => {
            this.liveCalls.push(['disconnectParticipant', ...call]);
            return this.livePeople.has(call[1]);
          },
          isPublishing: (arn) => this.publishing.has(arn),
          startReplication: async (request) => {
            this.liveCalls.push(['startReplication', request]);
            const { sourceStageArn, participantId } = request;
            if (!this.livePeople.has(participantId))
              throw new ApiError('ResourceNotFoundException', `Participant not found: ${participantId}`);
            if (!this.publishing.has(sourceStageArn))
              throw new ApiError('ConflictException', `${participantId} is not publishing`);
          },
          stopReplication: async (...call) => {
            this.liveCalls.push(['stopReplication', ...call]);
            return this.livePeople.has(call[0].participantId);
          },
        },
      },
      callers: {
        auth: options.auth ?? true,
        own: { account, region: options.region ?? region },
        keyOf: (id) => this.keys.find(({ accessKeyId }) => accessKeyId === id),
        now: () => new Date(this.time),
      },
      rateLimits: new RateLimits(this.rateLimits, () => this.time),
      metrics: this.metrics,
      log,
    });
  }

  /** From now on nothing can be read or written. */
  breakStore(): void {
    const fail = async () => {
      throw new Error('the disk is gone');
    };
    const { storageConfigurations, encoderConfigurations, ingestConfigurations, publicKeys, compositions } = this.store;
    for (const reader of [storageConfigurations, encoderConfigurations, ingestConfigurations, publicKeys, compositions])
      Object.assign(reader, { get: fail, list: fail });
    Object.assign(this.store, { change: fail, getStage: fail, updateStage: fail });
  }

  readonly #timer: Timer = (milliseconds, run) => {
    this.timers.set(run, this.time + milliseconds);
    return () => this.timers.delete(run);
  };

  /** Lets time pass, and everything happen that was put off until then. */
  async pass(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    for (const [run, due] of this.timers) {
      if (due > this.time) continue;
      this.timers.delete(run);
      run();
    }
    // Writes settle in the order in which they were asked for: behind this one, those of the timers are done.
    await this.store.change(async () => {});
    await nextTurn();
  }

  async close(): Promise<void> {
    this.compositions.close();
    await this.app.close();
    await this.store.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Calls an operation as an SDK does. */
  async call(name: OperationName, input: Record<string, unknown> = {}, sending: Sending = {}): Promise<Answer> {
    const operation: Operation = operations[name];
    const { body = '', headers, ...line } = encodeRequest(operation, input);
    return this.send({ ...line, headers: { host: 'localhost', ...headers }, body: Buffer.from(body) }, sending);
  }

  /** The output of a call that must succeed. */
  async output(name: OperationName, input: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { status, message, body } = await this.call(name, input);
    if (status !== 200) throw new Error(`${name}: ${status} ${message}`);
    return body;
  }

  /** The ARN of a new stage. */
  async newStage(input: Record<string, unknown> = {}): Promise<string> {
    const { stage } = await this.output('CreateStage', input);
    return (stage as { arn: string }).arn;
  }

  /** Sends a request as it is, signed unless told otherwise. */
  async send(request: HttpRequestParts, { parts, sign = {}, headers = {} }: Sending = {}): Promise<Answer> {
    const whole = { ...request, ...parts };
    const options = { credentials, region, service: 'ivs', now: new Date(this.time), ...(sign || {}) };
    const signature = sign === false ? {} : signRequest(whole, options);
    const { rawPath, rawQuery, method } = whole;
    const response = await this.app.inject({
      method: method as 'POST',
      url: rawQuery ? `${rawPath}?${rawQuery}` : rawPath,
      headers: { ...whole.headers, ...signature, ...headers },
      ...(whole.body.length > 0 && { payload: Buffer.from(whole.body) }),
    });
    const body = response.headers['content-type'] === 'application/json' ? response.json() : {};
    return {
      status: response.statusCode,
      error: response.headers['x-amzn-errortype']?.toString(),
      message: body.message ?? '',
      body,
      headers: response.headers,
    };
  }
}
