import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzTargets } from './fuzz.ts';
import { samples } from './sdp/samples.ts';

/** Inputs for each parser and kind; FUZZ_RUNS raises it for a long run. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 300);
const timeout = 10_000 + numRuns * 10;

const hex = (text: string) => Buffer.from(text, 'hex');

/** Valid inputs that mutations start from. */
const seeds: Record<string, Buffer[]> = {
  rtp: [
    hex('b260000100000002000000030000000a0000000bbede000210aa426c6f77000067428000000102'),
    hex('90e000010000000200000003100000020102aabbc802123400aabbcc'),
  ],
  rtcp: [
    hex('81c8000c0000000ae0000000800000000000006400000005000003e80000000b40fffffe00010203000000091122334400010000'),
    hex('81ca00040000000a01066162636465660000000081cb00030000000a04676f6e65000000'),
    hex('8fcd00060000000100000002000a000500000307d26004fffcff0100'),
    hex('8fce0005000000010000000052454d42011a20df4874ed1684ce00040000000100000000000000022a000000'),
    hex('81cd0004000000010000000212348001fffe000081ce00020000000100000002'),
  ],
  sdp: [samples.simulcastOffer, samples.publishOffer, samples.subscribeAnswer].map((text) => Buffer.from(text)),
  sdpFragment: [Buffer.from(samples.fragment)],
  candidate: [Buffer.from('842163049 1 udp 1677729535 203.0.113.7 49203 typ srflx raddr 0.0.0.0 rport 0 generation 0')],
  h264: [hex('7800026742000268ce'), hex('7c8588')],
  vp8: [hex('90f09234076b00')],
};

/** A few bytes of a seed overwritten, cut out or doubled. */
function mutated(seed: Buffer): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    kind: fc.constantFrom('set', 'cut', 'double'),
    at: fc.nat(seed.length - 1),
    length: fc.integer({ min: 1, max: 40 }),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('\r\n:;=/ 09'))),
  });
  return fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => {
    let bytes = Buffer.from(seed);
    for (const { kind, at, length, byte } of edits) {
      if (kind === 'set' && at < bytes.length) bytes[at] = byte;
      if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      if (kind === 'double') bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    }
    return bytes;
  });
}

describe.each(Object.entries(fuzzTargets))('%s', (name, target) => {
  it('stands random bytes', { timeout }, () => {
    const size = { maxLength: 2000 };
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array(size)), (bytes) => target(bytes)),
      { numRuns },
    );
  });

  it('stands mutations of valid input', { timeout }, () => {
    const start = seeds[name]!;
    for (const seed of start) target(seed);
    fc.assert(
      fc.property(fc.oneof(...start.map(mutated)), (bytes) => target(bytes)),
      { numRuns },
    );
  });
});

it('has seeds for every target', () => {
  expect(Object.keys(seeds)).toEqual(Object.keys(fuzzTargets));
});
