import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type IngestOptions, type Media, startMedia } from '@footlights/media';
import type { FastifyInstance } from 'fastify';
import { mediaAddress, publicEndpoints } from './addresses.ts';
import { BucketFolders, type Buckets, S3Buckets } from './buckets.ts';
import { type CallerOptions, Callers } from './callers.ts';
import { Compositions } from './compositions.ts';
import { type Config, loadConfig } from './config.ts';
import { type Endpoints, openSecrets, type Secrets, writeEndpoints } from './credentials.ts';
import { registerFeed } from './events/feed.ts';
import { EventSinks } from './events/index.ts';
import { registerGateway } from './gateway.ts';
import { createHttpApp } from './http.ts';
import { IceServers } from './ice-servers.ts';
import { createLog, type Log } from './log.ts';
import { registerMediaMetrics } from './media-metrics.ts';
import { MediaSnapshots } from './media-snapshots.ts';
import { createMetrics, type Metrics, registerHealth } from './metrics.ts';
import { registerPages } from './pages.ts';
import { RateLimits } from './rate-limits.ts';
import { Recordings } from './recordings.ts';
import { registerS3 } from './s3/index.ts';
import { ObjectFolders } from './s3/objects.ts';
import { endEarlierRun } from './signalling/earlier-run.ts';
import { registerEncoderSetup } from './signalling/encoder-setup.ts';
import { registerEvents } from './signalling/events-socket.ts';
import { Ingest } from './signalling/ingest.ts';
import { LiveStages } from './signalling/live-stages.ts';
import { registerStatistics } from './signalling/statistics.ts';
import { TokenAuthority } from './signalling/tokens.ts';
import { registerWhip } from './signalling/whip.ts';
import { messageOf, StartupError } from './startup-error.ts';
import { openStore, type Store } from './store/index.ts';
import { summary } from './summary.ts';
import { type IngestTls, ingestTls, readTls } from './tls.ts';

/** How long a stop may take before the process ends anyway. */
const drainTimeoutMs = 10_000;

/** To encoders that are earlier than the rest of the server. */
const starting = { refused: { code: 'UNAVAILABLE', message: 'The server is starting; try again.' } };

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
  const events = new EventSinks(config, { store, log });
  await events.start();
  await endEarlierRun(store, log, new Date());
  const tls = config.ingest ? ingestTls(config, new Date()) : undefined;
  const encoders: { ingest?: Ingest } = {};
  const authorize: IngestOptions['authorize'] = async (request) => encoders.ingest?.authorize(request) ?? starting;
  const media = await openMedia(config, log, tls && { tls, authorize });
  const recordings = openRecordings(config, { store, media, log });
  await recordings.closeUnfinished();
  const stages = new LiveStages(
    media,
    { ...stageOptions(config, { store, log }), recordings },
    {
      replicationsPerParticipant: config.quotas['replications-per-participant'],
    },
  );
  const ingest = new Ingest({ store, stages, media, log, now: () => new Date() });
  encoders.ingest = ingest;
  const server = new Server(config, { log, secrets, store, events, media, stages, ingest, recordings });
  const endpoints = await server.listen();
  writeEndpoints(config.dataDir, endpoints);
  const { region, accountId: account } = config;
  log.info({ endpoints, region, account, rtmpsFingerprint: tls?.fingerprint }, 'ready');
  const out = process.stdout.isTTY ? process.stdout : process.stderr;
  const { accessKeyId = '' } = secrets.accessKeys[0] ?? {};
  out.write(summary(config, endpoints, { accessKeyId, fingerprint: tls?.fingerprint }));
  stopOnSignal(server, log);
}

async function openMedia(
  config: Config,
  log: Log,
  encoders: { tls: IngestTls; authorize: IngestOptions['authorize'] } | undefined,
): Promise<Media> {
  const listenIp = await mediaAddress(config.host);
  const { mediaWorkers: workers, announceIps, mediaPort: port } = config;
  const limits = {
    publishBps: config.maxPublishBitrate,
    pixels: config.maxPublishPixels,
    durationMs: config.maxDuration * 1000,
    subscribeBps: config.maxSubscribeBitrate,
  };
  const workerPath = beside('./media-worker.mjs');
  try {
    const ingest = encoders && ingestOptions(config, listenIp, encoders);
    const recorder = { workerPath: beside('./recorder-worker.mjs'), spoolBytes: config.recordingSpool * 2 ** 20 };
    return await startMedia({ workers, listenIp, announceIps, port, workerPath, limits, log, ingest, recorder });
  } catch (error) {
    throw new StartupError(messageOf(error));
  }
}

function ingestOptions(
  { rtmpPort, rtmpsPort, ingestTranscode: transcode }: Config,
  host: string,
  { tls: { cert, key }, authorize }: { tls: IngestTls; authorize: IngestOptions['authorize'] },
): IngestOptions {
  const workerPath = beside('./ingest-worker.mjs');
  return { workerPath, host, rtmpPort, rtmpsPort, tls: { cert, key }, transcode, authorize };
}

function stageOptions(config: Config, { store, log }: { store: Store; log: Log }) {
  const { sessionEndDelay, publishersPerStage, participantsPerStage } = config;
  const now = () => new Date();
  return { store, log, now, sessionEndDelayMs: sessionEndDelay * 1000, publishersPerStage, participantsPerStage };
}

interface Parts {
  log: Log;
  secrets: Secrets;
  store: Store;
  events: EventSinks;
  media: Media;
  stages: LiveStages;
  ingest: Ingest;
  recordings: Recordings;
}

/** The composition root: every part of the main process, wired once. */
class Server {
  private readonly config: Config;
  private readonly parts: Parts;
  private readonly app: FastifyInstance;
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
    const { media, stages, log } = this.parts;
    registerEvents(this.app.server, { stages, tokens: this.tokens, log });
    const bound = this.app.server.address() as AddressInfo;
    this.endpoints = publicEndpoints(this.config, { http: bound.port, media: media.ports, ingest: media.ingestPorts });
    return this.endpoints;
  }

  /** No new joins, participants sent away, sessions closed, store flushed. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.parts.stages.drain();
    await this.parts.recordings.drain();
    await this.parts.media.shutdown();
    await this.parts.recordings.flushed();
    await this.app.close();
    this.compositions.close();
    await this.parts.events.close();
    await this.parts.store.close();
  }

  private async register(): Promise<void> {
    const { app, compositions, metrics, tokens } = this;
    const { events, ingest, log, media, secrets, stages, store } = this.parts;
    const callers: CallerOptions = {
      auth: this.config.auth,
      own: { account: this.config.accountId, region: this.config.region },
      keyOf: (accessKeyId) => secrets.keyOf(accessKeyId),
      now: () => new Date(),
    };
    registerHealth(app, { ready: () => this.endpoints !== undefined && !this.stopping, metrics });
    await registerPages(app, beside('./pages/'));
    const iceServers = new IceServers(this.config, () => new Date());
    await registerWhip(app, { media, stages, tokens, iceServers, log, whipUrl: () => this.url().whip });
    if (this.config.ingest) registerEncoderSetup(app, { ingest, endpoints: () => this.url(), limits: this.config });
    const snapshots = new MediaSnapshots(media);
    registerStatistics(app, { snapshots, stages, tokens });
    registerMediaMetrics(metrics.registry, snapshots);
    registerFeed(app, { outbox: store.outbox, callers: new Callers(callers) });
    events.registerMetrics(metrics);
    if (this.config.buckets === 'folder') {
      const folders = new ObjectFolders(bucketsFolder(this.config));
      registerS3(app, { folders, callers, storageConfigurations: store.storageConfigurations, log });
    }
    registerGateway(app, {
      context: {
        now: () => new Date(),
        store,
        endpoints: () => this.url(),
        tokens,
        live: stages,
        encoders: ingest,
        compositions,
        buckets: openBuckets(this.config),
        quotas: this.config.quotas,
      },
      callers,
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
    metrics.gauge('footlights_speakers', 'Participants that speak now.', () => stages.counts().speakers);
  }

  private url(): Endpoints {
    if (this.endpoints === undefined) throw new Error('the server is not listening yet');
    return this.endpoints;
  }
}

const bucketsFolder = ({ dataDir }: Config): string => join(dataDir, 'buckets');

function openRecordings(config: Config, parts: { store: Store; media: Media; log: Log }): Recordings {
  const { buckets, dataDir, region, s3Endpoint } = config;
  return new Recordings({
    ...parts,
    now: () => new Date(),
    transcode: config.recordingTranscode,
    folder: join(dataDir, 'recordings'),
    sinkOf: (bucket) =>
      buckets === 'folder'
        ? { type: 'folder', root: bucketsFolder(config), bucket }
        : { type: 's3', bucket, region, ...(s3Endpoint && { endpoint: s3Endpoint }) },
  });
}

function openBuckets(config: Config): Buckets {
  const { buckets, region, s3Endpoint } = config;
  if (buckets === 'folder') return new BucketFolders(bucketsFolder(config));
  return new S3Buckets({ endpoint: s3Endpoint, region });
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
