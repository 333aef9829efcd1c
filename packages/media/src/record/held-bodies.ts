import type { SpoolFolder } from '../rim/spool.ts';
import { MAX_HELD_BYTES, MAX_SPOOLING_BYTES } from './limits.ts';

/** A body that waits for its sink. */
export interface HeldBody {
  /** Undefined when there was no room for it. */
  read(): Promise<Uint8Array | undefined>;
  /** It is needed no more. */
  release(): void;
}

/** The bodies of one recording that wait: the first ones in memory, those behind them on disk, and none beyond what the spool takes. */
export class HeldBodies {
  readonly #spool: SpoolFolder;
  readonly #complain: (message: string) => void;
  #inMemory = 0;
  /** On their way to the disk. */
  #inFlight = 0;
  #isFull = false;

  constructor(spool: SpoolFolder, complain: (message: string) => void) {
    this.#spool = spool;
    this.#complain = complain;
  }

  hold(body: Uint8Array): HeldBody {
    if (this.#inMemory === 0 || this.#inMemory + body.length <= MAX_HELD_BYTES) return this.#keep(body);
    const spooled = this.#toDisk(body);
    return {
      read: async () => (await spooled)?.read(),
      release: () => void spooled.then((file) => file?.remove()),
    };
  }

  #keep(body: Uint8Array): HeldBody {
    this.#inMemory += body.length;
    return {
      read: async () => body,
      release: () => {
        this.#inMemory -= body.length;
      },
    };
  }

  async #toDisk(body: Uint8Array) {
    // A disk that hangs would fill the memory.
    if (this.#inFlight > 0 && this.#inFlight + body.length > MAX_SPOOLING_BYTES)
      return this.#noRoom('the disk is too slow');
    this.#inFlight += body.length;
    try {
      const file = await this.#spool.write(body);
      if (!file) return this.#noRoom(`${this.#spool.spool.maxBytes} bytes of --recording-spool are full`);
      this.#isFull = false;
      return file;
    } catch (error) {
      return this.#noRoom(error instanceof Error ? error.message : String(error));
    } finally {
      this.#inFlight -= body.length;
    }
  }

  #noRoom(why: string): undefined {
    if (!this.#isFull) this.#complain(`no room for what waits to be stored: ${why}`);
    this.#isFull = true;
  }
}
