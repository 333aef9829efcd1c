import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Packet, parse, sourceDescription, write } from './index.ts';
import { cnameOf } from './sdes.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const block = '0000000b 40fffffe 00010203 00000009 11223344 00010000';
const vectors: [name: string, bytes: string, packet: Packet][] = [
  [
    'SR',
    `81 c8 000c 0000000a e0000000 80000000 00000064 00000005 000003e8 ${block}`,
    {
      type: 'sr',
      ssrc: 10,
      ntp: { seconds: 0xe0000000, fraction: 0x80000000 },
      rtpTimestamp: 100,
      packetCount: 5,
      octetCount: 1000,
      reports: [
        {
          ssrc: 11,
          fractionLost: 64,
          cumulativeLost: -2,
          highestSequenceNumber: 0x10203,
          jitter: 9,
          lastSenderReport: 0x11223344,
          delaySinceLastSenderReport: 65536,
        },
      ],
    },
  ],
  ['RR', '80 c9 0001 0000000a', { type: 'rr', ssrc: 10, reports: [] }],
  ['SDES that fills its word', '81 ca 0003 0000000a 01 04 61626364 0000', sourceDescription(10, 'abcd')],
  ['SDES with a word of zeros', '81 ca 0004 0000000a 01 06 616263646566 00000000', sourceDescription(10, 'abcdef')],
  [
    'SDES of two chunks',
    '82 ca 0005 0000000a 01 01 61 00 0000000b 02 01 62 01 00 000000',
    {
      type: 'sdes',
      chunks: [
        { ssrc: 10, items: [{ type: 1, text: 'a' }] },
        {
          ssrc: 11,
          items: [
            { type: 2, text: 'b' },
            { type: 1, text: '' },
          ],
        },
      ],
    },
  ],
  ['BYE', '81 cb 0001 0000000a', { type: 'bye', ssrcs: [10] }],
  ['BYE with a reason', '81 cb 0003 0000000a 04 676f6e65 000000', { type: 'bye', ssrcs: [10], reason: 'gone' }],
  [
    'generic NACK',
    '81 cd 0004 00000001 00000002 1234 8001 fffe 0000',
    {
      type: 'nack',
      senderSsrc: 1,
      mediaSsrc: 2,
      pairs: [
        { packetId: 0x1234, bitmask: 0x8001 },
        { packetId: 0xfffe, bitmask: 0 },
      ],
    },
  ],
  ['PLI', '81 ce 0002 00000001 00000002', { type: 'pli', senderSsrc: 1, mediaSsrc: 2 }],
  [
    'FIR',
    '84 ce 0004 00000001 00000000 00000002 2a000000',
    { type: 'fir', senderSsrc: 1, mediaSsrc: 0, entries: [{ ssrc: 2, sequenceNumber: 42 }] },
  ],
  [
    'REMB',
    '8f ce 0005 00000001 00000000 52454d42 01 1a20df 4874ed16',
    { type: 'remb', senderSsrc: 1, mediaSsrc: 0, bitrate: 8_927_168, ssrcs: [0x4874ed16] },
  ],
  [
    'XR with a reference time',
    '80 cf 0004 0000000a 04000002 e0000000 80000000',
    { type: 'xr', ssrc: 10, referenceTime: { seconds: 0xe0000000, fraction: 0x80000000 }, delays: [] },
  ],
  [
    'XR with a delay',
    '80 cf 0005 0000000a 05000003 0000000b 11223344 00010000',
    {
      type: 'xr',
      ssrc: 10,
      delays: [{ ssrc: 11, lastReferenceTime: 0x11223344, delaySinceReferenceTime: 65536 }],
    },
  ],
  [
    'APP, unknown here',
    '80 cc 0002 0000000a 61626364',
    { type: 'unknown', payloadType: 204, count: 0, body: hex('0000000a 61626364') },
  ],
  [
    'feedback of another format',
    '83 ce 0003 00000001 00000002 12345678',
    { type: 'unknown', payloadType: 206, count: 3, body: hex('00000001 00000002 12345678') },
  ],
];

describe('vectors', () => {
  it.each(vectors)('%s is read and written back to the same bytes', (_, bytes, packet) => {
    expect(parse(hex(bytes))).toEqual([packet]);
    expect(write([packet]).toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  it('reads all of them as one compound', () => {
    const compound = hex(vectors.map(([, bytes]) => bytes).join(''));
    expect(parse(compound)).toEqual(vectors.map(([, , packet]) => packet));
    expect(write(parse(compound)).equals(compound)).toBe(true);
  });

  it('finds a CNAME', () => {
    expect(cnameOf(sourceDescription(10, 'abc'), 10)).toBe('abc');
    expect(cnameOf(sourceDescription(10, 'abc'), 11)).toBeUndefined();
  });
});

describe('parse', () => {
  const pli = '81ce00020000000100000002';

  it.each([
    ['another version', '41 ce 0002 00000001 00000003'],
    ['a length past the end', '81 ce ffff 00000001 00000003'],
    ['half a header', '81 ce'],
    ['an SR without its blocks', '81 c8 0006 0000000a e0000000 80000000 00000064 00000005 000003e8'],
    ['an SR without sender information', '80 c8 0001 0000000a'],
    ['an RR without its blocks', '81 c9 0001 0000000a'],
    ['an SDES item past the end', '81 ca 0002 0000000a 01ff6162'],
    ['an SDES without its chunks', '82 ca 0002 0000000a 00000000'],
    ['a BYE without its SSRCs', '82 cb 0001 0000000a'],
    ['a BYE reason past the end', '81 cb 0002 0000000a ff000000'],
    ['feedback without SSRCs', '81 ce 0001 00000001'],
    ['a NACK without pairs', '81 cd 0002 00000001 00000002'],
    ['a FIR of half an entry', '84 ce 0003 00000001 00000000 00000002'],
    ['a REMB without its SSRCs', '8f ce 0004 00000001 00000000 52454d42 011a20df'],
    ['an XR without SSRC', '80 cf 0000'],
    ['an XR block past the end', '80 cf 0002 0000000a 04000002'],
    ['padding 0', 'a1 ce 0003 00000001 00000002 00000000'],
    ['padding larger than the packet', 'a1 ce 0003 00000001 00000002 0000000d'],
    ['padding of an empty packet', 'a0 cf 0000'],
  ])('ends at %s and keeps what came before', (_, broken) => {
    expect(parse(hex(pli + broken + pli))).toEqual(parse(hex(pli)));
  });

  it('leaves out XR blocks that tell nothing of the round trip', () => {
    const loss = '01000002 0000000b 00010002';
    expect(parse(hex(`80 cf 0007 0000000a ${loss} 04000002 e0000000 80000000`))).toEqual(
      parse(hex('80 cf 0004 0000000a 04000002 e0000000 80000000')),
    );
  });

  it('takes padding off', () => {
    expect(parse(hex('a1 ce 0003 00000001 00000002 00000004'))).toEqual(parse(hex(pli)));
  });

  it('gives nothing for nothing', () => {
    expect(parse(Buffer.alloc(0))).toEqual([]);
  });
});

describe('write', () => {
  const report = parse(hex(vectors[0]![1]))[0]! as Extract<Packet, { type: 'sr' }>;

  it('holds 31 report blocks, not 32', () => {
    const blocks = (count: number) => Array.from({ length: count }, () => report.reports[0]!);
    const written = write([{ ...report, reports: blocks(31) }]);
    expect(parse(written)).toEqual([{ ...report, reports: blocks(31) }]);
    expect(() => write([{ ...report, reports: blocks(32) }])).toThrow('at most 31 report blocks');
  });

  it('holds an SDES item of 255 bytes, not 256', () => {
    expect(parse(write([sourceDescription(1, 'x'.repeat(255))]))).toEqual([sourceDescription(1, 'x'.repeat(255))]);
    expect(() => write([sourceDescription(1, 'x'.repeat(256))])).toThrow('at most 255 bytes');
  });

  it('holds 255 SSRCs in a REMB, not 256', () => {
    const remb = (count: number): Packet => ({
      type: 'remb',
      senderSsrc: 1,
      mediaSsrc: 0,
      bitrate: 1000,
      ssrcs: Array.from({ length: count }, (_, i) => i),
    });
    expect(parse(write([remb(255)]))).toEqual([remb(255)]);
    expect(() => write([remb(256)])).toThrow('at most 255 SSRCs');
  });

  it.each([
    [262_143, 262_143],
    [262_144, 262_144],
    [262_145, 262_144],
    [1_000_001.5, 1_000_000],
    [-5, 0],
  ])('writes the REMB bitrate %d as %d', (bitrate, expected) => {
    const remb: Packet = { type: 'remb', senderSsrc: 1, mediaSsrc: 0, bitrate, ssrcs: [] };
    expect(parse(write([remb]))).toEqual([{ ...remb, bitrate: expected }]);
  });
});

describe('any packet', () => {
  const u8 = fc.nat(0xff);
  const u16 = fc.nat(0xffff);
  const u32 = fc.nat(0xffffffff);
  const text = fc.string({ maxLength: 60 });
  const reports = fc.array(
    fc.record({
      ssrc: u32,
      fractionLost: u8,
      cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
      highestSequenceNumber: u32,
      jitter: u32,
      lastSenderReport: u32,
      delaySinceLastSenderReport: u32,
    }),
    { maxLength: 31 },
  );
  const ssrcs = { senderSsrc: u32, mediaSsrc: u32 };
  const some = { minLength: 1, maxLength: 20 };
  const packet: fc.Arbitrary<Packet> = fc.oneof(
    fc.record({
      type: fc.constant('sr' as const),
      ssrc: u32,
      ntp: fc.record({ seconds: u32, fraction: u32 }),
      rtpTimestamp: u32,
      packetCount: u32,
      octetCount: u32,
      reports,
    }),
    fc.record({ type: fc.constant('rr' as const), ssrc: u32, reports }),
    fc.record({
      type: fc.constant('sdes' as const),
      chunks: fc.array(
        fc.record({
          ssrc: u32,
          items: fc.array(fc.record({ type: fc.integer({ min: 1, max: 255 }), text }), { maxLength: 5 }),
        }),
        { maxLength: 31 },
      ),
    }),
    fc.record(
      { type: fc.constant('bye' as const), ssrcs: fc.array(u32, { maxLength: 31 }), reason: text },
      { requiredKeys: ['type', 'ssrcs'] },
    ),
    fc.record({
      type: fc.constant('nack' as const),
      ...ssrcs,
      pairs: fc.array(fc.record({ packetId: u16, bitmask: u16 }), some),
    }),
    fc.record({ type: fc.constant('pli' as const), ...ssrcs }),
    fc.record({
      type: fc.constant('fir' as const),
      ...ssrcs,
      entries: fc.array(fc.record({ ssrc: u32, sequenceNumber: u8 }), some),
    }),
    fc.record({
      type: fc.constant('remb' as const),
      ...ssrcs,
      bitrate: fc.nat(0x3ffff),
      ssrcs: fc.array(u32, { maxLength: 20 }),
    }),
  );

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 5 }), (packets) => {
        const bytes = write(packets);
        expect(bytes.length % 4).toBe(0);
        expect(parse(bytes)).toEqual(packets);
      }),
    );
  });
});
