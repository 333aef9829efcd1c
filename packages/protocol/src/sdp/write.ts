import { writeCandidate } from './candidate.ts';
import { hasControl } from './lines.ts';
import type { Fragment, Media, Payload, Session, SimulcastAlternative, Ssrc, TransportAttributes } from './types.ts';

/** Writes a session description with CRLF line ends (RFC 8866 5). Throws a TypeError on a value that would break a line. */
export function write(session: Session): string {
  const { username, sessionId, sessionVersion, netType, addressType, address } = session.origin;
  return join([
    'v=0',
    `o=${[username, sessionId, sessionVersion, netType, addressType, address].join(' ')}`,
    `s=${session.name}`,
    ...optional('c=', session.connection),
    't=0 0',
    ...body(session),
  ]);
}

/** Writes a trickle ICE fragment (RFC 8840 9). */
export function writeFragment(fragment: Fragment): string {
  return join([...optional('c=', fragment.connection), ...body(fragment)]);
}

function join(lines: readonly string[]): string {
  const broken = lines.find(hasControl);
  if (broken !== undefined) throw new TypeError(`control character in the SDP line ${JSON.stringify(broken)}`);
  return lines.map((line) => `${line}\r\n`).join('');
}

const optional = (prefix: string, value: string | undefined) => (value === undefined ? [] : [`${prefix}${value}`]);
const flag = (set: boolean, name: string) => (set ? [`a=${name}`] : []);
const attribute = (name: string, value: string | undefined) => (value === undefined ? name : `${name}:${value}`);

function body(fragment: Fragment): string[] {
  return [
    ...fragment.groups.map(({ semantics, mids }) => `a=group:${[semantics, ...mids].join(' ')}`),
    ...flag(fragment.extmapAllowMixed, 'extmap-allow-mixed'),
    ...flag(fragment.iceLite, 'ice-lite'),
    ...transportLines(fragment),
    ...flag(fragment.endOfCandidates, 'end-of-candidates'),
    ...fragment.attributes.map(({ name, value }) => `a=${attribute(name, value)}`),
    ...fragment.media.flatMap(mediaLines),
  ];
}

function transportLines(transport: TransportAttributes): string[] {
  return [
    ...optional('a=ice-ufrag:', transport.iceUfrag),
    ...optional('a=ice-pwd:', transport.icePwd),
    ...optional('a=ice-options:', transport.iceOptions.join(' ') || undefined),
    ...transport.fingerprints.map(({ algorithm, value }) => `a=fingerprint:${algorithm} ${value}`),
    ...optional('a=setup:', transport.setup),
  ];
}

function mediaLines(media: Media): string[] {
  const formats = media.formats.length > 0 ? media.formats : media.payloads.map(({ payloadType }) => payloadType);
  return [
    `m=${[media.kind, media.port, media.protocol, ...formats].join(' ')}`,
    ...optional('c=', media.connection),
    ...media.bandwidths.map(({ type, value }) => `b=${type}:${value}`),
    ...transportLines(media),
    ...optional('a=mid:', media.mid),
    ...flag(media.bundleOnly, 'bundle-only'),
    ...flag(media.extmapAllowMixed, 'extmap-allow-mixed'),
    ...extmapLines(media),
    `a=${media.direction}`,
    ...media.msids.map(({ stream, track }) => `a=msid:${track === undefined ? stream : `${stream} ${track}`}`),
    ...flag(media.rtcpMux, 'rtcp-mux'),
    ...flag(media.rtcpRsize, 'rtcp-rsize'),
    ...media.payloads.flatMap(payloadLines),
    ...media.ssrcGroups.map(({ semantics, ssrcs }) => `a=ssrc-group:${[semantics, ...ssrcs].join(' ')}`),
    ...media.ssrcs.flatMap(ssrcLines),
    ...ridLines(media),
    ...media.attributes.map(({ name, value }) => `a=${attribute(name, value)}`),
    ...media.candidates.map((candidate) => `a=candidate:${writeCandidate(candidate)}`),
    ...flag(media.endOfCandidates, 'end-of-candidates'),
  ];
}

function extmapLines(media: Media): string[] {
  return media.extmap.map(({ id, uri, direction, attributes }) => {
    const way = direction === undefined ? '' : `/${direction}`;
    return `a=extmap:${id}${way} ${uri}${attributes === undefined ? '' : ` ${attributes}`}`;
  });
}

function payloadLines({ payloadType, name, clockRate, channels, fmtp, rtcpFb }: Payload): string[] {
  const rtpmap = `${name}/${clockRate}${channels === undefined ? '' : `/${channels}`}`;
  return [
    ...(name === '' ? [] : [`a=rtpmap:${payloadType} ${rtpmap}`]),
    ...rtcpFb.map((feedback) => `a=rtcp-fb:${payloadType} ${feedback}`),
    ...(fmtp === '' ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
  ];
}

function ssrcLines({ ssrc, cname, msid, attributes }: Ssrc): string[] {
  return [
    ...optional(`a=ssrc:${ssrc} cname:`, cname),
    ...optional(`a=ssrc:${ssrc} msid:`, msid),
    ...attributes.map(({ name, value }) => `a=ssrc:${ssrc} ${attribute(name, value)}`),
  ];
}

function ridLines({ rids, simulcast }: Media): string[] {
  const sides = (['send', 'recv'] as const).flatMap((side) => {
    const streams = simulcast?.[side];
    return streams === undefined ? [] : [`${side} ${streams.map(writeAlternatives).join(';')}`];
  });
  return [
    ...rids.map(
      ({ id, direction, restrictions }) =>
        `a=rid:${id} ${direction}${restrictions === undefined ? '' : ` ${restrictions}`}`,
    ),
    ...(sides.length === 0 ? [] : [`a=simulcast:${sides.join(' ')}`]),
  ];
}

const writeAlternatives = (alternatives: readonly SimulcastAlternative[]) =>
  alternatives.map(({ rid, paused }) => (paused ? `~${rid}` : rid)).join(',');
