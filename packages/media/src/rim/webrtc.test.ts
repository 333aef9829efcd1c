import { EventEmitter, once } from 'node:events';
import { rtcp } from '@footlights/protocol';
import ndc from 'node-datachannel';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readOffer } from '../negotiate/offer.ts';
import type { LocalParameters, TransportState } from './transport.ts';
import { WebRtcHost } from './webrtc.ts';

const warn = vi.fn();
const options = { listenIp: '127.0.0.1', announceIps: [], port: 0, litePort: 0, warn };

let host: WebRtcHost;

beforeAll(async () => {
  host = new WebRtcHost(options);
  await host.open();
});

/** Held until the end, what was closed too: the library's own end crashes over tracks that were collected before. */
const closers: (() => void)[] = [];

afterAll(() => {
  for (const close of closers) close();
  host.shutdown();
});

/** A peer with one VP8 track, and its offer. */
async function makePeer() {
  const peer = new ndc.PeerConnection('test', { iceServers: [], bindAddress: '127.0.0.1' });
  const video = new ndc.Video('0', 'SendRecv');
  video.addVP8Codec(96);
  const track = peer.addTrack(video);
  closers.push(() => {
    track.close();
    peer.close();
  });
  const described = new EventEmitter();
  peer.onLocalDescription((sdp) => described.emit('offer', sdp));
  const offered = once(described, 'offer');
  peer.setLocalDescription('offer');
  const [offer] = await offered;
  return { peer, track, offer: String(offer) };
}

function answerOf({ iceUfrag, icePwd, fingerprintSha256, setup, candidates }: LocalParameters): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${iceUfrag}`,
    `a=ice-pwd:${icePwd}`,
    `a=fingerprint:sha-256 ${fingerprintSha256}`,
    `a=setup:${setup}`,
    'a=rtcp-mux',
    'a=sendonly',
    'a=rtpmap:96 VP8/90000',
    ...candidates.map(
      ({ address, port, priority }, i) => `a=candidate:${i} 1 UDP ${priority} ${address} ${port} typ host`,
    ),
    '',
  ].join('\r\n');
}

function connect(offer: string, peer: InstanceType<typeof ndc.PeerConnection>, packet = (_packet: Buffer) => {}) {
  const states: TransportState[] = [];
  const transport = host.create({ packet, state: (state) => states.push(state) });
  closers.push(() => transport.close());
  const { remote } = readOffer(offer);
  peer.setRemoteDescription(answerOf(transport.accept(remote)), 'answer');
  return { transport, states };
}

/** Keeps the event loop from hearing of it. */
function block(until: () => boolean): void {
  const deadline = performance.now() + 10_000;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!until()) {
    if (performance.now() > deadline) throw new Error('it does not happen');
    Atomics.wait(cell, 0, 0, 1);
  }
}

test('a transport that connects says so, and sends', async () => {
  const { peer, track, offer } = await makePeer();
  const heard = new Promise<Buffer>((resolve) => track.onMessage(resolve));
  const { transport, states } = connect(offer, peer);
  await vi.waitFor(() => expect(states).toEqual(['connected']), 10_000);
  const packet = Buffer.alloc(100, 0x80);
  expect(transport.send(packet)).toBe(true);
  expect(await heard).toEqual(packet);
});

test('one that is closed in the moment in which it connects is silent', async () => {
  const { peer, track, offer } = await makePeer();
  const { transport, states } = connect(offer, peer);
  block(() => track.isOpen());
  transport.close();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(states).toEqual([]);
  expect(transport.state).toBe('closed');
});

test('an error of ours that a peer finds costs its connection alone', async () => {
  const [bad, good] = [await makePeer(), await makePeer()];
  const taken = vi.fn();
  const { states } = connect(bad.offer, bad.peer, () => {
    throw new Error('a defect');
  });
  connect(good.offer, good.peer, taken);
  await vi.waitUntil(() => bad.track.isOpen() && good.track.isOpen(), 10_000);
  const report = rtcp.write([{ type: 'rr', ssrc: 1, reports: [] }]);
  bad.track.sendMessageBinary(report);
  await vi.waitFor(() => expect(states).toEqual(['connected', 'failed']), 10_000);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('a defect'));
  good.track.sendMessageBinary(report);
  await vi.waitFor(() => expect(taken).toHaveBeenCalledWith(report), 10_000);
});
