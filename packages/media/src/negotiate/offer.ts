import { sdp } from '@footlights/protocol';
import { MediaError } from '../media.ts';
import type { RemoteParameters } from '../rim/transport.ts';
import type { Kind } from './codecs.ts';

/** An offer whose transport is checked. */
export interface Offer {
  session: sdp.Session;
  remote: RemoteParameters;
}

/** Session names of peers that answer no checks after the first: FFmpeg's WHIP muxer, up to 8.1. */
const UNANSWERING = new Set(['FFmpegPublishSession']);

/** Parses an offer and checks what native code will rely on; throws MediaError INVALID_OFFER that names the line. */
export function readOffer(text: string): Offer {
  const parsed = sdp.parse(text);
  if ('error' in parsed) throw invalid(parsed.error);
  const { session } = parsed;
  if (session.media.length === 0) throw invalid('the offer has no m-line');
  const transport = sdp.checkTransport(session);
  if ('error' in transport) throw invalid(`${transport.error} (${describe(session, sdp.transportMedia(session))})`);
  const setup = sdp.transportMedia(session)?.setup ?? session.setup ?? 'active';
  if (setup === 'holdconn') throw invalid('a=setup:holdconn offers no connection');
  return { session, remote: { ...transport, setup, answersChecks: !UNANSWERING.has(session.name) } };
}

/** How a message names an m-line: "m-line 2, video". */
export function describe(session: sdp.Session, media: sdp.Media | undefined): string {
  return media ? `m-line ${session.media.indexOf(media) + 1}, ${media.kind}` : 'no m-line';
}

/** The offer's m-lines of RTP over DTLS that flow in one of the `directions`, at most one of each kind. */
export function usableMedia(session: sdp.Session, directions: readonly sdp.Direction[]): Map<Kind, sdp.Media> {
  const usable = new Map<Kind, sdp.Media>();
  for (const media of session.media) {
    const { kind } = media;
    if ((kind !== 'audio' && kind !== 'video') || usable.has(kind)) continue;
    if (isOffered(media) && directions.includes(media.direction)) usable.set(kind, media);
  }
  return usable;
}

/** Port 0 in an offer rejects the m-line, unless it says bundle-only (RFC 9143 section 7.1.3). */
function isOffered({ port, bundleOnly, protocol }: sdp.Media): boolean {
  return (port !== 0 || bundleOnly) && /^(UDP|TCP)\/TLS\/RTP\/SAVPF?$|^RTP\/SAVPF$/.test(protocol);
}

/** All accepted media share one transport: throws INVALID_OFFER when the offer does not allow it. */
export function checkBundle(session: sdp.Session, accepted: readonly sdp.Media[]): void {
  const bundled = session.groups.find(({ semantics }) => semantics === 'BUNDLE')?.mids ?? [];
  for (const media of accepted) {
    if (!media.rtcpMux) throw invalid(`no a=rtcp-mux (${describe(session, media)})`);
    if (accepted.length > 1 && !bundled.includes(media.mid ?? '')) {
      throw invalid(`a=group:BUNDLE does not name it (${describe(session, media)})`);
    }
  }
}

/** The error of an offer that breaks a rule. */
export function invalid(message: string): MediaError {
  return new MediaError('INVALID_OFFER', `invalid SDP offer: ${message}`);
}
