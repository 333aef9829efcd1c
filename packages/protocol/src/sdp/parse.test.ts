import { describe, expect, it } from 'vitest';
import { parse, parseFragment, type Session, write, writeFragment } from './index.ts';
import { sampleFingerprint, samples } from './samples.ts';

function parsed(text: string): Session {
  const result = parse(text);
  if ('error' in result) throw new Error(result.error);
  return result.session;
}

const base = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const withVideo = (...lines: string[]) => `${base}m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n${lines.join('\r\n')}\r\n`;
const video = (...lines: string[]) => parsed(withVideo(...lines)).media[0]!;
const errorOf = (text: string) => {
  const result = parse(text);
  return 'error' in result ? result.error : undefined;
};

describe('the samples', () => {
  it('gives the structure of a publish offer', () => {
    const session = parsed(samples.publishOffer);
    expect(session.origin).toEqual({
      username: '-',
      sessionId: '8364332258192720187',
      sessionVersion: '2',
      netType: 'IN',
      addressType: 'IP4',
      address: '127.0.0.1',
    });
    expect(session.groups).toEqual([{ semantics: 'BUNDLE', mids: ['0', '1'] }]);
    expect(session.extmapAllowMixed).toBe(true);
    expect(session.attributes).toEqual([{ name: 'msid-semantic', value: ' WMS stream-a' }]);
    const [audio, video] = session.media;
    expect(audio).toMatchObject({
      kind: 'audio',
      port: 9,
      protocol: 'UDP/TLS/RTP/SAVPF',
      connection: 'IN IP4 0.0.0.0',
      mid: '0',
      direction: 'sendonly',
      rtcpMux: true,
      rtcpRsize: true,
      iceUfrag: 'Uf+1',
      iceOptions: ['trickle'],
      setup: 'actpass',
      fingerprints: [{ algorithm: 'sha-256', value: sampleFingerprint }],
      msids: [{ stream: 'stream-a', track: 'track-a' }],
    });
    expect(audio?.payloads[0]).toEqual({
      payloadType: 111,
      name: 'opus',
      clockRate: 48000,
      channels: 2,
      fmtp: ';maxaveragebitrate=64000;minptime=10;sprop-stereo=0;stereo=0;useinbandfec=1',
      rtcpFb: ['transport-cc'],
    });
    expect(video?.direction).toBe('sendrecv');
    expect(video?.payloads.map(({ name, fmtp }) => `${name} ${fmtp}`)).toEqual([
      'VP8 ',
      'rtx apt=96',
      'H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
      'rtx apt=108',
      'ulpfec ',
    ]);
    expect(video?.payloads[0]?.rtcpFb).toEqual(['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']);
    expect(video?.extmap.map(({ id }) => id)).toEqual([3, 4, 10, 11]);
    expect(video?.ssrcGroups).toEqual([{ semantics: 'FID', ssrcs: [3061201800, 2823148212] }]);
    expect(video?.ssrcs).toEqual(
      [3061201800, 2823148212].map((ssrc) => ({
        ssrc,
        cname: 'vX4BusF4Jl5nt46M',
        msid: 'stream-a track-v',
        attributes: [],
      })),
    );
  });

  it('gives the layers of a simulcast offer', () => {
    const video = parsed(samples.simulcastOffer).media[1]!;
    expect(video.ssrcs).toEqual([]);
    expect(video.rids).toEqual(['low', 'mid', 'hi'].map((id) => ({ id, direction: 'send' })));
    expect(video.simulcast).toEqual({ send: ['low', 'mid', 'hi'].map((rid) => [{ rid, paused: false }]) });
  });

  it('gives the directions of a subscribe offer', () => {
    expect(parsed(samples.subscribeOffer).media.map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly']);
  });

  it('gives role and candidates of the answers', () => {
    for (const text of [samples.publishAnswer, samples.subscribeAnswer]) {
      const session = parsed(text);
      expect(session.iceLite).toBe(true);
      expect(session.media[0]).toMatchObject({ setup: 'passive', endOfCandidates: true });
      expect(session.media[0]?.candidates).toEqual([
        {
          foundation: '1',
          component: 1,
          transport: 'UDP',
          priority: 2114977791,
          address: '127.0.0.1',
          port: 41624,
          type: 'host',
          extensions: [],
        },
      ]);
    }
  });

  const { fragment: _, ...sessions } = samples;
  it.each(Object.entries(sessions))('%s keeps every value and line when written', (_name, text) => {
    const written = write(parsed(text));
    expect(parsed(written)).toStrictEqual(parsed(text));
    expect(written.split('\r\n').sort()).toEqual(text.split('\r\n').sort());
    expect(write(parsed(written))).toBe(written);
  });

  it.each(Object.entries(sessions))('%s is the same with LF', (_name, text) => {
    expect(parse(text.replaceAll('\r\n', '\n'))).toEqual(parse(text));
  });

  it('gives the candidates of a trickle ICE fragment', () => {
    const result = parseFragment(samples.fragment);
    if ('error' in result) throw new Error(result.error);
    expect(result.fragment).toMatchObject({ iceUfrag: 'Uf+1', groups: [{ semantics: 'BUNDLE', mids: ['0', '1'] }] });
    const [audio] = result.fragment.media;
    expect(audio).toMatchObject({ mid: '0', endOfCandidates: true });
    expect(audio?.candidates[1]).toEqual({
      foundation: '3471623853',
      component: 1,
      transport: 'tcp',
      priority: 1518280447,
      address: '2001:db8::1',
      port: 9,
      type: 'srflx',
      relatedAddress: '198.51.100.1',
      relatedPort: 9,
      extensions: [{ name: 'tcptype', value: 'active' }],
    });
    expect(parseFragment(writeFragment(result.fragment))).toStrictEqual(result);
  });
});

describe('attributes', () => {
  it('repeats the feedback of * at each payload', () => {
    const media = video('a=rtcp-fb:* nack', 'a=rtcp-fb:97 nack pli');
    expect(media.payloads.map(({ rtcpFb }) => rtcpFb)).toEqual([['nack'], ['nack', 'nack pli']]);
  });

  it('knows the static payload types without rtpmap', () => {
    const { media } = parsed(`${base}m=audio 9 RTP/AVP 0 8 9 13 96\r\n`);
    expect(media[0]?.payloads.map(({ name, clockRate }) => `${name}/${clockRate}`)).toEqual([
      'PCMU/8000',
      'PCMA/8000',
      'G722/8000',
      'CN/8000',
      '/0',
    ]);
  });

  it('ignores rtpmap, fmtp and rtcp-fb of a format that the m-line lacks', () => {
    const lines = ['a=rtpmap:98 VP9/90000', 'a=fmtp:98 profile-id=0', 'a=rtcp-fb:98 nack'];
    expect(video(...lines)).toEqual(video());
  });

  it('takes the session direction where an m-line has none', () => {
    const text = `${base}a=recvonly\r\nm=video 9 RTP/AVP 96\r\nm=audio 9 RTP/AVP 97\r\na=sendonly\r\n`;
    expect(parsed(text).media.map(({ direction }) => direction)).toEqual(['recvonly', 'sendonly']);
    expect(video().direction).toBe('sendrecv');
  });

  it('reads extmap with direction and attributes', () => {
    expect(
      video('a=extmap:1/sendonly urn:x', 'a=extmap:255 urn:y some attributes', 'a=extmap:4096 urn:z').extmap,
    ).toEqual([
      { id: 1, uri: 'urn:x', direction: 'sendonly' },
      { id: 255, uri: 'urn:y', attributes: 'some attributes' },
      { id: 4096, uri: 'urn:z' },
    ]);
  });

  it('reads both sides of simulcast, alternatives and paused streams', () => {
    expect(video('a=simulcast: recv 1;~2,3 send 4').simulcast).toEqual({
      recv: [
        [{ rid: '1', paused: false }],
        [
          { rid: '2', paused: true },
          { rid: '3', paused: false },
        ],
      ],
      send: [[{ rid: '4', paused: false }]],
    });
  });

  it('keeps rid restrictions, bandwidths, other SSRC attributes and what it does not know', () => {
    expect(
      video(
        'b=AS:2500',
        'a=rid:hi send pt=96;max-width=1280',
        'a=ssrc:1 foo',
        'a=ssrc:1 bar:b z',
        'a=x',
        'a=y:',
        'a=z:1:2',
      ),
    ).toMatchObject({
      bandwidths: [{ type: 'AS', value: 2500 }],
      rids: [{ id: 'hi', direction: 'send', restrictions: 'pt=96;max-width=1280' }],
      ssrcs: [{ ssrc: 1, attributes: [{ name: 'foo' }, { name: 'bar', value: 'b z' }] }],
      attributes: [{ name: 'x' }, { name: 'y', value: '' }, { name: 'z', value: '1:2' }],
    });
  });

  it('does not take an attribute for a property of every object', () => {
    expect(video('a=constructor:1', 'a=__proto__:2').attributes).toEqual([
      { name: 'constructor', value: '1' },
      { name: '__proto__', value: '2' },
    ]);
  });

  it('keeps the formats of an m-line that is not RTP', () => {
    const text = `${base}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n`;
    expect(parsed(text).media[0]).toMatchObject({ payloads: [], formats: ['webrtc-datachannel'] });
    expect(parsed(write(parsed(text)))).toStrictEqual(parsed(text));
  });

  it('keeps the first of a value that is given twice', () => {
    expect(video('a=mid:a', 'a=mid:b', 'a=ice-ufrag:aaaa', 'a=ice-ufrag:bbbb')).toMatchObject({
      mid: 'a',
      iceUfrag: 'aaaa',
    });
  });

  it('tolerates the line types that carry nothing for us, empty lines and a missing s=', () => {
    const text = 'v=0\no=- 1 1 IN IP4 ::1\n\ni=x\nu=x\ne=x\np=x\nb=AS:1\nt=0 0\nr=x\nz=x\nk=x\nc=IN IP4 0.0.0.0\n\n';
    expect(parsed(text)).toMatchObject({ name: '-', connection: 'IN IP4 0.0.0.0', media: [] });
  });
});

describe('errors name the line', () => {
  it.each([
    ['', 'line 1: expected v=0'],
    ['v=1\no=- 1 1 IN IP4 ::1\n', 'line 1: expected v=0'],
    ['v=0\ns=-\n', 'line 2: expected o='],
    ['v=0\no=- x 1 IN IP4 ::1\n', 'line 2 (o=): expected <username> <session id> <version> IN IP4|IP6 <address>'],
    ['v=0\nfoo\n', 'line 2: expected <type>=<value>'],
    ['v=0\no=- 1 1 IN IP4 ::1\nv=0\n', 'line 3 (v=): unknown line type'],
    ['v=0\no=- 1 1 IN IP4 ::1\nX=0\n', 'line 3 (X=): unknown line type'],
    ['v=0\no=- 1 1 IN IP4 ::1\na=\n', 'line 3 (a=): expected a name'],
    ['v=0\no=- 1 1 IN IP4 ::1\nb=fast\n', 'line 3 (b=): expected <type>:<bandwidth>'],
  ])('%j', (text, error) => {
    expect(errorOf(text)).toBe(error);
  });

  it.each([
    ['m=video x RTP/AVP 96', 'line 6 (m=): expected <kind> <port> <protocol> <formats>'],
    ['m=video 65536 RTP/AVP 96', 'line 6 (m=): port is not an integer from 0 to 65535'],
    ['m=video 9 RTP/AVP', 'line 6 (m=): expected <kind> <port> <protocol> <formats>'],
    ['m=video 9 RTP/AVP 128', 'line 6 (m=): payload type is not an integer from 0 to 127'],
    ['m=video 9 RTP/AVP 96 96', 'line 6 (m=): payload type 96 appears twice'],
    ['a=rtpmap:96 VP8', 'line 6 (a=rtpmap): expected <payload> <name>/<clock rate>'],
    ['a=rtpmap:96 VP8/0', 'line 6 (a=rtpmap): clock rate is not an integer from 1 to 4294967295'],
    ['a=rtpmap:96 opus/48000/256', 'line 6 (a=rtpmap): channels is not an integer from 1 to 255'],
    ['a=fmtp:x y', 'line 6 (a=fmtp): expected <payload> <parameters>'],
    ['a=rtcp-fb:nack', 'line 6 (a=rtcp-fb): expected <payload or *> <feedback>'],
    ['a=extmap:0 urn:x', 'line 6 (a=extmap): extmap id is not an integer from 1 to 4351'],
    ['a=extmap:256 urn:x', 'line 6 (a=extmap): extmap id is neither 1 to 255 nor 4096 to 4351'],
    ['a=extmap:1/both urn:x', 'line 6 (a=extmap): expected <id>[/<direction>] <uri>'],
    ['a=mid:a b', 'line 6 (a=mid): expected a token'],
    ['a=mid', 'line 6 (a=mid): expected a token'],
    ['a=setup:both', 'line 6 (a=setup): expected active, passive, actpass, holdconn'],
    ['a=fingerprint:sha-256 xx', 'line 6 (a=fingerprint): expected <hash> <hex pairs with colons>'],
    ['a=ssrc:4294967296 cname:x', 'line 6 (a=ssrc): ssrc is not an integer from 0 to 4294967295'],
    ['a=ssrc:1', 'line 6 (a=ssrc): expected <ssrc> <attribute>[:<value>]'],
    ['a=ssrc-group:FID x', 'line 6 (a=ssrc-group): ssrc is not an integer from 0 to 4294967295'],
    ['a=ssrc-group', 'line 6 (a=ssrc-group): expected <semantics> and SSRCs'],
    ['a=rid:a both', 'line 6 (a=rid): expected <id> send|recv [<restrictions>]'],
    [
      'a=simulcast:send a send b',
      'line 6 (a=simulcast): expected send <streams> and recv <streams>, each at most once',
    ],
    ['a=simulcast:send a;;b', 'line 6 (a=simulcast): expected rids parted by ";" and ","'],
    ['a=simulcast', 'line 6 (a=simulcast): expected send <streams> or recv <streams>'],
    ['a=msid:a b c', 'line 6 (a=msid): expected <stream> [<track>]'],
    ['a=candidate:1 1 udp 1 ::1 1 host', 'line 6 (a=candidate): expected <foundation> <component>'],
  ])('%s', (line, error) => {
    expect(errorOf(withVideo(line))).toContain(error);
  });

  it('names a session-level line', () => {
    expect(errorOf(`${base}a=group:\r\n`)).toBe('line 5 (a=group): expected <semantics> and mids');
  });

  it.each(['\r', '\0', '\t', '\x1b', '\x7f'])('refuses the control character %j', (character) => {
    expect(errorOf(withVideo(`a=ice-ufrag:ab${character}a=x`))).toBe('line 6: control character');
  });
});

it('write refuses a value that would break its line', () => {
  const session = parsed(samples.publishAnswer);
  for (const iceUfrag of ['a\r\na=x', 'a\nb', 'a\0']) {
    expect(() => write({ ...session, iceUfrag })).toThrow(TypeError);
  }
});
