import type { SourceDescription } from './types.ts';

const CNAME = 1;

/** An SDES with the CNAME of one SSRC, which every compound report carries (RFC 3550 6.5.1). */
export function sourceDescription(ssrc: number, cname: string): SourceDescription {
  return { type: 'sdes', chunks: [{ ssrc, items: [{ type: CNAME, text: cname }] }] };
}

/** The CNAME that an SDES gives for `ssrc`. */
export function cnameOf(packet: SourceDescription, ssrc: number): string | undefined {
  const chunk = packet.chunks.find((candidate) => candidate.ssrc === ssrc);
  return chunk?.items.find((item) => item.type === CNAME)?.text;
}
