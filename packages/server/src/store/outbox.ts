import type { Kysely, Transaction } from 'kysely';
import type { Announcement, BusEvent } from '../events/bus-event.ts';
import type { Schema } from './schema.ts';
import type { Outbox, OutboxQuery, StoredEvent } from './types.ts';
import type { Writer } from './writer.ts';

/** How many events are kept for those who look at them later; more only while they wait for a sink. */
export const keptEvents = 5_000;
/** After how many new ones older ones are removed. */
const trimEvery = 500;

/** Events and, for each sink, which of them it still waits for. */
export class OutboxTable implements Outbox {
  readonly #reader: Kysely<Schema>;
  readonly #writer: Writer<Schema>;
  readonly #listeners: ((stageArn: string) => void)[] = [];
  #sinks: readonly string[] = [];

  constructor(reader: Kysely<Schema>, writer: Writer<Schema>) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async setSinks(names: readonly string[]): Promise<number> {
    this.#sinks = names;
    return this.#writer.write(async (transaction) => {
      let forgotten = transaction.deleteFrom('outbox_pending');
      if (names.length > 0) forgotten = forgotten.where('sink', 'not in', names);
      return Number((await forgotten.executeTakeFirstOrThrow()).numDeletedRows);
    });
  }

  onAdded(listener: (stageArn: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Part of a change: the events are there when its transaction is, and only then. */
  async insert(transaction: Transaction<Schema>, announcements: readonly Announcement[]): Promise<void> {
    for (const { stageArn, event } of announcements) {
      const { account, region } = event;
      const row = { stage_arn: stageArn, account, region, time: event.time, event: JSON.stringify(event) };
      const { id } = await transaction.insertInto('outbox').values(row).returning('id').executeTakeFirstOrThrow();
      for (const sink of this.#sinks)
        await transaction.insertInto('outbox_pending').values({ sink, event_id: id, stage_arn: stageArn }).execute();
      if (id % trimEvery === 0) await trim(transaction, id);
    }
  }

  /** Tells whoever listens, once the transaction is committed. */
  added(announcements: readonly Announcement[]): void {
    for (const { stageArn } of announcements) for (const listener of this.#listeners) listener(stageArn);
  }

  async add(announcements: readonly Announcement[]): Promise<void> {
    await this.#writer.write((transaction) => this.insert(transaction, announcements));
    this.added(announcements);
  }

  async waitingStages(sink: string): Promise<string[]> {
    const rows = await this.#reader
      .selectFrom('outbox_pending')
      .select('stage_arn')
      .distinct()
      .where('sink', '=', sink)
      .execute();
    return rows.map((row) => row.stage_arn);
  }

  async next(sink: string, stageArn: string): Promise<StoredEvent | undefined> {
    const row = await this.#reader
      .selectFrom('outbox_pending')
      .innerJoin('outbox', 'outbox.id', 'outbox_pending.event_id')
      .select(['outbox.id', 'outbox.event'])
      .where('outbox_pending.sink', '=', sink)
      .where('outbox_pending.stage_arn', '=', stageArn)
      .orderBy('outbox_pending.event_id')
      .limit(1)
      .executeTakeFirst();
    return row && storedEvent(row);
  }

  delivered(sink: string, id: number): Promise<void> {
    return this.#writer.write(async (transaction) => {
      await transaction.deleteFrom('outbox_pending').where('sink', '=', sink).where('event_id', '=', id).execute();
    });
  }

  dropOlder(sink: string, stageArn: string, time: string): Promise<number> {
    return this.#writer.write(async (transaction) => {
      const { numDeletedRows } = await transaction
        .deleteFrom('outbox_pending')
        .where('sink', '=', sink)
        .where('stage_arn', '=', stageArn)
        .where('event_id', 'in', transaction.selectFrom('outbox').select('id').where('time', '<', time))
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    });
  }

  async waiting(sink: string): Promise<number> {
    const { count } = await this.#reader
      .selectFrom('outbox_pending')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('sink', '=', sink)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async list({ account, region, stageArn, after, limit }: OutboxQuery): Promise<StoredEvent[]> {
    let query = this.#reader
      .selectFrom('outbox')
      .select(['id', 'event'])
      .where('account', '=', account)
      .where('region', '=', region)
      .orderBy('id', after === undefined ? 'desc' : 'asc')
      .limit(limit);
    if (stageArn !== undefined) query = query.where('stage_arn', '=', stageArn);
    if (after !== undefined) query = query.where('id', '>', after);
    const rows = await query.execute();
    const events = rows.map(storedEvent);
    return after === undefined ? events.reverse() : events;
  }
}

/** What waits for a sink stays, however old it is: the sinks' own rules end that. */
async function trim(transaction: Transaction<Schema>, newest: number): Promise<void> {
  await transaction
    .deleteFrom('outbox')
    .where('id', '<=', newest - keptEvents)
    .where('id', 'not in', transaction.selectFrom('outbox_pending').select('event_id'))
    .execute();
}

const storedEvent = ({ id, event }: { id: number; event: string }): StoredEvent => ({
  id,
  event: JSON.parse(event) as BusEvent,
});
