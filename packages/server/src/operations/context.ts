import type { TokenClaims } from '@footlights/model';
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
}

/** Everything that an operation may use besides its input. */
export interface OperationContext {
  account: string;
  region: string;
  now(): Date;
  store: Store;
  /** The URLs that clients of this server's stages connect to, without a slash at the end. */
  endpoints(): { events: string; whip: string };
  tokens: TokenIssuer;
  live: LiveStages;
}
