import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, type TransportFeedback, transportArrivalTimes, write } from './index.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const header = '00000001 00000002';

/** Worked out by hand from draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1. */
const mixed: TransportFeedback = {
  type: 'transport-cc',
  senderSsrc: 1,
  mediaSsrc: 2,
  baseSequenceNumber: 10,
  statusCount: 5,
  referenceTime: 3,
  feedbackPacketCount: 7,
  arrivals: [
    { sequenceNumber: 10, delta: 4 },
    { sequenceNumber: 12, delta: -4 },
    { sequenceNumber: 13, delta: 255 },
    { sequenceNumber: 14, delta: 256 },
  ],
};
// Symbols 1 0 2 1 2 (then two unused): 11 01 00 10 01 10 00 00 = d260.
const mixedBytes = `8fcd0006 ${header} 000a 0005 000003 07 d260 04 fffc ff 0100`;

describe('vectors', () => {
  it('reads and writes a two-bit vector with small, large and negative deltas', () => {
    expect(parse(hex(mixedBytes))).toEqual([mixed]);
    expect(write([mixed]).equals(hex(mixedBytes))).toBe(true);
    expect(transportArrivalTimes(mixed)).toEqual([
      { sequenceNumber: 10, arrivalMs: 193 },
      { sequenceNumber: 12, arrivalMs: 192 },
      { sequenceNumber: 13, arrivalMs: 255.75 },
      { sequenceNumber: 14, arrivalMs: 319.75 },
    ]);
  });

  it('reads and writes a run, a one-bit vector, a negative reference time, the wrap and padding', () => {
    // 20 arrivals in a run (2014), then lost and arrived in turns 14 times: 10 01010101010101 = 9555.
    const bytes = `afcd000c ${header} fffa 0022 ffffff 00 2014 9555 ${'01'.repeat(27)} 01`;
    const [feedback] = parse(hex(bytes)) as [TransportFeedback];
    expect(feedback).toMatchObject({ baseSequenceNumber: 65530, statusCount: 34, referenceTime: -1 });
    expect(feedback.arrivals.map(({ sequenceNumber }) => sequenceNumber)).toEqual([
      ...Array.from({ length: 20 }, (_, i) => (65530 + i) & 0xffff),
      ...[15, 17, 19, 21, 23, 25, 27],
    ]);
    expect(write([feedback]).equals(hex(bytes))).toBe(true);
  });

  it('reads and writes 8192 losses: a run of 8191, then a two-bit vector', () => {
    const bytes = `afcd0006 ${header} 0000 2001 000000 00 1fff c400 05 000003`;
    const [feedback] = parse(hex(bytes)) as [TransportFeedback];
    expect(feedback).toMatchObject({ statusCount: 8193, arrivals: [{ sequenceNumber: 8192, delta: 5 }] });
    expect(write([feedback]).equals(hex(bytes))).toBe(true);
  });

  it.each([
    ['a large delta where a small one would do', `8fcd0005 ${header} 0000 0001 000000 00 e000 0005`],
    ['zeros behind the deltas that no padding flag announces', `8fcd0005 ${header} 0000 0001 000000 00 2001 0500`],
    ['a run that passes the status count', `8fcd0005 ${header} 0000 0001 000000 00 2009 0500`],
  ])('reads %s', (_, bytes) => {
    expect(parse(hex(bytes))).toMatchObject([{ statusCount: 1, arrivals: [{ sequenceNumber: 0, delta: 5 }] }]);
  });
});

it.each([
  ['no status chunk', '0000 0001 000000 00'],
  ['too few status chunks', '0000 0010 000000 00 c000'],
  ['a run of length 0', '0000 0001 000000 00 2000 0100'],
  ['the reserved symbol', '0000 0001 000000 00 6001 0100'],
  ['the reserved symbol in a vector', '0000 0001 000000 00 f000 0100'],
  ['no small delta', '0000 0001 000000 00 2001'],
  ['half a large delta', '0000 0002 000000 00 4002 0001 00'],
  ['more arrivals than bytes', '0000 ffff 000000 00 3fff 3fff 0101 0101'],
])('refuses %s', (_, information) => {
  const body = hex(header + information);
  const padding = 4 - (body.length % 4);
  const packet = Buffer.concat([hex('afcd0000'), body, Buffer.alloc(padding - 1), Buffer.from([padding])]);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  expect(parse(packet)).toEqual([]);
});

it('is read back as it was written, whatever arrived', () => {
  const delta = fc.oneof(fc.constant(undefined), fc.nat(255), fc.integer({ min: -0x8000, max: 0x7fff }));
  const run = fc.oneof(
    fc.tuple(delta, fc.integer({ min: 1, max: 40 })),
    fc.tuple(fc.constant(undefined), fc.integer({ min: 8180, max: 8200 })),
  );
  fc.assert(
    fc.property(fc.nat(0xffff), fc.array(run, { minLength: 1, maxLength: 6 }), (baseSequenceNumber, runs) => {
      const statuses = runs.flatMap(([value, length]) => Array.from({ length }, () => value));
      const feedback: TransportFeedback = {
        ...mixed,
        baseSequenceNumber,
        statusCount: statuses.length,
        arrivals: statuses.flatMap((value, i) =>
          value === undefined ? [] : [{ sequenceNumber: (baseSequenceNumber + i) & 0xffff, delta: value }],
        ),
      };
      expect(parse(write([feedback]))).toEqual([feedback]);
    }),
    { numRuns: 50 },
  );
});
