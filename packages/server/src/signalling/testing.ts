import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Accepted,
  AcceptRequest,
  Layers,
  Media,
  MediaEvent,
  MediaStatistics,
  RecordingEvent,
  RecordingOptions,
} from '@footlights/media';
import { formatArn, newResourceId, type TokenClaims } from '@footlights/model';
import { createLog, type Log } from '../log.ts';
import { openStore, type Store } from '../store/index.ts';
import { LiveStages } from './live-stages.ts';
import { TokenAuthority } from './tokens.ts';

/** Media without packets, for tests of what stands around it: offers are answered, events come when the test says so. */
export class FakeMedia implements Media {
  readonly ports = [7071];
  readonly requests: AcceptRequest[] = [];
  /** Thrown instead of an answer while set. */
  failure: Error | undefined;
  /** What `layers` answers, by connection. */
  readonly layersOf = new Map<string, Layers>();
  /** Whether offers are answered with several layers. */
  layered = false;
  /** What was said of each connection's video, in order. */
  readonly videoStopped: [connectionId: string, stopped: boolean][] = [];
  /** Connections that were asked to be closed. */
  readonly closed: string[] = [];
  private readonly listeners: ((event: MediaEvent) => void)[] = [];

  async accept(request: AcceptRequest): Promise<Accepted> {
    if (this.failure) throw this.failure;
    this.requests.push(request);
    return { answer: 'v=0\r\n', tracks: { audio: 'opus', video: 'H264' }, layered: this.layered };
  }

  setVideoStopped(connectionId: string, stopped: boolean): void {
    this.videoStopped.push([connectionId, stopped]);
  }

  async layers(connectionId: string): Promise<Layers | undefined> {
    return this.layersOf.get(connectionId);
  }

  async chooseLayer(connectionId: string, encodingId: string | undefined): Promise<boolean> {
    const known = this.layersOf.get(connectionId);
    if (!known || (encodingId !== undefined && !known.layers.some((layer) => layer.encodingId === encodingId)))
      return false;
    known.automatic = encodingId === undefined;
    for (const layer of known.layers) layer.selected = layer.encodingId === (encodingId ?? known.layers[0]?.encodingId);
    return true;
  }

  close(connectionId: string): void {
    this.closed.push(connectionId);
    this.emit({ type: 'closed', connectionId, reason: 'requested' });
  }

  on(listener: (event: MediaEvent) => void): void {
    this.listeners.push(listener);
  }

  emit(event: MediaEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** The connection of the newest offer comes up. */
  connectLast(): string {
    const connectionId = this.requests.at(-1)?.connectionId ?? '';
    this.emit({ type: 'connected', connectionId });
    return connectionId;
  }

  /** What was asked of recordings, in order. */
  readonly recordings: { id: string; what: 'record' | 'pause' | 'end'; connectionId?: string }[] = [];
  private readonly recordingListeners: ((event: RecordingEvent) => void)[] = [];

  record({ id }: RecordingOptions, connectionId?: string): void {
    this.recordings.push({ id, what: 'record', ...(connectionId && { connectionId }) });
  }

  pauseRecording(id: string): void {
    this.recordings.push({ id, what: 'pause' });
  }

  endRecording(id: string): void {
    this.recordings.push({ id, what: 'end' });
  }

  onRecording(listener: (event: RecordingEvent) => void): void {
    this.recordingListeners.push(listener);
  }

  emitRecording(event: RecordingEvent): void {
    for (const listener of this.recordingListeners) listener(event);
  }

  async statistics(): Promise<MediaStatistics> {
    return { workers: [] };
  }

  async shutdown(): Promise<void> {}
}

export const account = '123456789012';
export const region = 'us-west-2';

/** Live stages over a real store in a folder of its own, with one stage made. */
export async function openTestStages(
  options: { sessionEndDelayMs?: number; publishers?: number; participants?: number; log?: Log } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'footlights-test-'));
  const store = await openStore(join(folder, 'footlights.db'));
  const media = new FakeMedia();
  const log = options.log ?? createLog({ level: 'silent' });
  const stages = new LiveStages(media, {
    store,
    log,
    now: () => new Date(),
    sessionEndDelayMs: options.sessionEndDelayMs ?? 60_000,
    publishersPerStage: options.publishers ?? 12,
    participantsPerStage: options.participants ?? 10_000,
  });
  const tokens = new TokenAuthority(generateKeyPairSync('ec', { namedCurve: 'P-384' }), {
    publicKeyOf: async (arn) => (await store.publicKeys.get(arn))?.publicKeyMaterial,
    now: () => new Date(),
  });
  const stageArn = await createTestStage(store);
  const close = async () => {
    await stages.drain();
    await store.close();
    rmSync(folder, { recursive: true });
  };
  return { store, media, stages, tokens, stageArn, log, close };
}

/** A stage in the store; returns its ARN. */
export async function createTestStage(store: Store): Promise<string> {
  const arn = formatArn({ region, account, type: 'stage', id: newResourceId() });
  const recording = {
    storageConfigurationArn: '',
    mediaTypes: ['AUDIO_VIDEO' as const],
    thumbnailConfiguration: {
      targetIntervalSeconds: 60,
      storage: ['SEQUENTIAL' as const],
      recordingMode: 'DISABLED' as const,
    },
    recordingReconnectWindowSeconds: 0,
    hlsConfiguration: { targetSegmentDurationSeconds: 6 },
    recordParticipantReplicas: true,
  };
  await store.createStage({ arn, account, region, name: '', tags: {}, recording, createdAt: new Date().toISOString() });
  return arn;
}

/** Claims of a token for the stage that may do everything. */
export function claimsFor(stageArn: string, more: Partial<TokenClaims> = {}): TokenClaims {
  const now = Math.floor(Date.now() / 1000);
  return {
    iat: now,
    exp: now + 600,
    jti: newResourceId(),
    resource: stageArn,
    topic: stageArn.split('/')[1] ?? '',
    events_url: 'ws://127.0.0.1:7070/events',
    whip_url: 'http://127.0.0.1:7070/whip',
    capabilities: { allow_publish: true, allow_subscribe: true },
    version: '1.0',
    ...more,
  };
}
