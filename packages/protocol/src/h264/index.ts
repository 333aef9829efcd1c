/** NAL unit types of H.264 7.4.1 and of its RTP payload format (RFC 6184 5.2). */
const IDR_SLICE = 5;
const SPS = 7;
const STAP_A = 24;
const FU_A = 28;

const startsKeyFrame = (type: number) => type === IDR_SLICE || type === SPS;

/**
 * True when an RTP payload holds the start of a key frame (RFC 6184 5.6 to 5.8): an IDR slice, or the SPS that goes
 * before it, as a single NAL unit, inside a STAP-A, or as the first fragment of an FU-A. An SPS counts because a decoder
 * that starts at the IDR behind it would miss it. Several packets of one frame can say true.
 */
export function isKeyFrame(payload: Buffer, offset: number, end: number): boolean {
  if (offset >= end || end > payload.length) return false;
  const type = payload[offset]! & 0x1f;
  if (type === STAP_A) return aggregateHasKeyFrame(payload, offset + 1, end);
  if (type !== FU_A) return startsKeyFrame(type);
  // | FU indicator | S E R type | ... (RFC 6184 5.8)
  if (offset + 1 >= end) return false;
  const header = payload[offset + 1]!;
  return (header & 0x80) !== 0 && startsKeyFrame(header & 0x1f);
}

/** `| NAL size (16) | NAL unit |`, repeated (RFC 6184 5.7.1); a size that points outside ends the search. */
function aggregateHasKeyFrame(payload: Buffer, offset: number, end: number): boolean {
  let at = offset;
  while (at + 2 < end) {
    const next = at + 2 + payload.readUInt16BE(at);
    if (next > end || next === at + 2) return false;
    if (startsKeyFrame(payload[at + 2]! & 0x1f)) return true;
    at = next;
  }
  return false;
}
