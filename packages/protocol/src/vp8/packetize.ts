import { type EmitPayload, requireMaxPayload } from '../video/emit.ts';
import { emitFragments } from '../video/fragments.ts';

/** Two bytes of flags and a picture id of 15 bits. */
const DESCRIPTOR_LENGTH = 4;

/**
 * Makes RTP payloads of at most `maxPayload` bytes of a frame (RFC 7741 4.2), with a 15-bit picture id and no layers. The partitions
 * are not told apart: PID is 0 throughout. Throws a RangeError when `maxPayload` is out of range.
 */
export function packetize(frame: Buffer, maxPayload: number, pictureId: number, emit: EmitPayload): void {
  requireMaxPayload(maxPayload);
  const describe = (payload: Buffer, first: boolean) => {
    payload[0] = first ? 0x90 : 0x80;
    payload[1] = 0x80;
    payload[2] = 0x80 | ((pictureId >>> 8) & 0x7f);
    payload[3] = pictureId;
    return DESCRIPTOR_LENGTH;
  };
  emitFragments(frame, maxPayload, DESCRIPTOR_LENGTH, describe, emit);
}
