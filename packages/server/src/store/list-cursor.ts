import { createHash } from 'node:crypto';
import { ApiError } from '@footlights/model';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Page, PageRequest } from './types.ts';

const version = 1;
const defaultPageSize = 50;

/** One list: what a page token is bound to, and the columns that give its items their one order. */
export interface ListOrder<Column extends string> {
  /** The name of the list and everything that narrows it. */
  of: readonly unknown[];
  columns: Readonly<Record<Column, 'string' | 'number'>>;
  direction: 'asc' | 'desc';
}

type Position = readonly (string | number)[];

/**
 * Reads one page of a list by its keys: a page begins behind the last item of the one before, so that items which come or
 * go in between make it neither skip nor repeat.
 */
export class ListCursor<Column extends string> {
  readonly #list: string;
  readonly #columns: readonly Column[];
  /** Restricts a query to what lies behind the page before. */
  readonly condition: RawBuilder<SqlBool>;
  readonly orderBy: RawBuilder<unknown>;
  /** Rows to ask for: one more than the page holds, which tells whether there is a next one. */
  readonly limit: number;

  constructor(order: ListOrder<Column>, request: PageRequest) {
    this.#list = createHash('sha256').update(JSON.stringify(order.of)).digest('base64url').slice(0, 16);
    this.#columns = Object.keys(order.columns) as Column[];
    this.limit = (request.maxResults ?? defaultPageSize) + 1;
    const columns = this.#columns.map((column) => sql.ref(column));
    this.orderBy = sql.join(columns.map((column) => sql`${column} ${sql.raw(order.direction)}`));
    if (request.nextToken) {
      const beyond = sql.raw(order.direction === 'asc' ? '>' : '<');
      const position = this.#decode(request.nextToken, Object.values(order.columns));
      this.condition = sql<SqlBool>`(${sql.join(columns)}) ${beyond} (${sql.join(position)})`;
    } else this.condition = sql<SqlBool>`true`;
  }

  /** Cuts the rows to the page and names where the next begins. */
  page<Row extends Record<Column, string | number>, Item>(rows: readonly Row[], read: (row: Row) => Item): Page<Item> {
    const shown = rows.slice(0, this.limit - 1);
    const last = shown.at(-1);
    const items = shown.map(read);
    if (!last || rows.length < this.limit) return { items };
    return { items, nextToken: this.#encode(this.#columns.map((column) => last[column])) };
  }

  #encode(position: Position): string {
    return Buffer.from(JSON.stringify([version, this.#list, ...position])).toString('base64url');
  }

  #decode(token: string, kinds: readonly unknown[]): Position {
    const [tokenVersion, list, ...position] = parseArray(Buffer.from(token, 'base64url').toString());
    const fits = position.length === kinds.length && position.every((value, i) => typeof value === kinds[i]);
    if (tokenVersion === version && list === this.#list && fits) return position as Position;
    throw new ApiError(
      'ValidationException',
      "Value at 'nextToken' is not valid: Member must be a nextToken that this operation returned for the same request",
    );
  }
}

function parseArray(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
