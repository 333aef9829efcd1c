import type { sdp } from '@footlights/protocol';
import { MediaError } from '../media.ts';
import { type AnswerPlan, acceptedSection, payloads, rejectedSection } from './answer.ts';
import { type Codec, chooseSubscribed, commonFeedback, type Kind, rtxOf, sameH264 } from './codecs.ts';
import { checkBundle, invalid, usableMedia } from './offer.ts';

/** What a subscriber can be given: of a published track as much as matters to it. */
export interface Source {
  kind: Kind;
  codec: Codec;
  fmtp: string;
}

/** What a subscriber will receive on one m-line. */
export interface SubscribedTrack {
  kind: Kind;
  payloadType: number;
  ssrc: number;
  rtx?: { payloadType: number; ssrc: number };
}

export interface SubscribePlan extends AnswerPlan {
  tracks: SubscribedTrack[];
}

/** Plans the answer to a subscriber of a participant's tracks; `newSsrc` gives unused ones. */
export function planSubscribe(
  session: sdp.Session,
  sources: readonly Source[],
  participantId: string,
  newSsrc: () => number,
): SubscribePlan {
  const usable = usableMedia(session, ['recvonly', 'sendrecv']);
  if (usable.size === 0) throw invalid('no m-line receives audio or video');
  const matches = new Map<sdp.Media, Match>();
  for (const source of sources) {
    const media = usable.get(source.kind);
    const match = media && matchTrack(media, source, newSsrc);
    if (match) matches.set(media, match);
  }
  if (matches.size === 0) throw new MediaError('NOT_ACCEPTABLE', notAcceptable(sources));
  checkBundle(session, [...matches.keys()]);
  return {
    sections: session.media.map((media) => section(media, matches.get(media), participantId)),
    tracks: [...matches.values()].map(({ track }) => track),
  };
}

interface Match {
  track: SubscribedTrack;
  payload: sdp.Payload;
}

function matchTrack(media: sdp.Media, source: Source, newSsrc: () => number): Match | undefined {
  const offered = chooseSubscribed(media, source.codec, source.fmtp);
  if (!offered) return undefined;
  const { payloadType } = offered;
  const rtxPayloadType = rtxOf(media, payloadType);
  const track: SubscribedTrack = { kind: source.kind, payloadType, ssrc: newSsrc() };
  if (rtxPayloadType !== undefined) track.rtx = { payloadType: rtxPayloadType, ssrc: newSsrc() };
  // Without the header extension on this path transport-wide feedback would have nothing to report.
  const rtcpFb = commonFeedback(offered, ['transport-cc']);
  const fmtp = source.codec === 'H264' && sameH264(offered.fmtp, source.fmtp) ? source.fmtp : offered.fmtp;
  return { track, payload: { ...offered, fmtp, rtcpFb } };
}

function notAcceptable(sources: readonly Source[]): string {
  const codecs = sources.map(({ codec }) => codec).join(' and ');
  return `the publisher sends ${codecs}, which the offer cannot receive`;
}

function section(offered: sdp.Media, match: Match | undefined, participantId: string): sdp.Media {
  if (!match) return rejectedSection(offered);
  const { track, payload } = match;
  const answered = acceptedSection(offered, 'sendonly');
  answered.payloads = payloads(payload, track.rtx?.payloadType);
  const trackId = `${participantId}-${track.kind}`;
  answered.msids = [{ stream: participantId, track: trackId }];
  // Browsers take the first SSRC as the media's own, so that of the retransmissions comes second.
  const ssrcs = track.rtx ? [track.ssrc, track.rtx.ssrc] : [track.ssrc];
  answered.ssrcs = ssrcs.map((ssrc) => ({
    ssrc,
    cname: participantId,
    msid: `${participantId} ${trackId}`,
    attributes: [],
  }));
  if (track.rtx) answered.ssrcGroups = [{ semantics: 'FID', ssrcs }];
  return answered;
}
