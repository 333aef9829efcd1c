// The prompt as lines for a terminal.

import { displayWidth } from '../output/width.ts';
import type { Editor } from './editor.ts';

/** Lines to draw, the rows that they take, and where the cursor stands among those. */
export interface Screen {
  lines: string[];
  rows: number;
  row: number;
  column: number;
}

const label = '> footlights ';
/** Candidates that are shown at once. */
const menuHeight = 8;

const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;
const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;
const inverse = (text: string): string => `\u001b[7m${text}\u001b[27m`;

/** Draws the line and its menu for a terminal of so many columns. */
export function drawPrompt(editor: Editor, columns: number): Screen {
  const before = displayWidth(label + editor.text.slice(0, editor.cursor));
  const used = displayWidth(label + editor.text);
  const below = [...menuLines(editor, columns), hint(editor, columns)];
  return {
    // The blank at the end lets a line that fills its row go on in the next, as the count of rows has it.
    lines: [`${bold(label)}${editor.text} `, ...below],
    rows: Math.floor(used / columns) + 1 + below.length,
    row: Math.floor(before / columns),
    column: before % columns,
  };
}

function menuLines({ candidates, selected }: Editor, columns: number): string[] {
  const first = Math.max(0, Math.min(selected - menuHeight + 1, candidates.length - menuHeight));
  const shown = candidates.slice(first, first + menuHeight);
  const width = Math.min(Math.max(0, ...shown.map(({ word }) => displayWidth(word))), Math.floor(columns * 0.7));
  return shown.map(({ word, note }, index) => {
    const name = cut(word, width).padEnd(width);
    const text = cut(note.replace(/\s+/g, ' '), columns - width - 6);
    return first + index === selected ? `  ${inverse(name)}  ${text}` : `  ${name}  ${dim(text)}`;
  });
}

function hint({ candidates, selected }: Editor, columns: number): string {
  const more = candidates.length > menuHeight ? `${candidates.length} choices; ` : '';
  const keys =
    selected >= 0 ? 'Enter takes it, Esc leaves the list' : 'Tab and arrows choose, Enter runs, Ctrl-C leaves';
  return dim(cut(more + keys, columns - 1));
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let short = '';
  for (const character of text) {
    if (displayWidth(short + character) >= width) break;
    short += character;
  }
  return `${short}…`;
}
