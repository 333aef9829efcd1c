import type { Fragment, Media, Session } from './types.ts';

/** A session with nothing in it; `sessionId` is decimal, below 2^63 (RFC 9429 5.2.1). */
export function createSession(sessionId: string): Session {
  return {
    origin: {
      username: '-',
      sessionId,
      sessionVersion: '1',
      netType: 'IN',
      addressType: 'IP4',
      address: '127.0.0.1',
    },
    name: '-',
    ...blankFragment(),
  };
}

/** An m-line without formats and attributes, `sendrecv`, at the port and address of WebRTC (RFC 9429 5.2.1). */
export function createMedia(kind: string): Media {
  return { ...blankMedia(kind), connection: 'IN IP4 0.0.0.0' };
}

/** What the parser starts from. */
export function blankFragment(): Fragment {
  return {
    groups: [],
    iceLite: false,
    iceOptions: [],
    fingerprints: [],
    extmapAllowMixed: false,
    endOfCandidates: false,
    attributes: [],
    media: [],
  };
}

/** What the parser starts an m-line from. */
export function blankMedia(kind: string): Media {
  return {
    kind,
    port: 9,
    protocol: 'UDP/TLS/RTP/SAVPF',
    payloads: [],
    formats: [],
    bandwidths: [],
    direction: 'sendrecv',
    rtcpMux: false,
    rtcpRsize: false,
    bundleOnly: false,
    iceOptions: [],
    fingerprints: [],
    extmapAllowMixed: false,
    extmap: [],
    msids: [],
    ssrcs: [],
    ssrcGroups: [],
    rids: [],
    candidates: [],
    endOfCandidates: false,
    attributes: [],
  };
}
