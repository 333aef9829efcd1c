import type { ConnectionStatistics, TrackStatistics } from '../media.ts';
import type { Publication } from '../publication.ts';
import type { UpTrack } from '../up-track.ts';

/** What is measured of a publication that is made here: nothing of it is lost on its way, and nothing can be asked for. */
export function publicationStatistics({ identity, tracks }: Publication, now: number): ConnectionStatistics {
  return {
    ...identity,
    role: 'publish',
    connected: tracks.length > 0,
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    packetsLost: 0,
    nacksReceived: 0,
    retransmissions: 0,
    plisReceived: 0,
    droppedByOverload: 0,
    tracks: tracks.map((track) => trackStatistics(track, now)),
  };
}

function trackStatistics(track: UpTrack, now: number): TrackStatistics {
  return {
    kind: track.kind,
    codec: track.codec,
    layers: track.layers.map((layer) => ({
      ...(layer.encodingId !== undefined && { encodingId: layer.encodingId }),
      active: track.isActive(layer, now),
      bitrate: Math.round(layer.meter.bitrate(now)),
      width: layer.width,
      height: layer.height,
      framesPerSecond: Math.round(layer.meter.framesPerSecond(now)),
      packetsReceived: layer.newest + 1,
      packetsLost: 0,
      jitterMs: 0,
      keyFrames: layer.counters.keyFrames,
      nacksSent: 0,
      plisSent: 0,
    })),
  };
}
