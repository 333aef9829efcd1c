import { IOContext } from 'node-av/lib';

/** What FFmpeg gathers before it hands bytes over. */
const BUFFER_BYTES = 65_536;
/** Outputs that are kept for later. */
const MAX_IDLE = 16;
const idle: MemoryOutput[] = [];

/** Where a muxer writes: into memory. One muxer uses it at a time. */
export class MemoryOutput {
  readonly io = new IOContext();
  #parts: Buffer[] = [];

  /** An idle one, or a new one: node-av 6.1.1 frees an IOContext, but not its buffer. */
  static open(): MemoryOutput {
    return idle.pop() ?? new MemoryOutput();
  }

  private constructor() {
    this.io.allocContextWithCallbacks(BUFFER_BYTES, 1, null, (bytes) => {
      this.#parts.push(bytes);
      return bytes.length;
    });
  }

  /** What was written since the last call. */
  take(): Buffer {
    const taken = Buffer.concat(this.#parts);
    this.#parts = [];
    return taken;
  }

  /** The muxer is done with it. */
  close(): void {
    this.io.flushSync();
    this.#parts = [];
    if (idle.length < MAX_IDLE) idle.push(this);
    // Unfreed, its callbacks keep the process alive for seconds.
    else this.io.freeContext();
  }
}
