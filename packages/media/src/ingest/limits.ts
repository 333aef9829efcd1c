// What a peer on the RTMP ports can cost, in one place.

/** Bounds of an RTMP listener. */
export interface RtmpLimits {
  /** Connections that have not yet sent `connect`; one more displaces the oldest. */
  halfOpen: number;
  /** Connections behind their `connect`, in all and of one address; one more is refused. */
  connections: number;
  connectionsPerAddress: number;
  /** From the first packet to `connect`: TLS and the RTMP handshake. */
  handshakeTimeoutMs: number;
  /** From `connect`, or the end of a stream, to a stream that is granted. */
  publishTimeoutMs: number;
  /** Of a stream without any audio or video. */
  idleTimeoutMs: number;
  /** For a peer to close once it has been told why. */
  lingerMs: number;
  /** Bytes that a peer leaves unread. */
  unsentBytes: number;
}

/** The bounds where nothing else is said. */
export const RTMP_LIMITS: RtmpLimits = {
  halfOpen: 256,
  connections: 1_000,
  connectionsPerAddress: 100,
  handshakeTimeoutMs: 10_000,
  publishTimeoutMs: 10_000,
  idleTimeoutMs: 15_000,
  lingerMs: 2_000,
  unsentBytes: 256 * 1024,
};
