import { rtp, sdp } from '@footlights/protocol';
import { MediaError } from '../media.ts';
import { type AnswerPlan, acceptedSection, payloads, rejectedSection } from './answer.ts';
import { type Codec, chooseSubscribed, commonFeedback, type Kind, redOf, rtxOf, sameH264 } from './codecs.ts';
import { checkBundle, invalid, usableMedia } from './offer.ts';

/** What a subscriber can be given: of a published track as much as matters to it. */
export interface Source {
  kind: Kind;
  codec: Codec;
  fmtp: string;
  /** The audio comes with redundancy, in encodings of this payload type. */
  redEncoding?: number;
}

/** What a subscriber will receive on one m-line. */
export interface SubscribedTrack {
  kind: Kind;
  payloadType: number;
  ssrc: number;
  rtx?: { payloadType: number; ssrc: number };
  /** Redundant audio goes on as it came. */
  redPayloadType?: number;
  /** The m-line's `mid`. */
  mid?: string;
  /** The header extension that the subscriber's feedback needs: transport-wide sequence number or absolute send time. */
  extension?: { id: number; bytes: 2 | 3; uri: string };
  /** The subscriber tells a bitrate itself (draft-alvestrand-rmcat-remb-03). */
  remb: boolean;
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
    if (!media) continue;
    const match = matchTrack(media, source, newSsrc);
    // Sound without the picture that was asked for helps nobody: the client is to know.
    if (!match) throw new MediaError('NOT_ACCEPTABLE', notAcceptable([source]));
    matches.set(media, match);
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
  const extension = extensionOf(media, offered);
  const rtcpFb = feedbackOf(offered, extension);
  const remb = rtcpFb.includes('goog-remb');
  const track: SubscribedTrack = { kind: source.kind, payloadType, ssrc: newSsrc(), remb };
  if (media.mid !== undefined) track.mid = media.mid;
  if (rtxPayloadType !== undefined) track.rtx = { payloadType: rtxPayloadType, ssrc: newSsrc() };
  if (extension) track.extension = extension;
  // The encodings inside keep their payload type, so it must be the same one on both sides.
  const red = source.redEncoding === payloadType ? redOf(media, payloadType) : undefined;
  if (red !== undefined) track.redPayloadType = red;
  return { track, payload: { ...offered, fmtp: answeredFmtp(offered.fmtp, source), rtcpFb } };
}

/** The subscriber's own parameters, with what is known of the stream: an H.264 level, and that the sound is stereo (RFC 7587 section 6.1). */
function answeredFmtp(offered: string, { codec, fmtp }: Source): string {
  if (codec === 'H264') return sameH264(offered, fmtp) ? fmtp : offered;
  const isStereo = codec === 'opus' && sdp.parseFmtp(fmtp).get('sprop-stereo') === '1';
  if (!isStereo || sdp.parseFmtp(offered).has('sprop-stereo')) return offered;
  return [offered, 'sprop-stereo=1'].filter((part) => part !== '').join(';');
}

/** Ids that fit the one-byte form (RFC 8285 section 4.2). */
const MAX_EXTENSION_ID = 14;

/** Transport-wide sequence numbers where the subscriber gives feedback on them, else the send time that its own estimate needs. */
function extensionOf(media: sdp.Media, { rtcpFb }: sdp.Payload): SubscribedTrack['extension'] {
  const kinds = [
    { feedback: 'transport-cc', uri: rtp.extensionUris.transportSequenceNumber, bytes: 2 },
    { feedback: 'goog-remb', uri: rtp.extensionUris.absSendTime, bytes: 3 },
  ] as const;
  for (const { feedback, uri, bytes } of kinds) {
    const id = media.extmap.find((extmap) => extmap.uri === uri)?.id;
    if (id !== undefined && id <= MAX_EXTENSION_ID && rtcpFb.includes(feedback)) return { id, bytes, uri };
  }
  return undefined;
}

/** One kind of bandwidth feedback alone: transport-wide feedback has nothing to report without its header extension. */
function feedbackOf(offered: sdp.Payload, extension: SubscribedTrack['extension']): string[] {
  return commonFeedback(offered, [extension?.bytes === 2 ? 'goog-remb' : 'transport-cc']);
}

function notAcceptable(sources: readonly Source[]): string {
  const codecs = sources.map(({ codec }) => codec).join(' and ');
  return `the publisher sends ${codecs}, which the offer cannot receive`;
}

/** Receivers may ask for their round trip (RFC 3611 section 5.1): without it they do not wait for retransmissions. */
const asksForRoundTrip = ({ name, value }: sdp.Attribute) =>
  name === 'rtcp-xr' && /(?:^| )rcvr-rtt=(?:all|sender)\b/.test(value ?? '');

function section(offered: sdp.Media, match: Match | undefined, participantId: string): sdp.Media {
  if (!match) return rejectedSection(offered);
  const { track, payload } = match;
  const answered = acceptedSection(offered, 'sendonly');
  const red = offered.payloads.filter(({ payloadType }) => payloadType === track.redPayloadType);
  answered.payloads = [...red, ...payloads(payload, track.rtx?.payloadType)];
  if (track.extension) answered.extmap = [{ id: track.extension.id, uri: track.extension.uri }];
  if (offered.attributes.some(asksForRoundTrip)) answered.attributes = [{ name: 'rtcp-xr', value: 'rcvr-rtt=all' }];
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
