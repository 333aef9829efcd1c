/** A point of the NTP timescale (RFC 3550 4): seconds since 1900 and a fraction of 2^32. */
export interface NtpTime {
  seconds: number;
  fraction: number;
}

/** One block of an SR or RR (RFC 3550 6.4.1). */
export interface ReportBlock {
  ssrc: number;
  /** Lost since the last report, in 1/256. */
  fractionLost: number;
  /** Lost since the start, 24 bits signed. */
  cumulativeLost: number;
  /** Extended highest sequence number received. */
  highestSequenceNumber: number;
  /** In RTP clock units. */
  jitter: number;
  /** Middle 32 bits of the last SR's NTP time, 0 when none. */
  lastSenderReport: number;
  /** In 1/65536 s, 0 when no SR came. */
  delaySinceLastSenderReport: number;
}

/** SR, packet type 200 (RFC 3550 6.4.1). */
export interface SenderReport {
  type: 'sr';
  ssrc: number;
  ntp: NtpTime;
  rtpTimestamp: number;
  packetCount: number;
  octetCount: number;
  reports: ReportBlock[];
}

/** RR, packet type 201 (RFC 3550 6.4.2). */
export interface ReceiverReport {
  type: 'rr';
  ssrc: number;
  reports: ReportBlock[];
}

/** One item of an SDES chunk; type 1 is CNAME (RFC 3550 6.5). */
export interface SdesItem {
  type: number;
  text: string;
}

/** SDES, packet type 202 (RFC 3550 6.5). */
export interface SourceDescription {
  type: 'sdes';
  chunks: { ssrc: number; items: SdesItem[] }[];
}

/** BYE, packet type 203 (RFC 3550 6.6). */
export interface Goodbye {
  type: 'bye';
  ssrcs: number[];
  reason?: string;
}

/** A lost packet and a bit for each of the 16 after it (RFC 4585 6.2.1). */
export interface NackPair {
  packetId: number;
  bitmask: number;
}

/** Generic NACK, packet type 205 format 1 (RFC 4585 6.2.1). */
export interface Nack {
  type: 'nack';
  senderSsrc: number;
  mediaSsrc: number;
  pairs: NackPair[];
}

/** Picture loss indication, packet type 206 format 1 (RFC 4585 6.3.1). */
export interface Pli {
  type: 'pli';
  senderSsrc: number;
  mediaSsrc: number;
}

/** Full intra request, packet type 206 format 4 (RFC 5104 4.3.1). */
export interface Fir {
  type: 'fir';
  senderSsrc: number;
  /** Unused by the RFC: 0. */
  mediaSsrc: number;
  entries: { ssrc: number; sequenceNumber: number }[];
}

/** Receiver estimated maximum bitrate, packet type 206 format 15 (draft-alvestrand-rmcat-remb-03 2.2). */
export interface Remb {
  type: 'remb';
  senderSsrc: number;
  /** Unused by the draft: 0. */
  mediaSsrc: number;
  /** Bits per second; the wire keeps 18 significant bits. */
  bitrate: number;
  ssrcs: number[];
}

/** A packet that arrived, in a transport-wide feedback. */
export interface TransportArrival {
  /** Transport-wide sequence number, 16 bits. */
  sequenceNumber: number;
  /** Time since the arrival before it (the first: since the reference time) in 250 microseconds, 16 bits signed. */
  delta: number;
}

/** Transport-wide feedback, packet type 205 format 15 (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1). */
export interface TransportFeedback {
  type: 'transport-cc';
  senderSsrc: number;
  mediaSsrc: number;
  /** The first packet reported on. */
  baseSequenceNumber: number;
  /** Packets reported on, lost ones included, 1 to 65535. */
  statusCount: number;
  /** In 64 ms, 24 bits signed. */
  referenceTime: number;
  /** Rises by one for each feedback, 8 bits. */
  feedbackPacketCount: number;
  /** The packets that arrived, by sequence number; the others of the range are lost. */
  arrivals: TransportArrival[];
}

/** What a receiver that sends no media is told of its round trip (RFC 3611 4.5). */
export interface ReceiverDelay {
  /** The receiver's. */
  ssrc: number;
  /** Middle 32 bits of its last reference time, 0 when none. */
  lastReferenceTime: number;
  /** In 1/65536 s, 0 when none. */
  delaySinceReferenceTime: number;
}

/** XR, packet type 207 (RFC 3611 2), with the blocks of the round trip; others are left out. */
export interface ExtendedReport {
  type: 'xr';
  ssrc: number;
  /** When a receiver sent this (RFC 3611 4.4). */
  referenceTime?: NtpTime;
  delays: ReceiverDelay[];
}

/** A packet of a type or format that is not modelled, such as APP; kept so that it can be written back. */
export interface UnknownPacket {
  type: 'unknown';
  payloadType: number;
  /** The 5 bits beside the version: a count or a format. */
  count: number;
  /** What follows the 4-byte header: a view into the parsed buffer. */
  body: Buffer;
}

/** One RTCP packet of a compound. */
export type Packet =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | ExtendedReport
  | Nack
  | Pli
  | Fir
  | Remb
  | TransportFeedback
  | UnknownPacket;
