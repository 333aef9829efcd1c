import { type EmitPayload, requireMaxPayload } from '../video/emit.ts';
import { FU_END, FU_START, isSlice, NAL_REF_IDC, nalType, TYPE } from './nal.ts';

/** Bytes before the fragment of a NAL unit: FU indicator and FU header. */
const FU_HEADER_LENGTH = 2;
const F = 0x80;

/**
 * Makes RTP payloads of at most `maxPayload` bytes of an access unit's NAL units (RFC 6184 5.6 to 5.8, packetization-mode 1):
 * neighbours that are no slices (parameter sets, SEI, delimiters) share a STAP-A, what is too long goes in FU-As of about the same
 * size, the rest alone.
 * Throws a RangeError when `maxPayload` is below MIN_PAYLOAD or above MAX_PAYLOAD.
 */
export function packetize(nalUnits: readonly Buffer[], maxPayload: number, emit: EmitPayload): void {
  requireMaxPayload(maxPayload);
  const units = nalUnits.filter((unit) => unit.length > 0);
  let index = 0;
  while (index < units.length) {
    const next = behindAggregate(units, index, maxPayload);
    const last = next === units.length;
    const unit = units[index]!;
    if (next > index + 1) emit(aggregate(units, index, next), last);
    else if (unit.length <= maxPayload) emit(unit, last);
    else fragment(unit, maxPayload, last, emit);
    index = next;
  }
}

/** Index behind the run of small units that begins at `index`; `index + 1` when nothing joins it. */
function behindAggregate(units: readonly Buffer[], index: number, maxPayload: number): number {
  let size = 1;
  let next = index;
  for (; next < units.length; next++) {
    const unit = units[next]!;
    size += 2 + unit.length;
    if (isSlice(unit[0]! & TYPE) || size > maxPayload) break;
  }
  return Math.max(next, index + 1);
}

/** STAP-A: its F is any unit's, its NRI the highest (RFC 6184 5.7). */
function aggregate(units: readonly Buffer[], from: number, to: number): Buffer {
  let length = 1;
  for (let index = from; index < to; index++) length += 2 + units[index]!.length;
  const payload = Buffer.allocUnsafe(length);
  let bits = 0;
  let importance = 0;
  let at = 1;
  for (let index = from; index < to; index++) {
    const unit = units[index]!;
    bits |= unit[0]! & F;
    importance = Math.max(importance, unit[0]! & NAL_REF_IDC);
    at = payload.writeUInt16BE(unit.length, at);
    at += unit.copy(payload, at);
  }
  payload[0] = bits | importance | nalType.stapA;
  return payload;
}

/** FU-As; the NAL unit's first byte goes into their headers. */
function fragment(unit: Buffer, maxPayload: number, lastUnit: boolean, emit: EmitPayload): void {
  const header = unit[0]!;
  const count = Math.ceil((unit.length - 1) / (maxPayload - FU_HEADER_LENGTH));
  const size = Math.ceil((unit.length - 1) / count);
  const payload = Buffer.allocUnsafe(FU_HEADER_LENGTH + size);
  payload[0] = (header & (F | NAL_REF_IDC)) | nalType.fuA;
  for (let at = 1; at < unit.length; at += size) {
    const end = Math.min(at + size, unit.length);
    payload[1] = (header & TYPE) | (at === 1 ? FU_START : 0) | (end === unit.length ? FU_END : 0);
    unit.copy(payload, FU_HEADER_LENGTH, at, end);
    emit(payload.subarray(0, FU_HEADER_LENGTH + end - at), lastUnit && end === unit.length);
  }
}
