import Database from 'libsql';
import { StoreError } from './types.ts';

/**
 * Keeps a second process away from the store while this one has it. The lock is SQLite's on a file beside the database, so that it goes
 * with the process, however that ends. Returns what gives it back.
 */
export function lockStore(path: string): () => void {
  const database = new Database(`${path}.lock`, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') {
      throw new StoreError(`${path} is in use by another server: stop that one, or give another --data-dir`);
    }
    throw error;
  }
  return () => database.close();
}
