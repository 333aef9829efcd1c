import type { RtmpLimits } from './limits.ts';

/**
 * Who may be connected. Half-open connections are cheap and displace each other, oldest first, so that no number of them keeps
 * a real encoder out; those behind their `connect` are counted.
 */
export class Admission<Connection> {
  readonly #limits: RtmpLimits;
  /** In order of arrival. */
  readonly #halfOpen = new Set<Connection>();
  readonly #admitted = new Map<Connection, string>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: RtmpLimits) {
    this.#limits = limits;
  }

  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  get admitted(): number {
    return this.#admitted.size;
  }

  /** Takes in a connection that has said nothing yet; returns one that has to go for it. */
  arrive(connection: Connection): Connection | undefined {
    this.#halfOpen.add(connection);
    if (this.#halfOpen.size <= this.#limits.halfOpen) return undefined;
    const [oldest] = this.#halfOpen;
    return oldest;
  }

  /** Counts a connection that wants to stay; a string says which limit forbids it. */
  admit(connection: Connection, address: string): string | undefined {
    const { connections, connectionsPerAddress } = this.#limits;
    const already = this.#perAddress.get(address) ?? 0;
    this.#halfOpen.delete(connection);
    if (this.#admitted.size >= connections) return `more than ${connections} RTMP connections`;
    if (already >= connectionsPerAddress) return `more than ${connectionsPerAddress} RTMP connections of one address`;
    this.#admitted.set(connection, address);
    this.#perAddress.set(address, already + 1);
    return undefined;
  }

  /** Forgets a connection. */
  leave(connection: Connection): void {
    this.#halfOpen.delete(connection);
    const address = this.#admitted.get(connection);
    if (address === undefined) return;
    this.#admitted.delete(connection);
    const left = this.#perAddress.get(address)! - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }
}
