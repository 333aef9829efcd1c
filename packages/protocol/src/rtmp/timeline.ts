/** Makes one line of timestamps that have 32 bits and wrap every 49.7 days. */
export class Timeline {
  private last: number | undefined;

  /**
   * Milliseconds on the line: the first as it is, each later one as far from the one before as the shorter way round says.
   * Steps back and leaps come out as they are.
   */
  unwrap(timestamp: number): number {
    const step = this.last === undefined ? timestamp : (timestamp - this.last) | 0;
    this.last = (this.last ?? 0) + step;
    return this.last;
  }
}
