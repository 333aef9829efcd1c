import { describe, expect, it } from 'vitest';
import { Float, formatFloat, parseFloatingPoint, parseInteger, repr } from './python.ts';

describe('numbers', () => {
  it.each([
    [29.97, '29.97'],
    [1, '1.0'],
    [0, '0.0'],
    [-2.5, '-2.5'],
    [1e16, '1e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e15, '1000000000000000.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
  ])('floats print as Python prints them: %d', (value, text) => {
    expect(formatFloat(value)).toBe(text);
  });

  it.each([
    ['5', 5],
    [' -7 ', -7],
    ['1_000', 1000],
  ])('integers are read as Python reads them: %j', (text, value) => {
    expect(parseInteger(text)).toBe(value);
  });

  it.each(['', 'a', '1.5', '1__0', '_1', '0x10'])('%j is no integer', (text) => {
    expect(() => parseInteger(text)).toThrow(`invalid literal for int() with base 10: '${text}'`);
  });

  it('floats are read with or without a fraction', () => {
    expect(['30', ' 29.97 ', '.5', '5.', '1e3'].map(parseFloatingPoint)).toEqual([30, 29.97, 0.5, 5, 1000]);
    expect(() => parseFloatingPoint('nan')).toThrow("could not convert string to float: 'nan'");
  });
});

describe('repr', () => {
  it.each<[unknown, string]>([
    [null, 'None'],
    [{ a: [true, 1, 1.5] }, "{'a': [True, 1, 1.5]}"],
    ["it's", `"it's"`],
    [`it's "x"`, `'it\\'s "x"'`],
    ['a\nb\\', "'a\\nb\\\\'"],
    ['\u0001é', "'\\x01é'"],
    [new Float(2), '2.0'],
  ])('of %j', (value, text) => {
    expect(repr(value)).toBe(text);
  });
});
