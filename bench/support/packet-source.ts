// Packets that look real enough to be forwarded: VP8 with key frames, Opus with levels, header extensions as browsers
// send them.
import { rtcp, rtp } from '@footlights/protocol';
import { monotonicMs, STAMP_LENGTH, writeStamp } from './stamp.ts';

export type Kind = 'audio' | 'video';

/** What publishers and viewers offer. */
export const payloadTypes = { audio: 111, video: 96 } as const;
export const extensionIds = { audioLevel: 1, transportSequenceNumber: 3 } as const;

/** What a publisher sends of one kind. */
export interface Stream {
  kind: Kind;
  packetsPerSecond: number;
  /** Of each RTP packet, header included. */
  packetBytes: number;
}

const FRAMES_PER_SECOND = 30;
const KEY_FRAME_INTERVAL = 30;
const clockRates = { audio: 48_000, video: 90_000 } as const;
const ssrcs = { audio: 0xa0d10, video: 0x51de0 } as const;
/** -30 dBov with voice (RFC 6464 section 3). */
const AUDIO_LEVEL = 0x80 | 30;
/** Behind the header: extension header, then the first element's own header. */
const TRANSPORT_NUMBER_AT = rtp.HEADER_LENGTH + 5;
/** VP8 payload descriptor with PictureID of 15 bits, TL0PICIDX and TID (RFC 7741 section 4.2). */
const DESCRIPTOR_LENGTH = 6;
/** Frame tag, start code, 1280 x 720 (RFC 6386 section 9.1). */
const KEY_FRAME_HEADER = Buffer.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02);
const DELTA_FRAME_HEADER = Buffer.of(0x11, 0, 0);

/** Numbers the packets of one transport, whatever their stream. */
interface TransportCounter {
  next: number;
}

/** The sources of one publisher. */
export function streamsOf(streams: readonly Stream[]): PacketSource[] {
  const counter = { next: 0 };
  return streams.map((stream) => new PacketSource(stream, counter));
}

/** One stream of a publisher, on a schedule. */
export class PacketSource {
  readonly #stream: Stream;
  readonly #packet: Buffer;
  readonly #payloadOffset: number;
  readonly #transport: TransportCounter | undefined;
  /** When the first packet was due; moves on with each pause. */
  #startedAt = monotonicMs();
  readonly #packetsPerFrame: number;
  #count = 0;
  #round = 0;
  #sentInRound = 0;

  /** Without a counter of its transport the packets have no header extension. */
  constructor(stream: Stream, transport?: TransportCounter) {
    this.#stream = stream;
    this.#transport = transport;
    this.#packetsPerFrame = stream.kind === 'video' ? Math.ceil(stream.packetsPerSecond / FRAMES_PER_SECOND) : 1;
    this.#packet = Buffer.alloc(stream.packetBytes, 0x55);
    this.#payloadOffset = this.#writeHeader();
    if (this.#payloadOffset + DESCRIPTOR_LENGTH + KEY_FRAME_HEADER.length + STAMP_LENGTH > stream.packetBytes)
      throw new Error(`packets of ${stream.packetBytes} bytes have no room for headers and stamp`);
  }

  /** Sends what is due by now; the packet is overwritten by the next one. */
  sendDue(send: (packet: Buffer) => void): void {
    const due = ((monotonicMs() - this.#startedAt) * this.#stream.packetsPerSecond) / 1_000;
    for (; this.#count < due; this.#count++) {
      this.#write();
      send(this.#packet);
      this.#sentInRound += 1;
    }
  }

  /** The next packet is due now. */
  resume(): void {
    this.#startedAt = monotonicMs() - (this.#count * 1_000) / this.#stream.packetsPerSecond;
  }

  /** Packets sent in the round that ends. */
  startRound(round: number): number {
    const sent = this.#sentInRound;
    this.#round = round;
    this.#sentInRound = 0;
    return sent;
  }

  senderReport(): rtcp.SenderReport {
    const { kind, packetBytes } = this.#stream;
    return {
      type: 'sr',
      ssrc: ssrcs[kind],
      ntp: rtcp.ntpFromMs(Date.now()),
      rtpTimestamp: this.#timestamp(((monotonicMs() - this.#startedAt) * clockRates[kind]) / 1_000),
      packetCount: this.#count >>> 0,
      octetCount: (this.#count * (packetBytes - this.#payloadOffset)) >>> 0,
      reports: [],
    };
  }

  /** Returns the payload's offset. */
  #writeHeader(): number {
    const { kind } = this.#stream;
    const fields = { marker: false, payloadType: payloadTypes[kind], sequenceNumber: 0, timestamp: 0 };
    rtp.writeHeader(this.#packet, { ...fields, ssrc: ssrcs[kind] });
    if (!this.#transport) return rtp.HEADER_LENGTH;
    const number = { id: extensionIds.transportSequenceNumber, value: Buffer.alloc(2) };
    const level = { id: extensionIds.audioLevel, value: Buffer.of(AUDIO_LEVEL) };
    return rtp.writeExtensions(this.#packet, kind === 'audio' ? [number, level] : [number]);
  }

  #write(): void {
    const packet = this.#packet;
    const { kind, packetsPerSecond } = this.#stream;
    const frame = Math.floor(this.#count / this.#packetsPerFrame);
    const place = this.#count % this.#packetsPerFrame;
    const isLast = kind === 'video' && place === this.#packetsPerFrame - 1;
    packet[1] = payloadTypes[kind] | (isLast ? 0x80 : 0);
    packet.writeUInt16BE(this.#count & 0xffff, 2);
    packet.writeUInt32BE(this.#timestamp((frame * this.#packetsPerFrame * clockRates[kind]) / packetsPerSecond), 4);
    if (this.#transport) {
      packet.writeUInt16BE(this.#transport.next, TRANSPORT_NUMBER_AT);
      this.#transport.next = (this.#transport.next + 1) & 0xffff;
    }
    if (kind === 'video') this.#writeVideo(frame, place === 0);
    writeStamp(packet, this.#round, this.#sentInRound);
  }

  #writeVideo(frame: number, isFirst: boolean): void {
    const packet = this.#packet;
    const at = this.#payloadOffset;
    packet[at] = isFirst ? 0x90 : 0x80;
    packet[at + 1] = 0xe0;
    packet.writeUInt16BE(0x8000 | (frame & 0x7fff), at + 2);
    packet[at + 4] = frame;
    packet[at + 5] = 0;
    if (!isFirst) return;
    const header = frame % KEY_FRAME_INTERVAL === 0 ? KEY_FRAME_HEADER : DELTA_FRAME_HEADER;
    header.copy(packet, at + DESCRIPTOR_LENGTH);
  }

  #timestamp(units: number): number {
    return Math.floor(units) % 2 ** 32;
  }
}
