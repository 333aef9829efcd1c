/** An attribute that is not modelled: `a=<name>` or `a=<name>:<value>` (RFC 8866 5.13). */
export interface Attribute {
  name: string;
  value?: string;
}

/** Which way media flows, seen from the writer (RFC 8866 6.7). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** DTLS role (RFC 4145 4). */
export type Setup = 'active' | 'passive' | 'actpass' | 'holdconn';

/** Hash of a DTLS certificate (RFC 8122 5). */
export interface Fingerprint {
  /** Lower case, such as `sha-256`. */
  algorithm: string;
  value: string;
}

/** `o=` (RFC 8866 5.2). Ids stay text: they may exceed 2^53. */
export interface Origin {
  username: string;
  sessionId: string;
  sessionVersion: string;
  netType: string;
  addressType: string;
  address: string;
}

/** `a=group` (RFC 5888 5); semantics `BUNDLE` is RFC 9143. */
export interface Group {
  semantics: string;
  mids: string[];
}

/** One format of an RTP m-line. */
export interface Payload {
  /** 0 to 127. */
  payloadType: number;
  /** Encoding name as written, `H264` or `opus`; of static types without rtpmap RFC 3551's; empty when unknown. */
  name: string;
  /** Hz; 0 when unknown. */
  clockRate: number;
  /** Audio channels, when given. */
  channels?: number;
  /** The value of `a=fmtp` as written, empty without; see `parseFmtp`. */
  fmtp: string;
  /** Values of `a=rtcp-fb`, such as `nack pli`; those of `*` are repeated at each payload (RFC 4585 4.2). */
  rtcpFb: string[];
}

/** `a=extmap` (RFC 8285 5). */
export interface Extmap {
  id: number;
  uri: string;
  direction?: Direction;
  /** Extension attributes as written. */
  attributes?: string;
}

/** All `a=ssrc` lines of one SSRC (RFC 5576 4.1). */
export interface Ssrc {
  ssrc: number;
  cname?: string;
  /** `<stream> <track>` as written. */
  msid?: string;
  attributes: Attribute[];
}

/** `a=ssrc-group`, such as FID for RTX (RFC 5576 4.2). */
export interface SsrcGroup {
  semantics: string;
  ssrcs: number[];
}

/** `a=rid` (RFC 8851 4). */
export interface Rid {
  id: string;
  direction: 'send' | 'recv';
  /** `pt=` and restrictions as written. */
  restrictions?: string;
}

/** One alternative of a simulcast stream; `paused` is written as `~`. */
export interface SimulcastAlternative {
  rid: string;
  paused: boolean;
}

/** `a=simulcast` (RFC 8853 5.1): streams in order, each a list of alternatives. */
export interface Simulcast {
  send?: SimulcastAlternative[][];
  recv?: SimulcastAlternative[][];
}

/** `a=msid` (RFC 8830 2). */
export interface Msid {
  /** Stream id; `-` for none. */
  stream: string;
  track?: string;
}

/** `b=` (RFC 8866 5.8). */
export interface Bandwidth {
  /** `AS` in kbit/s, `TIAS` in bit/s. */
  type: string;
  value: number;
}

/** `a=candidate` (RFC 8839 5.1). */
export interface Candidate {
  foundation: string;
  /** 1 is RTP, and RTCP too with rtcp-mux. */
  component: number;
  /** As written: `udp`, `UDP`, `tcp`. */
  transport: string;
  priority: number;
  /** IPv4, IPv6 or a host name (mDNS). */
  address: string;
  port: number;
  /** `host`, `srflx`, `prflx`, `relay`; others are to be ignored. */
  type: string;
  relatedAddress?: string;
  relatedPort?: number;
  /** `tcptype`, `generation`, `ufrag` and the like, in order. */
  extensions: { name: string; value: string }[];
}

/** Attributes that describe the transport; on the session they are the default of every m-line. */
export interface TransportAttributes {
  iceUfrag?: string;
  icePwd?: string;
  iceOptions: string[];
  fingerprints: Fingerprint[];
  setup?: Setup;
}

/** One m-line with its attributes. */
export interface Media extends TransportAttributes {
  /** `audio`, `video`, `application` … */
  kind: string;
  /** 0 rejects the m-line, 9 waits for candidates. */
  port: number;
  /** Such as `UDP/TLS/RTP/SAVPF`. */
  protocol: string;
  /** RTP formats in order of preference. */
  payloads: Payload[];
  /** Formats of an m-line that is not RTP. */
  formats: string[];
  /** Value of `c=`. */
  connection?: string;
  bandwidths: Bandwidth[];
  mid?: string;
  /** Its own, else the session's, else `sendrecv`. */
  direction: Direction;
  rtcpMux: boolean;
  rtcpRsize: boolean;
  bundleOnly: boolean;
  extmapAllowMixed: boolean;
  extmap: Extmap[];
  msids: Msid[];
  ssrcs: Ssrc[];
  ssrcGroups: SsrcGroup[];
  rids: Rid[];
  simulcast?: Simulcast;
  candidates: Candidate[];
  endOfCandidates: boolean;
  attributes: Attribute[];
}

/** What a session and a trickle ICE fragment (RFC 8840 9) share. */
export interface Fragment extends TransportAttributes {
  iceLite: boolean;
  groups: Group[];
  extmapAllowMixed: boolean;
  endOfCandidates: boolean;
  /** Value of `c=`. */
  connection?: string;
  attributes: Attribute[];
  media: Media[];
}

/** A session description (RFC 8866). */
export interface Session extends Fragment {
  origin: Origin;
  /** `s=`. */
  name: string;
}
