/** A table that is printed row by row, every column as wide as its title or as `width` says. */
export class Table {
  readonly #columns: readonly { title: string; width: number }[];

  constructor(titles: readonly string[], width = 6) {
    this.#columns = titles.map((title) => ({ title, width: Math.max(title.length, width) }));
    this.print(titles);
  }

  print(cells: readonly string[]): void {
    console.log(this.#columns.map(({ width }, i) => (cells[i] ?? '').padStart(width)).join('  '));
  }
}

/** A number as a cell, with so many decimals; nothing when it is not known. */
export function cell(value: number | undefined, decimals = 0): string {
  return value === undefined || Number.isNaN(value) ? '-' : value.toFixed(decimals);
}

/** A share as a cell. */
export function percentage(share: number | undefined, decimals = 1): string {
  return share === undefined ? '-' : `${cell(share * 100, decimals)}%`;
}
