import { rtp, sdp } from '@footlights/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../media.ts';
import type { LocalParameters } from '../rim/transport.ts';
import { writeAnswer } from './answer.ts';
import { readOffer } from './offer.ts';
import { planPublish } from './publish.ts';
import { chromium, makeOffer, type OfferedMedia } from './sample-offers.ts';
import { planSubscribe, type Source } from './subscribe.ts';

const local: LocalParameters = {
  iceUfrag: 'ourufrag',
  icePwd: 'ourpasswordourpasswordour',
  fingerprintSha256: Array(32).fill('AB').join(':'),
  setup: 'passive',
  iceLite: false,
  candidates: [
    { address: '192.0.2.1', port: 7071, priority: 2_130_706_431 },
    { address: '2001:db8::1', port: 7071, priority: 2_130_706_430 },
  ],
};

function ssrcs(): () => number {
  let next = 1_000;
  return () => next++;
}

it.each([
  ['FFmpegPublishSession', false],
  ['-', true],
])('an offer of the session %s: its peer answers checks: %s', (name, answersChecks) => {
  const offer = chromium.publish.replace(/^s=.*$/m, `s=${name}`);
  expect(readOffer(offer).remote.answersChecks).toBe(answersChecks);
});

function publish(text: string) {
  const offer = readOffer(text);
  const plan = planPublish(offer.session);
  return { ...plan, answer: writeAnswer(offer.session, plan, local, '42') };
}

function subscribe(text: string, sources: readonly Source[] = [opus, h264]) {
  const offer = readOffer(text);
  const plan = planSubscribe(offer.session, sources, 'pubAAAAAAAAA', ssrcs());
  return { ...plan, answer: writeAnswer(offer.session, plan, local, '42') };
}

function parsed(answer: string): sdp.Session {
  const result = sdp.parse(answer);
  if ('error' in result) throw new Error(result.error);
  return result.session;
}

function errorOf(action: () => unknown): MediaError {
  try {
    action();
  } catch (error) {
    if (error instanceof MediaError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const opus: Source = { kind: 'audio', codec: 'opus', fmtp: 'minptime=10;useinbandfec=1' };
const FMTP_42E01F = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';
const h264: Source = { kind: 'video', codec: 'H264', fmtp: FMTP_42E01F };
const vp8: Source = { kind: 'video', codec: 'VP8', fmtp: '' };
const OPUS = '111 opus/48000/2';
const audio: OfferedMedia = { kind: 'audio', codecs: [OPUS] };
const video: OfferedMedia = { codecs: ['96 VP8/90000'] };

describe('publish', () => {
  it('answers Chromium: Opus and constrained baseline H.264, both received', () => {
    const { answer, tracks } = publish(chromium.publish);
    const { media, groups } = parsed(answer);
    expect(groups).toEqual([{ semantics: 'BUNDLE', mids: ['0', '1'] }]);
    expect(media.map(({ kind, direction, port }) => [kind, direction, port])).toEqual([
      ['audio', 'recvonly', 9],
      ['video', 'recvonly', 9],
    ]);
    expect(tracks.map(({ codec }) => codec)).toEqual(['opus', 'H264']);
    expect(tracks[1]?.fmtp).toBe(FMTP_42E01F);
    expect(media[1]?.payloads.map(({ name }) => name)).toEqual(['H264', 'rtx']);
    expect(media[1]?.payloads[0]?.rtcpFb).toEqual(['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']);
  });

  it('learns the SSRCs that the offer announces', () => {
    const [, track] = publish(chromium.publish).tracks;
    const fid = chromium.publish.match(/a=ssrc-group:FID (\d+) (\d+)/);
    expect(track?.encodings).toEqual([{ ssrc: Number(fid?.[1]), rtxSsrc: Number(fid?.[2]) }]);
  });

  it('accepts only the header extensions that it reads', () => {
    const [, media] = parsed(publish(chromium.publish).answer).media;
    expect(media?.extmap.map(({ uri }) => uri.split(/[:/]/).at(-1))).toEqual([
      'draft-holmer-rmcat-transport-wide-cc-extensions-01',
      'mid',
      'rtp-stream-id',
      'repaired-rtp-stream-id',
    ]);
  });

  it('repeats transport and candidates in every section', () => {
    for (const media of parsed(publish(chromium.publish).answer).media) {
      expect(media).toMatchObject({ iceUfrag: 'ourufrag', icePwd: local.icePwd, setup: 'passive', rtcpMux: true });
      expect(media.fingerprints).toEqual([{ algorithm: 'sha-256', value: local.fingerprintSha256 }]);
      expect(media.candidates.map(({ address, port, type }) => [address, port, type])).toEqual([
        ['192.0.2.1', 7071, 'host'],
        ['2001:db8::1', 7071, 'host'],
      ]);
      expect(media.endOfCandidates).toBe(true);
    }
  });

  it('receives every layer of a simulcast', () => {
    const { answer, tracks } = publish(chromium.simulcast);
    expect(tracks[1]?.encodings).toEqual(['low', 'mid', 'hi'].map((rid) => ({ id: rid, rid })));
    expect(answer).toContain('a=rid:low recv\r\na=rid:mid recv\r\na=rid:hi recv\r\n');
    expect(answer).toContain('a=simulcast:recv low;mid;hi\r\n');
  });

  it.each([
    ['first', ['63 red/48000/2 111/111', OPUS], 63],
    ['last', [OPUS, '63 red/48000/2 111/111'], undefined],
    ['of something else', ['63 red/48000/2 8/8', OPUS], undefined],
  ])('receives redundant audio that comes %s', (_, codecs, payloadType) => {
    const { answer, tracks } = publish(makeOffer([{ kind: 'audio', codecs }]));
    expect(tracks[0]).toMatchObject({ codec: 'opus', payloadType: 111 });
    expect(tracks[0]?.redPayloadType).toBe(payloadType);
    expect(answer.includes('a=rtpmap:63 red/48000/2')).toBe(payloadType !== undefined);
  });

  it('receives at most four layers', () => {
    const attributes = [...[1, 2, 3, 4, 5].map((rid) => `rid:${rid} send`), 'simulcast:send 1;2;3;4;5'];
    const { answer, tracks } = publish(makeOffer([{ ...video, attributes }]));
    expect(tracks[0]?.encodings.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    expect(answer).toContain('a=simulcast:recv 1;2;3;4\r\n');
  });

  it('receives layers that are announced as a group of SSRCs, with the retransmissions of each', () => {
    const attributes = ['ssrc-group:SIM 1 2 3', 'ssrc-group:FID 1 11', 'ssrc-group:FID 2 12', 'ssrc-group:FID 3 13'];
    const ssrcs = [1, 2, 3, 11, 12, 13].map((ssrc) => `ssrc:${ssrc} cname:x`);
    expect(publish(makeOffer([{ ...video, attributes: [...attributes, ...ssrcs] }])).tracks[0]?.encodings).toEqual([
      { id: 'low', ssrc: 1, rtxSsrc: 11 },
      { id: 'mid', ssrc: 2, rtxSsrc: 12 },
      { id: 'hi', ssrc: 3, rtxSsrc: 13 },
    ]);
  });

  it.each([
    ['42e01f in mode 1 before all else', ['96 VP8/90000', h264Codec(97, 1, '42001f'), h264Codec(98, 1, '42e01f')], 98],
    ['baseline before main', [h264Codec(97, 1, '4d001f'), h264Codec(98, 1, '42001f')], 98],
    ['main before VP8', ['96 VP8/90000', h264Codec(97, 1, '4d001f')], 97],
    ['VP8 before high', [h264Codec(97, 1, '64001f'), '96 VP8/90000'], 96],
    ['VP8 before mode 0', [h264Codec(97, 0, '42e01f'), '96 VP8/90000'], 96],
    ['VP9 and AV1 before high', [h264Codec(97, 1, '640028'), '95 AV1/90000', '96 VP9/90000'], 96],
    ['high when there is nothing else', [h264Codec(97, 1, '640028')], 97],
    ['H.264 without parameters', ['97 H264/90000'], 97],
  ])('prefers %s', (_, codecs, payloadType) => {
    expect(publish(makeOffer([{ codecs }])).tracks[0]?.payloadType).toBe(payloadType);
  });

  it('takes audio alone and video alone', () => {
    expect(publish(makeOffer([audio])).tracks.map(({ kind }) => kind)).toEqual(['audio']);
    expect(publish(makeOffer([video])).tracks.map(({ kind }) => kind)).toEqual(['video']);
  });

  it('answers one m-line without a group as one without a group', () => {
    const session = ['ice-ufrag:abcd', 'ice-pwd:abcdefghijklmnopqrstuv', `fingerprint:sha-256 ${'0a:'.repeat(31)}0a`];
    const { answer } = publish(makeOffer([video], session));
    expect(parsed(answer).groups).toEqual([]);
  });

  it('rejects further m-lines, data channels and codecs that it cannot forward', () => {
    const { answer } = publish(makeOffer([audio, audio, video, video, { ...video, codecs: ['98 AV1/90000'] }]));
    const { media, groups } = parsed(answer);
    expect(media.map(({ port }) => port)).toEqual([9, 0, 9, 0, 0]);
    expect(groups[0]?.mids).toEqual(['0', '2']);
    expect(media[1]).toMatchObject({ direction: 'inactive', mid: '1', candidates: [], fingerprints: [] });
  });

  it('rejects an m-line that does not send', () => {
    const { answer } = publish(makeOffer([audio, { ...video, direction: 'recvonly' }]));
    expect(parsed(answer).media.map(({ port }) => port)).toEqual([9, 0]);
  });

  it('says NOT_ACCEPTABLE when nothing can be forwarded', () => {
    const offer = makeOffer([{ codecs: ['98 H265/90000'] }]);
    expect(errorOf(() => publish(offer))).toMatchObject({
      code: 'NOT_ACCEPTABLE',
      message: 'the offer sends no Opus audio and no H.264, VP8, VP9 or AV1 video',
    });
    expect(errorOf(() => publish(chromium.subscribe)).code).toBe('NOT_ACCEPTABLE');
  });
});

describe('subscribe', () => {
  it('answers Chromium with its own payload types of the published codecs', () => {
    const { answer, tracks } = subscribe(chromium.subscribe);
    const { media } = parsed(answer);
    expect(media.map(({ direction }) => direction)).toEqual(['sendonly', 'sendonly']);
    const offered = parsed(chromium.subscribe).media[1]?.payloads.find(({ fmtp }) => fmtp === FMTP_42E01F);
    expect(tracks[1]?.payloadType).toBe(offered?.payloadType);
    expect(media[1]?.payloads.map(({ name }) => name)).toEqual(['H264', 'rtx']);
    expect(media[1]?.payloads[0]?.rtcpFb).toEqual(['transport-cc', 'ccm fir', 'nack', 'nack pli']);
    expect(media[1]?.extmap).toEqual([{ id: 3, uri: rtp.extensionUris.transportSequenceNumber }]);
  });

  it('takes a bitrate from a receiver without transport-wide feedback, and tells it when packets left', () => {
    const attributes = ['rtcp-fb:96 goog-remb', 'rtcp-fb:96 transport-cc', `extmap:2 ${rtp.extensionUris.absSendTime}`];
    const offer = makeOffer([{ direction: 'recvonly', codecs: ['96 VP8/90000'], attributes }]);
    const { answer, tracks } = subscribe(offer, [vp8]);
    expect(parsed(answer).media[0]?.payloads[0]?.rtcpFb).toEqual(['goog-remb']);
    expect(tracks[0]).toMatchObject({ remb: true, extension: { id: 2, bytes: 3 } });
  });

  it.each([
    ['VP9', 'profile-id=2', '98 VP9/90000', 'fmtp:98 profile-id=0'],
    ['AV1', 'profile=1', '98 AV1/90000', 'fmtp:98 level-idx=5'],
  ] as const)('says NOT_ACCEPTABLE to a decoder of another profile of %s', (codec, fmtp, offered, parameters) => {
    const offer = makeOffer([{ direction: 'recvonly', codecs: [offered], attributes: [parameters] }]);
    expect(errorOf(() => subscribe(offer, [{ kind: 'video', codec, fmtp }])).code).toBe('NOT_ACCEPTABLE');
    expect(subscribe(offer, [{ kind: 'video', codec, fmtp: '' }]).tracks).toHaveLength(1);
  });

  it('says NOT_ACCEPTABLE rather than send sound without the picture, and sends it to who wants no picture', () => {
    const audio = { kind: 'audio', direction: 'recvonly', codecs: ['111 opus/48000/2'] };
    const video = { direction: 'recvonly', codecs: ['96 VP8/90000'] };
    const sources = [opus, { kind: 'video', codec: 'VP9', fmtp: 'profile-id=0' }] as const;
    const refused = errorOf(() => subscribe(makeOffer([audio, video]), sources));
    expect(refused).toMatchObject({ code: 'NOT_ACCEPTABLE', message: expect.stringContaining('VP9') });
    expect(subscribe(makeOffer([audio]), sources).tracks.map(({ kind }) => kind)).toEqual(['audio']);
  });

  it('tells the round trip to who can ask for it', () => {
    const attributes = ['rtcp-xr:rcvr-rtt=all:10 voip-metrics'];
    const offer = (more: string[]) =>
      subscribe(makeOffer([{ direction: 'recvonly', codecs: ['96 VP8/90000'], attributes: more }]), [vp8]).answer;
    expect(offer(attributes)).toContain('a=rtcp-xr:rcvr-rtt=all\r\n');
    expect(offer([])).not.toContain('rtcp-xr');
    expect(subscribe(chromium.subscribe).answer.match(/a=rtcp-xr:rcvr-rtt=all\r\n/g)).toHaveLength(2);
  });

  it('names the media after the publisher, the primary SSRC first', () => {
    const { answer } = subscribe(chromium.subscribe);
    expect(answer).toContain('a=msid:pubAAAAAAAAA pubAAAAAAAAA-audio\r\n');
    expect(answer).toContain('a=ssrc-group:FID 1001 1002\r\n');
    const lines = answer.split('\r\n').filter((line) => line.startsWith('a=ssrc:'));
    expect(lines).toEqual([
      'a=ssrc:1000 cname:pubAAAAAAAAA',
      'a=ssrc:1000 msid:pubAAAAAAAAA pubAAAAAAAAA-audio',
      'a=ssrc:1001 cname:pubAAAAAAAAA',
      'a=ssrc:1001 msid:pubAAAAAAAAA pubAAAAAAAAA-video',
      'a=ssrc:1002 cname:pubAAAAAAAAA',
      'a=ssrc:1002 msid:pubAAAAAAAAA pubAAAAAAAAA-video',
    ]);
  });

  it('tells the publisher’s H.264 parameters where profiles agree, the offered ones where a larger one decodes them', () => {
    const published = { ...h264, fmtp: 'packetization-mode=1;profile-level-id=42e034' };
    expect(subscribe(chromium.subscribe, [published]).answer).toContain('profile-level-id=42e034\r\n');
    const main = makeOffer([{ direction: 'recvonly', codecs: [h264Codec(97, 1, '4d001f')] }]);
    expect(subscribe(main, [h264]).answer).toContain('profile-level-id=4d001f\r\n');
  });

  it.each([
    ['high for a decoder of main', h264Codec(97, 1, '4d001f'), 'packetization-mode=1;profile-level-id=64001f'],
    ['main for a decoder of baseline', h264Codec(97, 1, '42001f'), 'packetization-mode=1;profile-level-id=4d001f'],
    ['mode 1 for a receiver of mode 0', h264Codec(97, 0, '42e01f'), FMTP_42E01F],
    ['H.264 for a receiver of VP8', '96 VP8/90000', FMTP_42E01F],
  ])('says NOT_ACCEPTABLE to %s', (_, codec, fmtp) => {
    const offer = makeOffer([{ direction: 'recvonly', codecs: [codec] }]);
    expect(errorOf(() => subscribe(offer, [{ ...h264, fmtp }]))).toMatchObject({
      code: 'NOT_ACCEPTABLE',
      message: 'the publisher sends H264, which the offer cannot receive',
    });
  });

  it('sends mode 0 to a receiver of mode 1', () => {
    const offer = makeOffer([{ direction: 'recvonly', codecs: [h264Codec(97, 1, '42e01f')] }]);
    const published = { ...h264, fmtp: 'packetization-mode=0;profile-level-id=42e01f' };
    expect(subscribe(offer, [published]).tracks[0]?.payloadType).toBe(97);
  });

  it('rejects the m-line for which the publisher sends nothing', () => {
    const { answer, tracks } = subscribe(chromium.subscribe, [opus]);
    expect(tracks.map(({ kind }) => kind)).toEqual(['audio']);
    expect(parsed(answer).media.map(({ port }) => port)).toEqual([9, 0]);
  });

  it('sends redundant audio to who reads it under the same payload type', () => {
    const redundant = { ...opus, redEncoding: 111 };
    const offer = (type: number) =>
      makeOffer([
        { kind: 'audio', direction: 'recvonly', codecs: [`${type} opus/48000/2`, `63 red/48000/2 ${type}/${type}`] },
      ]);
    expect(subscribe(offer(111), [redundant]).tracks[0]).toMatchObject({ payloadType: 111, redPayloadType: 63 });
    expect(subscribe(offer(111), [redundant]).answer).toContain('m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n');
    expect(subscribe(offer(112), [redundant]).tracks[0]?.redPayloadType).toBeUndefined();
    expect(subscribe(offer(111), [opus]).tracks[0]?.redPayloadType).toBeUndefined();
  });

  it('tells that the sound is stereo, and leaves what the subscriber wrote', () => {
    const stereo = { ...opus, fmtp: 'minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;usedtx=1' };
    const answer = (source: typeof opus, ...fmtp: string[]) => {
      const offer = makeOffer([
        { kind: 'audio', direction: 'recvonly', codecs: ['111 opus/48000/2'], attributes: fmtp },
      ]);
      return parsed(subscribe(offer, [source]).answer).media[0]?.payloads[0]?.fmtp;
    };
    expect(answer(stereo, 'fmtp:111 minptime=10;stereo=1')).toBe('minptime=10;stereo=1;sprop-stereo=1');
    expect(answer(stereo, 'fmtp:111 sprop-stereo=0')).toBe('sprop-stereo=0');
    expect(answer(stereo)).toBe('sprop-stereo=1');
    expect(answer(opus, 'fmtp:111 minptime=10;stereo=1')).toBe('minptime=10;stereo=1');
  });

  it('sends VP8 where VP8 is published', () => {
    expect(subscribe(chromium.subscribe, [vp8]).answer).toContain('a=rtpmap:96 VP8/90000\r\n');
  });

  it('says INVALID_OFFER to an offer that only sends', () => {
    expect(errorOf(() => subscribe(makeOffer([audio, video])))).toMatchObject({
      code: 'INVALID_OFFER',
      message: 'invalid SDP offer: no m-line receives audio or video',
    });
  });
});

describe('offers that break a rule', () => {
  const transport = ['ice-ufrag:abcd', 'ice-pwd:abcdefghijklmnopqrstuv', `fingerprint:sha-256 ${'0A:'.repeat(31)}0A`];
  const [ufrag, pwd, fingerprint] = transport as [string, string, string];
  const bundle = 'group:BUNDLE 0 1';

  it.each([
    ['no fingerprint', [bundle, ufrag, pwd], 'no sha-256 a=fingerprint (m-line 1, audio)'],
    ['SHA-1 alone', [bundle, ufrag, pwd, `fingerprint:sha-1 ${'0A:'.repeat(19)}0A`], 'no sha-256 a=fingerprint'],
    ['a short fingerprint', [bundle, ufrag, pwd, 'fingerprint:sha-256 0A:0B'], 'a=fingerprint is not 32 hex pairs'],
    ['no ufrag', [bundle, pwd, fingerprint], 'no a=ice-ufrag'],
    ['a ufrag of 3', [bundle, 'ice-ufrag:abc', pwd, fingerprint], 'a=ice-ufrag is not 4 to 256 characters long'],
    ['a ufrag of 257', [bundle, `ice-ufrag:${'a'.repeat(257)}`, pwd, fingerprint], 'a=ice-ufrag is not 4 to 256'],
    ['a password of 21', [bundle, ufrag, `ice-pwd:${'a'.repeat(21)}`, fingerprint], 'a=ice-pwd is not 22 to 256'],
    ['a ufrag with a space', [bundle, 'ice-ufrag:ab cd', pwd, fingerprint], 'ice-ufrag'],
    ['no BUNDLE', transport, 'a=group:BUNDLE does not name it (m-line 1, audio)'],
    ['a BUNDLE of one', ['group:BUNDLE 0', ...transport], 'a=group:BUNDLE does not name it (m-line 2, video)'],
    ['holdconn', [bundle, ...transport, 'setup:holdconn'], 'a=setup:holdconn'],
  ])('%s', (_, session, message) => {
    const error = errorOf(() => publish(makeOffer([audio, video], session)));
    expect(error.code).toBe('INVALID_OFFER');
    expect(error.message).toContain(`invalid SDP offer: `);
    expect(error.message).toContain(message);
  });

  it('no rtcp-mux', () => {
    expect(errorOf(() => publish(makeOffer([audio, { ...video, rtcpMux: false }])))).toMatchObject({
      code: 'INVALID_OFFER',
      message: 'invalid SDP offer: no a=rtcp-mux (m-line 2, video)',
    });
  });

  it('more than 32 m-lines', () => {
    const lines = (count: number) => makeOffer(Array.from({ length: count }, () => audio));
    expect(parsed(publish(lines(32)).answer).media).toHaveLength(32);
    const error = errorOf(() => publish(lines(33)));
    expect(error.code).toBe('INVALID_OFFER');
    expect(error.message).toContain('32');
  });

  it('no m-line, and no SDP at all', () => {
    expect(errorOf(() => publish(makeOffer([]))).code).toBe('INVALID_OFFER');
    expect(errorOf(() => publish('hello')).code).toBe('INVALID_OFFER');
  });
});

describe('any text', () => {
  const lines = [chromium.publish, chromium.simulcast, chromium.subscribe].flatMap((text) => text.split('\r\n'));
  const noise = fc.oneof(
    fc.constantFrom(...lines),
    fc.string(),
    fc.constantFrom('a=mid:', 'a=rid:hi send', 'm=video 9'),
  );

  /** An offer with lines removed, repeated, replaced. */
  const mutated = fc
    .tuple(
      fc.constantFrom(chromium.publish, chromium.simulcast, chromium.subscribe),
      fc.array(fc.tuple(fc.nat(), noise)),
    )
    .map(([text, changes]) => {
      const result = text.split('\r\n');
      for (const [position, line] of changes) result.splice(position % result.length, position % 3, line);
      return result.join('\r\n');
    });

  it('is answered or refused with a MediaError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), mutated), (text) => {
        for (const negotiate of [publish, subscribe]) {
          try {
            parsed(negotiate(text).answer);
          } catch (error) {
            expect(error).toBeInstanceOf(MediaError);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

function h264Codec(payloadType: number, mode: number, profile: string): string {
  return `${payloadType} H264/90000 packetization-mode=${mode};profile-level-id=${profile}`;
}
