import { rtcp } from '@footlights/protocol';
import { describe, expect, it } from 'vitest';
import { MAX_CONNECTIONS, MAX_SSRCS_PER_CONNECTION } from './limits.ts';
import { MediaError } from './media.ts';
import { makeOffer } from './negotiate/sample-offers.ts';
import {
  type FakePublisher,
  leveledOpusLine,
  opusLine,
  publishOffer,
  Rig,
  subscribeOffer,
  VIDEO_SSRC,
  videoLine,
} from './testing.ts';

function errorOf(action: () => unknown): MediaError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof MediaError) return error;
    throw error;
  }
  return undefined;
}

const request = { stageId: 'stage', connectionId: 'c', participantId: 'p' };

describe('accept', () => {
  it('answers a publisher and a subscriber, and names the codecs', () => {
    const { sfu } = new Rig();
    const published = sfu.accept({ ...request, offer: publishOffer, role: 'publish' });
    expect(published.tracks).toEqual({ audio: 'opus', video: 'VP8' });
    const publisherConnectionId = 'c';
    const second = { ...request, connectionId: 'd', offer: subscribeOffer, publisherConnectionId };
    const subscribed = sfu.accept({ ...second, role: 'subscribe' });
    expect(subscribed.tracks).toEqual({ audio: 'opus', video: 'VP8' });
    expect(subscribed.answer).toContain('a=msid:p p-video');
  });

  it('hands the transport what was checked', () => {
    const rig = new Rig();
    rig.publish();
    expect(rig.host.last.remote).toMatchObject({ iceUfrag: 'abcd', setup: 'actpass' });
  });

  it.each([undefined, 'nobody', 'elsewhere'])('finds no publisher %s', (publisherConnectionId) => {
    const rig = new Rig();
    rig.sfu.accept({ ...request, stageId: 'other', connectionId: 'elsewhere', offer: publishOffer, role: 'publish' });
    const subscribe = { ...request, offer: subscribeOffer, role: 'subscribe' as const };
    const error = errorOf(() =>
      rig.sfu.accept({ ...subscribe, ...(publisherConnectionId && { publisherConnectionId }) }),
    );
    expect(error?.code).toBe('PUBLISHER_NOT_FOUND');
    expect(rig.sfu.statistics().connections).toHaveLength(1);
  });

  it('leaves nothing behind when the transport refuses', () => {
    const rig = new Rig();
    const { create } = rig.host;
    rig.host.create = (listener) => {
      const transport = create.call(rig.host, listener);
      transport.accept = () => {
        throw new Error('bad luck');
      };
      return transport;
    };
    const error = errorOf(() => rig.sfu.accept({ ...request, offer: publishOffer, role: 'publish' }));
    expect(error).toMatchObject({
      code: 'INVALID_OFFER',
      message: 'invalid SDP offer: the transport refuses it: bad luck',
    });
    expect(rig.sfu.statistics().connections).toEqual([]);
    expect(rig.host.last.state).toBe('closed');
    expect(rig.events).toEqual([]);
  });

  it('refuses the connection after 5,000', () => {
    const { sfu } = new Rig();
    const offer = makeOffer([opusLine]);
    const accept = (connectionId: string) => sfu.accept({ ...request, connectionId, offer, role: 'publish' });
    for (let i = 0; i < MAX_CONNECTIONS; i++) accept(String(i));
    const error = errorOf(() => accept('last'));
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'the media worker has its limit of 5000 connections',
    });
    sfu.close('7');
    expect(errorOf(() => accept('last'))).toBeUndefined();
  }, 60_000);
});

describe('the life of a connection', () => {
  it('is told from connected to closed', () => {
    const rig = new Rig();
    rig.publish();
    rig.sfu.close('pub');
    rig.sfu.close('pub');
    expect(rig.events).toEqual([
      { type: 'connected', connectionId: 'pub' },
      { type: 'closed', connectionId: 'pub', reason: 'requested' },
    ]);
    expect(rig.host.last.state).toBe('closed');
  });

  it('ends after 15 s when the peer never connects', () => {
    const rig = new Rig();
    rig.sfu.accept({ ...request, offer: publishOffer, role: 'publish' });
    rig.advance(14_980);
    expect(rig.closed).toEqual({});
    rig.advance(1_020);
    expect(rig.closed).toEqual({ c: 'never-connected' });
  });

  it('ends after 10 s of silence, not before', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    rig.advance(9_000);
    publisher.video([1]);
    rig.advance(9_980);
    expect(rig.closed).toEqual({});
    rig.advance(1_020);
    expect(rig.closed).toEqual({ pub: 'timeout' });
  });

  it('ends after 30 s of silence where only audio is received', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    rig.subscribe('sub', 'pub', makeOffer([{ ...opusLine, direction: 'recvonly' }]));
    const live = () => {
      publisher.audio([1]);
      rig.advance(5_000);
    };
    for (let i = 0; i < 5; i++) live();
    rig.advance(4_980);
    expect(rig.closed).toEqual({});
    publisher.audio([1]);
    rig.advance(1_020);
    expect(rig.closed).toEqual({ sub: 'timeout' });
  });

  it('ends with its transport', () => {
    const rig = new Rig();
    rig.publish('a').transport.lose('closed');
    rig.publish('b').transport.lose('failed');
    expect(rig.closed).toEqual({ a: 'peer-closed', b: 'failed' });
  });

  it('ends 2 s after a BYE, unless packets follow: a muted track says BYE too', () => {
    const rig = new Rig();
    const leaving = rig.publish('leaving');
    const muted = rig.publish('muted');
    leaving.sendRtcp({ type: 'bye', ssrcs: [VIDEO_SSRC] });
    muted.sendRtcp({ type: 'bye', ssrcs: [VIDEO_SSRC] });
    muted.audio([1]);
    rig.advance(1_980);
    expect(rig.closed).toEqual({});
    rig.advance(1_020);
    expect(rig.closed).toEqual({ leaving: 'peer-closed' });
  });

  it('ends with one SSRC more than a peer may use, of media and reports together', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    const subscriber = rig.subscribe();
    const halfway = MAX_SSRCS_PER_CONNECTION / 2;
    for (let ssrc = 1; ssrc <= halfway; ssrc++) publisher.video([1], { ssrc });
    for (let ssrc = 1; ssrc <= MAX_SSRCS_PER_CONNECTION; ssrc++) {
      if (ssrc > halfway) publisher.sendRtcp({ type: 'rr', ssrc, reports: [] });
      subscriber.sendRtcp({ type: 'rr', ssrc, reports: [] });
    }
    publisher.video([2], { ssrc: 1 });
    expect(rig.closed).toEqual({});
    subscriber.sendRtcp({ type: 'rr', ssrc: 0x10000, reports: [] });
    expect(rig.closed).toEqual({ sub: 'too-many-sources' });
    publisher.video([3], { ssrc: 0x10000 });
    expect(rig.closed).toMatchObject({ pub: 'too-many-sources' });
  });

  it('ends with the publisher that it receives', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    rig.subscribe('s1');
    const gone = rig.subscribe('s2');
    rig.publish('other');
    rig.subscribe('s3', 'other');
    gone.transport.lose('closed');
    publisher.transport.lose('closed');
    expect(rig.closed).toEqual({ s2: 'peer-closed', pub: 'peer-closed', s1: 'publisher-closed' });
    expect(rig.sfu.statistics().connections.map(({ connectionId }) => connectionId)).toEqual(['other', 's3']);
  });

  it('gives its numbers', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    rig.subscribe();
    publisher.video([1], { key: true });
    publisher.video([2]);
    // Reports are no packets of media.
    publisher.transport.receive(rtcp.write([{ type: 'rr', ssrc: 1, reports: [] }]));
    expect(rig.statisticsOf('pub')).toMatchObject({
      role: 'publish',
      connected: true,
      packetsReceived: 2,
      bytesReceived: 30,
    });
    expect(rig.statisticsOf('sub')).toMatchObject({
      stageId: 'stage',
      participantId: 'sub-name',
      role: 'subscribe',
      packetsSent: 2,
      bytesSent: 30,
      droppedByOverload: 0,
    });
    expect(rig.statisticsOf('sub')).not.toHaveProperty('offer');
  });
});

describe('overload', () => {
  /** One publisher and ten subscribers that have seen a key frame. */
  function crowd() {
    const rig = new Rig();
    const publisher = rig.publish();
    const subscribers = Array.from({ length: 10 }, (_, i) => rig.subscribe(`s${i}`));
    publisher.video([1], { key: true });
    rig.advance(20);
    return { rig, publisher, subscribers };
  }
  /** Keeps the timer away for so long that three of ten are shed at the last packet. */
  function starve(rig: Rig, publisher: FakePublisher): void {
    rig.clock.advance(121);
    publisher.video([2]);
    rig.clock.advance(100);
    publisher.video([3]);
  }
  const dropped = (rig: Rig) =>
    rig.sfu.statistics().connections.reduce((sum, { droppedByOverload }) => sum + droppedByOverload, 0);

  it('is seen by the packets while the timer starves for 200 ms', () => {
    const { rig, publisher } = crowd();
    rig.clock.advance(121);
    publisher.video([2]);
    rig.clock.advance(99);
    publisher.video([3]);
    expect(dropped(rig)).toBe(0);
    rig.clock.advance(1);
    publisher.video([4]);
    expect(dropped(rig)).toBe(3);
    publisher.audio([1]);
    expect(dropped(rig)).toBe(3);
  });

  it('is not one pause', () => {
    const { rig, publisher } = crowd();
    rig.clock.advance(700);
    publisher.video([2]);
    rig.sfu.tick(rig.clock.now());
    rig.advance(20);
    publisher.video([3]);
    expect(dropped(rig)).toBe(0);
  });

  it('takes video from the subscriber with the worst loss first', () => {
    const { rig, publisher, subscribers } = crowd();
    const slow = subscribers[4];
    const block = {
      ssrc: slow?.rtp()[0]?.ssrc ?? 0,
      fractionLost: 200,
      cumulativeLost: 0,
      highestSequenceNumber: 0,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    };
    slow?.sendRtcp({ type: 'rr', ssrc: 1, reports: [block] });
    starve(rig, publisher);
    expect(rig.statisticsOf('s4').droppedByOverload).toBe(1);
  });

  it('gives it back at a key frame, which it asks for, and says both once a second', () => {
    const { rig, publisher, subscribers } = crowd();
    starve(rig, publisher);
    const shed = subscribers.filter(({ id }) => rig.statisticsOf(id).droppedByOverload > 0);
    expect(shed).toHaveLength(3);
    rig.advance(1_000);
    publisher.forget();
    rig.advance(2_500);
    expect(publisher.rtcp('pli').length).toBeGreaterThan(0);
    publisher.video([4]);
    expect(shed[0]?.video).toEqual([0, 1]);
    publisher.video([5], { key: true });
    expect(shed[0]?.video).toEqual([0, 1, 2]);
    expect(subscribers.find((subscriber) => !shed.includes(subscriber))?.video).toEqual([0, 1, 2, 3, 4]);
    expect(rig.log[0]).toMatchObject({ fields: { shed: 3, restored: 0, latenessMs: 201 } });
    expect(rig.log.length).toBeLessThanOrEqual(4);
  });

  it('takes sound too when nobody has video any more, first that of who is silent', () => {
    const rig = new Rig();
    const offer = makeOffer([leveledOpusLine, videoLine]);
    const [silent, loud] = [rig.publish('silent', offer), rig.publish('loud', offer)];
    const [ofSilent, ofLoud] = [rig.subscribe('a', 'silent'), rig.subscribe('b', 'loud')];
    const speak = (number: number) => {
      silent.audio([number], 100);
      loud.audio([number], 20);
    };
    for (let number = 1; number <= 10; number++) speak(number);
    // The loop is late, the video of both is withheld, one after the other, and then the sound of one.
    for (const number of [11, 12, 13, 14]) {
      rig.clock.advance(121);
      speak(number);
    }
    speak(15);
    expect([ofSilent.rtp(111).length, ofLoud.rtp(111).length]).toEqual([13, 15]);
    expect(rig.statisticsOf('a').droppedByOverload).toBe(2);
    rig.advance(2_000);
    speak(16);
    expect(
      ofSilent.rtp(111).map(({ sequenceNumber }) => sequenceNumber - (ofSilent.rtp(111)[0]?.sequenceNumber ?? 0)),
    ).toEqual([...Array(14).keys()]);
  });

  it('takes nobody for gone whose sound it withholds', () => {
    const rig = new Rig();
    const publisher = rig.publish();
    rig.subscribe('listener', 'pub', makeOffer([{ ...opusLine, direction: 'recvonly' }]));
    // Longer than three times what a listener may be silent.
    for (let number = 1; number <= 100; number++) {
      publisher.audio([number]);
      rig.clock.advance(1_000, (now) => rig.sfu.tick(now), 1_000);
    }
    expect(rig.statisticsOf('listener').droppedByOverload).toBeGreaterThan(90);
    expect(rig.closed).toEqual({});
  });

  it('shows in the loop delay of the second before', () => {
    const { rig } = crowd();
    rig.clock.advance(300);
    rig.advance(20);
    rig.advance(1_000);
    expect(rig.sfu.statistics().loopDelayMs).toBe(300);
    rig.advance(1_000);
    expect(rig.sfu.statistics().loopDelayMs).toBe(0);
  });

  it('makes silence last three times as long before it is an end: what came may not have been read', () => {
    const { rig } = crowd();
    const late = (ms: number) => rig.clock.advance(ms, (now) => rig.sfu.tick(now), 1_000);
    late(28_000);
    expect(rig.closed).toEqual({});
    late(4_000);
    expect(rig.closed).toMatchObject({ pub: 'timeout' });
  });

  it('does not keep a late loop from its reports', () => {
    const { rig, publisher } = crowd();
    publisher.forget();
    rig.clock.advance(5_000, (now) => rig.sfu.tick(now), 1_000);
    expect(publisher.rtcp('rr').length).toBeGreaterThanOrEqual(5);
  });
});
