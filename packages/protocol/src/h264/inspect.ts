import type { PayloadFacts } from '../video/facts.ts';
import { FU_START, isSlice, NAL_REF_IDC, nalType, TYPE } from './nal.ts';
import { readSliceType, sliceTypes } from './slice.ts';
import { emptySps, readSps } from './sps.ts';

const sps = emptySps();

/**
 * Reads a payload (RFC 6184 5.6 to 5.8: single NAL unit, STAP-A, FU-A) into cleared `facts`; false when no NAL unit fits.
 * An SPS begins a key frame as an IDR slice does, because a decoder that starts at the IDR behind it would miss it.
 */
export function inspect(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  facts.payloadOffset = offset;
  const header = buffer[offset]!;
  const type = header & TYPE;
  if (type === nalType.stapA) return inspectAggregate(facts, buffer, offset + 1, end);
  if (type === nalType.fuA) return inspectFragment(facts, buffer, offset, end);
  inspectNal(facts, header, buffer, offset + 1, end);
  facts.discardable = isSlice(type) && (header & NAL_REF_IDC) === 0;
  return true;
}

/** `| NAL size (16) | NAL unit |`, repeated (RFC 6184 5.7.1); a size that is 0 or points outside ends the search. */
function inspectAggregate(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  let at = offset;
  let slices = 0;
  let references = 0;
  while (at + 2 < end) {
    const next = at + 2 + ((buffer[at]! << 8) | buffer[at + 1]!);
    if (next > end || next === at + 2) break;
    const header = buffer[at + 2]!;
    inspectNal(facts, header, buffer, at + 3, next);
    if (isSlice(header & TYPE)) {
      slices++;
      if (header & NAL_REF_IDC) references++;
    }
    at = next;
  }
  facts.discardable = slices > 0 && references === 0;
  return at > offset;
}

/** `| FU indicator | FU header | ...` (RFC 6184 5.8): the indicator has the NAL unit's F and NRI, the header its type. */
function inspectFragment(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  if (offset + 1 >= end) return false;
  const indicator = buffer[offset]!;
  const header = buffer[offset + 1]!;
  if (header & FU_START) inspectNal(facts, header, buffer, offset + 2, end);
  facts.discardable = isSlice(header & TYPE) && (indicator & NAL_REF_IDC) === 0;
  return true;
}

/** A NAL unit that begins here; `at` is behind its first byte. */
function inspectNal(facts: PayloadFacts, header: number, buffer: Buffer, at: number, end: number): void {
  const type = header & TYPE;
  if (type === nalType.idrSlice) facts.keyFrame = true;
  else if (type === nalType.sps) {
    facts.keyFrame = true;
    if (!readSps(sps, buffer, at, end)) return;
    facts.width = sps.width;
    facts.height = sps.height;
  } else if (type === nalType.slice || type === nalType.partitionA) {
    if (readSliceType(buffer, at, end) === sliceTypes.b) facts.bFrame = true;
  }
}
