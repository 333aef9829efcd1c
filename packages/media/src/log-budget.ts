const LINES_PER_SECOND = 10;

/** Passes a few lines a second on and sums the others up in one line: no peer can flood the log. */
export class LogBudget {
  readonly #write: (fields: object, message: string) => void;
  #left = LINES_PER_SECOND;
  #withheld = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (fields: object, message: string) => void) {
    this.#write = write;
  }

  say(fields: object, message: string): void {
    this.#timer ??= setTimeout(() => this.#refill(), 1_000).unref();
    if (this.#left > 0) {
      this.#left -= 1;
      this.#write(fields, message);
    } else {
      this.#withheld += 1;
    }
  }

  /** Says how many lines were withheld, and ends. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#refill();
  }

  #refill(): void {
    if (this.#withheld > 0)
      this.#write({ withheld: this.#withheld }, `messages withheld in one second: ${this.#withheld}`);
    this.#left = LINES_PER_SECOND;
    this.#withheld = 0;
    this.#timer = undefined;
  }
}
