// From counters that grow to what a person reads: bits a second and the share that was lost.

/** The counters of one media connection, as the server's statistics have them. */
export interface Counters {
  connected: boolean;
  packetsReceived: number;
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  packetsLost: number;
  roundTripMs?: number;
  /** What the path to the subscriber is thought to carry, in bits a second. */
  estimatedBps?: number;
  tracks: readonly Track[];
}

/** One track of a connection: the layer that a subscriber gets, or those that a publisher sends. */
export interface Track {
  kind: 'audio' | 'video';
  layer?: string;
  layers?: readonly { encodingId?: string; active: boolean }[];
}

/** What one participant publishes and receives. */
export interface ParticipantCounters {
  participantId: string;
  publication?: Counters;
  subscriptions: readonly (Counters & { publisherId: string })[];
}

/** Counters, when they were read in milliseconds, and the ids of those who spoke then. */
export interface Sample {
  at: number;
  participants: readonly ParticipantCounters[];
  speakers: readonly string[];
}

/** What a participant sends and takes. Bit rates are in bits a second, loss is a share from 0 to 1. */
export interface Rates {
  publishing: boolean;
  speaking: boolean;
  /** The simulcast layers that it sends. */
  layers?: string[];
  bitrateIn?: number;
  bitrateOut?: number;
  loss?: number;
  roundTripMs?: number;
  subscriptions: SubscriptionRates[];
}

/** What a participant gets of one publisher. */
export interface SubscriptionRates {
  publisherId: string;
  /** The simulcast layer. */
  layer?: string;
  bitrate?: number;
  loss?: number;
  roundTripMs?: number;
  /** What its path is thought to carry, in bits a second. */
  estimatedBps?: number;
}

/** The rates of a participant between two samples; without an earlier one there are none yet. */
export function ratesOf(participantId: string, now: Sample, before: Sample | undefined): Rates {
  const current = countersOf(participantId, now);
  const earlier = before && countersOf(participantId, before);
  const seconds = (now.at - (before?.at ?? now.at)) / 1000;
  const roundTripMs = current.publication?.roundTripMs ?? current.subscriptions[0]?.roundTripMs;
  const layers = videoOf(current.publication)?.layers?.flatMap(({ encodingId, active }) =>
    active && encodingId !== undefined ? [encodingId] : [],
  );
  return {
    publishing: current.publication !== undefined,
    speaking: now.speakers.includes(participantId),
    ...(layers && layers.length > 0 && { layers }),
    ...(earlier && seconds > 0 && totals(current, earlier, seconds)),
    ...(roundTripMs !== undefined && { roundTripMs }),
    subscriptions: current.subscriptions.map((one) => subscriptionRates(one, earlier?.subscriptions, seconds)),
  };
}

/** What is connected of a participant. */
function countersOf(participantId: string, sample: Sample): ParticipantCounters {
  const found = sample.participants.find((participant) => participant.participantId === participantId);
  const { publication, subscriptions = [] } = found ?? {};
  return {
    participantId,
    ...(publication?.connected && { publication }),
    subscriptions: subscriptions.filter(({ connected }) => connected),
  };
}

const videoOf = (counters: Counters | undefined): Track | undefined =>
  counters?.tracks.find(({ kind }) => kind === 'video');

function totals(
  now: ParticipantCounters,
  before: ParticipantCounters,
  seconds: number,
): Pick<Rates, 'bitrateIn' | 'bitrateOut' | 'loss'> {
  const all = ({ publication, subscriptions }: ParticipantCounters) =>
    publication ? [publication, ...subscriptions] : subscriptions;
  if (all(now).length === 0) return {};
  const grown = (of: (counters: Counters) => number): number => growth(all(now), all(before), of);
  const arrived =
    growth(now.publication, before.publication, ({ packetsReceived }) => packetsReceived) +
    growth(now.subscriptions, before.subscriptions, ({ packetsSent }) => packetsSent);
  return {
    bitrateIn: Math.round((grown(({ bytesReceived }) => bytesReceived) * 8) / seconds),
    bitrateOut: Math.round((grown(({ bytesSent }) => bytesSent) * 8) / seconds),
    loss: share(
      grown(({ packetsLost }) => packetsLost),
      arrived,
    ),
  };
}

function subscriptionRates(
  now: Counters & { publisherId: string },
  earlier: ParticipantCounters['subscriptions'] | undefined,
  seconds: number,
): SubscriptionRates {
  const { publisherId, roundTripMs, estimatedBps } = now;
  const before = earlier?.find((one) => one.publisherId === publisherId);
  const layer = videoOf(now)?.layer;
  return {
    publisherId,
    ...(layer !== undefined && { layer }),
    ...(before && {
      bitrate: Math.round((growth(now, before, ({ bytesSent }) => bytesSent) * 8) / seconds),
      loss: share(
        growth(now, before, ({ packetsLost }) => packetsLost),
        growth(now, before, ({ packetsSent }) => packetsSent),
      ),
    }),
    ...(roundTripMs !== undefined && { roundTripMs }),
    ...(estimatedBps !== undefined && { estimatedBps }),
  };
}

type Some = Counters | readonly Counters[] | undefined;

/** A new connection begins with nothing: what is smaller than before has not grown. */
function growth(now: Some, before: Some, of: (counters: Counters) => number): number {
  const total = (some: Some): number => [some ?? []].flat().reduce((sum, counters) => sum + of(counters), 0);
  return Math.max(0, total(now) - total(before));
}

const share = (lost: number, arrived: number): number => (lost === 0 ? 0 : lost / (lost + arrived));
