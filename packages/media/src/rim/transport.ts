/** What is needed of a peer's SDP; checked before it comes here, because native code trusts it. */
export interface RemoteParameters {
  iceUfrag: string;
  icePwd: string;
  /** Colon-separated upper-case hex of the certificate's SHA-256. */
  fingerprintSha256: string;
  /** The DTLS role that the peer takes or leaves to us (RFC 8842 section 5). */
  setup: 'active' | 'passive' | 'actpass';
}

/** What our answer says about this transport. */
export interface LocalParameters {
  iceUfrag: string;
  icePwd: string;
  fingerprintSha256: string;
  setup: 'active' | 'passive';
  /** Where the peer reaches us, best first. */
  candidates: HostCandidate[];
}

/** A UDP host candidate (RFC 8445 section 5.1.1). */
export interface HostCandidate {
  address: string;
  port: number;
  priority: number;
}

export type TransportState = 'new' | 'connected' | 'failed' | 'closed';

/** Called by a transport; never during one of its own methods. */
export interface TransportListener {
  /** A decrypted RTP or RTCP packet; the buffer belongs to the listener. */
  packet(packet: Buffer): void;
  /** `connected` at most once, then `failed` or `closed` once; `closed` also when the peer closed. */
  state(state: Exclude<TransportState, 'new'>): void;
}

/** One peer's encrypted packet pipe: ICE, DTLS, SRTP and no policy. */
export interface RawTransport {
  readonly state: TransportState;
  /** Takes the peer's parameters and starts to connect; throws when they are refused. */
  accept(remote: RemoteParameters): LocalParameters;
  /** Sends RTP or RTCP; the bytes are copied. False when not connected; never throws. */
  send(packet: Buffer): boolean;
  /** Ends the transport; the listener hears nothing more. */
  close(): void;
}

/** One receiver of a fanned-out packet, with the header fields that it is to see. */
export interface Destination {
  readonly transport: RawTransport;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
}

/** All transports of one process, on one UDP port. */
export interface TransportHost {
  /** Binds; resolves with the UDP port, rejects with one clear line. */
  open(): Promise<number>;
  create(listener: TransportListener): RawTransport;
  /**
   * Sends one RTP packet to the first `count` destinations, each with its own header fields; the marker bit stays.
   * The packet's first 12 bytes are its whole header, and are overwritten.
   */
  fanOut(packet: Buffer, destinations: readonly Destination[], count: number): void;
  /** Closes all transports and the port. */
  shutdown(): void;
}

/** Milliseconds since 1970 that never step: the clock of packets, reports and timers. */
export interface Clock {
  now(): number;
}
