import { type Kysely, type SqlBool, sql } from 'kysely';
import { ListCursor } from './list-cursor.ts';
import type { ResourceRow, Schema } from './schema.ts';
import {
  type CompositionRecord,
  type Page,
  type PageRequest,
  type ResourceFilter,
  type ResourceKind,
  type ResourceRecord,
  type ResourceRecords,
  type ResourceWriter,
  type Scope,
  unendedStates,
} from './types.ts';

type Facts = { readonly [F in keyof ResourceFilter]?: readonly string[] };

/** By what each kind can be looked up. */
const factsOf: { readonly [K in ResourceKind]: (record: ResourceRecords[K]) => Facts } = {
  storageConfigurations: () => ({}),
  encoderConfigurations: () => ({}),
  ingestConfigurations: ({ stageArn, state }) => ({ stageArn: stageArn ? [stageArn] : [], state: [state] }),
  publicKeys: ({ fingerprint }) => ({ fingerprint: [fingerprint] }),
  compositions: compositionFacts,
};

function compositionFacts({ stageArn, state, idempotencyToken, destinations }: CompositionRecord): Facts {
  const targets = destinations.map(({ configuration }) => configuration);
  const encoders = targets.flatMap(({ channel, s3 }) => [
    channel?.encoderConfigurationArn ?? [],
    s3?.encoderConfigurationArns ?? [],
  ]);
  return {
    stageArn: [stageArn],
    phase: [unendedStates.includes(state) ? 'unended' : 'ended'],
    idempotencyToken: [idempotencyToken],
    encoderConfigurationArn: encoders.flat(),
    storageConfigurationArn: targets.flatMap(({ s3 }) => s3?.storageConfigurationArn ?? []),
  };
}

/**
 * The resources of one kind: documents that are found by ARN, in the order in which they were made, and by a few facts
 * that are kept beside them, so that a new kind of resource needs no tables of its own.
 */
export class ResourceTable<K extends ResourceKind> implements ResourceWriter<ResourceRecords[K]> {
  readonly #database: Kysely<Schema>;
  readonly #kind: K;

  constructor(database: Kysely<Schema>, kind: K) {
    this.#database = database;
    this.#kind = kind;
  }

  async get(arn: string): Promise<ResourceRecords[K] | undefined> {
    const row = await this.#select({}).where('arn', '=', arn).executeTakeFirst();
    return row && this.#record(row);
  }

  async list(scope: Scope, request: PageRequest, filter: ResourceFilter = {}): Promise<Page<ResourceRecords[K]>> {
    const { account, region } = scope;
    const cursor = new ListCursor(
      {
        of: [this.#kind, account, region, Object.entries(filter).sort()],
        columns: { created_at: 'string', arn: 'string' },
        direction: 'asc',
      },
      request,
    );
    const rows = await this.#select(filter, scope)
      .where(cursor.condition)
      .orderBy(cursor.orderBy)
      .limit(cursor.limit)
      .execute();
    return cursor.page(rows, (row) => this.#record(row));
  }

  async all(filter: ResourceFilter, scope?: Scope): Promise<ResourceRecords[K][]> {
    const rows = await this.#select(filter, scope).orderBy('created_at').orderBy('arn').execute();
    return rows.map((row) => this.#record(row));
  }

  async count(scope: Scope, filter: ResourceFilter = {}): Promise<number> {
    const { count } = await this.#select(filter, scope)
      .clearSelect()
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async insert(record: ResourceRecords[K]): Promise<void> {
    const { arn, account, region, createdAt, ...document } = record as ResourceRecord;
    const row = { arn, kind: this.#kind, account, region, created_at: createdAt, document: JSON.stringify(document) };
    await this.#database.insertInto('resources').values(row).execute();
    await this.#writeFacts(record);
  }

  async update(
    arn: string,
    change: (current: ResourceRecords[K]) => Partial<ResourceRecords[K]>,
  ): Promise<ResourceRecords[K] | undefined> {
    const current = await this.get(arn);
    if (!current) return undefined;
    const changed = { ...current, ...change(current) };
    const { arn: _arn, account, region, createdAt, ...document } = changed as ResourceRecord;
    const row = { account, region, created_at: createdAt, document: JSON.stringify(document) };
    await this.#database.updateTable('resources').set(row).where('arn', '=', arn).execute();
    await this.#database.deleteFrom('resource_facts').where('arn', '=', arn).execute();
    await this.#writeFacts(changed);
    return changed;
  }

  async delete(arn: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database
      .deleteFrom('resources')
      .where('arn', '=', arn)
      .where('kind', '=', this.#kind)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  #select(filter: ResourceFilter, scope?: Scope) {
    const facts = Object.entries(filter).filter(([, value]) => value !== undefined);
    // Few resources have the facts, many are of the kind and the scope: no index is to be looked up by these then.
    const is = (column: 'kind' | 'account' | 'region', value: string) =>
      facts.length > 0
        ? sql<SqlBool>`${sql.ref(column)} || '' = ${value}`
        : sql<SqlBool>`${sql.ref(column)} = ${value}`;
    let query = this.#database.selectFrom('resources').selectAll().where(is('kind', this.#kind));
    if (scope) query = query.where(is('account', scope.account)).where(is('region', scope.region));
    for (const [fact, value] of facts) query = query.where('arn', 'in', holders(this.#database, fact, value));
    return query;
  }

  async #writeFacts(record: ResourceRecords[K]): Promise<void> {
    const facts = Object.entries(factsOf[this.#kind](record)) as [string, readonly string[]][];
    const rows = facts.flatMap(([fact, values]) =>
      [...new Set(values)].map((value) => ({ arn: record.arn, fact, value })),
    );
    if (rows.length > 0) await this.#database.insertInto('resource_facts').values(rows).execute();
  }

  #record({ arn, account, region, created_at: createdAt, document }: ResourceRow): ResourceRecords[K] {
    return { ...JSON.parse(document), arn, account, region, createdAt };
  }
}

const holders = (database: Kysely<Schema>, fact: string, value: string) =>
  database.selectFrom('resource_facts').select('arn').where('fact', '=', fact).where('value', '=', value);
