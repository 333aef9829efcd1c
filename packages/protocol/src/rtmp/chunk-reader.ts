import { limits, MESSAGE, type Message, maxBytes } from './message.ts';

/** `| basic header (1 to 3) | message header (0, 3, 7 or 11) | extended timestamp (0 or 4) |` (RTMP 1.0, 5.3.1). */
const MAX_HEADER = 18;
const MESSAGE_HEADER = [11, 7, 3, 0];
/** A timestamp field of this value says that the extended one follows. */
const EXTENDED = 0xffffff;
/** A message's buffer begins no larger than this and then doubles: what was announced has to come first. */
const FIRST_BUFFER = 64 * 1024;

/** What the last header of a chunk stream said: headers of types 1 to 3 leave out what stays the same. */
interface ChunkStream {
  type: number;
  length: number;
  streamId: number;
  timestamp: number;
  /** As the last header of types 0 to 2 said it: a timestamp in type 0, a step in types 1 and 2. */
  timestampField: number;
  extended: boolean;
  /** The message that is not whole yet. */
  body: Buffer | undefined;
  filled: number;
}

const EMPTY = Buffer.alloc(0);

/**
 * Joins chunks to messages (RTMP 1.0, 5.3), whatever pieces the bytes come in. Set Chunk Size and Abort are obeyed here and
 * come out as messages too. Payload is copied once; more than once only in messages larger than 64 KiB, as their buffer grows.
 */
export class ChunkReader {
  private readonly streams = new Map<number, ChunkStream>();
  private readonly header = Buffer.alloc(MAX_HEADER);
  private headerLength = 0;
  /** Bytes taken for a header that turned out to be payload behind one; they come before the next ones. */
  private backlog = EMPTY;
  /** The stream whose chunk is being read, and how much of its payload is still to come. */
  private current: ChunkStream | undefined;
  private chunkLeft = 0;
  private chunkSize = 128;
  private pending = 0;
  private pendingLimit: number = limits.pendingBytes;
  private complete: Message | undefined;
  private fault: string | undefined;

  /** Why nothing more can be read: the bytes broke a rule or a limit. */
  get error(): string | undefined {
    return this.fault;
  }

  /** Bytes kept for messages that are not whole. */
  get pendingBytes(): number {
    return this.pending;
  }

  /** Reads from `from` until a message is whole or the bytes end; returns where it stopped. Ask `take` after each call. */
  read(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && this.complete === undefined && this.fault === undefined) {
      if (this.backlog.length > 0) this.readBacklog();
      else at = this.readPart(bytes, at);
    }
    return at;
  }

  /** The message that became whole, once; its body belongs to the caller. */
  take(): Message | undefined {
    const message = this.complete;
    this.complete = undefined;
    return message;
  }

  /** Sets how many bytes of unfinished messages are kept; `limits.pendingBytes` at first. */
  limitPending(bytes: number): void {
    this.pendingLimit = bytes;
  }

  private readPart(bytes: Buffer, at: number): number {
    return this.current === undefined ? this.readHeader(bytes, at) : this.readPayload(this.current, bytes, at);
  }

  private readBacklog(): void {
    const { backlog } = this;
    this.backlog = EMPTY;
    this.backlog = backlog.subarray(this.readPart(backlog, 0));
  }

  private fail(reason: string): number {
    this.fault = reason;
    return -1;
  }

  /** Reads from the bytes themselves where they hold any header, else collects one first. */
  private readHeader(bytes: Buffer, at: number): number {
    if (this.headerLength === 0 && bytes.length - at >= MAX_HEADER) {
      return at + Math.max(0, this.parseHeader(bytes, at, bytes.length));
    }
    const before = this.headerLength;
    const copied = bytes.copy(this.header, before, at, at + MAX_HEADER - before);
    const used = this.parseHeader(this.header, 0, before + copied);
    if (used < 0) return at;
    if (used === 0) {
      this.headerLength = before + copied;
      return at + copied;
    }
    this.headerLength = 0;
    if (used >= before) return at + used - before;
    this.backlog = Buffer.from(this.header.subarray(used, before));
    return at;
  }

  /** Length of the header at `at`; 0 when it is not all there, negative when it is refused. */
  private parseHeader(bytes: Buffer, at: number, end: number): number {
    const format = bytes[at]! >> 6;
    let id = bytes[at]! & 0x3f;
    const basic = id > 1 ? 1 : id + 2;
    if (at + basic > end) return 0;
    if (basic === 2) id = bytes[at + 1]! + 64;
    if (basic === 3) id = bytes.readUInt16LE(at + 1) + 64;
    const rest = at + basic;
    const body = rest + MESSAGE_HEADER[format]!;
    if (body > end) return 0;
    const stream = this.streams.get(id);
    if (format === 3) return this.repeatHeader(stream, id, bytes, at, rest, end);
    const field = bytes.readUIntBE(rest, 3);
    const extended = field === EXTENDED;
    if (extended && body + 4 > end) return 0;
    if (stream?.body !== undefined) return this.fail(`chunk stream ${id}: a message begins within another`);
    const opened = stream ?? this.open(id, format);
    if (opened === undefined) return -1;
    opened.extended = extended;
    opened.timestampField = extended ? bytes.readUInt32BE(body) : field;
    opened.timestamp = format === 0 ? opened.timestampField : (opened.timestamp + opened.timestampField) >>> 0;
    if (format < 2) {
      opened.length = bytes.readUIntBE(rest + 3, 3);
      opened.type = bytes[rest + 6]!;
    }
    if (format === 0) opened.streamId = bytes.readUInt32LE(rest + 7);
    return this.begin(opened) ? body - at + (extended ? 4 : 0) : -1;
  }

  /** Type 1 may come first: librtmp sends its pings so. Types 2 and 3 say too little. */
  private open(id: number, format: number): ChunkStream | undefined {
    if (format > 1) this.fail(`chunk stream ${id}: begins with a header of type ${format}`);
    else if (this.streams.size >= limits.chunkStreams) this.fail(`more than ${limits.chunkStreams} chunk streams`);
    if (this.fault !== undefined) return undefined;
    const stream: ChunkStream = {
      type: 0,
      length: 0,
      streamId: 0,
      timestamp: 0,
      timestampField: 0,
      extended: false,
      body: undefined,
      filled: 0,
    };
    this.streams.set(id, stream);
    return stream;
  }

  /** A header of type 3: the next chunk of a message, or a message like the one before, as far behind it as that was. */
  private repeatHeader(
    stream: ChunkStream | undefined,
    id: number,
    bytes: Buffer,
    at: number,
    rest: number,
    end: number,
  ): number {
    if (stream === undefined) return this.fail(`chunk stream ${id}: begins with a header of type 3`);
    const extra = stream.extended ? repeatedTimestamp(stream.timestampField, bytes, rest, end) : 0;
    if (extra === undefined) return 0;
    if (stream.body === undefined) {
      stream.timestamp = (stream.timestamp + stream.timestampField) >>> 0;
      if (!this.begin(stream)) return -1;
    } else {
      this.continue(stream);
    }
    return rest - at + extra;
  }

  /** Makes room for a message and expects its first chunk; false when it is too long. */
  private begin(stream: ChunkStream): boolean {
    const { type, length } = stream;
    if (length > maxBytes(type)) {
      this.fail(`a message of type ${type} announces ${length} bytes, more than ${maxBytes(type)}`);
      return false;
    }
    if (length === 0) {
      this.finish(stream, EMPTY);
      return true;
    }
    stream.filled = 0;
    stream.body = EMPTY;
    if (!this.grow(stream, Math.min(length, FIRST_BUFFER))) return false;
    this.continue(stream);
    return true;
  }

  private continue(stream: ChunkStream): void {
    this.current = stream;
    this.chunkLeft = Math.min(this.chunkSize, stream.length - stream.filled);
  }

  private grow(stream: ChunkStream, size: number): boolean {
    const old = stream.body ?? EMPTY;
    this.pending += size - old.length;
    if (this.pending > this.pendingLimit) {
      this.fail(`unfinished messages need more than ${this.pendingLimit} bytes`);
      return false;
    }
    const body = Buffer.allocUnsafe(size);
    old.copy(body, 0, 0, stream.filled);
    stream.body = body;
    return true;
  }

  private readPayload(stream: ChunkStream, bytes: Buffer, at: number): number {
    const count = Math.min(this.chunkLeft, bytes.length - at);
    const needed = stream.filled + count;
    while (stream.body!.length < needed) {
      if (!this.grow(stream, Math.min(stream.length, stream.body!.length * 2))) return at;
    }
    bytes.copy(stream.body!, stream.filled, at, at + count);
    stream.filled = needed;
    this.chunkLeft -= count;
    if (this.chunkLeft === 0) this.current = undefined;
    if (needed === stream.length) this.finish(stream, stream.body!);
    return at + count;
  }

  private finish(stream: ChunkStream, body: Buffer): void {
    const { type, streamId, timestamp } = stream;
    this.pending -= body.length;
    stream.body = undefined;
    this.current = undefined;
    this.complete = { type, streamId, timestamp, body };
    if (type === MESSAGE.setChunkSize) this.setChunkSize(body);
    if (type === MESSAGE.abort) this.abort(body);
  }

  /** `| 0 (1) | chunk size (31) |` (5.4.1). */
  private setChunkSize(body: Buffer): void {
    const size = body.length < 4 ? 0 : body.readUInt32BE(0);
    if (size < limits.minChunkSize || size > 0x7fffffff) this.fail(`a chunk size of ${size}`);
    else this.chunkSize = Math.min(size, limits.maxChunkSize);
  }

  /** `| chunk stream id (32) |`: the rest of its message will not come (5.4.2). */
  private abort(body: Buffer): void {
    const stream = body.length < 4 ? undefined : this.streams.get(body.readUInt32BE(0));
    if (stream?.body === undefined) return;
    this.pending -= stream.body.length;
    stream.body = undefined;
  }
}

/**
 * Bytes of the extended timestamp behind a header of type 3: 4 when it repeats the one before (5.3.1.3), 0 when payload is
 * there, as in encoders that leave it out; undefined while the bytes can still become either.
 */
function repeatedTimestamp(value: number, bytes: Buffer, at: number, end: number): 0 | 4 | undefined {
  const count = Math.min(4, end - at);
  for (let i = 0; i < count; i++) {
    if (bytes[at + i] !== ((value >>> (24 - 8 * i)) & 0xff)) return 0;
  }
  return count === 4 ? 4 : undefined;
}
