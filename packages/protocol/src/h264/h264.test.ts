import { expect, it } from 'vitest';
import { emptyFacts, inspect } from '../video/index.ts';

const inspected = (hex: string) => {
  const payload = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const facts = emptyFacts();
  inspect('H264', facts, payload, 0, payload.length);
  return facts;
};

it.each([
  ['IDR slice', '65 88'],
  ['SPS', '67 42'],
  ['STAP-A of SPS and PPS', '78 0002 67 42 0002 68 ce'],
  ['STAP-A of SEI and IDR', '78 0002 06 05 0001 65'],
  ['FU-A start of an IDR', '7c 85 88'],
  ['FU-A start of an SPS', '7c 87 42'],
])('%s starts a key frame', (_, hex) => {
  expect(inspected(hex).keyFrame).toBe(true);
});

it.each([
  ['a slice of a delta frame', '41 9a'],
  ['PPS', '68 ce'],
  ['SEI', '06 05'],
  ['AUD', '09 10'],
  ['FU-A start of a delta frame', '7c 81 9a'],
  ['FU-A middle of an IDR', '7c 05 88'],
  ['FU-A end of an IDR', '7c 45 88'],
  ['FU-A without header', '7c'],
  ['STAP-A of delta slices', '78 0002 41 9a'],
  ['empty STAP-A', '78'],
  ['STAP-A with a unit of size 0', '78 0000 0002 67 42'],
  ['STAP-A whose unit runs past the end', '78 0004 67 42'],
  ['nothing', ''],
])('%s does not', (_, hex) => {
  expect(inspected(hex).keyFrame).toBe(false);
});

it.each([
  ['nothing', ''],
  ['an empty STAP-A', '78'],
  ['a STAP-A whose first unit runs past the end', '78 0004 67 42'],
  ['an FU-A without header', '7c'],
])('%s is no payload', (_, hex) => {
  expect(inspected(hex).valid).toBe(false);
});

it.each([
  ['a slice with nal_ref_idc 0', '01 9e', true],
  ['a slice with another', '21 9e', false],
  ['the start, middle and end of an FU-A with 0', '1c 81 9e', true],
  ['the middle of one', '1c 01 9e', true],
  ['an FU-A with another', '3c 01 9e', false],
  ['a STAP-A of two such slices', '18 0002 01 9e 0002 01 9e', true],
  ['a STAP-A with one that is referred to', '38 0002 01 9e 0002 21 9e', false],
  ['a STAP-A of SEI and such a slice', '18 0002 06 05 0002 01 9e', true],
  ['SEI alone', '06 05', false],
])('%s: discardable is %s', (_, hex, discardable) => {
  expect(inspected(hex).discardable).toBe(discardable);
});

it.each([
  ['a B slice', '01 9e', true],
  ['a P slice', '41 9a', false],
  ['a B slice in a STAP-A', '18 0002 06 05 0002 01 9e', true],
  ['the start of a B slice', '1c 81 9e', true],
  ['the middle of one', '1c 01 9e', false],
])('%s: bFrame is %s', (_, hex, bFrame) => {
  expect(inspected(hex).bFrame).toBe(bFrame);
});

it('tells the size of an SPS alone, in a STAP-A, and at the start of an FU-A', () => {
  const sps = '42c01ed900a02ff970110000030001000003003c0f162e48';
  for (const payload of [`67${sps}`, `78 0019 67${sps} 0002 68ce`, `7c87${sps}`]) {
    expect(inspected(payload)).toMatchObject({ keyFrame: true, width: 640, height: 360 });
  }
});

it('stays within offset and end', () => {
  const payload = Buffer.from('0065', 'hex');
  const facts = emptyFacts();
  for (const [offset, end, keyFrame] of [
    [1, 2, true],
    [1, 1, false],
    [1, 3, false],
  ] as const) {
    inspect('H264', facts, payload, offset, end);
    expect(facts.keyFrame).toBe(keyFrame);
  }
});
