import { expect, it } from 'vitest';
import { MAX_INPUT, Mutator } from './mutate.ts';

const corpus = [Buffer.from('the first input'), Buffer.alloc(MAX_INPUT + 100, 7), Buffer.from('x')];

const take = (mutator: Mutator, count: number) =>
  Array.from({ length: count }, () => mutator.next().toString('latin1'));

it('gives the same inputs for the same seed, and others for another', () => {
  expect(take(new Mutator(corpus, 5), 200)).toEqual(take(new Mutator(corpus, 5), 200));
  expect(take(new Mutator(corpus, 5), 200)).not.toEqual(take(new Mutator(corpus, 6), 200));
});

it('stays within its longest input and varies it', () => {
  const inputs = take(new Mutator(corpus, 1), 5_000);
  const lengths = inputs.map(({ length }) => length);
  expect(Math.max(...lengths)).toBe(MAX_INPUT);
  expect(Math.min(...lengths)).toBe(0);
  expect(new Set(inputs).size).toBeGreaterThan(3_000);
});

it('leaves the corpus as it is', () => {
  const before = corpus.map((input) => Buffer.from(input));
  take(new Mutator(corpus, 3), 2_000);
  expect(corpus).toEqual(before);
});

it('gives random bytes without a corpus, and with empty inputs alone', () => {
  expect(new Set(take(new Mutator([], 1), 100)).size).toBeGreaterThan(50);
  expect(new Set(take(new Mutator([Buffer.alloc(0)], 1), 100)).size).toBeGreaterThan(20);
});
