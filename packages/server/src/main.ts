import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Media, startMedia } from '@footlights/media';
import type { FastifyInstance } from 'fastify';
import { mediaAddress, publicEndpoints } from './addresses.ts';
import { BucketFolders, type Buckets, S3Buckets } from './buckets.ts';
import { Compositions } from './compositions.ts';
import { type Config, loadConfig } from './config.ts';
import { type Endpoints, openSecrets, type Secrets, writeEndpoints } from './credentials.ts';
import { registerGateway } from './gateway.ts';
import { createHttpApp } from './http.ts';
import { createLog, type Log } from './log.ts';
import { registerMediaMetrics } from './media-metrics.ts';
import { createMetrics, type Metrics, registerHealth } from './metrics.ts';
import { registerPages } from './pages.ts';
import { RateLimits } from './rate-limits.ts';
import { registerEvents } from './signalling/events-socket.ts';
import { LiveStages } from './signalling/live-stages.ts';
import { registerStatistics } from './signalling/statistics.ts';
import { TokenAuthority } from './signalling/tokens.ts';
import { registerWhip } from './signalling/whip.ts';
import { messageOf, StartupError } from './startup-error.ts';
import { openStore, type Store } from './store/index.ts';
import { summary } from './summary.ts';

/** How long a stop may take before the process ends anyway. */
const drainTimeoutMs = 10_000;

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** `footlights start`: runs the server until SIGTERM or SIGINT. A failed start is one line on stderr and exit code 1. */
export async function start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const config = loadConfig(argv, env);
    if ('help' in config) process.stdout.write(config.help);
    else await run(config);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`footlights: ${messageOf(error)}\n`);
    process.exit(1);
  }
}

async function run(config: Config): Promise<void> {
  const log = createLog({ level: config.logLevel });
  const secrets = openSecrets(config.dataDir);
  const store = await openStore(join(config.dataDir, 'footlights.db'));
  await endSessionsOfEarlierRun(store, log);
  const media = await openMedia(config, log);
  const server = new Server(config, { log, secrets, store, media });
  const endpoints = await server.listen();
  writeEndpoints(config.dataDir, endpoints);
  log.info({ endpoints, region: config.region, account: config.accountId }, 'ready');
  const out = process.stdout.isTTY ? process.stdout : process.stderr;
  out.write(summary(config, endpoints, secrets.accessKeys[0]?.accessKeyId ?? ''));
  stopOnSignal(server, log);
}

async function endSessionsOfEarlierRun(store: Store, log: Log): Promise<void> {
  const ended = await store.endOpenSessions(new Date().toISOString());
  if (ended > 0) log.warn({ sessions: ended }, 'sessions that an earlier run left open were ended');
}

async function openMedia(config: Config, log: Log): Promise<Media> {
  const listenIp = await mediaAddress(config.host);
  const { mediaWorkers: workers, announceIp, mediaPort: port } = config;
  try {
    return await startMedia({ workers, listenIp, announceIp, port, workerPath: beside('./media-worker.mjs'), log });
  } catch (error) {
    throw new StartupError(messageOf(error));
  }
}

interface Parts {
  log: Log;
  secrets: Secrets;
  store: Store;
  media: Media;
}

/** The composition root: every part of the main process, wired once. */
class Server {
  private readonly config: Config;
  private readonly parts: Parts;
  private readonly app: FastifyInstance;
  private readonly stages: LiveStages;
  private readonly tokens: TokenAuthority;
  private readonly compositions: Compositions;
  private readonly metrics: Metrics = createMetrics();
  private endpoints: Endpoints | undefined;
  private stopping = false;

  constructor(config: Config, parts: Parts) {
    this.config = config;
    this.parts = parts;
    this.app = createHttpApp({ tls: readTls(config) });
    this.tokens = new TokenAuthority(parts.secrets.tokenKey, {
      publicKeyOf: async (arn) => (await parts.store.publicKeys.get(arn))?.publicKeyMaterial,
      now: () => new Date(),
    });
    this.compositions = new Compositions({ store: parts.store, log: parts.log, now: () => new Date() });
    this.stages = new LiveStages(
      parts.media,
      {
        store: parts.store,
        log: parts.log,
        now: () => new Date(),
        sessionEndDelayMs: config.sessionEndDelay * 1000,
        publishersPerStage: config.publishersPerStage,
        participantsPerStage: config.participantsPerStage,
      },
      { replicationsPerParticipant: config.quotas['replications-per-participant'] },
    );
  }

  /** Opens the HTTP port and returns the URLs that clients are told. */
  async listen(): Promise<Endpoints> {
    await this.compositions.resume();
    await this.register();
    const { host, port } = this.config;
    try {
      await this.app.listen({ host, port });
    } catch (error) {
      await Promise.all([this.parts.media.shutdown(), this.parts.store.close()]);
      throw new StartupError(listenFailure(error, this.config));
    }
    registerEvents(this.app.server, { stages: this.stages, tokens: this.tokens, log: this.parts.log });
    const bound = this.app.server.address() as AddressInfo;
    this.endpoints = publicEndpoints(this.config, bound.port, this.parts.media.ports);
    return this.endpoints;
  }

  /** No new joins, participants sent away, sessions closed, store flushed. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.stages.drain();
    await this.parts.media.shutdown();
    await this.app.close();
    this.compositions.close();
    await this.parts.store.close();
  }

  private async register(): Promise<void> {
    const { app, compositions, metrics, stages, tokens } = this;
    const { log, media, secrets, store } = this.parts;
    registerHealth(app, { ready: () => this.endpoints !== undefined && !this.stopping, metrics });
    await registerPages(app, beside('./pages/'));
    await registerWhip(app, { media, stages, tokens, log, whipUrl: () => this.url().whip });
    registerStatistics(app, { media, stages, tokens });
    registerMediaMetrics(metrics.registry, media);
    registerGateway(app, {
      context: {
        now: () => new Date(),
        store,
        endpoints: () => this.url(),
        tokens,
        live: stages,
        compositions,
        buckets: openBuckets(this.config),
        quotas: this.config.quotas,
      },
      callers: {
        auth: this.config.auth,
        own: { account: this.config.accountId, region: this.config.region },
        keyOf: (accessKeyId) => secrets.keyOf(accessKeyId),
        now: () => new Date(),
      },
      rateLimits: new RateLimits(this.config.rateLimits),
      metrics,
      log,
    });
    metrics.gauge('footlights_participants', 'Participants that are joined.', () => stages.counts().participants);
    metrics.gauge('footlights_publishers', 'Participants that are publishing.', () => stages.counts().publishers);
    metrics.gauge(
      'footlights_subscriptions',
      'Connections that receive a publisher.',
      () => stages.counts().subscriptions,
    );
  }

  private url(): Endpoints {
    if (this.endpoints === undefined) throw new Error('the server is not listening yet');
    return this.endpoints;
  }
}

function openBuckets({ buckets, dataDir, region, s3Endpoint }: Config): Buckets {
  if (buckets === 'folder') return new BucketFolders(join(dataDir, 'buckets'));
  return new S3Buckets({ endpoint: s3Endpoint, region });
}

function readTls({ tlsCert, tlsKey }: Config): { cert: string; key: string } | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const read = (option: string, path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new StartupError(`${option} ${path} cannot be read: ${messageOf(error)}`);
    }
  };
  return { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) };
}

function listenFailure(error: unknown, { host, port }: Config): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use; stop what uses it, or give another with --port (0 takes any free one)`;
  if (code === 'EACCES')
    return `port ${port} on ${host} is not permitted; ports below 1024 need privileges, give another with --port`;
  if (code === 'EADDRNOTAVAIL') return `--host ${host} is not an address of this machine`;
  return `cannot listen on ${host}:${port}: ${messageOf(error)}`;
}

/** A terminal, a shell and npm may each hand on the same Ctrl-C: signals this close together are one. */
const sameSignalMs = 1000;

/** SIGTERM and SIGINT drain and exit with 0; a later second one, or a drain that hangs, exits with 1. */
function stopOnSignal(server: Server, log: Log): void {
  let stoppedAt: number | undefined;
  const stop = (signal: NodeJS.Signals) => {
    if (stoppedAt !== undefined) {
      if (Date.now() - stoppedAt > sameSignalMs) process.exit(1);
      return;
    }
    stoppedAt = Date.now();
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), drainTimeoutMs).unref();
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
