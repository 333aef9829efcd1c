import { rtp, type sdp } from '@footlights/protocol';
import { MediaError } from '../media.ts';
import { type AnswerPlan, acceptedSection, payloads, rejectedSection } from './answer.ts';
import { type Codec, choosePublished, codecOf, commonFeedback, type Kind, rtxOf } from './codecs.ts';
import { checkBundle, usableMedia } from './offer.ts';

/** What a publisher will send on one m-line. */
export interface PublishedTrack {
  kind: Kind;
  codec: Codec;
  /** As the publisher wrote it; subscribers are told the same. */
  fmtp: string;
  payloadType: number;
  rtxPayloadType?: number;
  /** Feedback that the publisher understands, such as `nack pli`. */
  feedback: readonly string[];
  mid?: string;
  /** The one simulcast layer that we receive. */
  rid?: string;
  /** Header extension ids; they mean the same in the whole bundle (RFC 9143 section 9.2). */
  extensions: ExtensionIds;
  /** Announced by a=ssrc; unknown with simulcast. */
  ssrc?: number;
  rtxSsrc?: number;
}

export interface ExtensionIds {
  mid?: number;
  rid?: number;
  repairedRid?: number;
  transportSequenceNumber?: number;
}

export interface PublishPlan extends AnswerPlan {
  tracks: PublishedTrack[];
}

const EXTENSIONS = ['mid', 'rid', 'repairedRid', 'transportSequenceNumber'] as const;
/** The layer that is received of a simulcast, when it is offered. */
const FAVOURED_RID = 'hi';

/** Plans the answer to a publisher: the first audio and the first video that can be forwarded, the rest rejected. */
export function planPublish(session: sdp.Session): PublishPlan {
  const usable = usableMedia(session, ['sendonly', 'sendrecv']);
  const tracks = new Map<sdp.Media, PublishedTrack>();
  for (const [kind, media] of usable) {
    const payload = choosePublished(media);
    if (payload) tracks.set(media, publishedTrack(kind, media, payload));
  }
  if (tracks.size === 0) {
    throw new MediaError('NOT_ACCEPTABLE', 'the offer sends no Opus audio and no H.264 or VP8 video');
  }
  checkBundle(session, [...tracks.keys()]);
  return {
    sections: session.media.map((media) => section(media, tracks.get(media))),
    tracks: [...tracks.values()],
  };
}

function publishedTrack(kind: Kind, media: sdp.Media, payload: sdp.Payload): PublishedTrack {
  const rid = chosenRid(media);
  const rtxPayloadType = rtxOf(media, payload.payloadType);
  const [ssrc, rtxSsrc] = rid === undefined ? announcedSsrcs(media) : [];
  return {
    kind,
    codec: codecOf(payload) ?? 'opus',
    fmtp: payload.fmtp,
    payloadType: payload.payloadType,
    feedback: commonFeedback(payload),
    extensions: extensionIds(media),
    ...(media.mid !== undefined && { mid: media.mid }),
    ...(rtxPayloadType !== undefined && { rtxPayloadType }),
    ...(rid !== undefined && { rid }),
    ...(ssrc !== undefined && { ssrc }),
    ...(rtxSsrc !== undefined && { rtxSsrc }),
  };
}

/** The favoured layer of a simulcast offer, else its last; the first alternative of each stream (RFC 8853 section 5.1). */
function chosenRid(media: sdp.Media): string | undefined {
  const offered = (media.simulcast?.send ?? []).flatMap((alternatives) => alternatives[0]?.rid ?? []);
  return offered.find((rid) => rid === FAVOURED_RID) ?? offered.at(-1);
}

/** Primary and retransmission SSRC (RFC 4588 section 8.8). */
function announcedSsrcs({ ssrcs, ssrcGroups }: sdp.Media): (number | undefined)[] {
  return ssrcGroups.find(({ semantics }) => semantics === 'FID')?.ssrcs ?? [ssrcs[0]?.ssrc];
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
  answered.payloads = payloads({ ...payload, rtcpFb: [...track.feedback] }, track.rtxPayloadType);
  const uris: readonly string[] = EXTENSIONS.map((name) => rtp.extensionUris[name]);
  answered.extmap = offered.extmap.filter(({ uri }) => uris.includes(uri)).map(({ id, uri }) => ({ id, uri }));
  if (track.rid !== undefined) {
    answered.rids = [{ id: track.rid, direction: 'recv' }];
    answered.simulcast = { recv: [[{ rid: track.rid, paused: false }]] };
  }
  return answered;
}
