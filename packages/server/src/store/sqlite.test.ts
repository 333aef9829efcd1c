import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { Connection } from './database.ts';
import { openStore, StoreError } from './index.ts';
import { stage, storeSuite } from './suite.ts';

const root = mkdtempSync(join(tmpdir(), 'footlights-store-'));
afterAll(() => rmSync(root, { recursive: true }));

let files = 0;
const newPath = () => join(root, `${files++}.db`);

storeSuite('SQLite', () => {
  const path = newPath();
  return { open: () => openStore(path), remove: async () => {} };
});

async function refusal(path: string): Promise<string> {
  const error = await openStore(path).then(
    () => new Error('was opened'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  return (error as StoreError).message;
}

describe('openStore', () => {
  it('keeps a second one away until the first is closed, and leaves all in the one file then', async () => {
    const path = newPath();
    const first = await openStore(path);
    await first.createStage(stage());
    expect(await refusal(path)).toMatch(/is in use by another server: .*--data-dir/);
    await first.close();
    const copy = newPath();
    copyFileSync(path, copy);
    const second = await openStore(copy);
    expect((await second.counts()).stages).toBe(1);
    await second.close();
  });

  it('says in one line why it cannot open a database', async () => {
    expect(await refusal(join(root, 'absent', 'a.db'))).toMatch(
      /^cannot open the database \S+ \(.+\): check that its folder/,
    );
    const folder = newPath();
    mkdirSync(folder);
    expect(await refusal(folder)).toMatch(/^cannot open the database /);
    const text = newPath();
    writeFileSync(text, 'no database'.repeat(1000));
    expect(await refusal(text)).toMatch(
      /^the database \S+ is damaged \(file is not a database\): restore it from a backup/,
    );
  });

  it('leaves the database of a newer version alone', async () => {
    const path = newPath();
    await (await openStore(path)).close();
    const database = new Database(path);
    database.prepare('insert into kysely_migration values (?, ?)').run('9999-future', 'then');
    database.close();
    expect(await refusal(path)).toMatch(
      /^the database \S+ was written by a newer Footlights \(schema 9999-future\): run that/,
    );
  });

  it('makes each migration whole or not at all', async () => {
    const path = newPath();
    const database = new Database(path);
    // In the way of the second migration: the first must not stay behind alone.
    database.exec('create table sessions (a)');
    database.close();
    expect(await refusal(path)).toMatch(/^cannot open the database .*already exists/);
    const after = new Database(path);
    expect(after.prepare("select name from sqlite_master where name = 'stages'").all()).toEqual([]);
    after.close();
  });

  it('writes so that a commit is on the disk, with many writes to a commit', async () => {
    const path = newPath();
    const store = await openStore(path);
    const started = performance.now();
    await Promise.all(Array.from({ length: 500 }, () => store.createStage(stage())));
    expect(performance.now() - started).toBeLessThan(5_000);
    await store.close();
    const connection = new Connection(path);
    const pragma = (name: string) => Object.values(connection.prepare(`PRAGMA ${name}`).all([])[0] as object)[0];
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1]);
    connection.close();
  });
});

describe('Connection', () => {
  it('fails a write that binds a boolean, and goes on', () => {
    const connection = new Connection(newPath());
    expect(() => connection.prepare('select ?').all([true])).toThrow(TypeError);
    expect(connection.prepare('select ? as one').all([1])).toEqual([{ one: 1 }]);
    connection.close();
  });

  it('keeps prepared statements, up to its bound', () => {
    const connection = new Connection(newPath());
    const first = connection.prepare('select 0 as n');
    expect(connection.prepare('select 0 as n')).toBe(first);
    for (let n = 1; n <= 256; n++) connection.prepare(`select ${n} as n`);
    expect(connection.prepare('select 0 as n')).not.toBe(first);
    expect(connection.prepare('select 0 as n').all([])).toEqual([{ n: 0 }]);
    connection.close();
  });

  it('gives whole results at the sizes at which it fetches rows', () => {
    const connection = new Connection(newPath());
    const rows = (count: number) =>
      connection
        .prepare('with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) select i from n')
        .all([count]);
    for (const count of [1, 99, 100, 101, 200, 201]) expect(rows(count)).toHaveLength(count);
    connection.close();
  });
});
