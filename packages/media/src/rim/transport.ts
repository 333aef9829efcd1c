/** What is needed of a peer's SDP; checked before it comes here, because native code trusts it. */
export interface RemoteParameters {
  iceUfrag: string;
  icePwd: string;
  /** Colon-separated upper-case hex of the certificate's SHA-256. */
  fingerprintSha256: string;
  /** The DTLS role that the peer takes or leaves to us (RFC 8842 section 5). */
  setup: 'active' | 'passive' | 'actpass';
  /** False for a peer that is known to answer no connectivity checks once it has connected. */
  answersChecks: boolean;
}

/** What our answer says about this transport. */
export interface LocalParameters {
  iceUfrag: string;
  icePwd: string;
  fingerprintSha256: string;
  setup: 'active' | 'passive';
  /** An ICE lite agent answers there (RFC 8445 section 2.5). */
  iceLite: boolean;
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

/** Bytes before the payload of an outgoing packet: the fixed header and one block of header extension. */
export const HEADROOM = 20;

/** A packet on its way out: what all its receivers share. */
export interface OutgoingPacket {
  /** HEADROOM bytes to write a header into, then the payload. */
  buffer: Buffer;
  marker: boolean;
  /** Where PictureID and TL0PICIDX are in the buffer (RFC 7741 section 4.2, RFC 9628 section 4.2); 0 without. */
  pictureIdBits: number;
  pictureIdOffset: number;
  tl0PicIdxOffset: number;
  /** Where VP8's TID is, of packets that are told to be of temporal layer 0; else 0. */
  flatLayerOffset: number;
}

/** One receiver of a fanned-out packet, with the fields that it is to see. */
export interface Destination {
  readonly transport: RawTransport;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
  pictureId: number;
  tl0PicIdx: number;
  /** Id of the header extension element, 1 to 14, or 0 for a header without extension (RFC 8285 section 4.2). */
  readonly extensionId: number;
  /** Its value: 2 bytes of transport-wide sequence number or 3 of absolute send time. */
  readonly extensionBytes: number;
  extensionValue: number;
}

/** All transports of one process, on one UDP port. */
export interface TransportHost {
  /** Binds; resolves with the UDP port, rejects with one clear line. */
  open(): Promise<number>;
  create(listener: TransportListener): RawTransport;
  /** Sends one RTP packet to the first `count` destinations, each with its own fields. */
  fanOut(packet: OutgoingPacket, destinations: readonly Destination[], count: number): void;
  /** Closes all transports and the port. */
  shutdown(): void;
}

/** Milliseconds since 1970 that never step: the clock of packets, reports and timers. */
export interface Clock {
  now(): number;
}
