import type { EmitPayload } from './emit.ts';

/**
 * Cuts a frame into payloads of about the same size, each behind a descriptor. `describe` writes the descriptor at the start of
 * `payload` and returns its length, which is at most `maxDescriptor`.
 */
export function emitFragments(
  frame: Buffer,
  maxPayload: number,
  maxDescriptor: number,
  describe: (payload: Buffer, first: boolean, last: boolean) => number,
  emit: EmitPayload,
): void {
  const count = Math.ceil(frame.length / (maxPayload - maxDescriptor));
  const size = Math.ceil(frame.length / count);
  const payload = Buffer.allocUnsafe(maxDescriptor + size);
  for (let at = 0; at < frame.length; at += size) {
    const end = Math.min(at + size, frame.length);
    const last = end === frame.length;
    const start = describe(payload, at === 0, last);
    frame.copy(payload, start, at, end);
    emit(payload.subarray(0, start + end - at), last);
  }
}
