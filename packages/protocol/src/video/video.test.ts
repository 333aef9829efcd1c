import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFacts, inspect, rewritePictureId } from './index.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const codecs = ['H264', 'VP8', 'VP9', 'AV1'] as const;

describe('inspect', () => {
  it.each(codecs)('of %s forgets what the facts said before', (codec) => {
    const facts = emptyFacts();
    inspect('VP8', facts, bytes('90 e0 9234 07 40 00'), 0, 7);
    inspect('H264', facts, bytes('0a'), 0, 1);
    inspect(codec, facts, bytes(''), 0, 0);
    expect(facts).toEqual(emptyFacts());
  });

  it.each(codecs)('of %s refuses a range that is not inside the buffer', (codec) => {
    for (const [offset, end] of [
      [0, 8],
      [7, 7],
      [8, 9],
      [-1, 4],
      [4, 2],
    ] as const) {
      const facts = emptyFacts();
      inspect(codec, facts, bytes('10 00 10 00 10 00 10'), offset, end);
      expect(facts.valid).toBe(false);
    }
  });
});

/** Descriptors of VP8 and VP9 with a 15-bit picture id and TL0PICIDX. */
const described = [
  ['VP8', '90 e0 9234 07 40 00', 2, 4],
  ['VP9', 'e8 9234 20 07 00 00', 1, 4],
] as const;

describe.each(described)('rewritePictureId of %s', (codec, hex, pictureIdAt, tl0PicIdxAt) => {
  const facts = emptyFacts();
  inspect(codec, facts, bytes(hex), 0, 7);

  it('overwrites in place, also in a copy that lies elsewhere', () => {
    const copy = Buffer.concat([Buffer.alloc(12), bytes(hex)]);
    rewritePictureId(copy, facts, 0x8001, 0x109, 12);
    expect(copy.readUInt16BE(12 + pictureIdAt)).toBe(0x8001);
    expect(copy[12 + tl0PicIdxAt]).toBe(9);
    copy.writeUInt16BE(0x9234, 12 + pictureIdAt);
    copy[12 + tl0PicIdxAt] = 7;
    expect(copy, 'nothing else changes').toEqual(Buffer.concat([Buffer.alloc(12), bytes(hex)]));
  });

  it('is read back', () => {
    fc.assert(
      fc.property(fc.nat(0x7fff), fc.nat(0xff), (pictureId, tl0PicIdx) => {
        const packet = bytes(hex);
        rewritePictureId(packet, facts, pictureId, tl0PicIdx);
        const again = emptyFacts();
        inspect(codec, again, packet, 0, packet.length);
        expect(again).toEqual({ ...facts, pictureId, tl0PicIdx });
      }),
    );
  });
});

describe('rewritePictureId', () => {
  it('keeps a 7-bit picture id at 7 bits and touches nothing that is not there', () => {
    const facts = emptyFacts();
    const short = bytes('90 80 34 00');
    inspect('VP8', facts, short, 0, 4);
    rewritePictureId(short, facts, 0x1ff, 1);
    expect(short).toEqual(bytes('90 80 7f 00'));
    const none = bytes('10 00');
    inspect('VP8', facts, none, 0, 2);
    rewritePictureId(none, facts, 1, 1);
    expect(none).toEqual(bytes('10 00'));
  });
});
