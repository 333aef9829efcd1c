// From counters that grow to what a person reads: bits a second and the share that was lost.

/** The counters of one media connection, as the server's statistics endpoint has them. */
export interface Counters {
  participantId: string;
  role: 'publish' | 'subscribe';
  connected: boolean;
  packetsReceived: number;
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  packetsLost: number;
  roundTripMs?: number;
}

/** Counters, and when they were read in milliseconds. */
export interface Sample {
  at: number;
  connections: readonly Counters[];
}

/** What a participant sends and takes. Bit rates are in bits a second, loss is a share from 0 to 1. */
export interface Rates {
  publishing: boolean;
  subscriptions: number;
  bitrateIn?: number;
  bitrateOut?: number;
  loss?: number;
  roundTripMs?: number;
}

/** The rates of a participant between two samples; without an earlier one there are none yet. */
export function ratesOf(participantId: string, now: Sample, before: Sample | undefined): Rates {
  const own = (sample: Sample): Counters[] =>
    sample.connections.filter((connection) => connection.participantId === participantId && connection.connected);
  const current = own(now);
  const publisher = current.find(({ role }) => role === 'publish');
  const roundTripMs = publisher?.roundTripMs ?? current[0]?.roundTripMs;
  return {
    publishing: publisher !== undefined,
    subscriptions: current.filter(({ role }) => role === 'subscribe').length,
    ...(before && current.length > 0 && differences(current, own(before), (now.at - before.at) / 1000)),
    ...(roundTripMs !== undefined && { roundTripMs }),
  };
}

function differences(
  current: readonly Counters[],
  earlier: readonly Counters[],
  seconds: number,
): Pick<Rates, 'bitrateIn' | 'bitrateOut' | 'loss'> {
  const grown = (count: (counters: Counters) => number): number =>
    Math.max(0, total(current, count) - total(earlier, count));
  const lost = grown(({ packetsLost }) => packetsLost);
  const arrived = grown(({ role, packetsReceived, packetsSent }) =>
    role === 'publish' ? packetsReceived : packetsSent,
  );
  return {
    bitrateIn: Math.round((grown(({ bytesReceived }) => bytesReceived) * 8) / seconds),
    bitrateOut: Math.round((grown(({ bytesSent }) => bytesSent) * 8) / seconds),
    loss: lost === 0 ? 0 : lost / (lost + arrived),
  };
}

const total = (connections: readonly Counters[], count: (counters: Counters) => number): number =>
  connections.reduce((sum, connection) => sum + count(connection), 0);
