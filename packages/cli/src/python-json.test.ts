import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Float } from './python.ts';
import { parsePythonJson } from './python-json.ts';

describe('JSON as Python reads it', () => {
  // What Python 3.11's json.loads says of each.
  it.each([
    ['', 'Expecting value: line 1 column 1 (char 0)'],
    ['{', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['{"é":\n "日", 1}', 'Expecting property name enclosed in double quotes: line 2 column 7 (char 12)'],
    ['{"a"', "Expecting ':' delimiter: line 1 column 5 (char 4)"],
    ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
    ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
    ['"a\nb"', 'Invalid control character at: line 1 column 3 (char 2)'],
    ['"a\\x"', 'Invalid \\escape: line 1 column 3 (char 2)'],
    ['"a\\u12"', 'Invalid \\uXXXX escape: line 1 column 4 (char 3)'],
    ['1 2', 'Extra data: line 1 column 3 (char 2)'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePythonJson(text)).toThrow(message);
  });

  it('tells whole numbers from fractional ones', () => {
    expect(parsePythonJson('[1, 1.0, 1e2]')).toEqual([1, new Float(1), new Float(100)]);
  });

  it('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parsePythonJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('agrees with JSON.parse on what is JSON at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0019.eE+-tnf a'), maxLength: 12 }), (text) => {
        const accepts = (parse: (text: string) => unknown): boolean => {
          try {
            parse(text);
            return true;
          } catch {
            return false;
          }
        };
        expect(accepts(parsePythonJson)).toBe(accepts(JSON.parse));
      }),
      { numRuns: 2000 },
    );
  });
});
