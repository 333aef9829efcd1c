import { LogBudget, type Media, type MediaEvent, type Speaker } from '@footlights/media';
import { ApiError, parseArn, type ServerMessage, type TokenClaims } from '@footlights/model';
import type { LiveStages as LiveStagesOfOperations, ReplicationOf, ReplicationRequest } from '../operations/context.ts';
import type { Recordings } from '../recordings.ts';
import { LiveStage, type StageCounts, type StageSurroundings } from './live-stage.ts';
import { Refusal } from './refusal.ts';
import { Replications } from './replications.ts';

/** How long a deleted stage is remembered as such: longer than any request takes that began before. */
const tombstoneMs = 60_000;

/** How long a stage is kept that nobody is on: longer than a request takes from finding it to joining it. */
const idleMs = 1000;

const noStage = (arn: string): Refusal =>
  new Refusal('STAGE_DELETED', `There is no stage ${arn}: it was deleted, or is of another server.`);

const shuttingDown = (): Refusal => new Refusal('UNAVAILABLE', 'The server is shutting down; try again.');

/** All stages that somebody is on, and the events of their media. */
export class LiveStages implements LiveStagesOfOperations {
  private readonly stages = new Map<string, LiveStage>();
  private readonly stageOfConnection = new Map<string, LiveStage>();
  private readonly deleted = new Set<string>();
  private readonly surroundings: StageSurroundings;
  private readonly replications: Replications;
  private draining = false;

  constructor(
    media: Media,
    surroundings: Omit<
      StageSurroundings,
      'refusals' | 'closeMedia' | 'setVideoStopped' | 'onPublication' | 'onPublishing' | 'onIdle'
    > & { recordings?: Pick<Recordings, 'follow'> },
    limits: { replicationsPerParticipant: number } = { replicationsPerParticipant: 5 },
  ) {
    this.surroundings = {
      ...surroundings,
      refusals: new LogBudget((fields, message) => surroundings.log.info(fields, message)),
      closeMedia: (connectionId) => media.close(connectionId),
      setVideoStopped: (connectionId, stopped) => media.setVideoStopped(connectionId, stopped),
      onPublication: (stage, participantId) => this.replications.follow(stage, participantId),
      onPublishing: (publishing) => surroundings.recordings?.follow(publishing),
      onIdle: (stage) => this.forgetLater(stage),
    };
    this.replications = new Replications({ ...surroundings, limit: limits.replicationsPerParticipant });
    media.on((event) => this.onMedia(event));
  }

  /** The stage that a verified token is for; throws a Refusal when there is none or the server is about to stop. */
  async of(claims: TokenClaims): Promise<LiveStage> {
    const record = await this.surroundings.store.getStage(claims.resource);
    if (record === undefined || this.deleted.has(claims.resource)) throw noStage(claims.resource);
    if (this.draining) throw shuttingDown();
    return this.open(claims.resource, claims.topic);
  }

  /** Events of this connection's media reach the stage from now on. */
  watch(connectionId: string, stage: LiveStage): void {
    this.stageOfConnection.set(connectionId, stage);
  }

  unwatch(connectionId: string): void {
    this.stageOfConnection.delete(connectionId);
  }

  async stageDeleted(stageArn: string): Promise<void> {
    this.deleted.add(stageArn);
    setTimeout(() => this.deleted.delete(stageArn), tombstoneMs).unref();
    const last: ServerMessage = { type: 'aws:ivs:DISCONNECT', payload: { code: 'STAGE_DELETED' } };
    const stage = this.stages.get(stageArn);
    if (stage === undefined) return;
    await this.replications.endAll(stage);
    await stage.end(noStage(stageArn), last);
  }

  async disconnectParticipant(stageArn: string, participantId: string, reason?: string): Promise<boolean> {
    const stage = this.stages.get(stageArn);
    if (stage === undefined || !stage.disconnect(participantId)) return false;
    this.surroundings.log.info({ stage: stage.id, participant: participantId, reason }, 'disconnected by the API');
    await stage.flushed();
    return true;
  }

  async startReplication(request: ReplicationRequest): Promise<void> {
    const { sourceStageArn, destinationStageArn, participantId } = request;
    if (sourceStageArn === destinationStageArn) {
      throw new ApiError('ValidationException', 'sourceStageArn and destinationStageArn are the same stage');
    }
    if (this.draining) throw new ApiError('ServiceUnavailable', 'The server is shutting down');
    // Its replications are being ended: a new one would be of a stage that nobody ends any more.
    const gone = [sourceStageArn, destinationStageArn].find((arn) => this.deleted.has(arn));
    if (gone !== undefined) throw new ApiError('ResourceNotFoundException', `Stage not found: ${gone}`);
    const source = this.stages.get(sourceStageArn);
    if (source === undefined)
      throw new ApiError('ResourceNotFoundException', `Participant not found: ${participantId}`);
    const destination = this.open(destinationStageArn, parseArn(destinationStageArn)?.id ?? '');
    await this.replications.start(request, source, destination, this.surroundings.now());
  }

  stopReplication(request: ReplicationOf): Promise<boolean> {
    return this.replications.stop(request);
  }

  isPublishing(stageArn: string): boolean {
    return (this.stages.get(stageArn)?.counts().publishers ?? 0) > 0;
  }

  /** Takes nobody in any more, sends everybody away to connect again later, ends all sessions. */
  async drain(): Promise<void> {
    this.draining = true;
    const stages = [...this.stages.values()];
    await Promise.all(stages.map((stage) => this.replications.endAll(stage)));
    await Promise.all(stages.map((stage) => stage.end(shuttingDown())));
  }

  /** For the metrics. */
  counts(): StageCounts {
    const total = { participants: 0, publishers: 0, subscriptions: 0, speakers: 0 };
    for (const stage of this.stages.values()) {
      const counts = stage.counts();
      total.participants += counts.participants;
      total.publishers += counts.publishers;
      total.subscriptions += counts.subscriptions;
      total.speakers += counts.speakers;
    }
    return total;
  }

  private open(arn: string, id: string): LiveStage {
    const known = this.stages.get(arn);
    if (known !== undefined) return known;
    const opened = new LiveStage(arn, id, this.surroundings);
    this.stages.set(arn, opened);
    // Whoever asked for it may be refused before joining.
    this.forgetLater(opened);
    return opened;
  }

  private forgetLater(stage: LiveStage): void {
    setTimeout(() => {
      if (stage.isIdle && this.stages.get(stage.arn) === stage) this.stages.delete(stage.arn);
    }, idleMs).unref();
  }

  private onMedia(event: MediaEvent): void {
    if (event.type === 'speakers') {
      this.onSpeakers(event.stageId, event.speakers);
      return;
    }
    const stage = this.stageOfConnection.get(event.connectionId);
    if (event.type === 'connected') {
      stage?.connected(event.connectionId);
      return;
    }
    this.stageOfConnection.delete(event.connectionId);
    this.surroundings.log.debug({ connection: event.connectionId, reason: event.reason }, 'media connection closed');
    stage?.closed(event.connectionId, event.reason);
  }

  /** Told to the stage that they speak on, and to those that show one of its participants. */
  private onSpeakers(stageId: string, speakers: readonly Speaker[]): void {
    for (const stage of this.stages.values()) {
      if (stage.id !== stageId) continue;
      stage.setSpeakers(stageId, speakers);
      for (const destination of this.replications.destinationsOf(stage)) destination.setSpeakers(stageId, speakers);
    }
  }
}
