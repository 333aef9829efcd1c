import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShorthand, type Shorthand } from './shorthand.ts';

describe('shorthand', () => {
  it.each<[string, Shorthand]>([
    ['a=b', { a: 'b' }],
    ['a=', { a: '' }],
    ['a=b,c=d', { a: 'b', c: 'd' }],
    ['a=b, c = d', { a: 'b', c: 'd' }],
    ['a=b,c', { a: ['b', 'c'] }],
    ['a=b,c,d=e', { a: ['b', 'c'], d: 'e' }],
    ['a=b\\,c', { a: 'b,c' }],
    ['a=b=c', { a: 'b=c' }],
    ["a='b,c'", { a: 'b,c' }],
    ["a='it\\'s'", { a: "it's" }],
    ['a="say \\"b\\""', { a: 'say "b"' }],
    ['a=[b,c]', { a: ['b', 'c'] }],
    ['a=[]', { a: [] }],
    ['a=[ b , c ]', { a: ['b', 'c'] }],
    ['a={b=c,d=[e]},f=g', { a: { b: 'c', d: ['e'] }, f: 'g' }],
    ['a=[{b=c},{b=d}]', { a: [{ b: 'c' }, { b: 'd' }] }],
    ['__proto__=x', Object.fromEntries([['__proto__', 'x']])],
  ])('reads %s', (input, value) => {
    expect(parseShorthand(input)).toEqual(value);
  });

  it.each([
    ['a', "Expected: '=', received: 'EOF' for input:\na\n ^"],
    ['', "Expected: '=', received: 'EOF' for input:\n\n^"],
    ['a@=b', "Expected: '=', received: '@' for input:\na@=b\n ^"],
    ['a=b,', "Expected: '<second>', received: '<none>' for input:\na=b,\n    ^"],
    ['a={b=c', "Expected: ',', received: 'EOF' for input:\na={b=c\n      ^"],
    ["a='b", "Expected: '<singled quoted>', received: '<none>' for input:\na='b\n  ^"],
    ['a="b"\nc=d', `Expected: ',', received: 'c' for input:\na="b"\nc=d\n^`],
  ])('refuses %j and points at the place', (input, message) => {
    expect(() => parseShorthand(input)).toThrow(message);
  });

  it('refuses the same key twice', () => {
    expect(() => parseShorthand('a=1,a=2')).toThrow(
      'Second instance of key "a" encountered for input:\na=1,a=2\n    ^\nThis is often because there is a preceding "," instead of a space.',
    );
  });

  it('reads back whatever is written with quotes, lists and hashes', () => {
    fc.assert(
      fc.property(parameter, (value) => {
        expect(parseShorthand(writeMembers(value))).toEqual(value);
      }),
    );
  });

  it('never fails in another way than with its own error, and in little time', () => {
    const characters = fc.constantFrom(...'ab=,[]{}\'"\\ \n\t@é');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 200 }), (input) => {
        try {
          parseShorthand(input);
        } catch (error) {
          expect((error as Error).message).toMatch(/ for input:\n/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const key = fc.stringMatching(/^[A-Za-z0-9\-_.#/:]{1,12}$/);
const { value: anyValue } = fc.letrec<{ value: Shorthand }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, fc.string(), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
}));
const parameter = fc.dictionary(key, anyValue, { minKeys: 1 });

const writeMembers = (value: Record<string, Shorthand>): string =>
  Object.entries(value)
    .map(([name, member]) => `${name}=${write(member)}`)
    .join(',');

function write(value: Shorthand): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return Array.isArray(value) ? `[${value.map(write).join(',')}]` : `{${writeMembers(value)}}`;
}
