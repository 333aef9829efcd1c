import { type EmitPayload, requireMaxPayload } from '../video/emit.ts';
import { writeLeb128 } from './leb128.ts';
import { OBU_HAS_SIZE, type ObuRange, obuType, splitTemporalUnit } from './obu.ts';

/** Bits of the aggregation header. */
const Z = 0x80;
const Y = 0x40;
const ONE_ELEMENT = 0x10;
const N = 0x08;

/** Bytes of an element's size, which is at most MAX_PAYLOAD. */
const MAX_SIZE_LENGTH = 3;

const MIN_FRAGMENT = 16;

/** show_existing_frame and frame_type in the first byte of a frame header, 0 for a key frame (AV1 5.9.2). */
const FRAME_TYPE = 0xe0;

/**
 * Makes RTP payloads of at most `maxPayload` bytes of a temporal unit in the low-overhead format (RTP Payload Format For AV1, 4.4
 * to 5): without temporal delimiter, tile lists and padding, the OBUs without their sizes. False when it is no temporal unit; then
 * nothing is emitted. Throws a RangeError when `maxPayload` is out of range.
 */
export function packetize(temporalUnit: Buffer, maxPayload: number, emit: EmitPayload): boolean {
  requireMaxPayload(maxPayload);
  const obus = splitTemporalUnit(temporalUnit)?.filter(isSent);
  if (obus === undefined) return false;
  const writer = new PayloadWriter(maxPayload, emit, startsSequence(obus, temporalUnit));
  for (const obu of obus) {
    if (writer.mustPart(obu)) writer.flush(0, false);
    writer.add(obu, withoutSize(temporalUnit, obu));
  }
  writer.finish();
  return true;
}

const isSent = ({ type }: ObuRange) =>
  type !== obuType.temporalDelimiter && type !== obuType.tileList && type !== obuType.padding;

const isFrame = ({ type }: ObuRange) => type === obuType.frame || type === obuType.frameHeader;

/** A coded video sequence begins with a sequence header and a key frame (AV1 7.5). */
function startsSequence(obus: readonly ObuRange[], buffer: Buffer): boolean {
  if (!obus.some(({ type }) => type === obuType.sequenceHeader)) return false;
  const frame = obus.find(isFrame);
  return frame !== undefined && (buffer[frame.payload]! & FRAME_TYPE) === 0;
}

function withoutSize(buffer: Buffer, { start, layers, payload, end }: ObuRange): Buffer {
  const headerLength = layers < 0 ? 1 : 2;
  const obu = Buffer.allocUnsafe(headerLength + end - payload);
  obu[0] = buffer[start]! & ~OBU_HAS_SIZE;
  if (headerLength === 2) obu[1] = buffer[start + 1]!;
  buffer.copy(obu, headerLength, payload, end);
  return obu;
}

/** Fills payload after payload with OBU elements. */
class PayloadWriter {
  private readonly payload: Buffer;
  private readonly emit: EmitPayload;
  private at = 1;
  private flags: number;
  private elements = 0;
  /** Where the first element begins, behind its size. */
  private firstElement = 0;
  private hasFrame = false;
  private layers = -1;

  constructor(maxPayload: number, emit: EmitPayload, startsSequence: boolean) {
    this.payload = Buffer.allocUnsafe(maxPayload);
    this.emit = emit;
    this.flags = startsSequence ? N : 0;
  }

  /** True when the OBU cannot share a payload with what is there: another frame, or other layers (5). */
  mustPart(obu: ObuRange): boolean {
    const otherLayers = obu.layers >= 0 && this.layers >= 0 && obu.layers !== this.layers;
    return this.elements > 0 && (otherLayers || (this.hasFrame && isFrame(obu)));
  }

  /** Writes an OBU, in fragments where it does not fit. */
  add(obu: ObuRange, bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const room = this.payload.length - this.at - MAX_SIZE_LENGTH;
      // A fragment so short that it might not hold the OBU's header would tell a middlebox nothing.
      if (room < MIN_FRAGMENT && room < bytes.length - from) this.flush(0, false);
      else {
        from += this.addElement(bytes, from, Math.min(from + room, bytes.length));
        this.hasFrame ||= isFrame(obu);
        this.layers = Math.max(this.layers, obu.layers);
        if (from < bytes.length) this.flush(Y, false);
      }
    }
  }

  /** Emits the last payload of the temporal unit. */
  finish(): void {
    if (this.elements > 0) this.flush(0, true);
  }

  flush(continues: number, last: boolean): void {
    // The one element of a payload needs no size: the aggregation header takes the place before it.
    const start = this.elements === 1 ? this.firstElement - 1 : 0;
    this.payload[start] = this.flags | continues | (this.elements === 1 ? ONE_ELEMENT : 0);
    this.emit(this.payload.subarray(start, this.at), last);
    this.at = 1;
    this.flags = continues === Y ? Z : 0;
    this.elements = 0;
    this.hasFrame = false;
    this.layers = -1;
  }

  private addElement(bytes: Buffer, from: number, to: number): number {
    const at = writeLeb128(this.payload, to - from, this.at);
    if (this.elements === 0) this.firstElement = at;
    this.elements++;
    this.at = at + bytes.copy(this.payload, at, from, to);
    return to - from;
  }
}
