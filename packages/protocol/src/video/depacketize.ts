import { leb128, leb128Length, writeLeb128 } from '../av1/leb128.ts';
import { MAX_ACCESS_UNIT } from '../h264/depacketize.ts';
import { writeSuperframe } from '../vp9/superframe.ts';
import { emptyFacts } from './facts.ts';
import { inspect } from './inspect.ts';

const facts = emptyFacts();
/** OBU header bits: extension, has_size (AV1 5.3.2). */
const OBU_EXTENSION = 0x04;
const OBU_HAS_SIZE = 0x02;
const OBU_TYPE = 0x78;
const TEMPORAL_DELIMITER = Buffer.from([0x12, 0x00]);

/** Puts one frame of VP8, VP9 or AV1 together from RTP payloads in order, as a decoder takes it. Takes any bytes, never throws. */
export class FrameAssembler {
  readonly #codec: 'VP8' | 'VP9' | 'AV1';
  #parts: Buffer[] = [];
  /** Where in the parts the spatial layers of VP9 begin, which are frames of their own. */
  #layers: number[] = [];
  #spatialLayer = -1;
  #bytes = 0;
  #damaged = false;

  constructor(codec: 'VP8' | 'VP9' | 'AV1') {
    this.#codec = codec;
  }

  /** Copies what it keeps of the payload, which is `buffer` from `offset` to `end`. */
  push(buffer: Buffer, offset: number, end: number): void {
    if (offset >= end || end > buffer.length) return;
    inspect(this.#codec, facts, buffer, offset, end);
    this.#bytes += end - offset;
    if (!facts.valid || this.#bytes > MAX_ACCESS_UNIT) this.#damaged = true;
    if (this.#damaged) return;
    if (this.#codec === 'AV1') this.#elements(buffer, offset, end);
    else {
      if (facts.spatialLayer !== this.#spatialLayer) this.#layers.push(this.#parts.length);
      this.#spatialLayer = facts.spatialLayer;
      this.#parts.push(Buffer.from(buffer.subarray(facts.payloadOffset, end)));
    }
  }

  /** The frame since the last call; undefined when it is not whole. */
  take(): Buffer | undefined {
    const { length } = this.#parts;
    const taken = this.#damaged || length === 0 ? undefined : this.#whole();
    this.#parts = [];
    this.#layers = [];
    this.#spatialLayer = -1;
    this.#bytes = 0;
    this.#damaged = false;
    return taken;
  }

  #whole(): Buffer {
    if (this.#layers.length > 1) return writeSuperframe(this.#frames());
    if (this.#codec !== 'AV1') return Buffer.concat(this.#parts);
    return Buffer.concat([TEMPORAL_DELIMITER, ...this.#parts.flatMap(sized)]);
  }

  /** One for each spatial layer. */
  #frames(): Buffer[] {
    return this.#layers.map((from, index) => Buffer.concat(this.#parts.slice(from, this.#layers[index + 1])));
  }

  /** The aggregation header `|Z|Y|W (2)|N|---|`, and OBUs with their lengths, of W the last without (AV1 RTP 4.4). */
  #elements(buffer: Buffer, offset: number, end: number): void {
    const header = buffer[offset]!;
    const count = (header >> 4) & 0x03;
    let continued = (header & 0x80) !== 0;
    let index = 0;
    for (let at = offset + 1; at < end; ) {
      index += 1;
      const sizeLength = index === count ? 0 : leb128Length(buffer, at, end);
      if (index !== count && sizeLength <= 0) break;
      const start = at + sizeLength;
      const next = index === count ? end : start + leb128(buffer, at, sizeLength);
      if (next > end) break;
      const part = Buffer.from(buffer.subarray(start, next));
      const before = continued ? this.#parts.pop() : undefined;
      if (continued && !before) this.#damaged = true;
      this.#parts.push(before ? Buffer.concat([before, part]) : part);
      continued = false;
      at = next;
    }
  }
}

/** An OBU with its size, which RTP leaves out; temporal delimiters are not kept. */
function sized(obu: Buffer): Buffer[] {
  if (obu.length === 0 || (obu[0]! & OBU_TYPE) >> 3 === 2) return [];
  if (obu[0]! & OBU_HAS_SIZE) return [obu];
  const headerLength = obu[0]! & OBU_EXTENSION ? 2 : 1;
  const header = Buffer.from(obu.subarray(0, headerLength));
  header[0]! |= OBU_HAS_SIZE;
  const size = Buffer.alloc(5);
  const sizeLength = writeLeb128(size, Math.max(0, obu.length - headerLength), 0);
  return [header, size.subarray(0, sizeLength), obu.subarray(headerLength)];
}
