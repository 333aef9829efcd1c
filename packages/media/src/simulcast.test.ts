import { type rtcp, rtp, video } from '@footlights/protocol';
import { describe, expect, it } from 'vitest';
import { makeOffer } from './negotiate/sample-offers.ts';
import { type FakePublisher, type FakeSubscriber, RID_ID, Rig, videoLine } from './testing.ts';

const attributes = [
  ...(videoLine.attributes ?? []),
  ...['low', 'mid', 'hi'].map((rid) => `rid:${rid} send`),
  'simulcast:send low;mid;hi',
];
const simulcastOffer = makeOffer([{ ...videoLine, attributes }]);

interface Layer {
  rid: string;
  ssrc: number;
  width: number;
  /** Bytes of a packet; each layer sends 30 a second. */
  bytes: number;
  /** What its clock began at. */
  base: number;
  pictureId: number;
}

/** 200, 700 and 2,500 kbit/s; each layer has clocks and numbers of its own. */
const layers: Layer[] = [
  { rid: 'low', ssrc: 1, width: 320, bytes: 800, base: 1_000, pictureId: 32_760 },
  { rid: 'mid', ssrc: 2, width: 640, bytes: 2_900, base: 4_000_000_000, pictureId: 5 },
  { rid: 'hi', ssrc: 3, width: 1_280, bytes: 10_400, base: 77_777, pictureId: 9_000 },
];

/** A publisher of three layers of VP8 that answers key frame requests, frame by frame on the rig's clock. */
class Simulcast {
  readonly rig: Rig;
  readonly publisher: FakePublisher;
  active = new Set(['low', 'mid', 'hi']);
  /** Of VP8's L1T2: every second frame is of the upper temporal layer. */
  temporal = false;
  #frame = 0;
  #askedFor = 0;

  constructor(rig: Rig, id = 'pub') {
    this.rig = rig;
    this.publisher = rig.publish(id, simulcastOffer);
  }

  /** Lets time pass in frames of 33 1/3 ms, about. */
  run(ms: number, each: () => void = () => {}): void {
    for (let left = ms; left > 0; left -= 35) {
      this.sendFrame();
      each();
      this.rig.advance(35);
    }
  }

  sendFrame(): void {
    const plis = this.publisher.rtcp('pli').length;
    const key = this.#frame === 0 || plis > this.#askedFor;
    this.#askedFor = plis;
    for (const layer of layers)
      if (this.active.has(layer.rid)) this.publisher.transport.receive(this.#packet(layer, key));
    this.#frame += 1;
  }

  #packet({ rid, ssrc, width, bytes, base, pictureId }: Layer, key: boolean): Buffer {
    const packet = Buffer.alloc(bytes);
    const frame = this.#frame;
    const timestamp = (base + frame * 3_150) >>> 0;
    rtp.writeHeader(packet, { marker: true, payloadType: 96, sequenceNumber: frame & 0xffff, timestamp, ssrc });
    let at = rtp.writeExtensions(packet, [{ id: RID_ID, value: Buffer.from(rid) }]);
    const temporalLayer = this.temporal && frame % 2 === 1 ? 1 : 0;
    // X S, then I L T, a picture id of 15 bits, TL0PICIDX, TID with Y (RFC 7741 section 4.2).
    const id = (pictureId + frame) & 0x7fff;
    for (const byte of [0x90, 0xe0, 0x80 | (id >> 8), id & 0xff, frame & 0xff, (temporalLayer << 6) | 0x20])
      packet[at++] = byte;
    // Frame header of a key frame: start code and size (RFC 6386 section 9.1).
    if (key) Buffer.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, width & 0xff, width >> 8, 180, 0]).copy(packet, at);
    else packet[at] = 0x11;
    return packet;
  }
}

/** What a decoder would complain of: gaps, steps back, picture ids that do not follow. Every frame is told to be of the lowest temporal layer. */
function expectContinuous(subscriber: FakeSubscriber): void {
  const packets = subscriber.rtp();
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1];
    if (!before) continue;
    expect((packet.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(1);
    const step = (packet.timestamp - before.timestamp) | 0;
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThan(40_500);
    const [now, earlier] = [factsOf(packet), factsOf(before)];
    expect((now.pictureId - earlier.pictureId) & 0x7fff).toBe(1);
    expect((now.tl0PicIdx - earlier.tl0PicIdx) & 0xff).toBe(1);
    expect(now.temporalLayer).toBe(0);
  }
}

function factsOf({ buffer, payloadOffset, payloadEnd }: rtp.Packet): video.PayloadFacts {
  const facts = video.emptyFacts();
  video.inspect('VP8', facts, buffer, payloadOffset, payloadEnd);
  return facts;
}

const selected = (rig: Rig, id = 'sub') => rig.sfu.layers(id)?.layers.find((layer) => layer.selected)?.encodingId;

/** What a receiver without transport-wide feedback tells: a bitrate, and now and then that nothing was lost. */
function reportBitrate(subscriber: FakeSubscriber, bitrate: number): void {
  const [first] = subscriber.rtp();
  const ssrc = first?.ssrc ?? 0;
  const report = { ssrc, fractionLost: 0, cumulativeLost: 0, highestSequenceNumber: 0, jitter: 0 };
  subscriber.sendRtcp(
    { type: 'remb', senderSsrc: 1, mediaSsrc: 0, bitrate, ssrcs: [ssrc] },
    { type: 'rr', ssrc: 1, reports: [{ ...report, lastSenderReport: 0, delaySinceLastSenderReport: 0 }] },
  );
}

const rembOffer = makeOffer([
  {
    direction: 'recvonly',
    codecs: ['120 VP8/90000', '121 rtx/90000 apt=120'],
    attributes: ['rtcp-fb:120 nack', 'rtcp-fb:120 nack pli', 'rtcp-fb:120 goog-remb'],
  },
]);

describe('a subscriber of a simulcast', () => {
  it('begins with the lowest layer, and rises to the best without a break', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.run(1_000);
    const subscriber = rig.subscribe();
    expect(selected(rig)).toBe('low');
    simulcast.run(2_000);
    expect(selected(rig)).toBe('hi');
    expectContinuous(subscriber);
  });

  it('goes where it is told, and back to what fits', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.run(1_000);
    const subscriber = rig.subscribe();
    for (const layer of ['mid', 'low', 'hi']) {
      expect(rig.sfu.chooseLayer('sub', layer)).toBe(true);
      simulcast.run(1_200);
      expect(selected(rig)).toBe(layer);
      expect(rig.sfu.layers('sub')?.automatic).toBe(false);
    }
    expect(rig.sfu.chooseLayer('sub', 'max')).toBe(false);
    expect(rig.sfu.chooseLayer('sub', undefined)).toBe(true);
    simulcast.run(3_000);
    expect(selected(rig)).toBe('hi');
    expectContinuous(subscriber);
    expect(rig.sfu.layers('sub')?.layers.map(({ width }) => width)).toEqual([320, 640, 1_280]);
  });

  it('is given what its REMB allows', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.run(1_000);
    const subscriber = rig.subscribe('sub', 'pub', rembOffer);
    simulcast.run(15_000, () => reportBitrate(subscriber, 900_000));
    expect(selected(rig)).toBe('mid');
    simulcast.run(2_000, () => reportBitrate(subscriber, 300_000));
    expect(selected(rig)).toBe('low');
  });

  it('leaves a layer that its publisher stops within 500 ms, and takes it again', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.run(1_000);
    const subscriber = rig.subscribe();
    simulcast.run(2_000);
    simulcast.active.delete('hi');
    simulcast.run(500);
    expect(selected(rig)).toBe('mid');
    simulcast.active.add('hi');
    simulcast.run(3_000);
    expect(selected(rig)).toBe('hi');
    expectContinuous(subscriber);
  });

  it('has retransmissions of both sides of a switch', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.run(500);
    const subscriber = rig.subscribe();
    rig.sfu.chooseLayer('sub', 'mid');
    simulcast.run(1_000);
    const [, old, ...rest] = subscriber.rtp();
    const last = rest.at(-1);
    subscriber.nack(1, rest.length + 1);
    const again = subscriber
      .rtp(121)
      .map(({ buffer, payloadOffset, payloadEnd }) => buffer.subarray(payloadOffset + 2, payloadEnd));
    const payload = (packet: rtp.Packet | undefined) =>
      packet?.buffer.subarray(packet.payloadOffset, packet.payloadEnd);
    expect(again).toEqual([payload(old), payload(last)]);
    expect(again[0]?.length).not.toBe(again[1]?.length);
  });

  it('gives up a temporal layer before the picture becomes smaller, and numbers go on', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.temporal = true;
    simulcast.active = new Set(['low', 'mid']);
    simulcast.run(2_500);
    const subscriber = rig.subscribe('sub', 'pub', rembOffer);
    simulcast.run(3_000, () => reportBitrate(subscriber, 2_000_000));
    expect(selected(rig)).toBe('mid');
    simulcast.run(1_000, () => reportBitrate(subscriber, 420_000));
    subscriber.forget();
    simulcast.run(1_000, () => reportBitrate(subscriber, 420_000));
    expect(selected(rig)).toBe('mid');
    expect(subscriber.rtp().length).toBeGreaterThan(12);
    expect(subscriber.rtp().length).toBeLessThan(17);
    expectContinuous(subscriber);
    expect(rig.statisticsOf('sub').tracks[0]?.dropped?.temporal).toBeGreaterThan(12);
  });

  it('shares what its participant may be sent with its other subscriptions', () => {
    const rig = new Rig({ subscribeBps: 4_000_000 });
    const simulcasts = ['a', 'b'].map((id) => new Simulcast(rig, id));
    const viewers = new Map<string, FakeSubscriber>();
    const run = (ms: number) => {
      for (let left = ms; left > 0; left -= 35) {
        for (const simulcast of simulcasts) simulcast.sendFrame();
        for (const viewer of viewers.values()) viewer.sendRtcp({ type: 'rr', ssrc: 1, reports: [] });
        rig.advance(35);
      }
    };
    run(1_000);
    const subscribe = (id: string, publisher: string) =>
      viewers.set(id, rig.subscribe(id, publisher, undefined, undefined, 'viewer'));
    subscribe('first', 'a');
    run(4_000);
    expect(selected(rig, 'first')).toBe('hi');
    subscribe('second', 'b');
    run(6_000);
    // 2 Mbit/s are the share of each: too little for a layer of 2.4 Mbit/s twice.
    expect([selected(rig, 'first'), selected(rig, 'second')].sort()).toEqual(['hi', 'mid']);
    rig.sfu.close('first');
    run(6_000);
    expect(selected(rig, 'second')).toBe('hi');
  });
});

describe('a publisher', () => {
  it('that stops its video costs nothing, and is shown again from a key frame on', () => {
    const rig = new Rig();
    const simulcast = new Simulcast(rig);
    simulcast.run(500);
    const subscriber = rig.subscribe();
    simulcast.run(500);
    rig.sfu.setVideoStopped('pub', true);
    subscriber.forget();
    simulcast.run(1_000);
    expect(subscriber.rtp()).toEqual([]);
    rig.sfu.setVideoStopped('pub', false);
    simulcast.run(1_000);
    const [first] = subscriber.rtp();
    expect(first?.buffer[first.payloadOffset + 6]).toBe(0x10);
    expectContinuous(subscriber);
  });

  it('may send as large a picture as the limit, and no larger one', () => {
    const fine = new Rig({ pixels: 1_280 * 180 });
    new Simulcast(fine).run(1_000);
    expect(fine.closed).toEqual({});
    const less = new Rig({ pixels: 1_280 * 180 - 1 });
    new Simulcast(less).run(1_000);
    expect(less.closed).toEqual({ pub: 'resolution-exceeded' });
  });

  it('may send as many bits as the limit over ten seconds, and no more', () => {
    // 28.6 frames a second of all layers.
    const bps = ((layers[0]!.bytes + layers[1]!.bytes + layers[2]!.bytes) * 8 * 1_000) / 35;
    const fine = new Rig({ publishBps: bps * 1.02 });
    new Simulcast(fine).run(15_000);
    expect(fine.closed).toEqual({});
    const less = new Rig({ publishBps: bps * 0.95 });
    const simulcast = new Simulcast(less);
    simulcast.run(8_000);
    expect(less.closed).toEqual({});
    simulcast.run(4_000);
    expect(less.closed).toEqual({ pub: 'bitrate-exceeded' });
  });

  it('and a subscriber may stay for as long as the limit', () => {
    const rig = new Rig({ durationMs: 5_000 });
    const simulcast = new Simulcast(rig);
    const subscriber = rig.subscribe();
    const alive = () => subscriber.sendRtcp({ type: 'rr', ssrc: 1, reports: [] } satisfies rtcp.Packet);
    simulcast.run(4_900, alive);
    expect(rig.closed).toEqual({});
    simulcast.run(1_200, alive);
    expect(rig.closed.pub).toBe('duration-exceeded');
    expect(Object.keys(rig.closed).sort()).toEqual(['pub', 'sub']);
  });
});

describe('key frames of several layers', () => {
  it('are asked for in one datagram where they are wanted in one moment, and not again where all came at once', () => {
    const rig = new Rig();
    const live = new Simulcast(rig);
    const subscribers = layers.map(({ rid }) => {
      const subscriber = rig.subscribe(rid);
      rig.sfu.chooseLayer(rid, rid);
      return subscriber;
    });
    live.run(20_000, () => {
      for (const [index, subscriber] of subscribers.entries()) reportBitrate(subscriber, [4e5, 1.5e6, 5e6][index] ?? 0);
    });
    expect(layers.map(({ rid }) => selected(rig, rid))).toEqual(['low', 'mid', 'hi']);
    rig.advance(1_000);
    live.publisher.forget();
    const moment: (() => void)[] = [];
    rig.later = (run) => moment.push(run);
    for (const subscriber of subscribers) subscriber.pli();
    for (const run of moment) run();
    expect(live.publisher.rtcp('pli').map(({ mediaSsrc }) => mediaSsrc)).toEqual([1, 2, 3]);
    expect(live.publisher.transport.sent).toHaveLength(1);
  });
});
