import { ByteWriter } from '../bytes.ts';
import { writeTransportFeedback } from './transport-feedback.ts';
import type { ExtendedReport, Goodbye, Packet, ReportBlock, SdesItem, SourceDescription } from './types.ts';

/** Largest number that the 5-bit count of a header holds (RFC 3550 6.4.1). */
export const MAX_COUNT = 31;

/** Writes packets one behind the other (RFC 3550 6.1, RFC 5506). Throws a RangeError on more blocks than a packet holds. */
export function write(packets: readonly Packet[]): Buffer {
  const writer = new ByteWriter();
  for (const packet of packets) writePacket(writer, packet);
  return writer.finish();
}

/** RFC 3550 6.4.1: `| V=2 P count | packet type | length |`, then the body, padded to a whole word. */
function writePacket(writer: ByteWriter, packet: Packet): void {
  const start = writer.length;
  writer.uint32(0);
  const { count, payloadType } = writeBody(writer, packet);
  const padding = -(writer.length - start) & 3;
  for (let left = padding; left > 0; left--) writer.uint8(left === 1 ? padding : 0);
  writer.patchUint8(start, 0x80 | (padding > 0 ? 0x20 : 0) | count);
  writer.patchUint8(start + 1, payloadType);
  writer.patchUint16(start + 2, (writer.length - start) / 4 - 1);
}

interface HeaderFields {
  count: number;
  payloadType: number;
}

function writeBody(writer: ByteWriter, packet: Packet): HeaderFields {
  switch (packet.type) {
    case 'sr':
      writer.uint32(packet.ssrc);
      writer.uint32(packet.ntp.seconds);
      writer.uint32(packet.ntp.fraction);
      writer.uint32(packet.rtpTimestamp);
      writer.uint32(packet.packetCount);
      writer.uint32(packet.octetCount);
      return writeReportBlocks(writer, 200, packet.reports);
    case 'rr':
      writer.uint32(packet.ssrc);
      return writeReportBlocks(writer, 201, packet.reports);
    case 'sdes':
      return writeSourceDescription(writer, packet);
    case 'bye':
      return writeGoodbye(writer, packet);
    case 'xr':
      return writeExtendedReport(writer, packet);
    case 'unknown':
      writer.bytes(packet.body);
      return { count: packet.count & MAX_COUNT, payloadType: packet.payloadType };
    default:
      writer.uint32(packet.senderSsrc);
      writer.uint32(packet.mediaSsrc);
      return writeFeedback(writer, packet);
  }
}

function limited(count: number, what: string): number {
  if (count > MAX_COUNT) throw new RangeError(`an RTCP packet holds at most ${MAX_COUNT} ${what}, not ${count}`);
  return count;
}

function writeReportBlocks(writer: ByteWriter, payloadType: number, reports: readonly ReportBlock[]): HeaderFields {
  for (const report of reports) {
    writer.uint32(report.ssrc);
    writer.uint8(report.fractionLost);
    writer.uint24(report.cumulativeLost);
    writer.uint32(report.highestSequenceNumber);
    writer.uint32(report.jitter);
    writer.uint32(report.lastSenderReport);
    writer.uint32(report.delaySinceLastSenderReport);
  }
  return { count: limited(reports.length, 'report blocks'), payloadType };
}

function writeSourceDescription(writer: ByteWriter, { chunks }: SourceDescription): HeaderFields {
  for (const { ssrc, items } of chunks) {
    writer.uint32(ssrc);
    let length = 0;
    for (const item of items) length += writeSdesItem(writer, item);
    // One to four zeros end the list and fill the word (RFC 3550 6.5).
    for (let zeros = 4 - (length % 4); zeros > 0; zeros--) writer.uint8(0);
  }
  return { count: limited(chunks.length, 'SDES chunks'), payloadType: 202 };
}

function writeSdesItem(writer: ByteWriter, { type, text }: SdesItem): number {
  writer.uint8(type);
  return 1 + writeText(writer, text, 'an SDES item');
}

function writeText(writer: ByteWriter, text: string, what: string): number {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > 255) throw new RangeError(`${what} holds at most 255 bytes, not ${bytes.length}`);
  writer.uint8(bytes.length);
  writer.bytes(bytes);
  return 1 + bytes.length;
}

function writeGoodbye(writer: ByteWriter, { ssrcs, reason }: Goodbye): HeaderFields {
  for (const ssrc of ssrcs) writer.uint32(ssrc);
  if (reason !== undefined) {
    // RFC 3550 6.6: zeros, not counted padding, fill the word behind the reason.
    for (let length = writeText(writer, reason, 'a BYE reason'); length % 4 !== 0; length++) writer.uint8(0);
  }
  return { count: limited(ssrcs.length, 'SSRCs'), payloadType: 203 };
}

/** RFC 3611 4.4 and 4.5: a block header is `| type (8) | reserved (8) | length in words (16) |`. */
function writeExtendedReport(writer: ByteWriter, { ssrc, referenceTime, delays }: ExtendedReport): HeaderFields {
  writer.uint32(ssrc);
  if (referenceTime) {
    writer.uint32((4 << 24) | 2);
    writer.uint32(referenceTime.seconds);
    writer.uint32(referenceTime.fraction);
  }
  if (delays.length > 0) {
    writer.uint32((5 << 24) | (delays.length * 3));
    for (const delay of delays) {
      writer.uint32(delay.ssrc);
      writer.uint32(delay.lastReferenceTime);
      writer.uint32(delay.delaySinceReferenceTime);
    }
  }
  return { count: 0, payloadType: 207 };
}

type Feedback = Extract<Packet, { senderSsrc: number }>;

function writeFeedback(writer: ByteWriter, packet: Feedback): HeaderFields {
  switch (packet.type) {
    case 'nack':
      for (const { packetId, bitmask } of packet.pairs) {
        writer.uint16(packetId);
        writer.uint16(bitmask);
      }
      return { count: 1, payloadType: 205 };
    case 'transport-cc':
      writeTransportFeedback(writer, packet);
      return { count: 15, payloadType: 205 };
    case 'pli':
      return { count: 1, payloadType: 206 };
    case 'fir':
      for (const { ssrc, sequenceNumber } of packet.entries) {
        writer.uint32(ssrc);
        writer.uint8(sequenceNumber);
        writer.uint24(0);
      }
      return { count: 4, payloadType: 206 };
    case 'remb':
      return writeRemb(writer, packet);
  }
}

/** The bitrate keeps its 18 highest bits, rounded down: a receiver must not promise more than it has. */
function writeRemb(writer: ByteWriter, { bitrate, ssrcs }: Extract<Packet, { type: 'remb' }>): HeaderFields {
  if (ssrcs.length > 255) throw new RangeError(`REMB holds at most 255 SSRCs, not ${ssrcs.length}`);
  let exponent = 0;
  let mantissa = Math.max(0, Math.floor(bitrate));
  while (mantissa > 0x3ffff && exponent < 63) {
    mantissa = Math.floor(mantissa / 2);
    exponent++;
  }
  writer.bytes(Buffer.from('REMB', 'latin1'));
  writer.uint8(ssrcs.length);
  writer.uint24((exponent << 18) | Math.min(mantissa, 0x3ffff));
  for (const ssrc of ssrcs) writer.uint32(ssrc);
  return { count: 15, payloadType: 206 };
}
