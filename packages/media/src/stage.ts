import type { Connection } from './connection.ts';
import { Publisher } from './publisher.ts';
import { Subscriber } from './subscriber.ts';

/** The connections of one stage, and who receives whom. */
export class Stage {
  readonly #publishers = new Map<string, Publisher>();
  readonly #subscribers = new Map<Publisher, Set<Subscriber>>();

  get isEmpty(): boolean {
    return this.#publishers.size === 0;
  }

  publisher(connectionId: string | undefined): Publisher | undefined {
    return connectionId === undefined ? undefined : this.#publishers.get(connectionId);
  }

  add(connection: Connection): void {
    if (connection instanceof Publisher) {
      this.#publishers.set(connection.identity.connectionId, connection);
      this.#subscribers.set(connection, new Set());
    } else if (connection instanceof Subscriber) {
      this.#subscribers.get(connection.publisher)?.add(connection);
    }
  }

  /** Removes a connection; returns those that make no sense without it. */
  remove(connection: Connection): Connection[] {
    if (connection instanceof Subscriber) this.#subscribers.get(connection.publisher)?.delete(connection);
    if (!(connection instanceof Publisher)) return [];
    const orphans = [...(this.#subscribers.get(connection) ?? [])];
    this.#publishers.delete(connection.identity.connectionId);
    this.#subscribers.delete(connection);
    return orphans;
  }
}
