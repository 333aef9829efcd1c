import { type EmitPayload, requireMaxPayload } from '../video/emit.ts';
import { clearFacts, emptyFacts } from '../video/facts.ts';
import { emitFragments } from '../video/fragments.ts';
import { readFrameHeader } from './frame-header.ts';

/** Flags, a picture id of 15 bits, and the scalability structure of one layer's size. */
const MAX_DESCRIPTOR_LENGTH = 8;

const I = 0x80;
const P = 0x40;
const B = 0x08;
const E = 0x04;
const V = 0x02;
/** One spatial layer with its size, no picture group. */
const ONE_LAYER_WITH_SIZE = 0x10;

const facts = emptyFacts();

/**
 * Makes RTP payloads of at most `maxPayload` bytes of a frame or superframe (RFC 9628 4.2): non-flexible mode, a 15-bit picture
 * id, no layers; a key frame's size goes into a scalability structure. Throws a RangeError when `maxPayload` is out of range.
 */
export function packetize(frame: Buffer, maxPayload: number, pictureId: number, emit: EmitPayload): void {
  requireMaxPayload(maxPayload);
  clearFacts(facts);
  const keyFrame = readFrameHeader(facts, frame, 0, frame.length);
  const { width, height } = facts;
  const describe = (payload: Buffer, first: boolean, last: boolean) => {
    const structured = first && width > 0 && width <= 0xffff && height <= 0xffff;
    payload[0] = I | (keyFrame ? 0 : P) | (first ? B : 0) | (last ? E : 0) | (structured ? V : 0);
    payload[1] = 0x80 | ((pictureId >>> 8) & 0x7f);
    payload[2] = pictureId;
    if (!structured) return 3;
    payload[3] = ONE_LAYER_WITH_SIZE;
    payload.writeUInt16BE(width, 4);
    payload.writeUInt16BE(height, 6);
    return MAX_DESCRIPTOR_LENGTH;
  };
  emitFragments(frame, maxPayload, MAX_DESCRIPTOR_LENGTH, describe, emit);
}
