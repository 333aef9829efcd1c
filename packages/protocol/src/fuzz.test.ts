import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fuzzTargets } from './fuzz.ts';
import { seeds } from './fuzz-seeds.ts';
import { Mutator } from './mutate.ts';

/** Mutated inputs for each parser; `npm run fuzz` is the long run. */
const RUNS = 5_000;

/** Inputs of a target that are kept as files: pieces of recordings, and what once broke it. */
function corpusOf(name: string): Buffer[] {
  const folder = new URL(`../fuzz-corpus/${name}/`, import.meta.url);
  return existsSync(folder) ? readdirSync(folder).map((file) => readFileSync(new URL(file, folder))) : [];
}

describe.each(Object.entries(fuzzTargets))('%s', (name, target) => {
  const corpus = [...seeds[name]!, ...corpusOf(name)];

  it('stands what is in its corpus', () => {
    for (const input of corpus) target(input);
  });

  it('stands mutations of it', { timeout: 60_000 }, () => {
    const mutator = new Mutator(corpus, Date.now());
    for (let run = 0; run < RUNS; run++) {
      const input = mutator.next();
      try {
        target(input);
      } catch (error) {
        throw new Error(`input ${input.toString('hex')}`, { cause: error });
      }
    }
  });
});

it('has seeds for every target', () => {
  expect(Object.keys(seeds)).toEqual(Object.keys(fuzzTargets));
});
