import { expect, it } from 'vitest';
import { parseFmtp, writeFmtp } from './index.ts';

it('reads parameters around empty ones, spaces and a missing value', () => {
  expect([...parseFmtp(';Stereo=1; minptime=10;;x-flag;a=b=c')]).toEqual([
    ['stereo', '1'],
    ['minptime', '10'],
    ['x-flag', ''],
    ['a', 'b=c'],
  ]);
  expect(parseFmtp('').size).toBe(0);
});

it('writes them', () => {
  expect(
    writeFmtp([
      ['apt', '96'],
      ['x-flag', ''],
    ]),
  ).toBe('apt=96;x-flag');
});
