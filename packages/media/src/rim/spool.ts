import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A body on disk. */
export interface SpooledBody {
  read(): Promise<Uint8Array>;
  /** It is needed no more. */
  remove(): void;
}

/** Disk space that the recordings of a process share for what their sinks have not taken yet. */
export class Spool {
  readonly maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** What is taken of it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A folder in it, made when it is first needed. What an earlier process left there is removed. */
  folder(path: string): SpoolFolder {
    return new SpoolFolder(this, path);
  }

  /** False when there is no room. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** The files of one recording. */
export class SpoolFolder {
  readonly spool: Spool;
  readonly #path: string;

  constructor(spool: Spool, path: string) {
    this.spool = spool;
    this.#path = path;
    this.remove();
  }

  /** Undefined when there is no room; rejects when the disk does not take it. */
  async write(body: Uint8Array): Promise<SpooledBody | undefined> {
    const { spool } = this;
    if (!spool.take(body.length)) return undefined;
    const path = join(this.#path, randomUUID());
    const remove = async () => {
      await rm(path, { force: true }).catch(() => {});
      spool.give(body.length);
    };
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      await writeFile(path, body, { mode: 0o600 });
    } catch (error) {
      await remove();
      throw error;
    }
    return { read: () => readFile(path), remove: () => void remove() };
  }

  /** All that is in it. */
  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}
