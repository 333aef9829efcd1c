import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectRelay, listenForRelays, type RelayAddress, RelayLink } from '../rim/relay-link.ts';
import { contentOf, Rig, subscribeOffer, VIDEO_SSRC } from '../testing.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Two workers that reach each other over TCP; what is published in the first is subscribed to in the second. */
async function twoWorkers(secret = 'shared') {
  const links = new Set<RelayLink>();
  const connect = (address: RelayAddress) => (onBytes: (bytes: Buffer) => void, onClosed: () => void) => {
    const link = new RelayLink(connectRelay(address), onBytes, onClosed);
    links.add(link);
    return link;
  };
  const source = new Rig({}, { secret: 'shared', connect });
  const edge = new Rig({}, { secret: 'other', connect });
  const { server, port } = await listenForRelays((socket) => {
    source.sfu.relays.accept((onBytes, onClosed) => new RelayLink(socket, onBytes, onClosed));
  });
  closers.push(() => {
    for (const link of links) link.close();
    server.close();
  });
  const address = { host: '127.0.0.1', port, secret };
  /** Subscribes in the second worker to a publisher of the first. */
  const subscribe = (id = 'sub', publisher = 'pub') =>
    edge.subscribe(id, publisher, subscribeOffer, {
      address,
      identity: { stageId: 'stage', connectionId: publisher, participantId: `${publisher}-name` },
      tracks: source.sfu.tracksOf(publisher) ?? [],
    });
  return { source, edge, subscribe, links };
}

describe('a publisher of another worker', () => {
  it('is received from its last key frame on, and then as it comes', async () => {
    const { source, subscribe } = await twoWorkers();
    const publisher = source.publish();
    publisher.video([10], { key: true });
    publisher.video([11]);
    const subscriber = subscribe();
    await vi.waitFor(() => expect(subscriber.rtp().map(contentOf)).toEqual([10, 11]));
    publisher.video([12, 14, 13]);
    publisher.audio([1]);
    await vi.waitFor(() => expect(subscriber.rtp().map(contentOf)).toEqual([10, 11, 12, 14, 13]));
    expect(subscriber.video).toEqual([0, 1, 2, 4, 3]);
    await vi.waitFor(() => expect(subscriber.rtp(111)).toHaveLength(1));
  });

  it('comes once, however many receive it', async () => {
    const { source, subscribe, links } = await twoWorkers();
    const publisher = source.publish();
    publisher.video([1], { key: true });
    const subscribers = ['a', 'b', 'c'].map((id) => subscribe(id));
    publisher.video([2, 3]);
    for (const subscriber of subscribers) {
      await vi.waitFor(() => expect(subscriber.rtp().map(contentOf)).toEqual([1, 2, 3]));
    }
    expect(links.size).toBe(1);
    expect(source.sfu.statistics().relayed).toEqual({ sent: 3, received: 0, dropped: 0 });
  });

  it('is asked for key frames, and lost packets are sent again from here', async () => {
    const { source, edge, subscribe } = await twoWorkers();
    const publisher = source.publish();
    publisher.video([1], { key: true });
    const subscriber = subscribe();
    await vi.waitFor(() => expect(subscriber.rtp()).toHaveLength(1));
    source.advance(1_000);
    edge.advance(1_000);
    publisher.forget();
    subscriber.pli();
    await vi.waitFor(() => expect(publisher.rtcp('pli')).toMatchObject([{ mediaSsrc: VIDEO_SSRC }]));
    subscriber.nack(0);
    expect(subscriber.rtp(121)).toHaveLength(1);
    expect(publisher.rtcp('nack')).toEqual([]);
  });

  it('tells its clock, so that sound and picture belong together', async () => {
    const { source, edge, subscribe } = await twoWorkers();
    const publisher = source.publish();
    publisher.video([1], { key: true, timestamp: 90_000 });
    const ntp = { seconds: 3_900_000_000, fraction: 0 };
    publisher.sendRtcp({
      type: 'sr',
      ssrc: VIDEO_SSRC,
      ntp,
      rtpTimestamp: 90_000,
      packetCount: 1,
      octetCount: 1,
      reports: [],
    });
    const subscriber = subscribe();
    await vi.waitFor(() => expect(subscriber.rtp()).toHaveLength(1));
    source.advance(1_100);
    await vi.waitFor(() => {
      edge.advance(1_000);
      expect(subscriber.rtcp('sr')[0]?.rtpTimestamp).toBeGreaterThan(90_000);
    });
  });

  it('ends for all when it ends', async () => {
    const { source, edge, subscribe } = await twoWorkers();
    source.publish().video([1], { key: true });
    const subscriber = subscribe();
    await vi.waitFor(() => expect(subscriber.rtp()).toHaveLength(1));
    source.sfu.close('pub');
    await vi.waitFor(() => expect(edge.closed).toEqual({ sub: 'publisher-closed' }));
  });

  it('ends here when the other worker is gone', async () => {
    const { source, edge, subscribe, links } = await twoWorkers();
    source.publish().video([1], { key: true });
    const subscriber = subscribe();
    await vi.waitFor(() => expect(subscriber.rtp()).toHaveLength(1));
    for (const link of links) link.close();
    await vi.waitFor(() => expect(edge.closed).toEqual({ sub: 'publisher-closed' }));
  });

  it('is not sent to who does not know the secret', async () => {
    const { source, edge, subscribe } = await twoWorkers('guessed');
    source.publish().video([1], { key: true });
    const subscriber = subscribe();
    await vi.waitFor(() => expect(edge.closed).toEqual({ sub: 'publisher-closed' }));
    expect(subscriber.rtp()).toEqual([]);
  });

  it('is relayed no longer when nobody receives it, and again when somebody does', async () => {
    const { source, edge, subscribe } = await twoWorkers();
    const publisher = source.publish();
    publisher.video([1], { key: true });
    const first = subscribe();
    await vi.waitFor(() => expect(first.rtp()).toHaveLength(1));
    edge.sfu.close('sub');
    edge.advance(2_100);
    expect([...edge.sfu.relays.relayed]).toEqual([]);
    const again = subscribe('again');
    await vi.waitFor(() => expect(again.rtp()).toHaveLength(1));
  });
});
