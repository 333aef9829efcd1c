import { AmfError, Cursor } from './cursor.ts';
import { Reader0 } from './read0.ts';
import { Reader3 } from './read3.ts';
import type { AmfValue } from './value.ts';

export * from './value.ts';
export { write0, write3 } from './write.ts';

/** All values of a message, or why its bytes are no AMF. */
export type AmfResult = { values: AmfValue[] } | { error: string };

/** Reads AMF0 values to the end of `bytes` (AMF 0 specification 2); values behind marker 0x11 are AMF3. */
export function read0(bytes: Buffer): AmfResult {
  const cursor = new Cursor(bytes);
  return readAll(cursor, new Reader0(cursor));
}

/** Reads AMF3 values to the end of `bytes` (AMF 3 specification 3). */
export function read3(bytes: Buffer): AmfResult {
  const cursor = new Cursor(bytes);
  return readAll(cursor, new Reader3(cursor));
}

function readAll(cursor: Cursor, reader: Reader0 | Reader3): AmfResult {
  const values: AmfValue[] = [];
  try {
    while (!cursor.done) values.push(reader.value());
  } catch (error) {
    if (error instanceof AmfError) return { error: error.message };
    throw error;
  }
  return { values };
}
