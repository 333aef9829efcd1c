/** Descriptions for tests: what a Chromium offers and is answered, trimmed to a few codecs. */

const crlf = (text: string) => `${text.trim().replaceAll('\n', '\r\n')}\r\n`;

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i * 7).toString(16).padStart(2, '0').toUpperCase()).join(':');

const transport = `a=ice-ufrag:Uf+1
a=ice-pwd:0123456789abcdefghij+/
a=ice-options:trickle
a=fingerprint:sha-256 ${FINGERPRINT}`;

const head = (stream: string) => `v=0
o=- 8364332258192720187 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS${stream}`;

const audio = (direction: string, extra: string) => `m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
${transport}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=${direction}
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 ;maxaveragebitrate=64000;minptime=10;sprop-stereo=0;stereo=0;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000${extra}`;

const feedback = (type: number) => `a=rtcp-fb:${type} goog-remb
a=rtcp-fb:${type} transport-cc
a=rtcp-fb:${type} ccm fir
a=rtcp-fb:${type} nack
a=rtcp-fb:${type} nack pli`;

const video = (direction: string, extra: string) => `m=video 9 UDP/TLS/RTP/SAVPF 96 97 108 109 120
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
${transport}
a=setup:actpass
a=mid:1
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=${direction}
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
${feedback(96)}
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:108 H264/90000
${feedback(108)}
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
a=rtpmap:120 ulpfec/90000${extra}`;

const audioSsrcs = `
a=msid:stream-a track-a
a=ssrc:1515188957 cname:vX4BusF4Jl5nt46M
a=ssrc:1515188957 msid:stream-a track-a`;

const videoSsrcs = `
a=msid:stream-a track-v
a=ssrc-group:FID 3061201800 2823148212
a=ssrc:3061201800 cname:vX4BusF4Jl5nt46M
a=ssrc:3061201800 msid:stream-a track-v
a=ssrc:2823148212 cname:vX4BusF4Jl5nt46M
a=ssrc:2823148212 msid:stream-a track-v`;

const simulcast = `
a=msid:stream-a track-v
a=rid:low send
a=rid:mid send
a=rid:hi send
a=simulcast:send low;mid;hi`;

const answer = (direction: string, extra: string) => `v=0
o=- 7777 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=ice-lite
m=video 9 UDP/TLS/RTP/SAVPF 108 109
c=IN IP4 0.0.0.0
a=mid:0
${transport}
a=setup:passive
a=rtcp-mux
a=rtcp-rsize
a=${direction}
a=rtpmap:108 H264/90000
a=rtcp-fb:108 nack pli
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108${extra}
a=candidate:1 1 UDP 2114977791 127.0.0.1 41624 typ host
a=end-of-candidates`;

/** By what they are for. */
export const samples = {
  publishOffer: crlf(`${head(' stream-a')}\n${audio('sendonly', audioSsrcs)}\n${video('sendrecv', videoSsrcs)}`),
  simulcastOffer: crlf(`${head(' stream-a')}\n${audio('sendonly', audioSsrcs)}\n${video('sendrecv', simulcast)}`),
  subscribeOffer: crlf(`${head('')}\n${audio('recvonly', '')}\n${video('recvonly', '')}`),
  publishAnswer: crlf(answer('recvonly', '')),
  subscribeAnswer: crlf(
    answer('sendonly', '\na=msid:pub pub-video\na=ssrc:1076089758 cname:pub\na=ssrc:1076089758 msid:pub pub-video'),
  ),
  fragment: crlf(`a=group:BUNDLE 0 1
a=ice-ufrag:Uf+1
a=ice-pwd:0123456789abcdefghij+/
m=audio 9 UDP/TLS/RTP/SAVPF 0
a=mid:0
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag Uf+1 network-id 1
a=candidate:3471623853 1 tcp 1518280447 2001:db8::1 9 typ srflx raddr 198.51.100.1 rport 9 tcptype active
a=end-of-candidates`),
};

/** The fingerprint that all of them carry. */
export const sampleFingerprint = FINGERPRINT;
