// A terminal of a given size, by tmux: keys go in, and the screen can be read.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';

/** How long the screen may take to show what is waited for, in milliseconds. */
const patience = 15_000;

export class Terminal {
  readonly #socket = `footlights-${randomUUID()}`;

  /** Opens a shell with a bare prompt and the given environment. */
  constructor(columns: number, rows: number, env: Record<string, string>) {
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      ...variables,
      'env',
      'PS1=$ ',
      'bash',
      '--norc',
      '--noprofile',
    );
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', '--', text);
  }

  /** Presses keys by tmux's names: Enter, Tab, C-c. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Clears the screen, at once, so that nothing is found on it that was there before, and runs a command line. */
  run(command: string): void {
    this.#tmux('send-keys', '-R');
    this.type(`clear; ${command}`);
    this.press('Enter');
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What the screen shows; with `colors` its escape sequences too. */
  screen({ colors = false } = {}): string {
    return this.#tmux('capture-pane', '-p', ...(colors ? ['-e'] : []));
  }

  /** Waits until the screen shows the text, and returns the screen. */
  async shows(text: string | RegExp): Promise<string> {
    const deadline = Date.now() + patience;
    for (;;) {
      const screen = this.screen();
      if (typeof text === 'string' ? screen.includes(text) : text.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`the screen does not show ${text}:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  close(): void {
    this.#tmux('kill-server');
  }
}
