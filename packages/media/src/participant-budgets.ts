/** One of several receivers that share a participant's download. */
export interface BudgetHolder {
  /** Bits per second that it is sent. */
  readonly usedBps: number;
}

/** What a participant may be sent, all its subscriptions together: each has its share, and what the others leave. */
export class ParticipantBudgets {
  readonly #limitBps: number;
  readonly #holders = new Map<string, Set<BudgetHolder>>();

  constructor(limitBps: number) {
    this.#limitBps = limitBps;
  }

  add(participant: string, holder: BudgetHolder): void {
    const holders = this.#holders.get(participant) ?? new Set();
    this.#holders.set(participant, holders.add(holder));
  }

  remove(participant: string, holder: BudgetHolder): void {
    const holders = this.#holders.get(participant);
    holders?.delete(holder);
    if (holders?.size === 0) this.#holders.delete(participant);
  }

  /** Bits per second for one of them. */
  of(participant: string, holder: BudgetHolder): number {
    const holders = this.#holders.get(participant);
    if (!holders) return this.#limitBps;
    let others = 0;
    for (const other of holders) if (other !== holder) others += other.usedBps;
    return Math.max(this.#limitBps / holders.size, this.#limitBps - others);
  }
}
