/** Reasons that are counted by name in one period. */
const MAX_REASONS = 16;

/** Counts what came to nothing, by reason, so that it can be said in one line. */
export class FailureSum {
  #counts = new Map<string, number>();

  /** Counts one. */
  add(reason: string): void {
    const key = this.#counts.has(reason) || this.#counts.size < MAX_REASONS ? reason : 'other';
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** What was counted since the last time, as `this: 3, that: 1`; undefined when there was nothing. */
  take(): string | undefined {
    if (this.#counts.size === 0) return undefined;
    const line = [...this.#counts].map(([reason, count]) => `${reason}: ${count}`).join(', ');
    this.#counts.clear();
    return line;
  }
}
