import type { Connection } from './connection.ts';
import { MediaError } from './media.ts';
import { Publisher } from './publisher.ts';
import { Subscriber } from './subscriber.ts';

/** The connections of one stage, and who receives whom. */
export class Stage {
  readonly #publishers = new Map<string, Publisher>();
  readonly #subscribers = new Map<Publisher, Set<Subscriber>>();

  get isEmpty(): boolean {
    return this.#publishers.size === 0;
  }

  /** Throws MediaError PUBLISHER_NOT_FOUND. */
  publisher(connectionId: string | undefined): Publisher {
    const publisher = this.#publishers.get(connectionId ?? '');
    if (!publisher) throw new MediaError('PUBLISHER_NOT_FOUND', 'the participant does not publish');
    return publisher;
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
