import { sdp } from '@footlights/protocol';
import type { VideoCodec } from '../media.ts';

export type Kind = 'audio' | 'video';
export type Codec = 'opus' | VideoCodec;

/** RTP clock in Hz. */
export const clockRates: Record<Codec, number> = { opus: 48_000, H264: 90_000, VP8: 90_000, VP9: 90_000, AV1: 90_000 };

export const isVideo = (codec: Codec): codec is VideoCodec => codec !== 'opus';

/** The RTCP feedback that we give and take, per RFC 4585, RFC 5104 and Google's drafts. */
const KNOWN_FEEDBACK = ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'];

/** H.264 profiles by what a decoder of them also decodes (ITU-T H.264 annex A.2). */
const decodes: Record<Profile, readonly Profile[]> = {
  'constrained-baseline': ['constrained-baseline'],
  baseline: ['baseline', 'constrained-baseline'],
  main: ['main', 'constrained-baseline'],
  'constrained-high': ['constrained-high', 'main', 'constrained-baseline'],
  high: ['high', 'constrained-high', 'main', 'constrained-baseline'],
  'high-444': ['high-444', 'high', 'constrained-high', 'main', 'constrained-baseline'],
};

type Profile = 'constrained-baseline' | 'baseline' | 'main' | 'constrained-high' | 'high' | 'high-444';

/** What we would rather receive, best first: what most browsers decode goes before what compresses better. */
const videoPreference: readonly ((payload: sdp.Payload) => boolean)[] = [
  (payload) => isH264(payload, 1, 'constrained-baseline'),
  (payload) => isH264(payload, 1, 'baseline'),
  (payload) => isH264(payload, 1, 'main'),
  (payload) => codecOf(payload) === 'VP8',
  (payload) => codecOf(payload) === 'VP9' && profileParameter(payload.fmtp, 'VP9') === '0',
  (payload) => codecOf(payload) === 'AV1' && profileParameter(payload.fmtp, 'AV1') === '0',
  (payload) => isH264(payload, 1),
  (payload) => isH264(payload, 0),
  (payload) => codecOf(payload) === 'VP9' || codecOf(payload) === 'AV1',
];

/** By encoding name in lower case. */
const videoCodecs: Record<string, VideoCodec | undefined> = { h264: 'H264', vp8: 'VP8', vp9: 'VP9', av1: 'AV1' };

/** The codec of a payload, when it is one that we forward. */
export function codecOf({ name, clockRate, channels }: sdp.Payload): Codec | undefined {
  const lower = name.toLowerCase();
  if (lower === 'opus' && clockRate === clockRates.opus && channels === 2) return 'opus';
  return clockRate === 90_000 ? videoCodecs[lower] : undefined;
}

/** The payload to receive from a publisher, or undefined when none can be forwarded. */
export function choosePublished(media: sdp.Media): sdp.Payload | undefined {
  if (media.kind === 'audio') return media.payloads.find((payload) => codecOf(payload) === 'opus');
  for (const preferred of videoPreference) {
    const payload = media.payloads.find(preferred);
    if (payload) return payload;
  }
  return undefined;
}

/** The payload of a subscriber that decodes the published codec; the very same H.264 profile goes before a larger one. */
export function chooseSubscribed(media: sdp.Media, codec: Codec, publishedFmtp: string): sdp.Payload | undefined {
  const candidates = media.payloads.filter((payload) => codecOf(payload) === codec);
  if (codec === 'VP9' || codec === 'AV1') {
    const published = profileParameter(publishedFmtp, codec);
    return candidates.find(({ fmtp }) => profileParameter(fmtp, codec) === published);
  }
  if (codec !== 'H264') return candidates[0];
  const published = h264Of(publishedFmtp);
  const receivable = candidates.filter(({ fmtp }) => h264Of(fmtp).mode >= published.mode);
  return (
    receivable.find(({ fmtp }) => sameH264(fmtp, publishedFmtp)) ??
    receivable.find(({ fmtp }) => canDecode(h264Of(fmtp).profile, published.profile))
  );
}

/** The profile of VP9 (RFC 9628 section 6) and AV1 (RTP Payload Format for AV1 section 7.2.1), 0 when it is left out. */
function profileParameter(fmtp: string, codec: 'VP9' | 'AV1'): string {
  return sdp.parseFmtp(fmtp).get(codec === 'VP9' ? 'profile-id' : 'profile') ?? '0';
}

/** True when two H.264 formats differ in level alone. */
export function sameH264(a: string, b: string): boolean {
  const [left, right] = [h264Of(a), h264Of(b)];
  return left.mode === right.mode && left.profile !== undefined && left.profile === right.profile;
}

/** The payload type of the retransmissions of `payloadType` (RFC 4588 section 8.6). */
export function rtxOf(media: sdp.Media, payloadType: number): number | undefined {
  const isRtx = ({ name, fmtp }: sdp.Payload) =>
    name.toLowerCase() === 'rtx' && sdp.parseFmtp(fmtp).get('apt') === String(payloadType);
  return media.payloads.find(isRtx)?.payloadType;
}

/** The payload type of redundant audio whose encodings all have `payloadType` (RFC 2198 section 5). */
export function redOf(media: sdp.Media, payloadType: number): number | undefined {
  const isRed = ({ name, clockRate, channels, fmtp }: sdp.Payload) =>
    name.toLowerCase() === 'red' &&
    clockRate === clockRates.opus &&
    channels === 2 &&
    fmtp.split('/').every((encoding) => encoding === String(payloadType));
  return media.payloads.find(isRed)?.payloadType;
}

/** The offered feedback that we know, without `except`. */
export function commonFeedback(payload: sdp.Payload, except: readonly string[] = []): string[] {
  const offered = new Set(payload.rtcpFb);
  return KNOWN_FEEDBACK.filter((feedback) => offered.has(feedback) && !except.includes(feedback));
}

function isH264(payload: sdp.Payload, mode: number, profile?: Profile): boolean {
  if (codecOf(payload) !== 'H264') return false;
  const h264 = h264Of(payload.fmtp);
  return h264.mode === mode && h264.profile !== undefined && (profile === undefined || h264.profile === profile);
}

function canDecode(decoder: Profile | undefined, stream: Profile | undefined): boolean {
  return decoder !== undefined && stream !== undefined && decodes[decoder].includes(stream);
}

/** Packetization mode and profile; what is left out has the defaults of RFC 6184 section 8.1. */
function h264Of(fmtp: string): { mode: number; profile: Profile | undefined } {
  const parameters = sdp.parseFmtp(fmtp);
  return {
    mode: Number(parameters.get('packetization-mode') ?? 0),
    profile: profileOf(parameters.get('profile-level-id') ?? '42000a'),
  };
}

/** profile-level-id: profile_idc, constraint flags, level, two hex digits each (RFC 6184 section 8.1, table 5). */
function profileOf(profileLevelId: string): Profile | undefined {
  if (!/^[0-9a-f]{6}$/i.test(profileLevelId)) return undefined;
  const idc = Number.parseInt(profileLevelId.slice(0, 2), 16);
  const flags = Number.parseInt(profileLevelId.slice(2, 4), 16);
  const constraint = (set: number) => (flags & (0x80 >> set)) !== 0;
  switch (idc) {
    case 0x42:
      return constraint(1) ? 'constrained-baseline' : 'baseline';
    case 0x4d:
      return constraint(0) ? 'constrained-baseline' : 'main';
    case 0x58:
      return constraint(0) && constraint(1) ? 'constrained-baseline' : undefined;
    case 0x64:
      return constraint(4) && constraint(5) ? 'constrained-high' : 'high';
    case 0xf4:
      return 'high-444';
    default:
      return undefined;
  }
}
