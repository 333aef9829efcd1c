import type { ConnectionIdentity } from './connection.ts';
import type { Kind } from './negotiate/codecs.ts';
import type { VoiceMeter } from './speakers.ts';
import type { UpTrack } from './up-track.ts';

/** What a participant publishes, whether it arrives here or is relayed from another worker. */
export interface Publication {
  readonly identity: ConnectionIdentity;
  readonly tracks: readonly UpTrack[];
  /** How loud it is; unknown of what is relayed. */
  readonly voice?: VoiceMeter;
}

export function trackOf({ tracks }: Publication, kind: Kind): UpTrack | undefined {
  return tracks.find((track) => track.kind === kind);
}
