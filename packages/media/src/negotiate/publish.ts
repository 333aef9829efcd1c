import { rtp, type sdp } from '@footlights/protocol';
import { MAX_LAYERS } from '../limits.ts';
import { MediaError } from '../media.ts';
import { type AnswerPlan, acceptedSection, payloads, rejectedSection } from './answer.ts';
import { type Codec, choosePublished, codecOf, commonFeedback, type Kind, redOf, rtxOf } from './codecs.ts';
import { checkBundle, usableMedia } from './offer.ts';

/** What a publisher will send on one m-line. */
export interface PublishedTrack {
  kind: Kind;
  codec: Codec;
  /** As the publisher wrote it; subscribers are told the same. */
  fmtp: string;
  payloadType: number;
  rtxPayloadType?: number;
  /** Opus comes with what came before it, for those who lose packets (RFC 2198). */
  redPayloadType?: number;
  /** Feedback that the publisher understands, such as `nack pli`. */
  feedback: readonly string[];
  mid?: string;
  /** The simulcast layers in the order of the offer, or the one stream. */
  encodings: readonly PublishedEncoding[];
  /** Header extension ids; they mean the same in the whole bundle (RFC 9143 section 9.2). */
  extensions: ExtensionIds;
}

/** One stream of an m-line. */
export interface PublishedEncoding {
  /** What subscribers call the layer: its RID; absent without simulcast. */
  id?: string;
  /** Its packets carry the RID (RFC 8852). */
  rid?: string;
  /** Announced by a=ssrc; unknown with RIDs. */
  ssrc?: number;
  rtxSsrc?: number;
}

export interface ExtensionIds {
  mid?: number;
  rid?: number;
  repairedRid?: number;
  transportSequenceNumber?: number;
  audioLevel?: number;
}

export interface PublishPlan extends AnswerPlan {
  tracks: PublishedTrack[];
}

const EXTENSIONS = ['mid', 'rid', 'repairedRid', 'transportSequenceNumber', 'audioLevel'] as const;
/** Names of layers that come without RIDs, by their number: the smallest is announced first. */
const LAYER_NAMES = [[], [], ['low', 'hi'], ['low', 'mid', 'hi'], ['low', 'mid', 'hi', 'max']];

/** Plans the answer to a publisher: the first audio and the first video that can be forwarded, the rest rejected. */
export function planPublish(session: sdp.Session): PublishPlan {
  const usable = usableMedia(session, ['sendonly', 'sendrecv']);
  const tracks = new Map<sdp.Media, PublishedTrack>();
  for (const [kind, media] of usable) {
    const payload = choosePublished(media);
    if (payload) tracks.set(media, publishedTrack(kind, media, payload));
  }
  if (tracks.size === 0) {
    throw new MediaError('NOT_ACCEPTABLE', 'the offer sends no Opus audio and no H.264, VP8, VP9 or AV1 video');
  }
  checkBundle(session, [...tracks.keys()]);
  return {
    sections: session.media.map((media) => section(media, tracks.get(media))),
    tracks: [...tracks.values()],
  };
}

function publishedTrack(kind: Kind, media: sdp.Media, payload: sdp.Payload): PublishedTrack {
  const rtxPayloadType = rtxOf(media, payload.payloadType);
  const redPayloadType = preferredRed(media, payload.payloadType);
  return {
    kind,
    codec: codecOf(payload) ?? 'opus',
    fmtp: payload.fmtp,
    payloadType: payload.payloadType,
    feedback: commonFeedback(payload),
    encodings: kind === 'video' ? encodingsOf(media) : [announcedEncoding(media, media.ssrcs[0]?.ssrc)],
    extensions: extensionIds(media),
    ...(media.mid !== undefined && { mid: media.mid }),
    ...(rtxPayloadType !== undefined && { rtxPayloadType }),
    ...(redPayloadType !== undefined && { redPayloadType }),
  };
}

/** Redundant audio, where the publisher would rather send that: it comes first. */
function preferredRed(media: sdp.Media, payloadType: number): number | undefined {
  const red = redOf(media, payloadType);
  const order = media.payloads.map((payload) => payload.payloadType);
  return red !== undefined && order.indexOf(red) < order.indexOf(payloadType) ? red : undefined;
}

/** Layers by RID (RFC 8853 section 5.1, of each stream the first alternative), by an SSRC group, or the one stream. */
function encodingsOf(media: sdp.Media): PublishedEncoding[] {
  const rids = ridsOf(media);
  if (rids.length > 0) return rids.map((rid) => ({ id: rid, rid }));
  const group = media.ssrcGroups.find(({ semantics }) => semantics === 'SIM')?.ssrcs.slice(0, MAX_LAYERS) ?? [];
  const names = LAYER_NAMES[group.length] ?? [];
  if (names.length === 0) return [announcedEncoding(media, media.ssrcs[0]?.ssrc)];
  return group.map((ssrc, index) => ({ id: names[index] ?? '', ...announcedEncoding(media, ssrc) }));
}

function ridsOf(media: sdp.Media): string[] {
  const offered = (media.simulcast?.send ?? []).flatMap((alternatives) => alternatives[0]?.rid ?? []);
  return [...new Set(offered)].slice(0, MAX_LAYERS);
}

/** An SSRC of the offer with that of its retransmissions (RFC 4588 section 8.8). */
function announcedEncoding({ ssrcGroups }: sdp.Media, ssrc: number | undefined): PublishedEncoding {
  if (ssrc === undefined) return {};
  const flow = ssrcGroups.find(({ semantics, ssrcs }) => semantics === 'FID' && ssrcs.includes(ssrc));
  const [primary = ssrc, rtxSsrc] = flow?.ssrcs ?? [];
  return { ssrc: primary, ...(rtxSsrc !== undefined && { rtxSsrc }) };
}

function extensionIds(media: sdp.Media): ExtensionIds {
  const ids: ExtensionIds = {};
  for (const name of EXTENSIONS) {
    const offered = media.extmap.find(({ uri }) => uri === rtp.extensionUris[name]);
    if (offered) ids[name] = offered.id;
  }
  return ids;
}

function section(offered: sdp.Media, track: PublishedTrack | undefined): sdp.Media {
  const payload = offered.payloads.find(({ payloadType }) => payloadType === track?.payloadType);
  if (!track || !payload) return rejectedSection(offered);
  const answered = acceptedSection(offered, 'recvonly');
  const red = offered.payloads.filter(({ payloadType }) => payloadType === track.redPayloadType);
  answered.payloads = [...red, ...payloads({ ...payload, rtcpFb: [...track.feedback] }, track.rtxPayloadType)];
  const uris: readonly string[] = EXTENSIONS.map((name) => rtp.extensionUris[name]);
  answered.extmap = offered.extmap.filter(({ uri }) => uris.includes(uri)).map(({ id, uri }) => ({ id, uri }));
  const rids = track.encodings.flatMap(({ rid }) => rid ?? []);
  if (rids.length > 0) {
    answered.rids = rids.map((id) => ({ id, direction: 'recv' }));
    answered.simulcast = { recv: rids.map((rid) => [{ rid, paused: false }]) };
  }
  return answered;
}
