import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, ParseError } from './index.ts';

const stages = [
  { name: 'bravo', size: 2, tags: { env: 'prod' }, tokens: ['a', 'b'] },
  { name: 'alpha', size: 10, tags: {}, tokens: [] },
  { name: 'éclair', tags: { env: 'dev' }, tokens: ['c'] },
];
const document = { stages, count: 3, ratio: 0.5, none: null, nested: { x: { v: 1 }, y: { v: 2 } } };

const search = (expression: string): unknown => {
  const result = compile(expression)(document);
  return JSON.parse(JSON.stringify(result ?? null));
};

describe('an expression', () => {
  it.each<[string, unknown]>([
    ['stages[0].name', 'bravo'],
    ['stages[-1].name', 'éclair'],
    ['stages[9]', null],
    ['stages[].tokens[]', ['a', 'b', 'c']],
    ['stages[*].tokens', [['a', 'b'], [], ['c']]],
    ['stages[::-1].name', ['éclair', 'alpha', 'bravo']],
    ['stages[1:].name', ['alpha', 'éclair']],
    ['stages[?size > `5`].name', ['alpha']],
    ['stages[?tags.env].name', ['bravo', 'éclair']],
    ['stages[?name == `alpha`].size | [0]', 10],
    ["stages[?contains(name, 'a') && !(tags.env)].name", ['alpha']],
    ['nested.*.v', [1, 2]],
    ['nested.{a: x.v, "b c": y.v}', { a: 1, 'b c': 2 }],
    ['[count, ratio, nope]', [3, 0.5, null]],
    ['sort_by(stages, &name)[].name', ['alpha', 'bravo', 'éclair']],
    ['max_by(stages[:2], &size).name', 'alpha'],
    ['length(stages[2].name)', 6],
    ['reverse(stages[2].name)', 'rialcé'],
    ["join('-', stages[].name)", 'bravo-alpha-éclair'],
    ['to_string(stages[2].name)', 'éclair'],
    ['to_string(stages[1])', '{"name":"alpha","size":10,"tags":{},"tokens":[]}'],
    ["to_number('1_0')", 10],
    ['not_null(none, nope, count)', 3],
    ['keys(stages[0])', ['name', 'size', 'tags', 'tokens']],
    ['merge(nested.x, `{"w": 1}`)', { v: 1, w: 1 }],
    ['avg(stages[:2].size)', 6],
    ['`{x`', '{x'],
    ['count == `3.0`', true],
    ['`1` == `true`', false],
    ['count < name', null],
  ])('%s', (expression, value) => {
    expect(search(expression)).toEqual(value);
  });

  // The words of jmespath.py.
  it.each([
    ['', 'Invalid JMESPath expression: cannot be empty.'],
    ['a.[', 'Invalid jmespath expression: Incomplete expression:\n"a.["\n    ^'],
    ["a.'b", "Bad jmespath expression: Unclosed ' delimiter:\na.'b\n  ^"],
    [
      'a b',
      'Unexpected token: b: Parse error at column 2, token "b" (UNQUOTED_IDENTIFIER), for expression:\n"a b"\n   ^',
    ],
    ['a = b', "Bad jmespath expression: Unknown token '=':\na = b\n  ^"],
    [
      'a.1',
      `Expecting: ['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], got: number: Parse error at column 2, token "1" (NUMBER), for expression:\n"a.1"\n   ^`,
    ],
    [
      '"f"(a)',
      'Quoted identifier not allowed for function names.: Parse error at column 0, token "(" (LPAREN), for expression:\n""f"(a)"\n ^',
    ],
  ])('that does not parse says where: %s', (expression, message) => {
    expect(() => compile(expression)).toThrow(new ParseError(message));
  });

  it.each([
    ['nope(count)', 'Unknown function: nope()'],
    ['length(a, b)', 'Expected 1 argument for function length(), received 2'],
    ['not_null()', 'Expected at least 1 argument for function not_null(), received 0'],
    [
      'length(count)',
      `In function length(), invalid type for value: 3, expected one of: ['string', 'array', 'object'], received: "number"`,
    ],
    [
      'sum(stages[].name)',
      `In function sum(), invalid type for value: bravo, expected one of: ['array-number'], received: "str"`,
    ],
    ['stages[::0]', 'slice step cannot be zero'],
  ])('that meets the wrong value says which: %s', (expression, message) => {
    expect(() => search(expression)).toThrow(message);
  });

  it('of any characters compiles or is refused with a place', () => {
    const characters = [...'ab.[]{}()*?:,@&|!<>=`\'"-01 é'];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...characters), maxLength: 16 }), (expression) => {
        try {
          compile(expression);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('may not nest without end', () => {
    expect(() => compile('['.repeat(499))).toThrow('Incomplete expression');
    expect(() => compile('['.repeat(500))).toThrow('nested 500 levels deep at most');
  });
});
