import type { Connection } from './connection.ts';
import type { Speaker } from './media.ts';
import type { Publication } from './publication.ts';
import { Publisher } from './publisher.ts';
import { Speakers } from './speakers.ts';
import { Subscriber } from './subscriber.ts';

/** What is published to one stage, and who receives whom. */
export class Stage {
  readonly #publications = new Map<string, Publication>();
  readonly #subscribers = new Map<Publication, Set<Subscriber>>();
  readonly #speakers = new Speakers();

  get isEmpty(): boolean {
    return this.#publications.size === 0;
  }

  publication(connectionId: string | undefined): Publication | undefined {
    return connectionId === undefined ? undefined : this.#publications.get(connectionId);
  }

  publish(publication: Publication): void {
    this.#publications.set(publication.identity.connectionId, publication);
    this.#subscribers.set(publication, new Set());
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.get(subscriber.publication)?.add(subscriber);
  }

  hasSubscribers(publication: Publication): boolean {
    return (this.#subscribers.get(publication)?.size ?? 0) > 0;
  }

  /** Takes a publication away; returns those who received it. */
  unpublish(publication: Publication): Subscriber[] {
    const orphans = [...(this.#subscribers.get(publication) ?? [])];
    this.#publications.delete(publication.identity.connectionId);
    this.#subscribers.delete(publication);
    return orphans;
  }

  /** Removes a connection; returns those that make no sense without it. */
  remove(connection: Connection): Connection[] {
    if (connection instanceof Subscriber) this.#subscribers.get(connection.publication)?.delete(connection);
    return connection instanceof Publisher ? this.unpublish(connection) : [];
  }

  /** Who speaks, when that is news. */
  speakers(now: number): Speaker[] | undefined {
    const levels: Speaker[] = [];
    for (const publication of this.#publications.values()) {
      if (!(publication instanceof Publisher)) continue;
      levels.push({ participantId: publication.identity.participantId, level: publication.voice.level(now) });
    }
    return this.#speakers.update(levels);
  }
}
