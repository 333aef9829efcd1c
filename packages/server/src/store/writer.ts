import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Kysely, sql, type Transaction } from 'kysely';

const writesPerCommit = 1_000;

interface Write<Schema> {
  run(transaction: Transaction<Schema>): Promise<() => void>;
  reject(error: unknown): void;
}

/**
 * The one writer of a database, with group commit: writes that were asked for in the same turn of the event loop, or while
 * a commit was under way, share a transaction and so its one flush to the disk. Each sees the writes before it, fails
 * alone, and settles only after the COMMIT.
 */
export class Writer<Schema> {
  readonly #database: Kysely<Schema>;
  #queue: Write<Schema>[] = [];
  #draining: Promise<void> | undefined;

  /** The connection behind `database` must be used for nothing else. */
  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  /** Runs `change` inside a transaction; what it writes stays only if it resolves. */
  write<T>(change: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = async (transaction: Transaction<Schema>) => {
        const value = await change(transaction);
        return () => resolve(value);
      };
      this.#queue.push({ run, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when every write asked for so far has settled. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await nextTurn();
      await this.#commit(this.#queue.splice(0, writesPerCommit));
    }
    this.#draining = undefined;
  }

  async #commit(batch: readonly Write<Schema>[]): Promise<void> {
    const settle: (() => void)[] = [];
    try {
      await this.#database.transaction().execute(async (transaction) => {
        for (const write of batch) settle.push(await attempt(transaction, write));
      });
    } catch (error) {
      for (const write of batch) write.reject(error);
      return;
    }
    for (const done of settle) done();
  }
}

/** Runs one write inside a savepoint; what comes back tells its caller, once the transaction is committed. */
async function attempt<Schema>(transaction: Transaction<Schema>, write: Write<Schema>): Promise<() => void> {
  await sql`savepoint one_write`.execute(transaction);
  try {
    const settle = await write.run(transaction);
    await sql`release one_write`.execute(transaction);
    return settle;
  } catch (error) {
    await sql`rollback to one_write`.execute(transaction);
    await sql`release one_write`.execute(transaction);
    return () => write.reject(error);
  }
}
