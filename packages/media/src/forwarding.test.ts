import { rtp } from '@footlights/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RTP_PER_SECOND, MAX_SSRCS_PER_PUBLISHER } from './limits.ts';
import { makeOffer } from './negotiate/sample-offers.ts';
import {
  contentOf,
  type FakePublisher,
  type FakeSubscriber,
  opusLine,
  Rig,
  RTX_SSRC,
  VIDEO_SSRC,
  videoLine,
} from './testing.ts';

function watching() {
  const rig = new Rig();
  const publisher = rig.publish();
  const subscriber = rig.subscribe();
  return { rig, publisher, subscriber };
}

describe('a forwarded packet', () => {
  it('has the subscriber’s payload type and SSRC, the publisher’s timestamp, marker and payload, and no extension', () => {
    const { publisher, subscriber } = watching();
    publisher.video([7], { key: true, timestamp: 0xfedcba98, twcc: 1 });
    const [packet] = subscriber.rtp();
    expect(packet).toMatchObject({ payloadType: 120, timestamp: 0xfedcba98, marker: true, extensionProfile: 0 });
    expect(packet?.ssrc).not.toBe(VIDEO_SSRC);
    expect(packet?.buffer.subarray(packet.payloadOffset)).toEqual(Buffer.of(0x10, 0, 7));
  });

  it('goes to each subscriber under numbers of its own', () => {
    const { rig, publisher, subscriber } = watching();
    const other = rig.subscribe('other');
    publisher.video([1], { key: true });
    publisher.video([2, 3]);
    expect(subscriber.video).toEqual([0, 1, 2]);
    expect(other.video).toEqual([0, 1, 2]);
    expect(other.rtp()[0]?.sequenceNumber).not.toBe(subscriber.rtp()[0]?.sequenceNumber);
    expect(other.rtp()[0]?.ssrc).not.toBe(subscriber.rtp()[0]?.ssrc);
  });

  it('goes to the subscribers of its publisher alone', () => {
    const { rig, subscriber } = watching();
    const second = rig.publish('pub2');
    second.video([1], { key: true });
    expect(subscriber.rtp()).toEqual([]);
  });

  it('of audio needs no key frame', () => {
    const { publisher, subscriber } = watching();
    publisher.audio([1, 2]);
    expect(subscriber.rtp(111).map(({ timestamp }) => timestamp)).toEqual([960, 1_920]);
  });
});

describe('numbering', () => {
  it('begins at a key frame', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1, 2]);
    publisher.video([3], { key: true });
    publisher.video([4]);
    expect(subscriber.rtp().map(contentOf)).toEqual([3, 4]);
  });

  it('goes on across the wraps of both sides', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video([0xfff0], { key: true });
    for (let second = 0; second < 20; second++) {
      publisher.video(Array.from({ length: 3_500 }, (_, i) => 0xfff1 + second * 3_500 + i));
      subscriber.sendRtcp({ type: 'rr', ssrc: 1, reports: [] });
      rig.advance(1_000);
    }
    const numbers = subscriber.video;
    expect(numbers).toHaveLength(70_001);
    expect(numbers.every((number, index) => number === (index & 0xffff))).toBe(true);
  });

  it('keeps the gap of a lost packet, and puts a late one into it', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1], { key: true });
    publisher.video([3, 4, 2]);
    expect(subscriber.video).toEqual([0, 2, 3, 1]);
    expect(subscriber.rtp().map(contentOf)).toEqual([1, 3, 4, 2]);
  });

  it('leaves out duplicates and padding without a gap', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1], { key: true });
    publisher.video([2, 2]);
    publisher.video([3, 4], { empty: true });
    publisher.video([5]);
    expect(subscriber.video).toEqual([0, 1, 2]);
    expect(subscriber.rtp().map(contentOf)).toEqual([1, 2, 5]);
  });

  it('sends nothing from before the start, however late it comes', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1, 3]);
    publisher.video([4], { key: true });
    publisher.video([2]);
    expect(subscriber.video).toEqual([0]);
  });

  it('begins at the first of the slices of a key frame', () => {
    const { rig, publisher } = watching();
    publisher.video([1, 2], { key: true, timestamp: 5 });
    rig.advance(3_000);
    publisher.video([3], { key: true, timestamp: 9 });
    const late = rig.subscribe('late');
    publisher.video([4], { key: true, timestamp: 9 });
    expect(late.rtp().map(contentOf)).toEqual([3, 4]);
  });
});

describe('a publisher’s retransmission', () => {
  it('fills the gap as the packet that it repeats', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1], { key: true });
    publisher.video([3]);
    publisher.video([900], { payloadType: 97, ssrc: RTX_SSRC, original: 2, timestamp: 6_000 });
    expect(subscriber.video).toEqual([0, 2, 1]);
    expect(subscriber.rtp()[2]).toMatchObject({ timestamp: 6_000, payloadType: 120 });
    expect(subscriber.rtp().map(contentOf)).toEqual([1, 3, 2]);
  });

  it('of a packet that came already goes no further: bandwidth probes are such', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1], { key: true });
    publisher.video([2]);
    publisher.video([900], { payloadType: 97, ssrc: RTX_SSRC, original: 2 });
    publisher.video([901], { payloadType: 97, ssrc: RTX_SSRC, empty: true });
    expect(subscriber.video).toEqual([0, 1]);
  });
});

describe('the source of a track', () => {
  it('is one for each simulcast layer, known by its RID until it is learned', () => {
    const rig = new Rig();
    const attributes = [...(videoLine.attributes ?? []), 'rid:low send', 'rid:hi send', 'simulcast:send low;hi'];
    const publisher = rig.publish('pub', makeOffer([{ ...videoLine, attributes }]));
    const subscriber = rig.subscribe();
    publisher.video([1], { key: true, ssrc: 1 });
    publisher.video([1], { key: true, ssrc: 2, rid: 'low' });
    publisher.video([1], { key: true, ssrc: 3, rid: 'hi' });
    publisher.video([2], { ssrc: 2 });
    publisher.video([3], { ssrc: 3 });
    publisher.video([1], { ssrc: 4, payloadType: 97, original: 2, repairedRid: 'hi' });
    publisher.video([4], { ssrc: 2 });
    publisher.video([1], { ssrc: 5, payloadType: 97, original: 3, repairedRid: 'low' });
    expect(subscriber.rtp().map(contentOf)).toEqual([1, 2, 4, 3]);
    const layers = rig.statisticsOf('pub').tracks[0]?.layers;
    expect(layers?.map(({ encodingId, packetsReceived }) => [encodingId, packetsReceived])).toEqual([
      ['low', 3],
      ['hi', 2],
    ]);
  });

  it('may share its SSRC with payload types that nobody was promised', () => {
    const { publisher, subscriber } = watching();
    publisher.video([1], { key: true });
    publisher.video([2], { payloadType: 13 });
    publisher.video([3]);
    expect(subscriber.rtp().map(contentOf)).toEqual([1, 3]);
  });

  it('does not change while it sends', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video([1], { key: true });
    rig.advance(980);
    publisher.video([2], { key: true, ssrc: 99 });
    expect(subscriber.rtp().map(contentOf)).toEqual([1]);
  });

  it('changes after a second of silence, with timestamps that go on', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video([1], { key: true, timestamp: 90_000 });
    rig.advance(1_000);
    publisher.video([50_000], { key: true, ssrc: 99, timestamp: 7 });
    publisher.video([50_001], { ssrc: 99, timestamp: 3_007 });
    expect(subscriber.rtp().map(({ timestamp }) => timestamp)).toEqual([90_000, 180_000, 183_000]);
    expect(subscriber.video).toEqual([0, 2, 3]);
  });

  it('is looked for among 32 SSRCs and no more', () => {
    const rig = new Rig();
    const publisher = rig.publish('pub', makeOffer([opusLine, videoLine]));
    const subscriber = rig.subscribe();
    for (let ssrc = 1; ssrc <= MAX_SSRCS_PER_PUBLISHER; ssrc++) publisher.video([ssrc], { ssrc, payloadType: 97 });
    publisher.video([1], { key: true, ssrc: 5_000 });
    expect(subscriber.rtp()).toEqual([]);
  });
});

describe('a subscriber that joins', () => {
  it('is given all since a recent key frame at once, and what follows in one row', () => {
    const { rig, publisher } = watching();
    publisher.video([1], { key: true });
    publisher.video([2, 4]);
    rig.advance(2_000);
    const late = rig.subscribe('late');
    expect(late.rtp().map(contentOf)).toEqual([1, 2, 4]);
    publisher.video([5, 3]);
    expect(late.video).toEqual([0, 1, 3, 4, 2]);
  });

  it('waits for a new key frame when the last one is older than 2 s, and asks for it', () => {
    const { rig, publisher } = watching();
    publisher.video([1], { key: true });
    rig.advance(2_020);
    publisher.forget();
    const late = rig.subscribe('late');
    expect(late.rtp()).toEqual([]);
    expect(publisher.rtcp('pli')).toHaveLength(1);
  });

  it('waits when more than 300 packets came since', () => {
    const { rig, publisher } = watching();
    publisher.video([1], { key: true });
    publisher.video(Array.from({ length: 299 }, (_, i) => 2 + i));
    expect(rig.subscribe('just').rtp()).toHaveLength(300);
    publisher.video([301]);
    expect(rig.subscribe('late').rtp()).toEqual([]);
  });
});

describe('a publisher that floods', () => {
  it('is heard for 5,000 packets a second', () => {
    const { rig, publisher, subscriber } = watching();
    publisher.video([0], { key: true });
    publisher.video(Array.from({ length: MAX_RTP_PER_SECOND + 10 }, (_, i) => 1 + i));
    expect(subscriber.rtp()).toHaveLength(MAX_RTP_PER_SECOND);
    rig.advance(1_000);
    publisher.video([6_000]);
    expect(subscriber.rtp()).toHaveLength(MAX_RTP_PER_SECOND + 1);
  });
});

describe('random bytes', () => {
  const start = fc.constantFrom(Buffer.of(0x80, 96), Buffer.of(0x90, 97), Buffer.of(0x81, 201), Buffer.of(0x8f, 205));
  const bytes = fc.tuple(start, fc.uint8Array({ maxLength: 120 })).map((parts) => Buffer.concat(parts));

  it('from a publisher or a subscriber harm nobody', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, fc.uint8Array().map(Buffer.from)), { maxLength: 40 }), (packets) => {
        const { rig, publisher, subscriber } = watching();
        const bad = { publisher: rig.publish('bad'), subscriber: rig.subscribe('bad-sub') };
        for (const packet of packets) {
          bad.publisher.transport.receive(packet);
          bad.subscriber.transport.receive(packet);
          rig.advance(40);
        }
        subscriber.forget();
        publisher.video([1], { key: true });
        publisher.video([2]);
        expect(subscriber.video).toEqual([0, 1]);
        expect(rig.closed).toEqual({});
      }),
      { numRuns: 200 },
    );
  });

  it('shorter than a header are counted and dropped', () => {
    const { rig, publisher } = watching();
    publisher.transport.receive(Buffer.alloc(rtp.HEADER_LENGTH - 1));
    publisher.transport.receive(Buffer.alloc(0));
    expect(rig.statisticsOf('pub')).toMatchObject({ packetsReceived: 2, bytesReceived: 11 });
  });
});

describe('redundant audio', () => {
  /** One encoding before, 4 bytes, and the newest, 3 bytes (RFC 2198 section 3). */
  const redundant = Buffer.from([0x80 | 111, 0x0f, 0x00, 0x04, 111, 1, 1, 1, 1, 2, 2, 2]);
  const redLine = { ...opusLine, codecs: ['63 red/48000/2 111/111', '111 opus/48000/2'] };

  function receive(payloadType: number, payload: Buffer, sequenceNumber: number, { transport }: FakePublisher) {
    const packet = Buffer.alloc(rtp.HEADER_LENGTH + payload.length);
    rtp.writeHeader(packet, { marker: false, payloadType, sequenceNumber, timestamp: sequenceNumber * 960, ssrc: 5 });
    payload.copy(packet, rtp.HEADER_LENGTH);
    transport.receive(packet);
  }

  it('goes on as it came, and as its newest encoding to who cannot read it', () => {
    const rig = new Rig();
    const publisher = rig.publish('pub', makeOffer([redLine]));
    const reader = rig.subscribe('reader', 'pub', makeOffer([{ ...redLine, direction: 'recvonly' }]));
    const other = rig.subscribe('other', 'pub', makeOffer([{ ...opusLine, direction: 'recvonly' }]));
    receive(63, redundant, 1, publisher);
    receive(111, Buffer.from([3, 3, 3]), 2, publisher);
    receive(63, Buffer.from([0x80 | 111, 0xff, 0xff, 0xff]), 3, publisher);
    const payloads = (subscriber: FakeSubscriber, payloadType: number) =>
      subscriber
        .rtp(payloadType)
        .map(({ buffer, payloadOffset, payloadEnd }) => [...buffer.subarray(payloadOffset, payloadEnd)]);
    expect(payloads(reader, 63)).toEqual([[...redundant]]);
    expect(payloads(reader, 111)).toEqual([[3, 3, 3]]);
    expect(payloads(other, 63)).toEqual([]);
    expect(payloads(other, 111)).toEqual([
      [2, 2, 2],
      [3, 3, 3],
    ]);
  });
});
