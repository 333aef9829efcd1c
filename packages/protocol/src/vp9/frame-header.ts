import { BitReader } from '../bits.ts';
import type { PayloadFacts } from '../video/facts.ts';

const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const CS_RGB = 7;

const reader = new BitReader();

/**
 * Reads the uncompressed header of a frame (VP9 bitstream specification 6.2, 7.2): true for a key frame. Its size goes into the
 * facts unless they have one already.
 */
export function readFrameHeader(facts: PayloadFacts, buffer: Buffer, offset: number, end: number): boolean {
  reader.reset(buffer, offset, end);
  if (reader.bits(2) !== FRAME_MARKER) return false;
  const profile = reader.bits(1) | (reader.bits(1) << 1);
  if (profile === 3 && reader.flag()) return false;
  const showExisting = reader.flag();
  const interFrame = reader.flag();
  // show_frame, error_resilient_mode
  reader.bits(2);
  if (showExisting || interFrame || reader.bits(24) !== SYNC_CODE) return false;
  skipColorConfig(profile);
  const width = reader.bits(16) + 1;
  const height = reader.bits(16) + 1;
  if (!reader.overrun && facts.width === 0) {
    facts.width = width;
    facts.height = height;
  }
  return true;
}

/** color_config (7.2.2): bit depth, colour space, range, subsampling. */
function skipColorConfig(profile: number): void {
  const alternative = (profile & 1) === 1;
  if (profile >= 2) reader.bits(1);
  if (reader.bits(3) === CS_RGB) reader.bits(alternative ? 1 : 0);
  else reader.bits(alternative ? 4 : 1);
}
