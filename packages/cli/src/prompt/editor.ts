// The prompt's line and menu as a value: keys go in, the next state comes out. No terminal here.

import type { Candidate } from '../completion/candidates.ts';
import { quoteWord, splitWords } from '../shell-words.ts';

/** The line, where its cursor is, and the menu below it; nothing is selected at -1. */
export interface Editor {
  text: string;
  cursor: number;
  candidates: readonly Candidate[];
  selected: number;
}

/** A key as node:readline names it. */
export interface Key {
  name?: string | undefined;
  sequence?: string | undefined;
  ctrl?: boolean | undefined;
  meta?: boolean | undefined;
  shift?: boolean | undefined;
}

export type Outcome = 'edit' | 'run' | 'cancel';

/** An editor that holds the given words. */
export function openEditor(words: readonly string[]): Editor {
  const text = words.map((word) => `${quoteWord(word)} `).join('');
  return { text, cursor: text.length, candidates: [], selected: -1 };
}

/** The words before the cursor; the last one, which may be empty, is being typed. */
export function wordsBeforeCursor({ text, cursor }: Editor): string[] {
  const before = text.slice(0, cursor);
  const words = splitWords(before);
  return lastWord(before) === '' ? [...words, ''] : words;
}

/** The words of the whole line. */
export const wordsOf = ({ text }: Editor): string[] => splitWords(text);

/** The word that the text ends in, as it was typed; its quotes may still be open. */
function lastWord(text: string): string {
  const words = text.match(/(?:[^\s"'\\]|\\.?|"(?:[^"\\]|\\.)*"?|'[^']*'?)+/gs) ?? [];
  const last = words.at(-1) ?? '';
  return text.endsWith(last) ? last : '';
}

/** What a key does. */
export function press(editor: Editor, key: Key): { editor: Editor; outcome: Outcome } {
  const edited = (next: Editor): { editor: Editor; outcome: Outcome } => ({ editor: next, outcome: 'edit' });
  if (key.ctrl) return pressControl(editor, key);
  switch (key.name) {
    case 'return':
    case 'enter':
      return editor.selected < 0 ? { editor, outcome: 'run' } : edited(accept(editor, editor.selected));
    case 'tab':
      if (key.shift) return edited(select(editor, -1));
      return edited(editor.candidates.length === 1 ? accept(editor, 0) : select(editor, 1));
    case 'down':
      return edited(select(editor, 1));
    case 'up':
      return edited(select(editor, -1));
    case 'escape':
      return edited({ ...editor, selected: -1 });
    default:
      return edited(edit(editor, key));
  }
}

function pressControl(editor: Editor, { name }: Key): { editor: Editor; outcome: Outcome } {
  const { text, cursor } = editor;
  if (name === 'c' || (name === 'd' && text === '')) return { editor, outcome: 'cancel' };
  const moves: Record<string, Editor> = {
    a: { ...editor, cursor: 0 },
    e: { ...editor, cursor: text.length },
    k: replace(editor, cursor, text.length, ''),
    u: replace(editor, 0, cursor, ''),
    w: replace(editor, cursor - (/\S*\s*$/.exec(text.slice(0, cursor))?.[0].length ?? 0), cursor, ''),
  };
  return { editor: moves[name ?? ''] ?? editor, outcome: 'edit' };
}

function edit(editor: Editor, { name, sequence, meta }: Key): Editor {
  const { text, cursor } = editor;
  switch (name) {
    case 'left':
      return { ...editor, cursor: cursor - lengthBefore(text, cursor) };
    case 'right':
      return { ...editor, cursor: cursor + lengthAfter(text, cursor) };
    case 'home':
      return { ...editor, cursor: 0 };
    case 'end':
      return { ...editor, cursor: text.length };
    case 'backspace':
      return replace(editor, cursor - lengthBefore(text, cursor), cursor, '');
    case 'delete':
      return replace(editor, cursor, cursor + lengthAfter(text, cursor), '');
    default:
      return sequence && !meta && !/\p{Cc}/u.test(sequence) ? replace(editor, cursor, cursor, sequence) : editor;
  }
}

/** UTF-16 units of the character on either side of the cursor. */
const lengthBefore = (text: string, cursor: number): number => [...text.slice(0, cursor)].at(-1)?.length ?? 0;
const lengthAfter = (text: string, cursor: number): number => [...text.slice(cursor)][0]?.length ?? 0;

function replace(editor: Editor, from: number, to: number, text: string): Editor {
  const next = editor.text.slice(0, from) + text + editor.text.slice(to);
  return { ...editor, text: next, cursor: from + text.length, selected: -1 };
}

function select(editor: Editor, step: number): Editor {
  const places = editor.candidates.length + 1;
  return { ...editor, selected: ((editor.selected + 1 + step + places) % places) - 1 };
}

/** Puts a candidate in the place of the word at the cursor. */
function accept(editor: Editor, index: number): Editor {
  const candidate = editor.candidates[index];
  if (!candidate) return editor;
  const typed = lastWord(editor.text.slice(0, editor.cursor));
  return replace(editor, editor.cursor - typed.length, editor.cursor, `${quoteWord(candidate.word)} `);
}
