import { readFileSync } from 'node:fs';
import * as rtp from './rtp/index.ts';

/** The packets of a recording, in the order they were received: each lies behind its length of 16 bits. */
export function readRecording(url: URL): rtp.Packet[] {
  const bytes = readFileSync(url);
  const packets: rtp.Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    packets.push(rtp.parse(bytes.subarray(at + 2, end))!);
    at = end;
  }
  return packets;
}

/** What was known of a recording when it was made. */
export function readTruth<T>(url: URL): T {
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

export const payloadOf = ({ buffer, payloadOffset, payloadEnd }: rtp.Packet) =>
  buffer.subarray(payloadOffset, payloadEnd);
