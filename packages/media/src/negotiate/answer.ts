import { sdp } from '@footlights/protocol';
import type { LocalParameters } from '../rim/transport.ts';

/** An answer without transport: a section for each m-line of the offer, in its order. */
export interface AnswerPlan {
  sections: sdp.Media[];
}

/** The section that rejects an m-line (RFC 3264 section 6): port 0, formats as offered. */
export function rejectedSection(offered: sdp.Media): sdp.Media {
  const section = sdp.createMedia(offered.kind);
  section.port = 0;
  section.protocol = offered.protocol;
  section.direction = 'inactive';
  section.payloads = offered.payloads.slice(0, 1).map((payload) => ({ ...payload, fmtp: '', rtcpFb: [] }));
  section.formats = offered.formats;
  if (offered.mid !== undefined) section.mid = offered.mid;
  return section;
}

/** The section that accepts an m-line, without formats yet. */
export function acceptedSection(offered: sdp.Media, direction: sdp.Direction): sdp.Media {
  const section = sdp.createMedia(offered.kind);
  section.protocol = offered.protocol;
  section.direction = direction;
  section.connection = 'IN IP4 0.0.0.0';
  section.rtcpMux = true;
  section.rtcpRsize = offered.rtcpRsize;
  if (offered.mid !== undefined) section.mid = offered.mid;
  return section;
}

/** The payloads of a section: the codec and, when there are, its retransmissions. */
export function payloads(codec: sdp.Payload, rtxPayloadType: number | undefined): sdp.Payload[] {
  if (rtxPayloadType === undefined) return [codec];
  const { clockRate, payloadType } = codec;
  const rtx = { payloadType: rtxPayloadType, name: 'rtx', clockRate, fmtp: `apt=${payloadType}`, rtcpFb: [] };
  return [codec, rtx];
}

/** Writes the answer: every accepted section repeats the transport, because some clients read only their own. */
export function writeAnswer(offer: sdp.Session, plan: AnswerPlan, local: LocalParameters, sessionId: string): string {
  const answer = sdp.createSession(sessionId);
  const accepted = plan.sections.filter(({ port }) => port !== 0);
  if (offer.groups.some(({ semantics }) => semantics === 'BUNDLE')) {
    answer.groups = [{ semantics: 'BUNDLE', mids: accepted.map(({ mid }) => mid ?? '') }];
  }
  answer.iceLite = local.iceLite;
  answer.extmapAllowMixed = offer.extmapAllowMixed;
  answer.attributes = [{ name: 'msid-semantic', value: 'WMS *' }];
  for (const section of accepted) addTransport(section, local);
  answer.media = plan.sections;
  return sdp.write(answer);
}

function addTransport(section: sdp.Media, local: LocalParameters): void {
  section.iceUfrag = local.iceUfrag;
  section.icePwd = local.icePwd;
  section.fingerprints = [{ algorithm: 'sha-256', value: local.fingerprintSha256 }];
  section.setup = local.setup;
  section.candidates = local.candidates.map((candidate, index) => ({
    foundation: String(index + 1),
    component: 1,
    transport: 'UDP',
    type: 'host',
    extensions: [],
    ...candidate,
  }));
  section.endOfCandidates = true;
}
