/** A worker as placement sees it. */
export interface Place {
  readonly index: number;
  /** Share of one core that it used in the last second. */
  readonly cpu: number;
  /** Connections that it was given since that was measured. */
  readonly joins: number;
  /** All its connections. */
  readonly connections: number;
}

/** What one connection costs while it is made, as a share of one core for a second: offer, DTLS handshake, first packets. */
const JOIN_COST = 0.0065;
/** Above this share of one core a worker is given no more while another one has room. */
const BUSY = 0.7;

const loadOf = ({ cpu, joins }: Place): number => cpu + joins * JOIN_COST;

/** The worker with the least to do; among those that have nothing to do the one with the fewest connections. */
export function leastLoaded<P extends Place>(places: readonly P[]): P | undefined {
  const rank = (place: P) => Math.round(loadOf(place) * 20);
  return [...places].sort((a, b) => rank(a) - rank(b) || a.connections - b.connections || a.index - b.index)[0];
}

/**
 * Where a subscriber goes: to the publisher's own worker while that has room, then to those that receive the publisher already,
 * then to whichever has the least to do; to its own when all are busy.
 */
export function placeSubscriber<P extends Place>(home: P, others: readonly P[], receives: (place: P) => boolean): P {
  const hasRoom = (place: P) => loadOf(place) < BUSY;
  if (hasRoom(home)) return home;
  const free = others.filter((place) => place !== home && hasRoom(place));
  return leastLoaded(free.filter(receives)) ?? leastLoaded(free) ?? home;
}
