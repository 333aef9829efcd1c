import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { appendFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file of JSON lines that tells a later process how far an earlier one came. */
export class JournalFile<Entry extends object> {
  /** What an earlier process wrote, the oldest first. */
  readonly entries: Entry[];
  readonly #path: string;
  #written: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.entries = existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .flatMap(parse<Entry>)
      : [];
  }

  /** In the order of the calls. */
  add(entry: Entry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    const writing = this.#written.then(() => appendFile(this.#path, line, { mode: 0o600 }));
    this.#written = writing.catch(() => {});
    return writing;
  }

  /** When all is written. */
  async remove(): Promise<void> {
    await this.#written;
    await rm(this.#path, { force: true });
  }
}

/** A process that dies leaves half a line, which counts for nothing. */
function parse<Entry>(line: string): Entry[] {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? [entry as Entry] : [];
  } catch {
    return [];
  }
}
