import { Kysely, Migrator, SqliteAdapter, SqliteDialect, sql } from 'kysely';
import { messageOf } from '../startup-error.ts';
import { Connection } from './database.ts';
import { lockStore } from './lock.ts';
import { migrations } from './migrations.ts';
import type { Schema } from './schema.ts';
import { SqlStore } from './sql-store.ts';
import { type Store, StoreError } from './types.ts';
import { Writer } from './writer.ts';

/** Opens the SQLite database at `path`, makes it when it is not there, and brings its schema up to date. */
export async function openStore(path: string): Promise<Store> {
  const opened: Kysely<Schema>[] = [];
  let unlock = () => {};
  const closeAll = async () => {
    for (const database of opened) await database.destroy();
    unlock();
  };
  try {
    unlock = lockStore(path);
    const writing = open(path);
    opened.push(writing);
    await refuseNewerSchema(writing, path);
    await migrate(writing);
    const reading = open(path);
    opened.push(reading);
    return new SqlStore(reading, new Writer(writing), closeAll);
  } catch (error) {
    await closeAll();
    throw error instanceof StoreError ? error : new StoreError(explain(error, path));
  }
}

function open(path: string): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new AtomicDdlDialect({ database: new Connection(path) }) });
}

/** SQLite does have transactional DDL: a migration happens whole or not at all. */
class AtomicDdlDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new AtomicDdlAdapter();
  }
}

class AtomicDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

const provider = { getMigrations: () => Promise.resolve(migrations) };

async function migrate(database: Kysely<Schema>): Promise<void> {
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest();
  if (error) throw error;
}

async function refuseNewerSchema(database: Kysely<Schema>, path: string): Promise<void> {
  const table = await sql`select 1 from sqlite_master where name = 'kysely_migration'`.execute(database);
  if (table.rows.length === 0) return;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(database);
  const unknown = rows.find(({ name }) => !(name in migrations));
  if (!unknown) return;
  throw new StoreError(
    `the database ${path} was written by a newer Footlights (schema ${unknown.name}): run that version, or choose another --data-dir`,
  );
}

function explain(error: unknown, path: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/NOTADB|CORRUPT/.test(code))
    return `the database ${path} is damaged (${messageOf(error)}): restore it from a backup, or move it away to begin anew`;
  if (/BUSY|LOCKED/.test(code))
    return `the database ${path} is locked by another program: stop that one, or choose another --data-dir`;
  return `cannot open the database ${path} (${messageOf(error)}): check that its folder exists and may be written`;
}
