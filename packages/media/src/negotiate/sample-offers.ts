import { readFileSync } from 'node:fs';

const read = (name: string) => readFileSync(new URL(`./testdata/${name}.sdp`, import.meta.url), 'utf8');

/** Offers that Chromium made: publish with one stream, publish with three simulcast layers, subscribe. */
export const chromium = {
  publish: read('chromium-publish'),
  simulcast: read('chromium-publish-simulcast'),
  subscribe: read('chromium-subscribe'),
};

/** One m-line of a hand-made offer. */
export interface OfferedMedia {
  kind?: string;
  direction?: string;
  /** `payloadType name/rate` and, behind a space, its fmtp. */
  codecs: readonly string[];
  /** Further attribute lines without `a=`. */
  attributes?: readonly string[];
  rtcpMux?: boolean;
  port?: number;
}

const FINGERPRINT = `fingerprint:sha-256 ${Array(32).fill('0A').join(':')}`;

/** A small offer: transport on the session, all m-lines bundled. `session` replaces the session's attribute lines. */
export function makeOffer(media: readonly OfferedMedia[], session?: readonly string[]): string {
  const bundle = `group:BUNDLE ${media.map((_, index) => index).join(' ')}`;
  const attributes = session ?? [
    bundle,
    'ice-ufrag:abcd',
    'ice-pwd:abcdefghijklmnopqrstuv',
    FINGERPRINT,
    'setup:actpass',
  ];
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...attributes.map((attribute) => `a=${attribute}`),
    ...media.flatMap(mediaLines),
    '',
  ].join('\r\n');
}

function mediaLines(media: OfferedMedia, mid: number): string[] {
  const { kind = 'video', direction = 'sendonly', codecs, attributes = [], rtcpMux = true, port = 9 } = media;
  const payloads = codecs.map((codec) => codec.split(' '));
  return [
    `m=${kind} ${port} UDP/TLS/RTP/SAVPF ${payloads.map(([payloadType]) => payloadType).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=${direction}`,
    ...(rtcpMux ? ['a=rtcp-mux'] : []),
    ...payloads.flatMap(([payloadType, rtpmap, fmtp]) => [
      `a=rtpmap:${payloadType} ${rtpmap}`,
      ...(fmtp ? [`a=fmtp:${payloadType} ${fmtp}`] : []),
    ]),
    ...attributes.map((attribute) => `a=${attribute}`),
  ];
}
