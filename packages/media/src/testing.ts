import { rtcp, rtp } from '@footlights/protocol';
import { PACE_MS, TICK_MS } from './limits.ts';
import { awsMediaLimits, type MediaEvent, type MediaLimits } from './media.ts';
import { makeOffer, type OfferedMedia } from './negotiate/sample-offers.ts';
import type { RelaySource } from './relay/index.ts';
import { FakeClock, FakeHost, type FakeTransport } from './rim/fake.ts';
import { Sfu, type SfuOptions } from './sfu.ts';

export const AUDIO_SSRC = 0xa0d10;
export const VIDEO_SSRC = 0x51de0;
export const RTX_SSRC = 0x51de1;
const TWCC_ID = 3;
const AUDIO_LEVEL_ID = 4;
export const RID_ID = 10;
export const REPAIRED_RID_ID = 11;

export const opusLine: OfferedMedia = { kind: 'audio', codecs: ['111 opus/48000/2'] };
/** Whose packets tell how loud they are. */
export const leveledOpusLine: OfferedMedia = {
  ...opusLine,
  attributes: [`extmap:${AUDIO_LEVEL_ID} ${rtp.extensionUris.audioLevel}`],
};

const videoAttributes = [
  'rtcp-fb:96 nack',
  'rtcp-fb:96 nack pli',
  'rtcp-fb:96 goog-remb',
  'rtcp-fb:96 transport-cc',
  `extmap:${TWCC_ID} ${rtp.extensionUris.transportSequenceNumber}`,
  `extmap:${RID_ID} ${rtp.extensionUris.rid}`,
  `extmap:${REPAIRED_RID_ID} ${rtp.extensionUris.repairedRid}`,
];

/** VP8 with retransmissions and all the feedback that we know. */
export const videoLine: OfferedMedia = { codecs: ['96 VP8/90000', '97 rtx/90000 apt=96'], attributes: videoAttributes };

export const publishOffer = makeOffer([opusLine, videoLine]);
export const subscribeOffer = makeOffer([
  { ...opusLine, direction: 'recvonly' },
  {
    direction: 'recvonly',
    codecs: ['120 VP8/90000', '121 rtx/90000 apt=120'],
    attributes: ['rtcp-fb:120 nack', 'rtcp-fb:120 nack pli'],
  },
]);

/** No other worker is there. */
const noLink = () => {
  throw new Error('the rig has one worker');
};

/** An SFU whose peers and clock are played by a test. */
export class Rig {
  readonly clock = new FakeClock();
  readonly host = new FakeHost();
  readonly events: MediaEvent[] = [];
  readonly log: { fields: object; message: string }[] = [];
  readonly sfu: Sfu;
  /** At once, unless a test holds it back. */
  later: (run: () => void) => void = (run) => run();
  #random = 1;
  #pacing = false;
  #elapsedMs = 0;

  constructor(limits: Partial<MediaLimits> = {}, relay: SfuOptions['relay'] = { secret: '', connect: () => noLink }) {
    this.sfu = new Sfu({
      host: this.host,
      clock: this.clock,
      limits: { ...awsMediaLimits, ...limits },
      startPacing: () => {
        this.#pacing = true;
      },
      later: (run) => this.later(run),
      relay,
      random32: () => (this.#random = (this.#random * 48_271) % 0x7fffffff),
      emit: (event) => this.events.push(event),
      log: (_level, fields, message) => this.log.push({ fields, message }),
    });
  }

  /** Lets time pass, with the worker's ticks. */
  advance(ms: number): void {
    const pass = (now: number) => {
      if (this.#pacing) this.#pacing = this.sfu.paceAll(now);
      this.#elapsedMs += PACE_MS;
      if (this.#elapsedMs % TICK_MS === 0) this.sfu.tick(now);
    };
    this.clock.advance(ms, pass, PACE_MS);
  }

  publish(id = 'pub', offer = publishOffer): FakePublisher {
    this.sfu.accept({ stageId: 'stage', connectionId: id, participantId: `${id}-name`, offer, role: 'publish' });
    const { last } = this.host;
    last.connect();
    return new FakePublisher(last, id);
  }

  subscribe(
    id = 'sub',
    publisher = 'pub',
    offer = subscribeOffer,
    relay?: RelaySource,
    participantId = `${id}-name`,
  ): FakeSubscriber {
    const request = { stageId: 'stage', connectionId: id, participantId, offer };
    this.sfu.accept({ ...request, role: 'subscribe', publisherConnectionId: publisher }, relay);
    const { last } = this.host;
    last.connect();
    return new FakeSubscriber(last, id);
  }

  /** Reasons of closed connections, by id. */
  get closed(): Record<string, string> {
    return Object.fromEntries(
      this.events.flatMap((event) => (event.type === 'closed' ? [[event.connectionId, event.reason]] : [])),
    );
  }

  statisticsOf(id: string) {
    const found = this.sfu.statistics().connections.find(({ connectionId }) => connectionId === id);
    if (!found) throw new Error(`no connection ${id}`);
    return found;
  }
}

class FakePeer {
  readonly transport: FakeTransport;
  readonly id: string;

  constructor(transport: FakeTransport, id: string) {
    this.transport = transport;
    this.id = id;
  }

  sendRtcp(...packets: rtcp.Packet[]): void {
    this.transport.receive(rtcp.write(packets));
  }

  /** The RTCP packets of one type that were sent to this peer. */
  rtcp<T extends rtcp.Packet['type']>(type: T): Extract<rtcp.Packet, { type: T }>[] {
    const packets = this.transport.sent.filter(rtp.isRtcp).flatMap((packet) => rtcp.parse(packet));
    return packets.filter((packet): packet is Extract<rtcp.Packet, { type: T }> => packet.type === type);
  }

  forget(): void {
    this.transport.sent.length = 0;
  }
}

/** What a test may choose of a packet; the rest is a VP8 delta frame of its own. */
export interface PacketChoice {
  key?: boolean;
  empty?: boolean;
  timestamp?: number;
  ssrc?: number;
  payloadType?: number;
  twcc?: number;
  rid?: string;
  repairedRid?: string;
  /** Loudness of sound below the maximum, in -dBov. */
  level?: number | undefined;
  /** Makes a retransmission of this packet. */
  original?: number;
}

export class FakePublisher extends FakePeer {
  /** Sends video packets with these sequence numbers, each a frame. */
  video(sequenceNumbers: readonly number[], choice: PacketChoice = {}): void {
    for (const sequenceNumber of sequenceNumbers) this.transport.receive(videoPacket(sequenceNumber, choice));
  }

  /** `level`: loudness below the maximum, in -dBov. */
  audio(sequenceNumbers: readonly number[], level?: number): void {
    for (const sequenceNumber of sequenceNumbers) {
      const choice = { payloadType: 111, ssrc: AUDIO_SSRC, timestamp: sequenceNumber * 960, level };
      this.transport.receive(videoPacket(sequenceNumber, choice));
    }
  }
}

export class FakeSubscriber extends FakePeer {
  /** The RTP packets of one payload type that were sent to this peer: 120 video, 121 its retransmissions, 111 audio. */
  rtp(payloadType = 120): rtp.Packet[] {
    return this.transport.sent
      .filter((packet) => !rtp.isRtcp(packet))
      .flatMap((packet) => rtp.parse(packet) ?? [])
      .filter((packet) => packet.payloadType === payloadType);
  }

  /** Sequence numbers of the video so far, counted from its first. */
  get video(): number[] {
    const packets = this.rtp();
    return packets.map(({ sequenceNumber }) => (sequenceNumber - (packets[0]?.sequenceNumber ?? 0)) & 0xffff);
  }

  /** Asks again for video, by its place counted from the first. */
  nack(...places: number[]): void {
    const [first] = this.rtp();
    if (!first) throw new Error('no video came yet');
    const pairs = rtcp.nackPairs(places.map((place) => (first.sequenceNumber + place) & 0xffff));
    this.sendRtcp({ type: 'nack', senderSsrc: 1, mediaSsrc: first.ssrc, pairs });
  }

  pli(mediaSsrc = this.rtp()[0]?.ssrc ?? 0): void {
    this.sendRtcp({ type: 'pli', senderSsrc: 1, mediaSsrc });
  }
}

/** The first payload byte behind descriptor and frame header: tells packets apart. */
export function contentOf(packet: rtp.Packet): number {
  return packet.buffer[packet.payloadEnd - 1] ?? -1;
}

export function videoPacket(sequenceNumber: number, choice: PacketChoice): Buffer {
  const { key = false, empty = false, ssrc = VIDEO_SSRC, payloadType = 96, original } = choice;
  const header = {
    marker: true,
    payloadType,
    sequenceNumber: sequenceNumber & 0xffff,
    timestamp: (choice.timestamp ?? sequenceNumber * 3_000) >>> 0,
    ssrc,
  };
  const packet = Buffer.alloc(200);
  rtp.writeHeader(packet, header);
  const elements = extensionElements(choice);
  let at = elements.length > 0 ? rtp.writeExtensions(packet, elements) : rtp.HEADER_LENGTH;
  if (original !== undefined) at = packet.writeUInt16BE(original & 0xffff, at);
  if (!empty) {
    // Descriptor with the start of partition 0, frame header, content.
    packet[at++] = 0x10;
    packet[at++] = key ? 0 : 1;
    packet[at++] = (original ?? sequenceNumber) & 0xff;
  }
  return packet.subarray(0, at);
}

function extensionElements({ twcc, rid, repairedRid, level }: PacketChoice): rtp.ExtensionElement[] {
  const elements: rtp.ExtensionElement[] = [];
  if (twcc !== undefined) elements.push({ id: TWCC_ID, value: Buffer.of(twcc >> 8, twcc & 0xff) });
  if (rid !== undefined) elements.push({ id: RID_ID, value: Buffer.from(rid) });
  if (repairedRid !== undefined) elements.push({ id: REPAIRED_RID_ID, value: Buffer.from(repairedRid) });
  if (level !== undefined) elements.push({ id: AUDIO_LEVEL_ID, value: Buffer.of(level) });
  return elements;
}
