import { expect, it } from 'vitest';
import { isKeyFrame } from './index.ts';

const ask = (hex: string) => {
  const payload = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return isKeyFrame(payload, 0, payload.length);
};

it.each([
  ['IDR slice', '65 88'],
  ['SPS', '67 42'],
  ['STAP-A of SPS and PPS', '78 0002 67 42 0002 68 ce'],
  ['STAP-A of SEI and IDR', '78 0002 06 05 0001 65'],
  ['FU-A start of an IDR', '7c 85 88'],
  ['FU-A start of an SPS', '7c 87 42'],
])('%s starts a key frame', (_, hex) => {
  expect(ask(hex)).toBe(true);
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
  expect(ask(hex)).toBe(false);
});

it('stays within offset and end', () => {
  const payload = Buffer.from('0065', 'hex');
  expect(isKeyFrame(payload, 1, 2)).toBe(true);
  expect(isKeyFrame(payload, 1, 1)).toBe(false);
  expect(isKeyFrame(payload, 1, 3)).toBe(false);
});
