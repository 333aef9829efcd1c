// What one participant does to the media of a server, over real transports, must not be felt by the others. Beside every attack a
// healthy call goes on in the same worker, and is looked at all the time.
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetStageCommand, ListParticipantEventsCommand } from '@aws-sdk/client-ivs-realtime';
import { rtcp, rtp } from '@footlights/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { feed } from './support/feed.ts';
import { isSrtp, UdpProxy } from './support/proxy.ts';
import { type RunningServer, startServer } from './support/server.ts';
import { createStage, createToken } from './support/stage.ts';
import { stageStatistics } from './support/statistics.ts';
import { timed } from './support/timed.ts';
import { cleanUpPeers, videoPacket, WhipPeer, type WhipPeerOptions } from './support/whip-peer.ts';
import { residentBytes, workerPids } from './support/workers.ts';

const ATTACK_MS = 5_000;
/** How often the healthy call is looked at. */
const WINDOW_MS = 500;
/** Of the frames that were sent while it was looked at, so many must have come. */
const DELIVERED = 0.97;
/** What an attack may make the worker take more of, in bytes, and the server write. */
const MEMORY = 96 * 1_024 * 1_024;
const LOG_LINES_PER_SECOND = 11;
/** An attacker's timer, in milliseconds. */
const BURST_MS = 5;
/** Pairs of a NACK that one datagram carries. */
const PAIRS = 300;
/** Who sends many SSRCs, and how many each. */
const CHURNERS = 10;
const SSRCS_OF_ONE = 4_000;

let server: RunningServer;
let call: Awaited<ReturnType<typeof openCall>>;

beforeAll(async () => {
  server = await startServer({ args: ['--media-workers', '1', '--no-ingest'] });
});

beforeEach(async () => {
  call = await openCall();
});

afterEach(() => call?.close());

afterAll(async () => {
  await server?.dispose();
  cleanUpPeers();
});

/** A publisher whose frames flow to a subscriber; others may join its stage. */
async function openCall() {
  const stageArn = await createStage(server);
  const [alice, bob] = [await createToken(server, stageArn), await createToken(server, stageArn)];
  const publisher = new WhipPeer('SendOnly', '127.0.0.1');
  await publisher.connect(server.endpoints.whip, alice.token);
  const stop = feed(publisher);
  const url = `${server.endpoints.whip}/subscribe/${alice.id}`;
  const subscriber = new WhipPeer('RecvOnly', '127.0.0.1');
  await subscriber.connect(url, bob.token);
  await vi.waitUntil(() => subscriber.videoPackets > 20, { timeout: 10_000 });
  const join = async (direction: 'SendOnly' | 'RecvOnly', options?: WhipPeerOptions) => {
    const { token, id } = await createToken(server, stageArn);
    const peer = new WhipPeer(direction, '127.0.0.1', options);
    onTestFinished(() => peer.close());
    await peer.connect(direction === 'SendOnly' ? server.endpoints.whip : url, token);
    return { peer, id, token };
  };
  const statistics = () => stageStatistics(server, stageArn, alice.token);
  const close = () => {
    stop();
    for (const peer of [publisher, subscriber]) peer.close();
  };
  return { stageArn, alice, bob, publisher, subscriber, stop, join, statistics, close };
}

/** Makes `burst` happen `perSecond` times a second, however late timers are; it is told how many are due. */
function attack(perSecond: number, burst: (count: number) => void): () => void {
  const startedAt = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000) - done;
    // What a slow machine cannot give is not made up for in one go.
    const count = Math.min(due, Math.ceil((perSecond * BURST_MS * 4) / 1_000));
    done += due;
    if (count > 0) burst(count);
  }, BURST_MS);
  return () => clearInterval(timer);
}

/** Lets an attack run, and shows that the healthy call, the worker and the log have not suffered. */
async function expectUnharmed(perSecond: number, burst: (count: number) => void): Promise<void> {
  const [pid = 0] = workerPids(server);
  const [startedAt, memory, log] = [Date.now(), residentBytes(pid), server.output().length];
  const [sent, received] = [call.publisher.sent, call.subscriber.videoPackets];
  const stop = attack(perSecond, burst);
  const windows: number[] = [];
  for (const until = Date.now() + ATTACK_MS; Date.now() < until; ) {
    const before = call.subscriber.videoPackets;
    await sleep(WINDOW_MS);
    windows.push(call.subscriber.videoPackets - before);
  }
  stop();
  // What is on its way now does not matter, what the attack has left in queues does.
  await sleep(WINDOW_MS);
  const delivered = (call.subscriber.videoPackets - received) / (call.publisher.sent - sent);
  expect(delivered, windows.join(' ')).toBeGreaterThan(DELIVERED);
  expect(Math.min(...windows), windows.join(' ')).toBeGreaterThan(0);
  expect(workerPids(server)).toEqual([pid]);
  expect(residentBytes(pid) - memory).toBeLessThan(MEMORY);
  const lines = server.output().slice(log).split('\n').length;
  expect(lines).toBeLessThan((LOG_LINES_PER_SECOND * (Date.now() - startedAt + 1_000)) / 1_000);
}

/** Names and error codes of a participant's events, oldest first. */
async function eventsOf(participantId: string) {
  const { stage } = await server.client.send(new GetStageCommand({ arn: call.stageArn }));
  const input = { stageArn: call.stageArn, sessionId: stage?.activeSessionId, participantId };
  const { events = [] } = await server.client.send(new ListParticipantEventsCommand(input));
  return events.reverse().map(({ name, errorCode }) => (errorCode ? `${name} ${errorCode}` : name));
}

/** The SSRC of the video that a subscriber receives. */
async function receivedSsrc(peer: WhipPeer): Promise<number> {
  await vi.waitUntil(() => peer.videoPackets > 0, { timeout: 10_000 });
  return peer.video[0]?.readUInt32BE(8) ?? 0;
}

/** Peers that send packets of 10,000 new SSRCs a second in all, one after the other: one alone becomes too slow for that. */
async function churn(direction: 'SendOnly' | 'RecvOnly', packet: (ssrc: number) => Buffer) {
  const peers = await Promise.all(Array.from({ length: CHURNERS }, () => call.join(direction)));
  let ssrc = 0x1000;
  await expectUnharmed(10_000, (count) => {
    for (let i = 0; i < count; i++) {
      peers[Math.floor((ssrc - 0x1000) / SSRCS_OF_ONE)]?.peer.sendBytes(packet(ssrc));
      ssrc += 1;
    }
  });
  expect(ssrc).toBeGreaterThan(2 * SSRCS_OF_ONE);
  return peers.slice(0, Math.floor((ssrc - 0x1000) / SSRCS_OF_ONE));
}

test('10,000 new SSRCs a second from publishers: their connections are ended', timed, async () => {
  const packet = (ssrc: number) => videoPacket({ sequenceNumber: ssrc & 0xffff, key: false, ssrc });
  for (const { id } of await churn('SendOnly', packet)) {
    expect(await eventsOf(id)).toContain('PUBLISH_ERROR INVALID_INPUT');
  }
});

test('10,000 new SSRCs a second in reports of subscribers: their connections are ended', timed, async () => {
  const packet = (ssrc: number) => rtcp.write([{ type: 'rr', ssrc, reports: [] }]);
  for (const { id } of await churn('RecvOnly', packet)) {
    expect(await eventsOf(id)).toContain('SUBSCRIBE_ERROR INVALID_INPUT');
  }
});

test('5,000 requests for a key frame a second', timed, async () => {
  const { peer } = await call.join('RecvOnly');
  const mediaSsrc = await receivedSsrc(peer);
  const [startedAt, asked] = [Date.now(), call.publisher.rtcp('pli').length];
  await expectUnharmed(5_000, (count) => {
    for (let i = 0; i < count; i++) {
      const entries = [{ ssrc: mediaSsrc, sequenceNumber: i & 0xff }];
      peer.sendRtcp(
        i % 2 ? { type: 'pli', senderSsrc: 1, mediaSsrc } : { type: 'fir', senderSsrc: 1, mediaSsrc: 0, entries },
      );
    }
  });
  // One in half a second reaches the publisher.
  const more = call.publisher.rtcp('pli').length - asked;
  expect(more).toBeGreaterThan(0);
  expect(more).toBeLessThanOrEqual(1 + (Date.now() - startedAt) / 500);
});

test('all sequence numbers asked for again, 200 times a second', timed, async () => {
  const { peer, id } = await call.join('RecvOnly');
  const mediaSsrc = await receivedSsrc(peer);
  const first = peer.video[0]?.readUInt16BE(2) ?? 0;
  const all = rtcp.nackPairs(Array.from({ length: 0x10000 }, (_, i) => (first + i) & 0xffff));
  const messages = Array.from({ length: Math.ceil(all.length / PAIRS) }, (_, i) =>
    all.slice(i * PAIRS, (i + 1) * PAIRS),
  );
  const startedAt = Date.now();
  let next = 0;
  await expectUnharmed(200 * messages.length, (count) => {
    for (let i = 0; i < count; i++) {
      peer.sendRtcp({ type: 'nack', senderSsrc: 1, mediaSsrc, pairs: messages[next++ % messages.length] ?? [] });
    }
  });
  const [video] = (await call.statistics()).subscription(id)?.tracks ?? [];
  const seconds = 1 + (Date.now() - startedAt) / 1_000;
  expect(video?.nacksReceived).toBeLessThanOrEqual(2_000 * seconds);
  expect(video?.retransmissions).toBeGreaterThan(0);
  expect(video?.retransmissions).toBeLessThanOrEqual(1_000 * seconds);
});

test('forged reports on what arrives, and forged estimates', timed, async () => {
  const uri = rtp.extensionUris.transportSequenceNumber;
  const offer = (sdp: string) => `${sdp}a=rtcp-fb:96 transport-cc\r\na=extmap:3 ${uri}\r\n`;
  const { peer, id } = await call.join('RecvOnly', { offer });
  const mediaSsrc = await receivedSsrc(peer);
  const header = { senderSsrc: 1, mediaSsrc };
  await expectUnharmed(2_000, (count) => {
    for (let i = 0; i < count; i++) {
      if (i % 3 === 0) peer.sendBytes(randomFeedback());
      else if (i % 3 === 1) peer.sendRtcp(forgedFeedback());
      else peer.sendRtcp({ type: 'remb', ...header, mediaSsrc: 0, bitrate: 2 ** randomInt(64), ssrcs: [mediaSsrc] });
    }
  });
  const { estimatedBps = 50_000 } = (await call.statistics()).subscription(id) ?? {};
  expect(estimatedBps).toBeGreaterThanOrEqual(50_000);
  expect(estimatedBps).toBeLessThanOrEqual(20_000_000);
  // It is the forger's own video that suffers, and it goes on.
  const before = peer.videoPackets;
  await vi.waitUntil(() => peer.videoPackets > before, { timeout: 5_000 });
});

test('a publisher at 200 Mbit/s is ended', timed, async () => {
  const { peer, id } = await call.join('SendOnly');
  const bytes = 1_200;
  let number = 0;
  await expectUnharmed(200e6 / (8 * bytes), (count) => {
    for (let i = 0; i < count; i++) peer.sendBytes(videoPacket({ sequenceNumber: ++number, key: number === 1, bytes }));
  });
  expect((await call.statistics()).publication(id)).toBeUndefined();
  expect(await eventsOf(id)).toContain('PUBLISH_ERROR BITRATE_EXCEEDED');
});

/** A publisher behind a proxy, with a subscriber of its own. */
async function openProxied() {
  const proxy = await UdpProxy.open();
  onTestFinished(() => proxy.close());
  const { peer: publisher, id } = await call.join('SendOnly', { answer: (sdp) => proxy.rewrite(sdp) });
  const { token } = await createToken(server, call.stageArn);
  const subscriber = new WhipPeer('RecvOnly', '127.0.0.1');
  onTestFinished(() => subscriber.close());
  await subscriber.connect(`${server.endpoints.whip}/subscribe/${id}`, token);
  const layer = async () => (await call.statistics()).publication(id)?.tracks[0]?.layers[0];
  return { proxy, publisher, subscriber, layer };
}

test('datagrams that were recorded and are sent again count once, and are forwarded once', timed, async () => {
  const { proxy, publisher, subscriber, layer } = await openProxied();
  for (let number = 0; number < 200; number++) {
    publisher.send(number === 0);
    await sleep(5);
  }
  await vi.waitUntil(() => subscriber.videoPackets === 200, { timeout: 5_000 });
  const recorded = proxy.sent.filter(isSrtp);
  expect(recorded.length).toBeGreaterThanOrEqual(200);
  let next = 0;
  await expectUnharmed(10_000, (count) => {
    for (let i = 0; i < count; i++) proxy.send(recorded[next++ % recorded.length] ?? Buffer.alloc(0));
  });
  expect(await layer()).toMatchObject({ packetsReceived: 200 });
  expect(subscriber.videoPackets).toBe(200);
  publisher.send(false);
  await vi.waitUntil(() => subscriber.videoPackets === 201, { timeout: 5_000 });
});

test('garbage that looks like SRTP, DTLS and STUN, from strangers and from where a publisher is', timed, async () => {
  const { proxy, publisher, subscriber } = await openProxied();
  const stop = feed(publisher);
  onTestFinished(stop);
  await vi.waitUntil(() => subscriber.videoPackets > 20, { timeout: 10_000 });
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const [host = '', port] = (server.endpoints.media[0] ?? '').replace('udp://', '').split(':');
  const [sent, received] = [publisher.sent, subscriber.videoPackets];
  await expectUnharmed(5_000, (count) => {
    for (let i = 0; i < count; i++) {
      if (i % 2) proxy.send(garbage());
      else socket.send(garbage(), Number(port), host);
    }
  });
  expect((subscriber.videoPackets - received) / (publisher.sent - sent)).toBeGreaterThan(DELIVERED);
});

/** Says of packets that never were that they came, at any time. */
function forgedFeedback(): rtcp.Packet {
  const builder = new rtcp.TransportFeedbackBuilder(1, 1);
  const first = randomInt(0x10000);
  for (let i = 0; i < 20; i++) builder.add((first + randomInt(1_000)) & 0xffff, randomInt(100_000));
  return builder.build(100_000) ?? { type: 'rr', ssrc: 1, reports: [] };
}

/** The header of transport-wide feedback (RTPFB 15, PT 205), and anything behind it. */
function randomFeedback(): Buffer {
  const packet = randomBytes(4 * (3 + randomInt(100)));
  packet.set([0x8f, 205, 0, 0, 0, 0, 0, 1], 0);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  return packet;
}

/** First bytes by which a receiver tells STUN, DTLS and SRTP apart (RFC 7983). */
const FIRST_BYTES = [0, 1, 20, 21, 22, 23, 0x80, 0x90, 0xbf];

function garbage(): Buffer {
  const datagram = randomBytes(1 + randomInt(1_400));
  datagram[0] = FIRST_BYTES[randomInt(FIRST_BYTES.length)] ?? 0;
  // A DTLS record whose version and epoch are right, with an alert or a handshake in the clear.
  if (datagram.length > 25 && datagram[0] >= 20 && datagram[0] < 64) datagram.set([0xfe, 0xfd, 0, randomInt(2)], 1);
  return datagram;
}
