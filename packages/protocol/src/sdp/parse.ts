import { isDirection, mediaReaders, sessionReaders } from './attributes.ts';
import { blankFragment, blankMedia } from './create.ts';
import { append, integer, type Line, limits, match, SdpError, splitLines, words } from './lines.ts';
import type { Direction, Fragment, Media, Origin, Payload, Session } from './types.ts';

/** Parses a session description (RFC 8866) as WebRTC writes it; `error` names the limit or the line. */
export function parse(text: string): { session: Session } | { error: string } {
  return orError(() => {
    const lines = splitLines(text);
    const [version, originLine, ...rest] = lines;
    if (version?.type !== 'v' || version.value !== '0') throw new SdpError('line 1: expected v=0');
    if (originLine?.type !== 'o') throw new SdpError('line 2: expected o=');
    const origin = atLine(originLine, () => readOrigin(originLine.value));
    const name = rest.find((line) => line.type === 's')?.value ?? '-';
    return { session: { origin, name, ...readBody(rest) } };
  });
}

/** Parses a trickle ICE fragment (RFC 8840 9), such as the body of a WHIP PATCH (RFC 9725 4.3.1). */
export function parseFragment(text: string): { fragment: Fragment } | { error: string } {
  return orError(() => ({ fragment: readBody(splitLines(text)) }));
}

function orError<T>(read: () => T): T | { error: string } {
  try {
    return read();
  } catch (error) {
    if (error instanceof SdpError) return { error: error.message };
    throw error;
  }
}

/** Names the line in what `read` throws. The value stays out of it: it is the peer's text. */
function atLine<T>(line: Line, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SdpError)) throw error;
    const name = line.type === 'a' ? `a=${attributeName(line.value)}` : `${line.type}=`;
    throw new SdpError(`line ${line.number} (${name}): ${error.message}`);
  }
}

/** The attribute's name when it is a plain one, cut to a length fit for a message. */
const attributeName = (value: string) => /^[\w-]{1,32}/.exec(value)?.[0] ?? '';

function readBody(lines: readonly Line[]): Fragment {
  const body: Body = { fragment: blankFragment(), direction: 'sendrecv' };
  for (const line of lines) atLine(line, () => readLine(body, line));
  return body.fragment;
}

interface Body {
  fragment: Fragment;
  media?: Media;
  /** The session's direction: the default of the m-lines that follow. */
  direction: Direction;
}

/** Line types of RFC 8866 5 that carry nothing for us. */
const IGNORED = new Set(['s', 'i', 'u', 'e', 'p', 't', 'r', 'z', 'k']);

function readLine(body: Body, { type, value }: Line): void {
  if (type === 'a') readAttribute(body, value);
  else if (type === 'm') {
    body.media = readMediaLine(value, body.direction);
    append(body.fragment.media, body.media, limits.media, 'm-lines');
  } else if (type === 'c') (body.media ?? body.fragment).connection = value;
  else if (type === 'b') readBandwidth(body.media, value);
  else if (!IGNORED.has(type)) throw new SdpError('unknown line type');
}

function readAttribute(body: Body, text: string): void {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const value = colon < 0 ? undefined : text.slice(colon + 1);
  if (name === '') throw new SdpError('expected a name');
  const { fragment, media } = body;
  if (isDirection(name)) {
    if (media === undefined) body.direction = name;
    else media.direction = name;
    return;
  }
  if (media !== undefined && mediaReaders.has(name)) mediaReaders.get(name)?.(media, value ?? '');
  else if (media === undefined && sessionReaders.has(name)) sessionReaders.get(name)?.(fragment, value ?? '');
  else (media ?? fragment).attributes.push(value === undefined ? { name } : { name, value });
}

/** `<username> <session id> <version> <net type> <address type> <address>` (RFC 8866 5.2). */
function readOrigin(value: string): Origin {
  const [, username, sessionId, sessionVersion, netType, addressType, address] = match(
    value,
    /^(\S+) (\d{1,20}) (\d{1,20}) (\S+) (\S+) (\S+)$/,
    '<username> <session id> <version> IN IP4|IP6 <address>',
  );
  return {
    username: username!,
    sessionId: sessionId!,
    sessionVersion: sessionVersion!,
    netType: netType!,
    addressType: addressType!,
    address: address!,
  };
}

/** `<kind> <port> <protocol> <formats>` (RFC 8866 5.14). */
function readMediaLine(value: string, direction: Direction): Media {
  const [, kind, port, protocol, list] = match(
    value,
    /^([\w-]+) (\d+) ([\w/.-]+) (\S.*)$/,
    '<kind> <port> <protocol> <formats>',
  );
  const media = blankMedia(kind!);
  media.port = integer(port, 0, 65535, 'port');
  media.protocol = protocol!;
  media.direction = direction;
  for (const format of words(list!)) append(media.formats, format, limits.payloads, 'formats in one m-line');
  if (/(^|\/)RTP\//.test(media.protocol)) {
    media.payloads = readPayloads(media.formats);
    media.formats = [];
  }
  return media;
}

function readPayloads(formats: readonly string[]): Payload[] {
  const seen = new Set<number>();
  return formats.map((format) => {
    const payloadType = integer(format, 0, 127, 'payload type');
    if (seen.has(payloadType)) throw new SdpError(`payload type ${payloadType} appears twice`);
    seen.add(payloadType);
    const [name, clockRate] = staticPayloads.get(payloadType) ?? ['', 0];
    return { payloadType, name, clockRate, fmtp: '', rtcpFb: [] };
  });
}

/** Payload types that need no rtpmap (RFC 3551 6) and are in use with WebRTC. */
const staticPayloads: ReadonlyMap<number, [name: string, clockRate: number]> = new Map([
  [0, ['PCMU', 8000]],
  [8, ['PCMA', 8000]],
  [9, ['G722', 8000]],
  [13, ['CN', 8000]],
]);

/** `<type>:<value>` (RFC 8866 5.8); before the first m-line it is ignored. */
function readBandwidth(media: Media | undefined, text: string): void {
  const [, type, value] = match(text, /^([\w-]+):(\d+)$/, '<type>:<bandwidth>');
  const bandwidth = { type: type!, value: integer(value, 0, Number.MAX_SAFE_INTEGER, 'bandwidth') };
  if (media !== undefined) append(media.bandwidths, bandwidth, limits.entries, 'bandwidths in one m-line');
}
