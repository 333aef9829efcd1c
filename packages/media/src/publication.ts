import type { ConnectionIdentity } from './connection.ts';
import type { Kind } from './negotiate/codecs.ts';
import type { UpTrack } from './up-track.ts';

/** What a participant publishes, whether it arrives here or is relayed from another worker. */
export interface Publication {
  readonly identity: ConnectionIdentity;
  readonly tracks: readonly UpTrack[];
}

export function trackOf({ tracks }: Publication, kind: Kind): UpTrack | undefined {
  return tracks.find((track) => track.kind === kind);
}
