import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quoteWord, splitWords } from './shell-words.ts';

it.each([
  ['a b', ['a', 'b']],
  ['  a\tb\n', ['a', 'b']],
  [`a'b c'd "e \\" f" g\\ h`, ['ab cd', 'e " f', 'g h']],
  [`'' x`, ['', 'x']],
  ['', []],
])('splits %j', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

it('splits what it quotes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 })), (words) => {
      expect(splitWords(words.map(quoteWord).join(' '))).toEqual(words);
    }),
  );
});
