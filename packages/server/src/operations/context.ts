import type { TokenClaims } from '@footlights/model';
import type { Buckets } from '../buckets.ts';
import type { Compositions } from '../compositions.ts';
import type { Quotas } from '../quotas.ts';
import type { Store } from '../store/types.ts';

/** Signs participant tokens. */
export interface TokenIssuer {
  issue(claims: TokenClaims): Promise<string>;
}

/** What operations ask of running stages. */
export interface LiveStages {
  /** Called before the store deletes the stage: ends its session and disconnects everybody. */
  stageDeleted(stageArn: string): Promise<void>;
  /** False when the active session does not know the participant. */
  disconnectParticipant(stageArn: string, participantId: string, reason?: string): Promise<boolean>;
  /** Whether anybody publishes to the stage now. */
  isPublishing(stageArn: string): boolean;
  /** Shows a publisher of one stage in another; throws an ApiError when that cannot be. */
  startReplication(input: ReplicationRequest): Promise<void>;
  /** False when no such replication is running. */
  stopReplication(input: ReplicationOf): Promise<boolean>;
}

/** What operations ask of the encoders that publish. */
export interface Encoders {
  /** Disconnects those of an ingest configuration; resolves when what this changed is durable. */
  end(ingestConfigurationArn: string): Promise<void>;
}

/** A participant of one stage, and the stage that it is shown in. */
export interface ReplicationOf {
  sourceStageArn: string;
  destinationStageArn: string;
  participantId: string;
}

/** What a replication is started with. */
export interface ReplicationRequest extends ReplicationOf {
  /** How long it outlives its publisher, who may come back. */
  reconnectWindowSeconds: number;
  /** Added to the participant's own, and before them. */
  attributes: Record<string, string>;
}

/** Everything that an operation may use besides its input. */
export interface OperationContext {
  account: string;
  region: string;
  now(): Date;
  store: Store;
  /** The URLs that clients of this server's stages connect to, without a slash at the end. */
  endpoints(): { events: string; whip: string; rtmp?: string; rtmps?: string };
  tokens: TokenIssuer;
  live: LiveStages;
  encoders: Encoders;
  /** What becomes of compositions once they are stored. */
  compositions: Pick<Compositions, 'started' | 'stop'>;
  buckets: Buckets;
  quotas: Quotas;
}
