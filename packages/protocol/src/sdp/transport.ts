import type { Fragment, Media, TransportAttributes } from './types.ts';

/** What the native transport is told about the peer; checked, so safe to put into a line. */
export interface Transport {
  iceUfrag: string;
  icePwd: string;
  /** 32 upper-case hex pairs with colons. */
  fingerprintSha256: string;
}

const ICE_CHARS = /^[A-Za-z0-9+/]*$/;
const SHA_256 = /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/i;

/** Checks the ICE credentials of the bundled transport (RFC 8839 5.4): charset, ufrag 4 to 256, pwd 22 to 256 characters. */
export function checkIce(description: Fragment): { iceUfrag: string; icePwd: string } | { error: string } {
  const media = transportMedia(description);
  // RFC 8839 5.4: the pair belongs together, so both are taken from the same level.
  const level: TransportAttributes = media?.iceUfrag !== undefined || media?.icePwd !== undefined ? media : description;
  const error = iceProblem('ice-ufrag', level.iceUfrag, 4) ?? iceProblem('ice-pwd', level.icePwd, 22);
  if (error !== undefined) return { error };
  return { iceUfrag: level.iceUfrag!, icePwd: level.icePwd! };
}

function iceProblem(name: string, value: string | undefined, min: number): string | undefined {
  if (value === undefined) return `no a=${name}`;
  if (value.length < min || value.length > 256) return `a=${name} is not ${min} to 256 characters long`;
  return ICE_CHARS.test(value) ? undefined : `a=${name} has characters other than letters, digits, "+" and "/"`;
}

/**
 * Checks everything of a description that reaches the native transport: the ICE credentials, and the SHA-256 fingerprint
 * of the DTLS certificate (RFC 8122 5). Media-level attributes go before the session's.
 */
export function checkTransport(description: Fragment): Transport | { error: string } {
  const ice = checkIce(description);
  if ('error' in ice) return ice;
  const media = transportMedia(description);
  const fingerprints = media?.fingerprints.length ? media.fingerprints : description.fingerprints;
  const sha256 = fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  if (sha256 === undefined) return { error: 'no sha-256 a=fingerprint' };
  if (!SHA_256.test(sha256.value)) return { error: 'a=fingerprint is not 32 hex pairs with colons' };
  return { ...ice, fingerprintSha256: sha256.value.toUpperCase() };
}

/** The m-line that carries the transport of the BUNDLE group, its first (RFC 9143 7.2); without a group the first of all. */
export function transportMedia(description: Fragment): Media | undefined {
  const mid = description.groups.find(({ semantics }) => semantics === 'BUNDLE')?.mids[0];
  return description.media.find((media) => mid !== undefined && media.mid === mid) ?? description.media[0];
}
