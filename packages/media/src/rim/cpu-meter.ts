/** How much of a core the process used lately. */
export class CpuMeter {
  #usage = process.cpuUsage();
  #at = performance.now();

  /** Share of one core since the last call. */
  read(): number {
    const { user, system } = process.cpuUsage(this.#usage);
    const elapsedMs = performance.now() - this.#at;
    this.#usage = process.cpuUsage();
    this.#at = performance.now();
    return elapsedMs > 0 ? (user + system) / 1_000 / elapsedMs : 0;
  }
}
