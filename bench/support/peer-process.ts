// The process of the clients: peers over node-datachannel that do as they are told. Publishers stamp their packets,
// viewers count what comes by those stamps.
import { createSocket } from 'node:dgram';
import { rtcp, rtp } from '@footlights/protocol';
import ndc from 'node-datachannel';
import { extensionIds, type Kind, PacketSource, payloadTypes, type Stream, streamsOf } from './packet-source.ts';
import { counterOf, Histogram, monotonicMs, roundOf, STAMP_LENGTH, sentAtOf } from './stamp.ts';

export interface PeerOptions {
  id: string;
  role: 'publish' | 'subscribe';
  kinds: readonly Kind[];
  /** Address to bind. */
  address: string;
  /** A viewer that looks at every packet and tells what came; the others let the native library drop them. */
  counted?: boolean;
  /** What the server offers, when it is the one that does. */
  offer?: string;
}

/** To the process. */
export type Order =
  | { type: 'connect'; options: PeerOptions }
  | { type: 'answer'; id: string; sdp: string }
  | { type: 'close'; id: string }
  /** Lets every publisher send from now on. */
  | { type: 'send'; streams: readonly Stream[] }
  /** Sends plain RTP to a UDP port, as one publisher more. */
  | { type: 'send-plain'; id: string; stream: Stream; address: string; port: number }
  | { type: 'pause' }
  | { type: 'resume' }
  /** The packets from now on belong to this round; 0 is none. */
  | { type: 'round'; round: number }
  | { type: 'report'; round: number }
  | { type: 'gaps' };

/** From the process. */
export type Told =
  | { type: 'described'; id: string; sdp: string }
  | { type: 'open'; id: string }
  | { type: 'sent'; packets: Record<string, number> }
  | { type: 'received'; received: number; again: number; latencies: readonly number[] }
  | ({ type: 'gaps' } & Gaps);

/** Times in which a viewer got nothing of a track, since they were asked for before. */
export interface Gaps {
  /** Of more than GAP_MS. */
  count: number;
  longestMs: number;
}

type PeerConnection = InstanceType<typeof ndc.PeerConnection>;
type Track = InstanceType<typeof ndc.Track>;

/** A picture that stands still for so long, in milliseconds, is seen to. */
export const GAP_MS = 500;
const SEND_INTERVAL_MS = 2;
const FEEDBACK_INTERVAL_MS = 100;
const RTX_PAYLOAD_TYPE = 97;

/** What the viewers of this process have got of the round at hand. */
const tally = { round: 0, received: 0, again: 0, latencies: new Histogram() };
const gaps: Gaps = { count: 0, longestMs: 0 };
const receptions = new Set<Reception>();

/** Serves the measuring process until it is gone. */
export function servePeers(): void {
  const peers = new Map<string, Peer>();
  const senders: Sender[] = [];
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => obey(order, peers, senders));
  setInterval(() => {
    for (const peer of peers.values()) peer.report();
    for (const sender of senders) sender.report();
  }, 1_000);
  setInterval(() => {
    for (const peer of peers.values()) peer.giveFeedback();
  }, FEEDBACK_INTERVAL_MS);
  setInterval(() => {
    for (const sender of senders) sender.sendDue();
  }, SEND_INTERVAL_MS);
}

const tell = (message: Told) => process.send?.(message);

function obey(order: Order, peers: Map<string, Peer>, senders: Sender[]): void {
  switch (order.type) {
    case 'connect':
      peers.set(order.options.id, new Peer(order.options));
      break;
    case 'answer':
      peers.get(order.id)?.accept(order.sdp);
      break;
    case 'close':
      peers.get(order.id)?.close();
      peers.delete(order.id);
      break;
    case 'send':
      for (const peer of peers.values()) if (peer.role === 'publish') senders.push(peer.sender(order.streams));
      break;
    case 'send-plain':
      senders.push(plainSender(order));
      break;
    case 'pause':
      for (const sender of senders) sender.pause();
      break;
    case 'resume':
      for (const sender of senders) sender.resume();
      break;
    case 'round':
      tell({ type: 'sent', packets: Object.fromEntries(senders.map((sender) => sender.startRound(order.round))) });
      break;
    case 'report':
      tell({ type: 'received', ...received(order.round) });
      break;
    case 'gaps':
      // A track that fell silent has no packet that would end its gap.
      for (const reception of receptions) reception.look(monotonicMs());
      tell({ type: 'gaps', ...gaps });
      Object.assign(gaps, { count: 0, longestMs: 0 });
  }
}

function received(round: number) {
  if (tally.round !== round) return { received: 0, again: 0, latencies: [] };
  return { received: tally.received, again: tally.again, latencies: tally.latencies.counts };
}

/** All that one publisher sends. */
class Sender {
  readonly #id: string;
  readonly #sources: readonly PacketSource[];
  readonly #send: (packet: Buffer) => void;
  #paused = false;

  constructor(id: string, sources: readonly PacketSource[], send: (packet: Buffer) => void) {
    this.#id = id;
    this.#sources = sources;
    this.#send = send;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const source of this.#sources) source.resume();
  }

  sendDue(): void {
    if (this.#paused) return;
    for (const source of this.#sources) source.sendDue(this.#send);
  }

  report(): void {
    if (this.#paused) return;
    for (const source of this.#sources) this.#send(rtcp.write([source.senderReport()]));
  }

  /** Packets of the round that ends. */
  startRound(round: number): [id: string, packets: number] {
    const packets = this.#sources.reduce((sum, source) => sum + source.startRound(round), 0);
    return [this.#id, packets];
  }
}

function plainSender({ id, stream, address, port }: Extract<Order, { type: 'send-plain' }>): Sender {
  const socket = createSocket('udp4');
  const source = new PacketSource(stream);
  return new Sender(id, [source], (packet) => {
    // The socket sends later what the source overwrites at once; RTCP would need a port of its own.
    if (!rtp.isRtcp(packet)) socket.send(Buffer.from(packet), port, address);
  });
}

/** Packets of one track of one viewer. */
class Reception {
  readonly #payloadType: number;
  #round = 0;
  #next = 0;
  /** When the last packet came, or the gap after it was counted. */
  #lastAt: number | undefined;

  constructor(kind: Kind) {
    this.#payloadType = payloadTypes[kind];
    receptions.add(this);
  }

  /** Counts the time since the last packet; when that is a gap, what follows is the next one. */
  look(now: number): void {
    if (this.#lastAt === undefined) return;
    const gapMs = now - this.#lastAt;
    gaps.longestMs = Math.max(gaps.longestMs, gapMs);
    if (gapMs <= GAP_MS) return;
    gaps.count += 1;
    this.#lastAt = now;
  }

  take(packet: Buffer): void {
    if ((packet[1]! & 0x7f) !== this.#payloadType || packet.length < rtp.HEADER_LENGTH + STAMP_LENGTH) return;
    const now = monotonicMs();
    this.look(now);
    this.#lastAt = now;
    const round = roundOf(packet);
    if (round === 0 || round < tally.round) return;
    if (round > tally.round) Object.assign(tally, { round, received: 0, again: 0, latencies: new Histogram() });
    if (round !== this.#round) this.#next = 0;
    this.#round = round;
    tally.latencies.add(now - sentAtOf(packet));
    const counter = counterOf(packet);
    // Loopback keeps the order, so what has a number below was there before.
    if (counter < this.#next) tally.again += 1;
    else tally.received += 1;
    this.#next = Math.max(this.#next, counter + 1);
  }
}

class Peer {
  readonly role: PeerOptions['role'];
  readonly #id: string;
  readonly #connection: PeerConnection;
  readonly #tracks: Track[] = [];
  readonly #counted: boolean;
  /** Feedback on what comes, once the server wants it. */
  #feedback: rtcp.TransportFeedbackBuilder | undefined;
  readonly #packet = rtp.emptyPacket();

  constructor({ id, role, kinds, address, counted = false, offer }: PeerOptions) {
    this.#id = id;
    this.role = role;
    this.#counted = counted;
    this.#connection = new ndc.PeerConnection('bench', { iceServers: [], bindAddress: address });
    if (offer === undefined) this.#offer(kinds);
    else this.#answer(kinds, offer);
  }

  /** Without candidates: the server learns them from the first request. */
  #offer(kinds: readonly Kind[]): void {
    this.#connection.onLocalDescription((sdp) => tell({ type: 'described', id: this.#id, sdp: this.#extend(sdp) }));
    for (const [mid, kind] of kinds.entries()) this.#addTrack(String(mid), kind);
    this.#connection.setLocalDescription('offer');
  }

  /** With candidates: not every server learns them. */
  #answer(kinds: readonly Kind[], offer: string): void {
    this.#connection.onGatheringStateChange((state) => {
      const sdp = this.#connection.localDescription()?.sdp;
      if (state === 'complete' && sdp) tell({ type: 'described', id: this.#id, sdp });
    });
    const mids = [...offer.matchAll(/^a=mid:(\S+)/gm)].map(([, mid]) => mid ?? '');
    for (const [i, kind] of kinds.entries()) this.#addTrack(mids[i] ?? '', kind);
    this.#connection.setRemoteDescription(offer, 'offer');
  }

  accept(answer: string): void {
    if (/^a=rtcp-fb:\S+ transport-cc/m.test(answer)) this.#feedback = new rtcp.TransportFeedbackBuilder(1, 1);
    this.#connection.setRemoteDescription(answer, 'answer');
  }

  sender(streams: readonly Stream[]): Sender {
    const track = this.#tracks[0];
    // Every track leads to the same transport.
    return new Sender(this.#id, streamsOf(streams), (packet) => track?.isOpen() && track.sendMessageBinary(packet));
  }

  /** Without reports the server takes a peer for gone. */
  report(): void {
    this.#send(rtcp.write([{ type: 'rr', ssrc: 1, reports: [] }]));
  }

  giveFeedback(): void {
    if (this.role !== 'subscribe' || !this.#feedback) return;
    for (let report = this.#feedback.build(monotonicMs()); report; report = this.#feedback.build(monotonicMs())) {
      this.#send(rtcp.write([report]));
    }
  }

  close(): void {
    for (const track of this.#tracks) track.close();
    this.#connection.close();
  }

  #send(packet: Buffer): void {
    const track = this.#tracks[0];
    if (track?.isOpen()) track.sendMessageBinary(packet);
  }

  #addTrack(mid: string, kind: Kind): void {
    const track = this.#connection.addTrack(mediaOf(mid, kind, this.role === 'publish' ? 'SendOnly' : 'RecvOnly'));
    this.#tracks.push(track);
    track.onOpen(() => {
      if (this.#tracks.every((opened) => opened.isOpen())) tell({ type: 'open', id: this.#id });
    });
    if (!this.#counted) return;
    const reception = new Reception(kind);
    track.onMessage((packet) => {
      if (this.#feedback) this.#noteArrival(this.#feedback, packet);
      reception.take(packet);
    });
  }

  #noteArrival(feedback: rtcp.TransportFeedbackBuilder, packet: Buffer): void {
    if (rtp.isRtcp(packet) || !rtp.parseInto(this.#packet, packet)) return;
    const number = rtp.readExtensionUint16(this.#packet, extensionIds.transportSequenceNumber);
    if (number !== undefined) feedback.add(number, monotonicMs());
  }

  /** The description with the header extensions that browsers have; feedback only from those that can give it. */
  #extend(sdp: string): string {
    return sdp
      .split(/(?=^m=)/m)
      .map((section) => {
        const kind = /^m=(audio|video) /.exec(section)?.[1] as Kind | undefined;
        return kind
          ? section +
              this.#attributes(kind)
                .map((line) => `a=${line}\r\n`)
                .join('')
          : section;
      })
      .join('');
  }

  #attributes(kind: Kind): string[] {
    const { audioLevel, transportSequenceNumber } = rtp.extensionUris;
    const lines = kind === 'audio' ? [`extmap:${extensionIds.audioLevel} ${audioLevel}`] : [];
    if (this.role === 'subscribe' && !this.#counted) return lines;
    const feedback = `rtcp-fb:${payloadTypes[kind]} transport-cc`;
    return [...lines, `extmap:${extensionIds.transportSequenceNumber} ${transportSequenceNumber}`, feedback];
  }
}

function mediaOf(mid: string, kind: Kind, direction: 'SendOnly' | 'RecvOnly') {
  if (kind === 'audio') {
    const audio = new ndc.Audio(mid, direction);
    audio.addOpusCodec(payloadTypes.audio);
    return audio;
  }
  const video = new ndc.Video(mid, direction);
  video.addVP8Codec(payloadTypes.video);
  video.addRTXCodec(RTX_PAYLOAD_TYPE, payloadTypes.video, 90_000);
  return video;
}
