import { ApiError } from '@footlights/model';
import type { Log } from '../log.ts';
import type { ReplicationOf, ReplicationRequest } from '../operations/context.ts';
import type { ReplicationRecord, Store } from '../store/types.ts';
import type { LiveStage, Publication } from './live-stage.ts';

interface Replication {
  readonly record: ReplicationRecord;
  readonly source: LiveStage;
  readonly destination: LiveStage;
  /** Runs while the participant does not publish. */
  window?: NodeJS.Timeout;
}

/**
 * Participants of one stage that are shown on others. Nothing is sent twice: who subscribes to a replica is connected to the
 * participant's own media, in the media worker of its stage.
 */
export class Replications {
  private readonly active = new Set<Replication>();
  private readonly store: Store;
  private readonly log: Log;
  private readonly limit: number;

  constructor({ store, log, limit }: { store: Store; log: Log; limit: number }) {
    this.store = store;
    this.log = log;
    this.limit = limit;
  }

  /** Resolves when the replica is there and everything of it is durable; throws ApiError when it can't be. */
  async start(request: ReplicationRequest, source: LiveStage, destination: LiveStage, now: Date): Promise<void> {
    const publication = this.admit(request, source, destination);
    const { sessionId: sourceSessionId } = publication;
    destination.showReplica({ stageArn: source.arn, sessionId: sourceSessionId }, publication, request.attributes);
    const record: ReplicationRecord = {
      ...request,
      sourceSessionId,
      destinationSessionId: destination.sessionId ?? '',
      replicationState: 'ACTIVE',
      startedAt: now.toISOString(),
    };
    const replication: Replication = { record, source, destination };
    this.active.add(replication);
    source.recordReplication(request.participantId, 'ACTIVE', destinationOf(record), 0);
    await Promise.all([this.store.putReplication(record), source.flushed(), destination.flushed()]);
  }

  /** False when there is no such replication. */
  async stop(request: ReplicationOf): Promise<boolean> {
    const found = [...this.active].find(({ record }) => isOf(record, request));
    if (found === undefined) return false;
    await this.end(found);
    return true;
  }

  /** A participant's publication changed: its replicas follow, or end when it is gone for longer than their window. */
  follow(stage: LiveStage, participantId: string): void {
    for (const replication of this.active) {
      const { record, source, destination } = replication;
      if (record.participantId !== participantId) continue;
      if (source === stage) this.followSource(replication);
      else if (destination === stage) this.endSoon(replication);
    }
  }

  /** The stages that show a participant of this one. */
  destinationsOf(stage: LiveStage): ReadonlySet<LiveStage> {
    const shownOn = new Set<LiveStage>();
    for (const { source, destination } of this.active) if (source === stage) shownOn.add(destination);
    return shownOn;
  }

  /** Ends all replications from and to a stage. */
  async endAll(stage: LiveStage): Promise<void> {
    const ending = [...this.active].filter(({ source, destination }) => source === stage || destination === stage);
    await Promise.all(ending.map((replication) => this.end(replication)));
  }

  private admit(request: ReplicationRequest, source: LiveStage, destination: LiveStage): Publication {
    const { participantId } = request;
    const publication = source.publication(participantId);
    if (publication === undefined)
      throw new ApiError('ResourceNotFoundException', `Participant not found: ${participantId}`);
    if (publication.source === undefined) throw new ApiError('ConflictException', `${participantId} is not publishing`);
    const own = [...this.active].filter(
      ({ record }) => record.participantId === participantId && record.sourceStageArn === source.arn,
    );
    if (own.some(({ record }) => isOf(record, request))) {
      throw new ApiError('ConflictException', `${participantId} is replicated to ${destination.arn} already`);
    }
    if (own.length >= this.limit) {
      const message = `${participantId} has ${this.limit} replications, which is the quota replications-per-participant of this server: stop one first, or start the server with a larger --quota replications-per-participant=NUMBER`;
      throw new ApiError('ServiceQuotaExceededException', message);
    }
    if (!destination.hasPublisherPlace()) {
      throw new ApiError(
        'ServiceQuotaExceededException',
        `${destination.arn} has as many publishers as --publishers-per-stage of this server allows`,
      );
    }
    return publication;
  }

  private followSource(replication: Replication): void {
    const { record, source, destination } = replication;
    const publication = source.publication(record.participantId);
    if (publication === undefined) {
      this.endSoon(replication);
      return;
    }
    const origin = { stageArn: source.arn, sessionId: publication.sessionId };
    destination.showReplica(origin, publication, record.attributes);
    if (publication.source) {
      clearTimeout(replication.window);
      replication.window = undefined;
    } else {
      replication.window ??= setTimeout(() => this.endSoon(replication), record.reconnectWindowSeconds * 1000);
    }
  }

  private endSoon(replication: Replication): void {
    this.end(replication).catch((error: unknown) =>
      this.log.error({ err: error }, 'the end of a replication could not be stored'),
    );
  }

  private async end(replication: Replication): Promise<void> {
    if (!this.active.delete(replication)) return;
    clearTimeout(replication.window);
    const { record, source, destination } = replication;
    const others = [...this.active].filter(
      (other) => other.source === source && other.record.participantId === record.participantId,
    );
    destination.hideReplica(record.participantId);
    source.recordReplication(record.participantId, 'STOPPED', destinationOf(record), others.length);
    const stopped = this.store.putReplication({ ...record, replicationState: 'STOPPED' });
    await Promise.all([stopped, source.flushed(), destination.flushed()]);
  }
}

const destinationOf = ({ destinationStageArn, destinationSessionId }: ReplicationRecord) => ({
  destinationStageArn,
  destinationSessionId,
});

const isOf = (record: ReplicationRecord, request: ReplicationOf): boolean =>
  record.sourceStageArn === request.sourceStageArn &&
  record.destinationStageArn === request.destinationStageArn &&
  record.participantId === request.participantId;
