import { describe, expect, it } from 'vitest';
import type { Candidate } from '../completion/candidates.ts';
import { type Editor, type Key, openEditor, press, wordsBeforeCursor, wordsOf } from './editor.ts';
import { drawPrompt } from './screen.ts';

const candidates = (...words: string[]): Candidate[] => words.map((word) => ({ word, note: `note of ${word}` }));

function type(editor: Editor, ...keys: (string | Key)[]): Editor {
  return keys
    .flatMap((key): Key[] => (typeof key === 'string' ? [...key].map((sequence) => ({ sequence })) : [key]))
    .reduce((current, key) => press(current, key).editor, editor);
}

const named = (name: string, more: Key = {}): Key => ({ name, ...more });
const control = (name: string): Key => ({ name, ctrl: true });

describe('the line', () => {
  it('begins with the words of the command line, quoted', () => {
    const editor = openEditor(['ivs-realtime', 'create-stage', '--name', 'two words']);
    expect(editor.text).toBe("ivs-realtime create-stage --name 'two words' ");
    expect(wordsOf(editor)).toEqual(['ivs-realtime', 'create-stage', '--name', 'two words']);
    expect(wordsBeforeCursor(editor).at(-1)).toBe('');
  });

  it('is edited at the cursor, character by character', () => {
    expect(type(openEditor([]), 'ab😀', named('left'), 'c').text).toBe('abc😀');
    expect(type(openEditor([]), 'ab😀', named('backspace')).text).toBe('ab');
    expect(type(openEditor([]), 'abc', named('home'), named('delete'), named('end'), 'd').text).toBe('bcd');
    expect(type(openEditor([]), 'one two', control('w')).text).toBe('one ');
    expect(type(openEditor([]), 'one two', control('a'), control('k')).text).toBe('');
    expect(type(openEditor([]), 'one two', control('u')).text).toBe('');
    expect(type(openEditor([]), { sequence: '\u001b[5~' }).text).toBe('');
  });
});

describe('the menu', () => {
  const open = (text: string, ...words: string[]): Editor => ({
    ...type(openEditor([]), text),
    candidates: candidates(...words),
  });

  it('takes the only candidate with Tab', () => {
    expect(type(open('ivs', 'ivs-realtime'), named('tab')).text).toBe('ivs-realtime ');
  });

  it('chooses with Tab and arrows, takes with Enter', () => {
    const editor = open('x --output t', 'text', 'table');
    expect(type(editor, named('tab'), named('tab'), named('return')).text).toBe('x --output table ');
    expect(type(editor, named('up'), named('return')).text).toBe('x --output table ');
    expect(type(editor, named('tab'), named('tab', { shift: true })).selected).toBe(-1);
    expect(type(editor, named('down'), named('escape')).selected).toBe(-1);
  });

  it('quotes what it takes', () => {
    expect(type(open('--user-id ', 'two words'), named('tab')).text).toBe("--user-id 'two words' ");
  });
});

describe('keys that end it', () => {
  it.each<[Key, string, string]>([
    [named('return'), 'x', 'run'],
    [control('c'), 'x', 'cancel'],
    [control('d'), '', 'cancel'],
    [control('d'), 'x', 'edit'],
  ])('%j at %j: %s', (key, text, outcome) => {
    expect(press(type(openEditor([]), text), key).outcome).toBe(outcome);
  });
});

describe('the screen', () => {
  it('shows the line, eight candidates at most, and a hint', () => {
    const many = candidates(...Array.from({ length: 12 }, (_, index) => `word-${index}`));
    const { lines, rows, row, column } = drawPrompt({ ...openEditor(['x']), candidates: many, selected: 10 }, 80);
    expect(lines).toHaveLength(10);
    expect(lines[8]).toContain('word-10');
    expect(lines[9]).toContain('12 choices');
    expect({ rows, row, column }).toEqual({ rows: 10, row: 0, column: '> footlights x '.length });
  });

  it('counts the rows of a line that wraps', () => {
    const editor = openEditor(['x'.repeat(30)]);
    expect(drawPrompt(editor, 20)).toMatchObject({ rows: 4, row: 2, column: 4 });
    expect(drawPrompt({ ...editor, cursor: 0 }, 20)).toMatchObject({ rows: 4, row: 0, column: 13 });
  });

  it('cuts what is too wide', () => {
    const wide = [{ word: '日'.repeat(40), note: 'n'.repeat(99) }];
    const line = drawPrompt({ ...openEditor([]), candidates: wide }, 40).lines[1] ?? '';
    expect(line).toContain('…');
  });
});
