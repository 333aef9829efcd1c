import { rtcp, rtp } from '@footlights/protocol';
import { describe, expect, it } from 'vitest';
import { MAX_NACKED_PER_SECOND, MAX_RESENDS_PER_SECOND, MAX_RTCP_PER_SECOND } from './limits.ts';
import { makeOffer } from './negotiate/sample-offers.ts';
import { AUDIO_SSRC, contentOf, Rig, RTX_SSRC, VIDEO_SSRC } from './testing.ts';

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

function watching() {
  const rig = new Rig();
  const publisher = rig.publish();
  const subscriber = rig.subscribe();
  publisher.video([1], { key: true });
  return { rig, publisher, subscriber };
}

const senderReport = (ssrc: number, ntpMs: number, rtpTimestamp: number): rtcp.SenderReport => ({
  type: 'sr',
  ssrc,
  ntp: rtcp.ntpFromMs(ntpMs),
  rtpTimestamp,
  packetCount: 0,
  octetCount: 0,
  reports: [],
});

describe('a publisher', () => {
  it('is asked for lost packets, again after 100 ms, until they come', () => {
    const { rig, publisher } = watching();
    publisher.video([2, 5, 6]);
    const asked = () => publisher.rtcp('nack').map(({ pairs }) => rtcp.nackSequenceNumbers(pairs));
    rig.advance(20);
    expect(asked()).toEqual([[3, 4]]);
    rig.advance(80);
    publisher.video([900], { payloadType: 97, ssrc: RTX_SSRC, original: 3 });
    rig.advance(20);
    expect(asked()).toEqual([[3, 4], [4]]);
    publisher.video([4]);
    rig.advance(1_000);
    expect(asked()).toHaveLength(2);
    expect(publisher.rtcp('nack')[0]?.mediaSsrc).toBe(VIDEO_SSRC);
  });

  it('is not asked for what was given up: a key frame is wanted instead', () => {
    const { rig, publisher } = watching();
    rig.advance(1_000);
    publisher.forget();
    publisher.video([3]);
    rig.advance(3_000);
    expect(publisher.rtcp('nack').length).toBeLessThanOrEqual(10);
    expect(publisher.rtcp('pli')).toHaveLength(1);
  });

  it('is not asked when it did not offer to answer', () => {
    const rig = new Rig();
    const publisher = rig.publish('pub', makeOffer([{ codecs: ['96 VP8/90000'] }]));
    publisher.video([1, 5]);
    rig.advance(200);
    expect(publisher.rtcp('nack')).toEqual([]);
  });

  it('gets a receiver report a second, for audio and for video', () => {
    const { rig, publisher } = watching();
    publisher.audio([1]);
    publisher.video([2, 4]);
    publisher.sendRtcp(senderReport(VIDEO_SSRC, rig.clock.now(), 0));
    rig.advance(1_000);
    const reports = publisher.rtcp('rr').flatMap(({ reports }) => reports);
    const video = reports.find(({ ssrc }) => ssrc === VIDEO_SSRC);
    expect(video).toMatchObject({ cumulativeLost: 1, fractionLost: 64, highestSequenceNumber: 4 });
    expect(video?.lastSenderReport).toBe(rtcp.middle32(rtcp.ntpFromMs(rig.clock.now() - 1_000)));
    expect(video?.delaySinceLastSenderReport).toBeGreaterThan(0);
    expect(video?.delaySinceLastSenderReport).toBeLessThanOrEqual(65_536);
    expect(reports.filter(({ ssrc }) => ssrc === AUDIO_SSRC)).toHaveLength(1);
    expect(rig.statisticsOf('pub').packetsLost).toBe(1);
  });

  it('gets transport-wide feedback every 100 ms, padding and probes included', () => {
    const { rig, publisher } = watching();
    rig.advance(120);
    publisher.forget();
    publisher.video([2], { twcc: 500 });
    publisher.video([3], { twcc: 501, empty: true });
    publisher.video([900], { twcc: 503, payloadType: 97, ssrc: RTX_SSRC, original: 2 });
    rig.advance(80);
    expect(publisher.rtcp('transport-cc')).toEqual([]);
    rig.advance(20);
    const [feedback] = publisher.rtcp('transport-cc');
    expect(feedback?.arrivals.map(({ sequenceNumber }) => sequenceNumber)).toEqual([500, 501, 503]);
    expect(feedback?.statusCount).toBe(4);
    rig.advance(200);
    expect(publisher.rtcp('transport-cc')).toHaveLength(1);
  });

  it('is told a bitrate instead while no transport-wide number is seen', () => {
    const { rig, publisher } = watching();
    rig.advance(1_000);
    expect(publisher.rtcp('remb')).toMatchObject([{ ssrcs: [VIDEO_SSRC] }]);
    publisher.video([2], { twcc: 1 });
    publisher.forget();
    rig.advance(2_000);
    expect(publisher.rtcp('remb')).toEqual([]);
  });

  it('gets a FIR with a rising number where it knows no PLI', () => {
    const rig = new Rig();
    const attributes = ['rtcp-fb:96 ccm fir'];
    const publisher = rig.publish('pub', makeOffer([{ codecs: ['96 VP8/90000'], attributes }]));
    publisher.video([1]);
    rig.subscribe();
    rig.advance(1_000);
    expect(publisher.rtcp('pli')).toEqual([]);
    expect(publisher.rtcp('fir').map(({ entries }) => entries)).toEqual([
      [{ ssrc: VIDEO_SSRC, sequenceNumber: 1 }],
      [{ ssrc: VIDEO_SSRC, sequenceNumber: 2 }],
    ]);
  });

  it('hears nothing of it when 400 RTCP datagrams came in one second', () => {
    const { rig, subscriber } = watching();
    for (let i = 0; i < MAX_RTCP_PER_SECOND + 5; i++) subscriber.pli();
    expect(rig.statisticsOf('sub').plisReceived).toBe(MAX_RTCP_PER_SECOND);
    rig.advance(1_000);
    subscriber.pli();
    expect(rig.statisticsOf('sub').plisReceived).toBe(MAX_RTCP_PER_SECOND + 1);
  });
});

describe('key frame requests', () => {
  it('of a subscriber reach the publisher, at most one in 500 ms, the late one deferred', () => {
    const { rig, publisher, subscriber } = watching();
    rig.advance(1_000);
    publisher.forget();
    subscriber.pli();
    subscriber.pli();
    rig.subscribe('other').pli();
    expect(publisher.rtcp('pli')).toMatchObject([{ mediaSsrc: VIDEO_SSRC }]);
    rig.advance(480);
    expect(publisher.rtcp('pli')).toHaveLength(1);
    rig.advance(20);
    expect(publisher.rtcp('pli')).toHaveLength(2);
    rig.advance(5_000);
    expect(publisher.rtcp('pli')).toHaveLength(2);
  });

  it('come as FIR too, and not for audio or unknown SSRCs', () => {
    const { rig, publisher, subscriber } = watching();
    rig.advance(1_000);
    publisher.forget();
    publisher.audio([1]);
    subscriber.pli(12_345);
    subscriber.pli(subscriber.rtp(111)[0]?.ssrc);
    expect(publisher.rtcp('pli')).toEqual([]);
    const ssrc = subscriber.rtp()[0]?.ssrc ?? 0;
    subscriber.sendRtcp({ type: 'fir', senderSsrc: 1, mediaSsrc: 0, entries: [{ ssrc, sequenceNumber: 1 }] });
    expect(publisher.rtcp('pli')).toHaveLength(1);
    expect(rig.statisticsOf('sub').plisReceived).toBe(1);
  });

  it('are repeated each second while a subscriber waits', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    publisher.video([1]);
    rig.subscribe();
    expect(publisher.rtcp('pli')).toHaveLength(1);
    rig.advance(3_000);
    expect(publisher.rtcp('pli')).toHaveLength(4);
    publisher.video([2], { key: true });
    rig.advance(3_000);
    expect(publisher.rtcp('pli')).toHaveLength(4);
  });
});

describe('a subscriber that misses packets', () => {
  it('gets them as retransmissions with numbers of their own', () => {
    const { publisher, subscriber } = watching();
    publisher.video(range(2, 5));
    subscriber.nack(1, 3);
    const video = subscriber.rtp();
    const again = subscriber.rtp(121);
    expect(again.map(rtp.rtx.originalSequenceNumber)).toEqual([video[1]?.sequenceNumber, video[3]?.sequenceNumber]);
    expect(again.map(contentOf)).toEqual([2, 4]);
    expect(again.map(({ timestamp }) => timestamp)).toEqual([6_000, 12_000]);
    expect(rtp.sequenceDelta(again[1]?.sequenceNumber ?? 0, again[0]?.sequenceNumber ?? 0)).toBe(1);
    expect(again[0]?.ssrc).not.toBe(video[0]?.ssrc);
  });

  it('gets them plain when it has no RTX', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    const direction = 'recvonly';
    const offer = makeOffer([{ direction, codecs: ['120 VP8/90000'], attributes: ['rtcp-fb:120 nack'] }]);
    const subscriber = rig.subscribe('sub', 'pub', offer);
    publisher.video([1], { key: true });
    publisher.video([2, 3]);
    const original = subscriber.transport.sent[1];
    subscriber.forget();
    subscriber.sendRtcp({
      type: 'nack',
      senderSsrc: 1,
      mediaSsrc: original?.readUInt32BE(8) ?? 0,
      pairs: [{ packetId: original?.readUInt16BE(2) ?? 0, bitmask: 0 }],
    });
    expect(subscriber.transport.sent).toEqual([original]);
  });

  it('gets one packet at most twice a round trip', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video([2, 3]);
    subscriber.nack(1);
    rig.advance(40);
    subscriber.nack(1);
    expect(subscriber.rtp(121)).toHaveLength(1);
    rig.advance(20);
    subscriber.nack(1);
    expect(subscriber.rtp(121)).toHaveLength(2);
    expect(rig.statisticsOf('sub')).toMatchObject({ nacksReceived: 3, retransmissions: 2 });
  });

  it('gets nothing for numbers that were never sent or are too old', () => {
    const { publisher, subscriber } = watching();
    publisher.video(range(2, 3_000));
    subscriber.nack(-1, 3_001, 40_000, 5);
    expect(subscriber.rtp(121)).toEqual([]);
    subscriber.nack(2_990);
    expect(subscriber.rtp(121)).toHaveLength(1);
  });

  it('gets at most 1,000 packets again per second', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video(range(2, 1_200));
    subscriber.nack(...range(1, 1_100));
    expect(subscriber.rtp(121)).toHaveLength(MAX_RESENDS_PER_SECOND);
    rig.advance(1_000);
    subscriber.nack(...range(1_001, 50));
    expect(subscriber.rtp(121)).toHaveLength(MAX_RESENDS_PER_SECOND + 50);
  });

  it('may ask for 2,000 sequence numbers per second', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video([2]);
    for (let i = 0; i < 5; i++) subscriber.nack(...range(30_000, 500));
    expect(rig.statisticsOf('sub').nacksReceived).toBe(MAX_NACKED_PER_SECOND);
  });

  it('reports its loss and round trip', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.sendRtcp(senderReport(VIDEO_SSRC, rig.clock.now(), 3_000));
    rig.advance(1_000);
    const [report] = subscriber.rtcp('sr');
    rig.advance(30);
    subscriber.sendRtcp({
      type: 'rr',
      ssrc: 1,
      reports: [
        {
          ssrc: subscriber.rtp()[0]?.ssrc ?? 0,
          fractionLost: 64,
          cumulativeLost: 17,
          highestSequenceNumber: 0,
          jitter: 0,
          lastSenderReport: report ? rtcp.middle32(report.ntp) : 0,
          delaySinceLastSenderReport: 0,
        },
      ],
    });
    const statistics = rig.statisticsOf('sub');
    expect(statistics.packetsLost).toBe(17);
    const sentAt = report ? rtcp.msFromNtp(report.ntp) : 0;
    expect(statistics.roundTripMs).toBeCloseTo(rig.clock.now() - sentAt, 0);
  });
});

describe('a subscriber that asks for its round trip', () => {
  it('is answered at once', () => {
    const { rig, subscriber } = watching();
    const referenceTime = rtcp.ntpFromMs(rig.clock.now());
    subscriber.sendRtcp({ type: 'xr', ssrc: 7, referenceTime, delays: [] });
    expect(subscriber.rtcp('xr').flatMap(({ delays }) => delays)).toEqual([
      { ssrc: 7, lastReferenceTime: rtcp.middle32(referenceTime), delaySinceReferenceTime: 0 },
    ]);
  });

  it('is not answered when it only answers', () => {
    const { subscriber } = watching();
    const delays = [{ ssrc: 7, lastReferenceTime: 1, delaySinceReferenceTime: 2 }];
    subscriber.sendRtcp({ type: 'xr', ssrc: 7, delays });
    expect(subscriber.rtcp('xr')).toEqual([]);
  });
});

describe('sender reports', () => {
  it('put audio and video of one publisher on one clock, whatever its own says', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.audio([1]);
    const theirs = 1_000_000;
    publisher.sendRtcp(senderReport(AUDIO_SSRC, theirs, 48_000));
    rig.advance(400);
    // This one was 60 ms longer on its way.
    publisher.sendRtcp(senderReport(VIDEO_SSRC, theirs + 340, 90_000));
    rig.advance(1_000);
    const reports = subscriber.rtcp('sr').slice(-2);
    const secondsAt = ({ rtpTimestamp, ntp }: rtcp.SenderReport, clockRate: number, reference: number) =>
      rtcp.msFromNtp(ntp) - ((rtpTimestamp - reference) * 1_000) / clockRate;
    const [audio, video] = reports;
    if (!audio || !video) throw new Error('two reports expected');
    expect(secondsAt(video, 90_000, 90_000) - secondsAt(audio, 48_000, 48_000)).toBeCloseTo(340, 0);
    expect(audio).toMatchObject({ ssrc: subscriber.rtp(111)[0]?.ssrc, packetCount: 1, octetCount: 3 });
  });

  it('carry one CNAME for both tracks: the publisher', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.audio([1]);
    publisher.sendRtcp(senderReport(AUDIO_SSRC, 5_000, 0), senderReport(VIDEO_SSRC, 5_000, 0));
    rig.advance(1_000);
    const names = subscriber.rtcp('sdes').flatMap(({ chunks }) => chunks.map(({ items }) => items[0]?.text));
    expect(names).toEqual(['pub-name', 'pub-name']);
  });

  it('wait for the publisher’s', () => {
    const { rig, subscriber } = watching();
    rig.advance(5_000);
    expect(subscriber.rtcp('sr')).toEqual([]);
  });
});
