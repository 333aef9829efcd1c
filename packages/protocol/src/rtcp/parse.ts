import { parseTransportFeedback } from './transport-feedback.ts';
import type { ExtendedReport, Packet, ReceiverDelay, ReportBlock, SdesItem, SourceDescription } from './types.ts';

const HEADER_LENGTH = 4;
const REPORT_BLOCK_LENGTH = 24;

/**
 * Parses a compound or reduced-size RTCP datagram (RFC 3550 6.1, RFC 5506). A broken packet ends the list: what came
 * before it is returned.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     |V=2|P|  count  |  packet type  |  length in words, minus one   |
 */
export function parse(buffer: Buffer): Packet[] {
  const packets: Packet[] = [];
  let at = 0;
  while (at + HEADER_LENGTH <= buffer.length) {
    const first = buffer[at]!;
    const end = at + HEADER_LENGTH + buffer.readUInt16BE(at + 2) * 4;
    if (first >> 6 !== 2 || end > buffer.length) break;
    const body = withoutPadding(buffer.subarray(at + HEADER_LENGTH, end), (first & 0x20) !== 0);
    const packet = body && parseBody(buffer[at + 1]!, first & 0x1f, body);
    if (packet === undefined) break;
    packets.push(packet);
    at = end;
  }
  return packets;
}

/** RFC 3550 6.4.1: the last byte counts the padding, itself included. Some senders pad by 1 to 3 bytes, so any count is taken. */
function withoutPadding(body: Buffer, padded: boolean): Buffer | undefined {
  if (!padded) return body;
  const padding = body[body.length - 1];
  if (padding === undefined || padding === 0 || padding > body.length) return undefined;
  return body.subarray(0, body.length - padding);
}

function parseBody(payloadType: number, count: number, body: Buffer): Packet | undefined {
  switch (payloadType) {
    case 200:
      return parseSenderReport(count, body);
    case 201:
      return parseReceiverReport(count, body);
    case 202:
      return parseSourceDescription(count, body);
    case 203:
      return parseGoodbye(count, body);
    case 205:
    case 206:
      return parseFeedback(payloadType, count, body);
    case 207:
      return parseExtendedReport(body);
    default:
      return { type: 'unknown', payloadType, count, body };
  }
}

/** `| SSRC | NTP seconds | NTP fraction | RTP timestamp | packet count | octet count | report blocks |` */
function parseSenderReport(count: number, body: Buffer): Packet | undefined {
  if (body.length < 24 + count * REPORT_BLOCK_LENGTH) return undefined;
  return {
    type: 'sr',
    ssrc: body.readUInt32BE(0),
    ntp: { seconds: body.readUInt32BE(4), fraction: body.readUInt32BE(8) },
    rtpTimestamp: body.readUInt32BE(12),
    packetCount: body.readUInt32BE(16),
    octetCount: body.readUInt32BE(20),
    reports: parseReportBlocks(count, body, 24),
  };
}

/** `| SSRC | report blocks |` */
function parseReceiverReport(count: number, body: Buffer): Packet | undefined {
  if (body.length < 4 + count * REPORT_BLOCK_LENGTH) return undefined;
  return { type: 'rr', ssrc: body.readUInt32BE(0), reports: parseReportBlocks(count, body, 4) };
}

/** `| SSRC | fraction (8) cumulative (24) | highest sequence | jitter | LSR | DLSR |`, RFC 3550 6.4.1. */
function parseReportBlocks(count: number, body: Buffer, start: number): ReportBlock[] {
  const reports: ReportBlock[] = [];
  for (let at = start; reports.length < count; at += REPORT_BLOCK_LENGTH) {
    reports.push({
      ssrc: body.readUInt32BE(at),
      fractionLost: body[at + 4]!,
      cumulativeLost: body.readIntBE(at + 5, 3),
      highestSequenceNumber: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastSenderReport: body.readUInt32BE(at + 16),
      delaySinceLastSenderReport: body.readUInt32BE(at + 20),
    });
  }
  return reports;
}

/** Chunks of `| SSRC | type, length, text ... | zeros to the next word |`, at least one zero (RFC 3550 6.5). */
function parseSourceDescription(count: number, body: Buffer): Packet | undefined {
  const chunks: SourceDescription['chunks'] = [];
  let at = 0;
  while (chunks.length < count) {
    if (at + 4 > body.length) return undefined;
    const ssrc = body.readUInt32BE(at);
    const items: SdesItem[] = [];
    at += 4;
    while (at < body.length && body[at] !== 0) {
      const end = at + 2 + (body[at + 1] ?? body.length);
      if (end > body.length) return undefined;
      items.push({ type: body[at]!, text: body.toString('utf8', at + 2, end) });
      at = end;
    }
    chunks.push({ ssrc, items });
    at += 4 - (at % 4);
  }
  return { type: 'sdes', chunks };
}

/** `| SSRC, count times | length (8) reason |`, the reason is optional (RFC 3550 6.6). */
function parseGoodbye(count: number, body: Buffer): Packet | undefined {
  if (body.length < count * 4) return undefined;
  const ssrcs: number[] = [];
  for (let i = 0; i < count; i++) ssrcs.push(body.readUInt32BE(i * 4));
  const start = count * 4;
  const length = body[start];
  if (length === undefined) return { type: 'bye', ssrcs };
  if (start + 1 + length > body.length) return undefined;
  return { type: 'bye', ssrcs, reason: body.toString('utf8', start + 1, start + 1 + length) };
}

/** `| SSRC | blocks of type (8) specific (8) length in words (16) content |`, RFC 3611 2 and 3. */
function parseExtendedReport(body: Buffer): Packet | undefined {
  if (body.length < 4) return undefined;
  const report: ExtendedReport = { type: 'xr', ssrc: body.readUInt32BE(0), delays: [] };
  for (let at = 4; at < body.length; ) {
    const end = at + 4 + (at + 4 <= body.length ? body.readUInt16BE(at + 2) * 4 : 0);
    if (end > body.length) return undefined;
    const content = body.subarray(at + 4, end);
    if (body[at] === 4 && content.length === 8) {
      report.referenceTime = { seconds: content.readUInt32BE(0), fraction: content.readUInt32BE(4) };
    } else if (body[at] === 5) parseDelays(content, report.delays);
    at = end;
  }
  return report;
}

/** `| SSRC | last reference time | delay since |`, as often as the block is long (RFC 3611 4.5). */
function parseDelays(content: Buffer, delays: ReceiverDelay[]): void {
  for (let at = 0; at + 12 <= content.length; at += 12) {
    delays.push({
      ssrc: content.readUInt32BE(at),
      lastReferenceTime: content.readUInt32BE(at + 4),
      delaySinceReferenceTime: content.readUInt32BE(at + 8),
    });
  }
}

/** `| sender SSRC | media SSRC | feedback control information |`, RFC 4585 6.1. */
function parseFeedback(payloadType: number, format: number, body: Buffer): Packet | undefined {
  if (body.length < 8) return undefined;
  const ssrcs = { senderSsrc: body.readUInt32BE(0), mediaSsrc: body.readUInt32BE(4) };
  const information = body.subarray(8);
  switch ((payloadType << 8) | format) {
    case (205 << 8) | 1:
      return parseNack(ssrcs, information);
    case (205 << 8) | 15:
      return parseTransportFeedback(ssrcs, information);
    case (206 << 8) | 1:
      return { type: 'pli', ...ssrcs };
    case (206 << 8) | 4:
      return parseFir(ssrcs, information);
    case (206 << 8) | 15:
      if (information.toString('latin1', 0, 4) === 'REMB') return parseRemb(ssrcs, information);
  }
  return { type: 'unknown', payloadType, count: format, body };
}

interface FeedbackSsrcs {
  senderSsrc: number;
  mediaSsrc: number;
}

/** `| PID (16) BLP (16) |`, one or more (RFC 4585 6.2.1). */
function parseNack(ssrcs: FeedbackSsrcs, information: Buffer): Packet | undefined {
  if (information.length < 4 || information.length % 4 !== 0) return undefined;
  const pairs = [];
  for (let at = 0; at < information.length; at += 4) {
    pairs.push({ packetId: information.readUInt16BE(at), bitmask: information.readUInt16BE(at + 2) });
  }
  return { type: 'nack', ...ssrcs, pairs };
}

/** `| SSRC | sequence number (8) reserved (24) |`, one or more (RFC 5104 4.3.1.1). */
function parseFir(ssrcs: FeedbackSsrcs, information: Buffer): Packet | undefined {
  if (information.length < 8 || information.length % 8 !== 0) return undefined;
  const entries = [];
  for (let at = 0; at < information.length; at += 8) {
    entries.push({ ssrc: information.readUInt32BE(at), sequenceNumber: information[at + 4]! });
  }
  return { type: 'fir', ...ssrcs, entries };
}

/** `| 'REMB' | SSRC count (8) exponent (6) mantissa (18) | SSRCs |`, draft-alvestrand-rmcat-remb-03 2.2. */
function parseRemb(ssrcs: FeedbackSsrcs, information: Buffer): Packet | undefined {
  const count = information[4];
  if (count === undefined || information.length !== 8 + count * 4) return undefined;
  const rate = information.readUIntBE(5, 3);
  const list: number[] = [];
  for (let at = 8; at < information.length; at += 4) list.push(information.readUInt32BE(at));
  return { type: 'remb', ...ssrcs, bitrate: (rate & 0x3ffff) * 2 ** (rate >> 18), ssrcs: list };
}
