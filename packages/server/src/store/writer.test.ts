import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from './database.ts';
import { Writer } from './writer.ts';

interface Schema {
  items: { name: string };
}

const root = mkdtempSync(join(tmpdir(), 'footlights-writer-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('Writer', () => {
  let files = 0;
  let statements: string[];
  let writing: Kysely<Schema>;
  let reading: Kysely<Schema>;
  let writer: Writer<Schema>;

  beforeEach(async () => {
    const path = join(root, `${files++}.db`);
    statements = [];
    writing = new Kysely<Schema>({
      dialect: new SqliteDialect({ database: new Connection(path) }),
      log: ({ query }) => void statements.push(query.sql),
    });
    await sql`create table items (name text primary key)`.execute(writing);
    reading = new Kysely<Schema>({ dialect: new SqliteDialect({ database: new Connection(path) }) });
    writer = new Writer(writing);
  });
  afterEach(async () => {
    await writer.idle();
    await writing.destroy();
    await reading.destroy();
  });

  const insert = (name: string) =>
    writer.write(async (transaction) => {
      await transaction.insertInto('items').values({ name }).execute();
      return name;
    });
  const names = async () =>
    (await reading.selectFrom('items').select('name').orderBy('name').execute()).map((r) => r.name);
  const commits = () => statements.filter((text) => text === 'commit').length;

  it('commits what is asked for together in one transaction', async () => {
    expect(await Promise.all(['a', 'b', 'c'].map(insert))).toEqual(['a', 'b', 'c']);
    expect(commits()).toBe(1);
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('settles after the commit, and shows readers nothing before', async () => {
    let settled = false;
    const write = writer.write(async (transaction) => {
      await transaction.insertInto('items').values({ name: 'a' }).execute();
      expect(await names()).toEqual([]);
      expect(settled).toBe(false);
    });
    await write.then(() => {
      settled = true;
    });
    expect(await names()).toEqual(['a']);
  });

  it('lets each write see those before it', async () => {
    await Promise.all([
      insert('a'),
      writer.write(async (transaction) => {
        expect(await transaction.selectFrom('items').selectAll().execute()).toEqual([{ name: 'a' }]);
      }),
    ]);
  });

  it('fails one write alone, with everything that it had done', async () => {
    const failing = writer.write(async (transaction) => {
      await transaction.insertInto('items').values({ name: 'undone' }).execute();
      throw new Error('no');
    });
    const results = await Promise.allSettled([insert('a'), failing, insert('a'), insert('b')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(await names()).toEqual(['a', 'b']);
    expect(commits()).toBe(1);
  });

  it('fails every write of a transaction that cannot be committed, and goes on', async () => {
    const breaking = writer.write((transaction) => sql`rollback`.execute(transaction));
    const results = await Promise.allSettled([insert('a'), breaking, insert('b')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await names()).toEqual([]);
    await insert('c');
    expect(await names()).toEqual(['c']);
  });

  it('takes writes while one commits, and is idle when all have settled', async () => {
    const first = insert('a');
    let later: Promise<string>[] = [];
    await writer.write(async () => {
      later = ['b', 'c'].map(insert);
    });
    await writer.idle();
    expect(await Promise.all([first, ...later])).toEqual(['a', 'b', 'c']);
    expect(commits()).toBe(2);
  });
});
