import type { ConnectionStatistics, LayerStatistics } from '@footlights/media';

/** The statistics of a connection that has counted nothing but what is given. */
export function connectionStatistics(given: Partial<ConnectionStatistics>): ConnectionStatistics {
  return {
    connectionId: 'connection',
    stageId: 'stage',
    participantId: 'participant',
    role: 'publish',
    connected: true,
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    packetsLost: 0,
    nacksReceived: 0,
    retransmissions: 0,
    plisReceived: 0,
    droppedByOverload: 0,
    tracks: [],
    ...given,
  };
}

/** The statistics of a publisher's layer that has counted nothing but what is given. */
export function layerStatistics(given: Partial<LayerStatistics>): LayerStatistics {
  return {
    active: true,
    bitrate: 0,
    width: 0,
    height: 0,
    framesPerSecond: 0,
    packetsReceived: 0,
    packetsLost: 0,
    jitterMs: 0,
    keyFrames: 0,
    nacksSent: 0,
    plisSent: 0,
    ...given,
  };
}

/** A worker with nothing to do. */
export const idleWorker = {
  pid: 1,
  port: 1,
  usage: { uptimeMs: 1, userCpuMs: 1, systemCpuMs: 1, residentBytes: 1 },
  loopDelayMs: 0,
  loopDelay: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
  cpu: 0,
  relayed: { sent: 0, received: 0, dropped: 0 },
};
