import { createHash, timingSafeEqual } from 'node:crypto';
import { type IngestAnswer, type IngestRequest, LogBudget, type Media } from '@footlights/media';
import { formatArn, parseArn } from '@footlights/model';
import type { Log } from '../log.ts';
import type { IngestConfigurationRecord, Resources, Store } from '../store/index.ts';
import type { LiveStage } from './live-stage.ts';
import type { LiveStages } from './live-stages.ts';
import type { EncoderIdentity, Identity } from './participant.ts';
import { Refusal, toRefusal } from './refusal.ts';

/** What Ingest works with. */
export interface IngestSurroundings {
  store: Store;
  stages: LiveStages;
  media: Pick<Media, 'close' | 'on'>;
  log: Log;
  now(): Date;
}

/** What a stream key is for. */
export interface StreamKeyOwner {
  configuration: IngestConfigurationRecord;
  participantId: string;
}

/** A stream key that is in use, from the encoder's `publish` to the end of its connection. */
interface Publishing {
  readonly arn: string;
  readonly streamKey: string;
  /** Once a stage has let the encoder in. */
  admitted?: { stage: LiveStage; connectionId: string };
  /** Somebody took the configuration away meanwhile. */
  ended: boolean;
}

/** The participant that viewers know while encoders of a redundant ingest are on a stage. */
interface StandIn {
  readonly stage: LiveStage;
  readonly connectionId: string;
  readonly participantId: string;
}

/** Who publishes with stream keys: lets encoders in, and keeps the state of their ingest configurations. */
export class Ingest {
  readonly #surroundings: IngestSurroundings;
  readonly #refusals: LogBudget;
  /** By stream key. */
  readonly #publishing = new Map<string, Publishing>();
  /** By ingest configuration. */
  readonly #standIns = new Map<string, StandIn>();

  constructor(surroundings: IngestSurroundings) {
    this.#surroundings = surroundings;
    this.#refusals = new LogBudget((fields, message) => surroundings.log.info(fields, message));
    surroundings.media.on((event) => {
      if (event.type === 'closed') this.#closed(event.connectionId);
    });
  }

  /** Decides about an encoder that wants to publish. */
  async authorize(request: IngestRequest): Promise<IngestAnswer> {
    try {
      return { accepted: await this.#admit(request) };
    } catch (error) {
      const { code, message } = toRefusal(error);
      if (code === 'INTERNAL') this.#surroundings.log.error({ err: error }, 'an encoder could not be let in');
      const { address, protocol } = request;
      this.#refusals.say({ code, address, protocol }, 'encoder refused');
      return { refused: { code, message } };
    }
  }

  /** What the stream key is for; throws a Refusal when it is nobody's, or has no stage. */
  async ownerOf(streamKey: string): Promise<StreamKeyOwner> {
    const owner = await findOwner(this.#surroundings.store, streamKey);
    if (owner === undefined)
      throw new Refusal('INVALID_STREAM_KEY', 'There is no ingest configuration with this stream key.');
    if (owner.configuration.stageArn === '') throw withoutStage();
    return owner;
  }

  /** Disconnects the encoders of an ingest configuration; resolves when what this changed is durable. */
  async end(arn: string): Promise<void> {
    const ending = [...this.#publishing.values()].filter((publishing) => publishing.arn === arn);
    for (const publishing of ending) {
      publishing.ended = true;
      const { admitted } = publishing;
      if (admitted === undefined) continue;
      this.#surroundings.media.close(admitted.connectionId);
      admitted.stage.closed(admitted.connectionId);
    }
    await Promise.all(ending.map(({ admitted }) => admitted?.stage.flushed()));
  }

  async #admit({ streamKey, protocol }: IngestRequest) {
    const { store, stages } = this.#surroundings;
    const owner = await this.ownerOf(streamKey);
    const identity = identityOf(owner, protocol, this.#surroundings.now());
    const stage = await stages.of(identity.claims);
    const publishing = this.#reserve(owner, streamKey, identity, stage);
    try {
      await store.change((resources) => activate(resources, owner, streamKey));
      if (publishing.ended) throw withoutStage();
      const redundant = owner.configuration.redundantIngest
        ? this.#standIn(owner.configuration, stage, identity)
        : undefined;
      const { id: connectionId, participantId } = stage.admitEncoder(identity);
      publishing.admitted = { stage, connectionId };
      stages.watch(connectionId, stage);
      return {
        ...{ connectionId, stageId: stage.id, participantId },
        ...(redundant && {
          redundant: { connectionId: redundant.connectionId, participantId: redundant.participantId },
        }),
      };
    } catch (error) {
      await this.#release(publishing);
      throw error;
    }
  }

  /** The one that is there for the encoders of the configuration, else a new one. */
  #standIn({ arn, participantId }: IngestConfigurationRecord, stage: LiveStage, identity: Identity): StandIn {
    const known = this.#standIns.get(arn);
    if (known?.stage === stage) return known;
    const { isBehind: _, ...encoder } = identity.encoder as EncoderIdentity;
    const claims = { ...identity.claims, jti: participantId };
    const { id: connectionId } = stage.admitEncoder({ ...identity, claims, encoder });
    const standIn = { stage, connectionId, participantId };
    this.#surroundings.stages.watch(connectionId, stage);
    this.#standIns.set(arn, standIn);
    return standIn;
  }

  /** The last encoder that it stood for is gone. */
  #endStandIn(arn: string): void {
    const standIn = this.#standIns.get(arn);
    if (!standIn || !this.#standIns.delete(arn)) return;
    this.#surroundings.media.close(standIn.connectionId);
    standIn.stage.closed(standIn.connectionId);
  }

  /** Takes the stream key for one encoder; nothing may be awaited in between. */
  #reserve(owner: StreamKeyOwner, streamKey: string, { encoder }: Identity, stage: LiveStage): Publishing {
    const { arn, ingestProtocol } = owner.configuration;
    const refuse = (refusal: Refusal) => {
      stage.encoderRefused(owner.participantId, refusal);
      return refusal;
    };
    if (ingestProtocol === 'RTMPS' && encoder?.protocol === 'RTMP') {
      const message = 'The ingest configuration allows RTMPS alone: publish to the rtmps URL of the stage.';
      throw refuse(new Refusal('INVALID_PROTOCOL', message));
    }
    if (this.#publishing.has(streamKey)) {
      const message = 'Another encoder is publishing with this stream key.';
      throw refuse(new Refusal('REUSE_OF_STREAM_KEY', message));
    }
    const publishing: Publishing = { arn, streamKey, ended: false };
    this.#publishing.set(streamKey, publishing);
    return publishing;
  }

  #closed(connectionId: string): void {
    for (const [arn, standIn] of this.#standIns) if (standIn.connectionId === connectionId) this.#standIns.delete(arn);
    for (const publishing of this.#publishing.values()) {
      if (publishing.admitted?.connectionId !== connectionId) continue;
      this.#release(publishing).catch((error: unknown) => {
        this.#surroundings.log.error({ err: error }, 'the state of an ingest configuration could not be stored');
      });
    }
  }

  /** The stream key is free again; its configuration is INACTIVE unless the other way of redundant ingest is in use. */
  async #release({ arn, streamKey }: Publishing): Promise<void> {
    this.#publishing.delete(streamKey);
    if ([...this.#publishing.values()].some((other) => other.arn === arn)) return;
    this.#endStandIn(arn);
    await this.#surroundings.store.change(({ ingestConfigurations }) =>
      ingestConfigurations.update(arn, () => ({ state: 'INACTIVE' })),
    );
  }
}

/** After a crash nobody publishes: makes every ingest configuration INACTIVE. */
export function resetIngestConfigurations(store: Store): Promise<void> {
  return store.change(async ({ ingestConfigurations }) => {
    for (const { arn } of await ingestConfigurations.all({ state: 'ACTIVE' }))
      await ingestConfigurations.update(arn, () => ({ state: 'INACTIVE' }));
  });
}

/** What was found before is still so: the configuration is there, with this key and this stage. */
async function activate(
  { ingestConfigurations }: Resources,
  { configuration }: StreamKeyOwner,
  streamKey: string,
): Promise<void> {
  const current = await ingestConfigurations.get(configuration.arn);
  if (current?.stageArn !== configuration.stageArn || participantOf(current, streamKey) === undefined)
    throw withoutStage();
  await ingestConfigurations.update(current.arn, () => ({ state: 'ACTIVE' }));
}

const withoutStage = (): Refusal =>
  new Refusal(
    'INVALID_STREAM_KEY',
    'The ingest configuration of this stream key has no stage: give it one with UpdateIngestConfiguration.',
  );

/** The key names its configuration, as AWS's do: `rt_<account>_<region>_<id>_<secret>`. */
const keyForm = /^rt_(\d{1,20})_([a-z0-9-]{1,32})_([a-zA-Z0-9-]{1,64})_./;

async function findOwner(store: Store, streamKey: string): Promise<StreamKeyOwner | undefined> {
  const [, account, region, id] = keyForm.exec(streamKey) ?? [];
  if (account === undefined || region === undefined || id === undefined) return undefined;
  const arn = formatArn({ account, region, type: 'ingest-configuration', id });
  const configuration = await store.ingestConfigurations.get(arn);
  const participantId = configuration && participantOf(configuration, streamKey);
  return configuration && participantId !== undefined ? { configuration, participantId } : undefined;
}

/** Whom the stream key makes an encoder; undefined when it is not one of the configuration's. */
function participantOf(configuration: IngestConfigurationRecord, streamKey: string): string | undefined {
  const { participantId, redundantIngestCredentials } = configuration;
  const ways = [...redundantIngestCredentials, { streamKey: configuration.streamKey, participantId }];
  return ways.find((way) => isSame(way.streamKey, streamKey))?.participantId;
}

/** Takes as long for keys that differ early as for those that differ late. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function identityOf(
  { configuration, participantId }: StreamKeyOwner,
  protocol: IngestRequest['protocol'],
  now: Date,
): Identity {
  const { arn, stageArn, userId, attributes, redundantIngest } = configuration;
  const seconds = Math.floor(now.getTime() / 1000);
  return {
    claims: {
      ...{ iat: seconds, exp: seconds, jti: participantId, version: '1.0' },
      ...{ resource: stageArn, topic: parseArn(stageArn)?.id ?? '', events_url: '', whip_url: '' },
      ...{ user_id: userId, attributes, capabilities: { allow_publish: true } },
    },
    client: {},
    encoder: { protocol, ingestConfigurationArn: arn, redundantIngest, ...(redundantIngest && { isBehind: true }) },
  };
}
