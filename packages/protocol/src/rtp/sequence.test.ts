import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceUnwrapper, sequenceDelta } from './sequence.ts';

describe('sequenceDelta', () => {
  it.each([
    [1, 0, 1],
    [0, 0xffff, 1],
    [0xffff, 0, -1],
    [0x7fff, 0, 0x7fff],
    [0x8000, 0, -0x8000],
  ])('of %i and %i is %i', (a, b, expected) => {
    expect(sequenceDelta(a, b)).toBe(expected);
  });
});

describe('SequenceUnwrapper', () => {
  it('starts at the first number and passes the wrap', () => {
    const unwrapper = new SequenceUnwrapper();
    expect([65534, 65535, 0, 1].map((n) => unwrapper.unwrap(n))).toEqual([65534, 65535, 65536, 65537]);
  });

  it('gives late packets their own number, without being pulled back', () => {
    const unwrapper = new SequenceUnwrapper();
    expect([65535, 3, 65534, 40000, 4].map((n) => unwrapper.unwrap(n))).toEqual([65535, 65539, 65534, 40000, 65540]);
  });

  it('gives a negative number before a start at 0', () => {
    const unwrapper = new SequenceUnwrapper();
    expect([0, 65535].map((n) => unwrapper.unwrap(n))).toEqual([0, -1]);
  });

  it('restores any series whose steps stay below half the number space', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.array(fc.integer({ min: 1, max: 0x7fff })), (first, steps) => {
        const unwrapper = new SequenceUnwrapper();
        let extended = first;
        expect(unwrapper.unwrap(first)).toBe(first);
        for (const step of steps) {
          extended += step;
          expect(unwrapper.unwrap(extended & 0xffff)).toBe(extended);
        }
      }),
    );
  });
});
