import { readCandidate } from './candidate.ts';
import { append, integer, limits, match, SdpError, words } from './lines.ts';
import type {
  Direction,
  Fragment,
  Group,
  Media,
  Payload,
  Setup,
  Simulcast,
  SimulcastAlternative,
  SsrcGroup,
  TransportAttributes,
} from './types.ts';

type Reader<T> = (target: T, value: string) => void;

/** A token of RFC 8866 9. */
const TOKEN = /^[!#-'*+\-.0-9A-Z^-~]+$/;
const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies Direction[];
const SETUPS: readonly string[] = ['active', 'passive', 'actpass', 'holdconn'] satisfies Setup[];

/** Narrows an attribute name to a direction. */
export const isDirection = (name: string): name is Direction => DIRECTIONS.includes(name);

const isSetup = (value: string): value is Setup => SETUPS.includes(value);

/** An attribute without value. */
const flag =
  <K extends string>(name: K): Reader<Record<K, boolean>> =>
  (target) => {
    target[name] = true;
  };

/** An attribute whose value is kept as it is; as everywhere here, the first of several counts. */
const text =
  (name: 'iceUfrag' | 'icePwd'): Reader<TransportAttributes> =>
  (target, value) => {
    target[name] ??= value;
  };

const transportReaders: [string, Reader<TransportAttributes>][] = [
  ['ice-ufrag', text('iceUfrag')],
  ['ice-pwd', text('icePwd')],
  ['ice-options', readIceOptions],
  ['fingerprint', readFingerprint],
  ['setup', readSetup],
];

/** Readers of the attributes that may stand before the first m-line. */
export const sessionReaders: ReadonlyMap<string, Reader<Fragment>> = new Map<string, Reader<Fragment>>([
  ...transportReaders,
  ['group', readGroup],
  ['ice-lite', flag('iceLite')],
  ['extmap-allow-mixed', flag('extmapAllowMixed')],
  ['end-of-candidates', flag('endOfCandidates')],
]);

/** Readers of the attributes of an m-line. */
export const mediaReaders: ReadonlyMap<string, Reader<Media>> = new Map<string, Reader<Media>>([
  ...transportReaders,
  ['mid', readMid],
  ['rtcp-mux', flag('rtcpMux')],
  ['rtcp-rsize', flag('rtcpRsize')],
  ['bundle-only', flag('bundleOnly')],
  ['extmap-allow-mixed', flag('extmapAllowMixed')],
  ['end-of-candidates', flag('endOfCandidates')],
  ['rtpmap', readRtpmap],
  ['fmtp', readFmtp],
  ['rtcp-fb', readRtcpFb],
  ['extmap', readExtmap],
  ['msid', readMsid],
  ['ssrc', readSsrc],
  ['ssrc-group', readSsrcGroup],
  ['rid', readRid],
  ['simulcast', readSimulcast],
  ['candidate', (media, value) => append(media.candidates, readCandidate(value), limits.entries, 'candidates')],
]);

function readMid(media: Media, value: string): void {
  match(value, TOKEN, 'a token');
  media.mid ??= value;
}

function readIceOptions(target: TransportAttributes, value: string): void {
  for (const option of words(value)) append(target.iceOptions, option, limits.entries, 'ice-options');
}

function readFingerprint(target: TransportAttributes, value: string): void {
  const form = '<hash> <hex pairs with colons>';
  const [, algorithm, hex] = match(value, /^([\w-]+) ([\dA-Fa-f]{2}(?::[\dA-Fa-f]{2})*)$/, form);
  append(
    target.fingerprints,
    { algorithm: algorithm!.toLowerCase(), value: hex! },
    limits.entries,
    'fingerprints of one level',
  );
}

function readSetup(target: TransportAttributes, value: string): void {
  if (!isSetup(value)) throw new SdpError(`expected ${SETUPS.join(', ')}`);
  target.setup ??= value;
}

function readGroup(session: Fragment, value: string): void {
  const [semantics, ...mids] = words(value);
  if (semantics === undefined) throw new SdpError('expected <semantics> and mids');
  const group: Group = { semantics, mids: [] };
  for (const mid of mids) append(group.mids, mid, limits.entries, 'mids in one group');
  append(session.groups, group, limits.entries, 'groups');
}

function payloadOf(media: Media, text: string | undefined): Payload | undefined {
  const payloadType = integer(text, 0, 127, 'payload type');
  return media.payloads.find((payload) => payload.payloadType === payloadType);
}

/** `<payload> <name>/<clock rate>[/<channels>]` (RFC 8866 6.6). One of a format that the m-line lacks is ignored. */
function readRtpmap(media: Media, value: string): void {
  const form = '<payload> <name>/<clock rate>';
  const [, type, name, clockRate, channels] = match(value, /^(\d+) ([^ /]+)\/(\d+)(?:\/(\d+))?$/, form);
  const rate = integer(clockRate, 1, 0xffffffff, 'clock rate');
  const count = channels === undefined ? undefined : integer(channels, 1, 255, 'channels');
  const payload = payloadOf(media, type);
  if (payload === undefined) return;
  payload.name = name!;
  payload.clockRate = rate;
  if (count === undefined) delete payload.channels;
  else payload.channels = count;
}

/** `<payload> <parameters>` (RFC 8866 6.15). */
function readFmtp(media: Media, value: string): void {
  if (media.payloads.length === 0) return;
  const [, type, parameters] = match(value, /^(\d+) ?(.*)$/, '<payload> <parameters>');
  const payload = payloadOf(media, type);
  if (payload !== undefined) payload.fmtp = parameters!;
}

/** `<payload or *> <feedback>` (RFC 4585 4.2). */
function readRtcpFb(media: Media, value: string): void {
  const [, type, feedback] = match(value, /^(\*|\d+) (.+)$/, '<payload or *> <feedback>');
  const payloads = type === '*' ? media.payloads : [payloadOf(media, type)];
  for (const payload of payloads) {
    if (payload !== undefined) append(payload.rtcpFb, feedback!, limits.rtcpFbs, 'rtcp-fb of one payload');
  }
}

/** `<id>[/<direction>] <uri> [attributes]` (RFC 8285 5, 8). */
function readExtmap(media: Media, value: string): void {
  const [, idText, way, uri, attributes] = match(
    value,
    /^(\d+)(?:\/(sendrecv|sendonly|recvonly|inactive))? (\S+)(?: (.+))?$/,
    '<id>[/<direction>] <uri>',
  );
  const id = integer(idText, 1, 4351, 'extmap id');
  if (id > 255 && id < 4096) throw new SdpError('extmap id is neither 1 to 255 nor 4096 to 4351');
  append(
    media.extmap,
    {
      id,
      uri: uri!,
      ...(way !== undefined && isDirection(way) && { direction: way }),
      ...(attributes !== undefined && { attributes }),
    },
    limits.extmaps,
    'extmaps in one m-line',
  );
}

function readMsid(media: Media, value: string): void {
  const [, stream, track] = match(value, /^(\S+)(?: (\S+))?$/, '<stream> [<track>]');
  append(
    media.msids,
    { stream: stream!, ...(track !== undefined && { track }) },
    limits.entries,
    'msids in one m-line',
  );
}

/** `<ssrc> <attribute>[:<value>]` (RFC 5576 4.1). */
function readSsrc(media: Media, text: string): void {
  const [, id, name, value] = match(text, /^(\d+) ([^ :]+)(?::(.*))?$/, '<ssrc> <attribute>[:<value>]');
  const ssrc = integer(id, 0, 0xffffffff, 'ssrc');
  let entry = media.ssrcs.find((known) => known.ssrc === ssrc);
  if (entry === undefined) {
    entry = { ssrc, attributes: [] };
    append(media.ssrcs, entry, limits.entries, 'SSRCs in one m-line');
  }
  if (name === 'cname' && value !== undefined) entry.cname ??= value;
  else if (name === 'msid' && value !== undefined) entry.msid ??= value;
  else
    append(
      entry.attributes,
      { name: name!, ...(value !== undefined && { value }) },
      limits.entries,
      'attributes of one SSRC',
    );
}

/** `<semantics> <ssrc> ...` (RFC 5576 4.2). */
function readSsrcGroup(media: Media, value: string): void {
  const [semantics, ...ids] = words(value);
  if (semantics === undefined) throw new SdpError('expected <semantics> and SSRCs');
  const group: SsrcGroup = { semantics, ssrcs: [] };
  for (const id of ids) {
    append(group.ssrcs, integer(id, 0, 0xffffffff, 'ssrc'), limits.entries, 'SSRCs in one ssrc-group');
  }
  append(media.ssrcGroups, group, limits.entries, 'ssrc-groups in one m-line');
}

/** `<id> send|recv [restrictions]` (RFC 8851 10). */
function readRid(media: Media, value: string): void {
  const [, id, direction, restrictions] = match(
    value,
    /^([\w-]{1,255}) (send|recv)(?: (.+))?$/,
    '<id> send|recv [<restrictions>]',
  );
  append(
    media.rids,
    {
      id: id!,
      direction: direction === 'send' ? 'send' : 'recv',
      ...(restrictions !== undefined && { restrictions }),
    },
    limits.entries,
    'rids in one m-line',
  );
}

/** `send|recv <streams> [recv|send <streams>]` (RFC 8853 5.1). */
function readSimulcast(media: Media, value: string): void {
  const parts = words(value);
  const simulcast: Simulcast = {};
  for (let i = 0; i < parts.length; i += 2) {
    const direction = parts[i];
    if ((direction !== 'send' && direction !== 'recv') || simulcast[direction] !== undefined) {
      throw new SdpError('expected send <streams> and recv <streams>, each at most once');
    }
    simulcast[direction] = readStreams(parts[i + 1]);
  }
  if (parts.length === 0) throw new SdpError('expected send <streams> or recv <streams>');
  media.simulcast ??= simulcast;
}

/** Streams parted by `;`, alternatives by `,`, `~` before a paused one. */
function readStreams(text = ''): SimulcastAlternative[][] {
  const streams: SimulcastAlternative[][] = [];
  for (const stream of text.split(';')) {
    const alternatives = stream.split(',').map((alternative) => {
      const [, tilde, rid] = match(alternative, /^(~?)([\w-]{1,255})$/, 'rids parted by ";" and ","');
      return { rid: rid!, paused: tilde === '~' };
    });
    append(streams, alternatives, limits.entries, 'simulcast streams');
  }
  return streams;
}
