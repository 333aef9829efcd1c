import * as amf from '../amf/index.ts';

/** Characters of each text in a `connect`, and of a stream's name. */
export const MAX_TEXT = 2_048;

/** CapsExMask (Enhanced RTMP v2, Enhancing NetConnection connect Command). */
export const CAPABILITIES = { reconnect: 1, multitrack: 2, modEx: 4, nanoOffset: 8 } as const;

/** FourCcInfoMask: what a peer can do with a codec. */
export const CODEC_USE = { decode: 1, encode: 2, forward: 4 } as const;

/** What a client says of itself (RTMP 1.0, 7.2.1.1). */
export interface ConnectRequest {
  /** Without slashes at its end and without what follows a `?`. */
  app: string;
  /** The URL as the client has it; empty when it says none. */
  tcUrl: string;
  /** The encoder's name and version, often a Flash Player's. */
  flashVer: string;
  /** 0 or 3: the AMF version that the client can read. */
  objectEncoding: number;
  /** FourCCs that it names, `*` for any; empty in encoders older than Enhanced RTMP. */
  fourCcs: string[];
  /** Bits of `CAPABILITIES`. */
  capabilities: number;
}

/** Reads the object of a `connect`; a string says what is wrong. */
export function readConnect(object: amf.AmfValue): ConnectRequest | string {
  const [app, tcUrl, flashVer] = ['app', 'tcUrl', 'flashVer'].map((name) => amf.textOf(object, name) ?? '');
  if ([app, tcUrl, flashVer].some((text) => text!.length > MAX_TEXT))
    return `a text longer than ${MAX_TEXT} characters`;
  return {
    app: app!.replace(/\?.*$/s, '').replace(/\/+$/, ''),
    tcUrl: tcUrl!,
    flashVer: flashVer!,
    objectEncoding: amf.numberOf(object, 'objectEncoding') === 3 ? 3 : 0,
    fourCcs: readFourCcs(object),
    capabilities: (amf.numberOf(object, 'capsEx') ?? 0) & 0xff,
  };
}

/** Version 1 has a list, version 2 a map for each kind of media; each FourCC once. */
function readFourCcs(object: amf.AmfValue): string[] {
  if (!amf.isObject(object)) return [];
  const found = new Set<string>();
  const list = object.members.get('fourCcList');
  if (Array.isArray(list)) for (const fourCc of list) if (typeof fourCc === 'string') found.add(fourCc);
  for (const name of ['videoFourCcInfoMap', 'audioFourCcInfoMap']) {
    const map = object.members.get(name);
    if (amf.isObject(map)) for (const fourCc of map.members.keys()) found.add(fourCc);
  }
  return [...found].filter((fourCc) => fourCc.length <= 4);
}

/** What this side takes, as both versions of Enhanced RTMP say it. */
export function enhancedMembers(video: readonly string[], audio: readonly string[]): Record<string, amf.AmfValue> {
  const { reconnect, multitrack, modEx, nanoOffset } = CAPABILITIES;
  const uses = (codecs: readonly string[]) =>
    amf.object(Object.fromEntries(codecs.map((codec) => [codec, CODEC_USE.forward])));
  return {
    fourCcList: [...video, ...audio],
    videoFourCcInfoMap: uses(video),
    audioFourCcInfoMap: uses(audio),
    capsEx: reconnect | multitrack | modEx | nanoOffset,
  };
}
