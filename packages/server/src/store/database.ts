import type { SqliteDatabase, SqliteStatement } from 'kysely';
import Database from 'libsql';

const preparedStatements = 256;
const busyTimeoutMs = 5_000;

type LibsqlStatement = Database.Statement<unknown[]>;

/** A connection to an SQLite file as Kysely wants it, with prepared statements kept by their text. */
export class Connection implements SqliteDatabase {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, PreparedStatement>();

  /** Makes the file when it is not there. Each COMMIT is on the disk when it returns. */
  constructor(path: string) {
    this.#database = new Database(path, { timeout: busyTimeoutMs });
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'])
      this.#database.prepare(`PRAGMA ${pragma}`).all();
  }

  /** The least recently made statement makes room for a new one. */
  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = new PreparedStatement(this.#database.prepare(sql));
    for (const oldest of this.#statements.keys()) {
      if (this.#statements.size < preparedStatements) break;
      this.#statements.delete(oldest);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  /** What is in the write-ahead log goes into the file, so that the file alone is a copy of all. */
  close(): void {
    this.#statements.clear();
    this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    this.#database.close();
  }
}

class PreparedStatement implements SqliteStatement {
  readonly #statement: LibsqlStatement;
  readonly reader: boolean;

  constructor(statement: LibsqlStatement) {
    this.#statement = statement;
    this.reader = statement.reader;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(bindable(parameters));
  }

  run(parameters: readonly unknown[]): { changes: number; lastInsertRowid: number | bigint } {
    return this.#statement.run(bindable(parameters));
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(bindable(parameters));
  }
}

/** libsql aborts the process when a boolean is bound: better that this write fails. */
function bindable(parameters: readonly unknown[]): readonly unknown[] {
  if (parameters.some((value) => typeof value === 'boolean'))
    throw new TypeError('SQLite has no booleans: bind 0 or 1');
  return parameters;
}
