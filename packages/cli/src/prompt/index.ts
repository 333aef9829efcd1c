// `--cli-auto-prompt`: a line to edit on the terminal, with a menu of what can come next.

import { emitKeypressEvents } from 'node:readline';
import { candidatesFor } from '../completion/candidates.ts';
import { askServer } from '../completion/known-values.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { Surroundings } from '../surroundings.ts';
import { type Editor, type Key, openEditor, press, wordsBeforeCursor, wordsOf } from './editor.ts';
import { drawPrompt } from './screen.ts';

/** Lets the user complete a line; returns its words. Throws when there is no terminal, and when the user leaves. */
export async function promptForLine(argv: readonly string[], around: Surroundings): Promise<string[]> {
  if (!around.terminal.stdin || !around.terminal.stderr) {
    around.stderr('Warning: Input is not a terminal (fd=0).\n');
    throw new CliError(exitCodes.other, '');
  }
  const given = argv.filter((word) => word !== '--cli-auto-prompt');
  const words = await new Prompt(openEditor(given), around).ask();
  return words.filter((word, at) => at > 0 || (word !== 'footlights' && word !== 'aws'));
}

/** Ctrl-C: as the AWS CLI's prompt leaves. */
const left = (): CliError => new CliError(exitCodes.interrupted, '');

const terminal = process.stderr;

class Prompt {
  readonly #around: Surroundings;
  #editor: Editor;
  #asked = 0;
  /** The row of the cursor within what is drawn. */
  #row = 0;

  constructor(editor: Editor, around: Surroundings) {
    this.#editor = editor;
    this.#around = around;
  }

  async ask(): Promise<string[]> {
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true).resume();
    const redraw = (): void => this.#draw();
    terminal.on('resize', redraw);
    try {
      return await new Promise<string[]>((resolve, reject) => {
        process.stdin.on('keypress', (_, key: Key) => this.#press(key, resolve, reject));
        this.#refresh();
      });
    } finally {
      terminal.off('resize', redraw);
      process.stdin.removeAllListeners('keypress').setRawMode(false).pause();
      this.#close();
    }
  }

  #press(key: Key, resolve: (words: string[]) => void, reject: (error: Error) => void): void {
    const { text, cursor } = this.#editor;
    const { editor, outcome } = press(this.#editor, key);
    this.#editor = editor;
    if (outcome === 'run') resolve(wordsOf(editor));
    else if (outcome === 'cancel') reject(left());
    else if (editor.text !== text || editor.cursor !== cursor) this.#refresh();
    else this.#draw();
  }

  /** Draws at once, and again when the candidates are there; those of an older line are dropped. */
  #refresh(): void {
    this.#asked += 1;
    const turn = this.#asked;
    const words = wordsBeforeCursor(this.#editor);
    this.#draw();
    const known = askServer(words.slice(0, -1), this.#around);
    candidatesFor(words, known).then(
      (candidates) => {
        if (turn !== this.#asked) return;
        this.#editor = { ...this.#editor, candidates, selected: -1 };
        this.#draw();
      },
      () => undefined,
    );
  }

  #draw(): void {
    const { lines, rows, row, column } = drawPrompt(this.#editor, terminal.columns || this.#around.terminal.columns);
    terminal.write(`${this.#home()}${lines.join('\r\n')}${up(rows - 1 - row)}\r${right(column)}`);
    this.#row = row;
  }

  /** To the first column of the prompt, everything from there on cleared. */
  #home(): string {
    return `${up(this.#row)}\r\u001b[J`;
  }

  /** Leaves the line on the screen, without its menu. */
  #close(): void {
    terminal.write(`${this.#home()}> footlights ${this.#editor.text}\r\n`);
  }
}

const up = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : '');
const right = (columns: number): string => (columns > 0 ? `\u001b[${columns}C` : '');
