import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type AmfValue, ecmaArray, limits, numberOf, object, read0, read3, textOf, write0, write3 } from './index.ts';

vi.setConfig({ testTimeout: 30_000 });

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const values0 = (text: string) => read0(hex(text));
const values3 = (text: string) => read3(hex(text));
const one = (value: AmfValue) => ({ values: [value] });

/** Any value that both versions can write; dates are whole milliseconds, arrays without names are plain. */
const { value: anyValue } = fc.letrec<{ value: AmfValue; object: AmfValue }>((tie) => ({
  object: fc
    .record({
      kind: fc.constantFrom('object' as const, 'ecma-array' as const),
      className: fc.constantFrom('', 'Point'),
      members: fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), tie('value')), {
        minLength: 1,
        maxLength: 4,
      }),
    })
    .map(({ kind, className, members }) => ({
      kind,
      className: kind === 'object' ? className : '',
      members: new Map(members),
    })),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(undefined, null, true, false, 0, -0, 0x0fffffff, -0x10000000, 0x10000000),
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.string().map((text) => ({ kind: 'xml' as const, text })),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
}));

describe('values written are read back', () => {
  it('in AMF0', () => {
    fc.assert(
      fc.property(fc.array(anyValue), (values) => {
        expect(read0(write0(...values))).toEqual({ values });
      }),
    );
  });

  it('in AMF3', () => {
    fc.assert(
      fc.property(fc.array(anyValue), (values) => {
        expect(read3(write3(...values))).toEqual({ values });
      }),
    );
  });

  it.each([65_535, 65_536])('a text of %i bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(read0(write0(text))).toEqual(one(text));
    expect(write0(text)[0]).toBe(length > 65_535 ? 0x0c : 0x02);
  });
});

describe('AMF0', () => {
  it.each<[name: string, bytes: string, value: AmfValue]>([
    ['a number', '00 3ff8000000000000', 1.5],
    ['a boolean', '01 01', true],
    ['a string', '02 0003 616263', 'abc'],
    ['a long string', '0c 00000003 616263', 'abc'],
    ['null', '05', null],
    ['undefined', '06', undefined],
    ['unsupported', '0d', undefined],
    ['a date with its zone', '0b 4276d2c4a2a00000 ffc4', new Date(0x16d2c4a2a00)],
    ['XML', '0f 00000004 3c612f3e', { kind: 'xml', text: '<a/>' }],
    ['an object', '03 0001 61 05 000009', object({ a: null })],
    ['a typed object', '10 0001 50 0001 61 05 000009', { ...object({ a: null }), className: 'P' }],
    ['an ECMA array whose count is wrong', '08 00000000 0001 61 05 000009', ecmaArray({ a: null })],
    ['an ECMA array that ends with the message', '08 00000001 0001 61 05', ecmaArray({ a: null })],
    ['a strict array', '0a 00000002 05 0101', [null, true]],
    ['an AMF3 value', '11 04 7f', 127],
    ['an empty name that is not the end', '03 0000 05 000009', object({ '': null })],
  ])('reads %s', (_, bytes, value) => {
    expect(values0(bytes)).toEqual(one(value));
  });

  it('gives what is referred to again', () => {
    const inner = object({ a: null });
    expect(values0('03 0001 78 03 0001 61 05 000009 0001 79 07 0001 000009')).toEqual(
      one(object({ x: inner, y: inner })),
    );
  });

  it.each([
    ['a marker that is reserved', '04', 'AMF0 marker 4'],
    ['a marker that is not known', 'ff', 'AMF0 marker 255'],
    ['a number that ends early', '00 3ff8', 'ends too early'],
    ['an object without end', '03 0001 61 05', 'ends too early'],
    ['a long string of 4 GiB', '0c ffffffff', 'ends too early'],
    ['an array of 4 billion', '0a ffffffff', 'ends too early'],
    ['a reference to nothing', '07 0000', 'reference 0 to nothing'],
    ['a circle', '03 0001 61 07 0000 000009', 'reference 0 to an object around it'],
  ])('refuses %s', (_, bytes, error) => {
    expect(values0(bytes)).toEqual({ error });
  });
});

describe('AMF3', () => {
  it.each<[name: string, bytes: string, value: AmfValue]>([
    ['an integer of four bytes', '04 bfffffff', 0x0fffffff],
    ['a negative integer', '04 ffffffff', -1],
    ['a double', '05 3ff8000000000000', 1.5],
    ['a string and a reference to it', '09 05 01 06 07 616263 06 00', ['abc', 'abc']],
    ['an array with names and without', '09 03 03 61 01 01 03', ecmaArray({ a: null, 0: true })],
    ['an object of a class', '0a 13 03 50 03 61 01', { ...object({ a: null }), className: 'P' }],
    ['a dynamic object', '0a 0b 01 03 61 01 01', object({ a: null })],
    ['objects that share traits', '09 05 01 0a 13 01 03 61 01 0a 01 03', [object({ a: null }), object({ a: true })]],
    ['an object again', '09 05 01 0a 0b 01 01 0a 02', [object({}), object({})]],
    ['bytes', '0c 05 0102', Buffer.of(1, 2)],
    ['a vector of int', '0d 05 00 ffffffff 00000001', [-1, 1]],
    ['a vector of uint', '0e 03 00 ffffffff', [0xffffffff]],
    ['a vector of double', '0f 03 00 3ff8000000000000', [1.5]],
    ['a vector of objects', '10 03 00 01 01', [null]],
    ['a dictionary', '11 03 00 06 03 61 02', [['a', false]]],
    ['XML', '0b 09 3c612f3e', { kind: 'xml', text: '<a/>' }],
  ])('reads %s', (_, bytes, value) => {
    expect(values3(bytes)).toEqual(one(value));
  });

  it.each([
    ['a marker that is not known', '12', 'AMF3 marker 18'],
    ['an externalizable object', '0a 07 03 50', 'an object that only its class can read'],
    ['a string reference to nothing', '06 00', 'string reference 0 to nothing'],
    ['a traits reference to nothing', '0a 01', 'traits reference 0 to nothing'],
    ['an object reference to nothing', '0a 00', 'reference 0 to nothing'],
    ['a circle', '09 03 01 09 00', 'reference 0 to an object around it'],
    ['a vector of 2^28', '0f ffffffff 00', 'ends too early'],
  ])('refuses %s', (_, bytes, error) => {
    expect(values3(bytes)).toEqual({ error });
  });
});

describe('limits', () => {
  const nested = (depth: number) => {
    let value: AmfValue = null;
    for (let i = 0; i < depth; i++) value = object({ a: value });
    return value;
  };

  it('of depth: 32, and 10,000 is no worse than 33', () => {
    const error = 'nested deeper than 32';
    const opened = Buffer.concat(Array.from({ length: 10_000 }, () => hex('03 0001 61')));
    expect(read0(opened)).toEqual({ error });
    for (const [write, read] of [[write0, read0] as const, [write3, read3] as const]) {
      expect(read(write(nested(limits.depth)))).toEqual(one(nested(32)));
      expect(read(write(nested(33)))).toEqual({ error });
    }
  });

  it('of values: 10,000', () => {
    const error = 'more than 10000 values';
    const nulls = (count: number) => Array.from({ length: count }, () => null);
    for (const [write, read] of [[write0, read0] as const, [write3, read3] as const]) {
      expect(read(write(nulls(limits.values - 1)))).toHaveProperty('values.0.length', 9_999);
      expect(read(write(nulls(10_000)))).toEqual({ error });
    }
  });

  it('of values that references repeat', () => {
    // Each array holds the one before twice: 2^20 values in some 100 bytes.
    let bytes = hex('0a 00000001 05');
    for (let i = 0; i < 20; i++) {
      bytes = Buffer.concat([bytes, hex('0a 00000002 07'), Buffer.of(0, i), hex('07'), Buffer.of(0, i)]);
    }
    expect(read0(bytes)).toEqual({ error: 'more than 10000 values' });
  });

  it('of text that references repeat', () => {
    const long = write3('x'.repeat(64_000));
    const again = Buffer.concat(Array.from({ length: 11 }, () => hex('06 00')));
    expect(read3(Buffer.concat([long, again.subarray(0, 18)]))).toHaveProperty('values.length', 10);
    expect(read3(Buffer.concat([long, again]))).toEqual({ error: 'more than 10000 values' });
  });
});

it('finds members by name and type', () => {
  const value = object({ text: 'a', number: 1 });
  expect([textOf(value, 'text'), textOf(value, 'number'), textOf(null, 'text')]).toEqual(['a', undefined, undefined]);
  expect([numberOf(value, 'number'), numberOf(value, 'text'), numberOf([1], '0')]).toEqual([1, undefined, undefined]);
});

it('does not write a name that AMF0 cannot hold', () => {
  expect(() => write0(object({ ['x'.repeat(65_536)]: 1 }))).toThrow('an AMF0 name is longer than 65535 bytes');
});
