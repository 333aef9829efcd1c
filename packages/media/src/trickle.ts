import { sdp } from '@footlights/protocol';
import { MediaError } from './media.ts';

/** The ICE user name fragment of an offer: what trickled candidates refer to. */
export function iceUfrag(offer: string): string | undefined {
  return /^a=ice-ufrag:(\S+)/m.exec(offer)?.[1];
}

/**
 * Checks trickled candidates (RFC 9725 section 4.3, RFC 8840) of a connection whose offer had `ufrag`. They are not handed on: the
 * client's checks reach us first and make its candidates known as peer-reflexive. Throws MediaError for a fragment that cannot be read and
 * for an ICE restart, which shows in another ufrag.
 */
export function checkTrickle(ufrag: string | undefined, fragment: string): void {
  const parsed = sdp.parseFragment(fragment);
  if ('error' in parsed) throw new MediaError('INVALID_FRAGMENT', parsed.error);
  const { iceUfrag: own, media } = parsed.fragment;
  const ufrags = [own, ...media.map((section) => section.iceUfrag)].filter((given) => given !== undefined);
  if (ufrags.some((given) => given !== ufrag)) {
    throw new MediaError(
      'ICE_RESTART_UNSUPPORTED',
      'ICE restart is not supported; end the session and POST a new offer.',
    );
  }
}
