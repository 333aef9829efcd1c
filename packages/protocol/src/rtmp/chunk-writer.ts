import { limits, MESSAGE, type Message } from './message.ts';

const EXTENDED = 0xffffff;

interface ChunkStream {
  type: number;
  length: number;
  streamId: number;
  timestamp: number;
  /** The step that the last header of types 0 to 2 said. */
  field: number;
}

/** Cuts messages into chunks (RTMP 1.0, 5.3), with the shortest header that says enough. */
export class ChunkWriter {
  private readonly streams = new Map<number, ChunkStream>();
  private chunkSize = 128;

  /** All chunks of a message on a chunk stream (2 to 65,599). A Set Chunk Size message counts for what is written after it. */
  write(id: number, message: Message): Buffer {
    const header = this.header(id, message);
    const again = this.continuation(id);
    const { body } = message;
    const count = Math.max(1, Math.ceil(body.length / this.chunkSize));
    const out = Buffer.allocUnsafe(header.length + body.length + (count - 1) * again.length);
    let at = header.copy(out, 0);
    for (let from = 0; from < body.length; from += this.chunkSize) {
      if (from > 0) at += again.copy(out, at);
      at += body.copy(out, at, from, from + this.chunkSize);
    }
    if (message.type === MESSAGE.setChunkSize) this.chunkSize = Math.min(body.readUInt32BE(0), limits.maxChunkSize);
    return out;
  }

  private header(id: number, message: Message): Buffer {
    const { type, streamId, timestamp, body } = message;
    const last = this.streams.get(id);
    const step = last === undefined ? -1 : (timestamp - last.timestamp) | 0;
    const format = headerType(last, message, step);
    const field = format === 0 ? timestamp : step;
    this.streams.set(id, { type, length: body.length, streamId, timestamp, field });
    const out = Buffer.alloc(18);
    let at = writeBasic(out, format, id);
    if (format < 3) at = out.writeUIntBE(Math.min(field, EXTENDED), at, 3);
    if (format < 2) {
      at = out.writeUIntBE(body.length, at, 3);
      at = out.writeUInt8(type, at);
    }
    if (format === 0) at = out.writeUInt32LE(streamId, at);
    if (field >= EXTENDED) at = out.writeUInt32BE(field, at);
    return out.subarray(0, at);
  }

  /** The header of a message's second and later chunks. */
  private continuation(id: number): Buffer {
    const { field } = this.streams.get(id)!;
    const out = Buffer.alloc(7);
    let at = writeBasic(out, 3, id);
    if (field >= EXTENDED) at = out.writeUInt32BE(field, at);
    return out.subarray(0, at);
  }
}

function headerType(last: ChunkStream | undefined, message: Message, step: number): 0 | 1 | 2 | 3 {
  if (last === undefined || last.streamId !== message.streamId || step < 0) return 0;
  if (last.type !== message.type || last.length !== message.body.length) return 1;
  return last.field === step ? 3 : 2;
}

/** `| format (2) | id (6) |`, ids above 63 in one or two more bytes (5.3.1.1); returns where it ends. */
function writeBasic(out: Buffer, format: number, id: number): number {
  if (id < 64) return out.writeUInt8((format << 6) | id, 0);
  if (id < 320) return out.writeUInt16BE((format << 14) | (id - 64), 0);
  out.writeUInt8((format << 6) | 1, 0);
  return out.writeUInt16LE(id - 64, 1);
}
