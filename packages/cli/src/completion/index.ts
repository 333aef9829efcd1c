// `footlights __complete <shell> …`: what the completion scripts call at each Tab.

import { splitWords } from '../shell-words.ts';
import type { Surroundings } from '../surroundings.ts';
import { type Candidate, candidatesFor } from './candidates.ts';
import { askServer } from './known-values.ts';

/** Prints one candidate a line, in the form that the shell's script expects; never fails. */
export async function complete(argv: readonly string[], around: Surroundings): Promise<void> {
  const [shell = '', ...given] = argv;
  const words = shell === 'bash' ? wordsOfLine(given[0] ?? '') : given;
  const candidates = await candidatesFor(words, askServer(words.slice(0, -1), around)).catch(() => []);
  around.stdout(candidates.map((candidate) => `${format(shell, candidate, words.at(-1) ?? '')}\n`).join(''));
  process.exitCode = 0;
}

/** Bash gives the line up to the cursor: it would split ARNs at their colons. */
function wordsOfLine(line: string): string[] {
  const [, ...words] = splitWords(line);
  return /(^|[^\\])\s$/.test(line) || words.length === 0 ? [...words, ''] : words;
}

function format(shell: string, { word, note }: Candidate, typed: string): string {
  const short = note.replace(/\s+/g, ' ');
  // What stands before the last colon or equals sign is no part of the word that bash replaces.
  if (shell === 'bash') return word.slice(typed.search(/[^:=]*$/));
  return shell === 'fish' || shell === 'zsh' ? `${word}\t${short}` : word;
}
