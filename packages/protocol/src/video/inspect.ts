import * as av1 from '../av1/index.ts';
import * as h264 from '../h264/index.ts';
import * as vp8 from '../vp8/index.ts';
import * as vp9 from '../vp9/index.ts';
import { clearFacts, type PayloadFacts } from './facts.ts';

export type VideoCodec = 'H264' | 'VP8' | 'VP9' | 'AV1';

/** Reads the RTP payload from `offset` to `end` into `facts`. Takes any bytes, never throws, allocates nothing. */
export function inspect(codec: VideoCodec, facts: PayloadFacts, buffer: Buffer, offset: number, end: number): void {
  clearFacts(facts);
  if (offset < 0 || offset >= end || end > buffer.length) return;
  if (codec === 'VP8') facts.valid = vp8.inspect(facts, buffer, offset, end);
  else if (codec === 'H264') facts.valid = h264.inspect(facts, buffer, offset, end);
  else if (codec === 'VP9') facts.valid = vp9.inspect(facts, buffer, offset, end);
  else facts.valid = av1.inspect(facts, buffer, offset, end);
}
