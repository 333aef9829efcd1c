import { rtcp, rtp } from '@footlights/protocol';
import ndc from 'node-datachannel';
import { vi } from 'vitest';

/** Everything that was made: `ndc.cleanup()` crashes when a track or a connection was collected before. */
const peers: WhipPeer[] = [];

/** The SSRC of a sending peer's video. */
export const PEER_SSRC = 7;
/** Where a frame's bytes begin that tell whether it is a key frame: behind the RTP header and VP8's payload descriptor. */
const FRAME_TAG = rtp.HEADER_LENGTH + 1;

/** What a peer changes of what it says and hears. */
export interface WhipPeerOptions {
  /** The offer as it is posted. */
  offer?(sdp: string): string;
  /** The answer as the peer takes it. */
  answer?(sdp: string): string;
}

/** A WHIP client on libdatachannel with one VP8 track, bound to one address of this machine. */
export class WhipPeer {
  readonly received: Buffer[] = [];
  /** The Link headers of the answer, joined. */
  link = '';
  /** Address, port and priority of each candidate in the answer's first section that has some. */
  candidates: { address: string; port: number; priority: number }[] = [];
  readonly #connection: InstanceType<typeof ndc.PeerConnection>;
  readonly #track: InstanceType<typeof ndc.Track>;
  readonly #offer: Promise<string>;
  readonly #options: WhipPeerOptions;
  #reports: NodeJS.Timeout | undefined;
  #sequenceNumber = 0;

  constructor(direction: 'SendOnly' | 'RecvOnly', bindAddress: string, options: WhipPeerOptions = {}) {
    peers.push(this);
    this.#options = options;
    this.#connection = new ndc.PeerConnection('test', { iceServers: [], bindAddress });
    const video = new ndc.Video('0', direction);
    video.addVP8Codec(96);
    if (direction === 'SendOnly') video.addSSRC(PEER_SSRC, 'test');
    this.#track = this.#connection.addTrack(video);
    this.#track.onMessage((packet) => this.received.push(packet));
    this.#offer = new Promise((resolve) => this.#connection.onLocalDescription(resolve));
    this.#connection.setLocalDescription('offer');
  }

  /** Its offer, as it is posted. */
  async offer(): Promise<string> {
    const offer = await this.#offer;
    return this.#options.offer?.(offer) ?? offer;
  }

  /** Posts its offer and waits until media can flow. */
  async connect(url: string, token: string): Promise<void> {
    const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
    const response = await fetch(url, { method: 'POST', headers, body: await this.offer() });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${answer}`);
    this.link = response.headers.get('link') ?? '';
    const section = answer.split('\r\nm=').find((part) => part.includes('a=candidate:')) ?? '';
    this.candidates = [...section.matchAll(/^a=candidate:\S+ 1 UDP (\d+) (\S+) (\d+) typ host/gim)].map(
      ([, priority, address = '', port]) => ({ address, port: Number(port), priority: Number(priority) }),
    );
    this.#connection.setRemoteDescription(this.#options.answer?.(answer) ?? answer, 'answer');
    await vi.waitUntil(() => this.#track.isOpen(), { timeout: 10_000 });
    // Who says nothing for ten seconds is taken for gone.
    this.#reports = setInterval(() => this.sendRtcp({ type: 'rr', ssrc: 1, reports: [] }), 2_000).unref();
  }

  /** Sends a packet that holds one whole frame. */
  send(key: boolean): void {
    this.#sequenceNumber += 1;
    this.sendBytes(videoPacket({ sequenceNumber: this.#sequenceNumber, key }));
  }

  /** How many packets it has sent with `send`. */
  get sent(): number {
    return this.#sequenceNumber;
  }

  /** Sends any RTP or RTCP; false once the connection is gone. */
  sendBytes(packet: Buffer): boolean {
    return this.#track.isOpen() && this.#track.sendMessageBinary(packet);
  }

  sendRtcp(...packets: rtcp.Packet[]): boolean {
    return this.sendBytes(rtcp.write(packets));
  }

  get isOpen(): boolean {
    return this.#track.isOpen();
  }

  /** The video packets that have come. */
  get video(): Buffer[] {
    return this.received.filter((packet) => !rtp.isRtcp(packet));
  }

  /** How many video packets have come. */
  get videoPackets(): number {
    return this.video.length;
  }

  /** How many of them begin a key frame: the frame's first bit is 0 (RFC 6386 section 9.1). */
  get keyFrames(): number {
    return this.video.filter((packet) => ((packet[FRAME_TAG] ?? 1) & 1) === 0).length;
  }

  /** The RTCP packets of one type that have come. */
  rtcp<T extends rtcp.Packet['type']>(type: T): Extract<rtcp.Packet, { type: T }>[] {
    const packets = this.received.filter(rtp.isRtcp).flatMap((packet) => rtcp.parse(packet));
    return packets.filter((packet): packet is Extract<rtcp.Packet, { type: T }> => packet.type === type);
  }

  /** The address of the server that its packets go to. */
  get remoteAddress(): string | undefined {
    return this.#connection.getSelectedCandidatePair()?.remote.address;
  }

  close(): void {
    clearInterval(this.#reports);
    this.#track.close();
    this.#connection.close();
  }
}

/** A packet with one whole VP8 frame of 160x90. `bytes`: its size. */
export function videoPacket(choice: { sequenceNumber: number; key: boolean; ssrc?: number; bytes?: number }): Buffer {
  const { sequenceNumber, key, ssrc = PEER_SSRC, bytes = rtp.HEADER_LENGTH + 11 } = choice;
  const packet = Buffer.alloc(bytes);
  const fields = { sequenceNumber: sequenceNumber & 0xffff, timestamp: (sequenceNumber * 3_000) >>> 0 };
  rtp.writeHeader(packet, { marker: true, payloadType: 96, ...fields, ssrc });
  // A VP8 payload descriptor, then the frame tag and, of a key frame, start code and size (RFC 6386 section 9.1).
  packet.set([0x10, key ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 160, 0, 90, 0], rtp.HEADER_LENGTH);
  return packet;
}

/** Native threads keep the process alive without it. */
export function cleanUpPeers(): void {
  for (const peer of peers) peer.close();
  ndc.cleanup();
}
