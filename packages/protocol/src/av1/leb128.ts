/** Most bytes of a leb128 number (AV1 4.10.5). */
const MAX_LENGTH = 8;

/** Bytes that the leb128 number at `at` takes; 0 when it does not end before `end` or is too long. */
export function leb128Length(buffer: Buffer, at: number, end: number): number {
  for (let length = 1; length <= MAX_LENGTH && at + length <= end; length++) {
    if (buffer[at + length - 1]! < 0x80) return length;
  }
  return 0;
}

/** The leb128 number of `length` bytes at `at` (AV1 4.10.5): 7 bits a byte, the low ones first. */
export function leb128(buffer: Buffer, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 128 + (buffer[at + index]! & 0x7f);
  return value;
}

/** Writes `value`, below 2^31, at `at`; returns the offset behind it. */
export function writeLeb128(target: Buffer, value: number, at: number): number {
  let rest = value;
  let next = at;
  for (; rest >= 0x80; rest >>>= 7) target[next++] = 0x80 | rest;
  target[next++] = rest;
  return next;
}
