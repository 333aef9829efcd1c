// `--output table`: boxes within boxes. Every section has a title, a row of keys and rows of values; all sections share
// one width. What is wider than the terminal turns its single-row sections upright.

import { CliError, exitCodes } from '../errors.ts';
import { compareText, Float, str } from '../python.ts';
import { type Dictionary, isDictionary, isList, isScalar, noForm, sortedKeys } from './value.ts';
import { displayWidth } from './width.ts';

/** How to draw: the columns of the terminal, and whether cells and edges are coloured. */
export interface TableStyle {
  terminalWidth: number;
  color: boolean;
}

/** The table of a value under a title; a value that is empty or null has none. */
export function formatTable(title: string, value: unknown, style: TableStyle): string {
  const builder = new Builder();
  if (!builder.add(title, value, 0)) return '';
  let sections = builder.sections;
  if (widest(sections) > style.terminalWidth) sections = sections.map(upright);
  const width = widest(sections);
  const lines = sections.flatMap((section) => renderSection(section, width, style.color));
  // The AWS CLI resets colours after each piece that it writes; so does this, byte for byte.
  return style.color
    ? [`${'-'.repeat(width)}\n`, ...lines.map((line) => `${line}\n`)].join(reset) + reset
    : [`${'-'.repeat(width)}`, ...lines].map((line) => `${line}\n`).join('');
}

interface Section {
  title: string;
  depth: number;
  header: readonly string[];
  rows: string[][];
}

/** Spreads a value over sections. */
class Builder {
  readonly sections: Section[] = [];

  /** False when there is nothing to show. */
  add(title: string | undefined, value: unknown, depth: number): boolean {
    if (!isTrue(value)) return false;
    if (title !== undefined) this.#open(title, depth);
    if (isList(value) && isDictionary(value[0])) this.#addDictionaries(value, title, depth);
    else if (isList(value)) this.#addList(value);
    else if (isDictionary(value)) this.#addDictionary(value, depth);
    return true;
  }

  #open(title: string, depth: number): void {
    this.sections.push({ title, depth, header: [], rows: [] });
  }

  #addList(list: readonly unknown[]): void {
    for (const item of list) {
      if (isScalar(item)) this.#addRow([item]);
      else if (isDictionary(item)) this.#addRow(Object.keys(item));
      else if ((item as unknown[]).every(isScalar)) this.#addRow(item as unknown[]);
      else this.add(undefined, item, 0);
    }
  }

  #addDictionary(value: Dictionary, depth: number): void {
    const keys = sortedKeys(value);
    const scalars = keys.filter((key) => isScalar(value[key]));
    if (scalars.length === 1) this.#addRow([scalars[0], value[scalars[0]!]]);
    else if (scalars.length > 1) {
      this.#setHeader(scalars);
      this.#addRow(scalars.map((key) => value[key]));
    }
    for (const key of keys.filter((name) => !scalars.includes(name))) this.add(key, value[key], depth + 1);
  }

  /** Elements share one header; when they hold more than scalars each gets a section of its own. */
  #addDictionaries(list: readonly unknown[], title: string | undefined, depth: number): void {
    if (!list.every(isDictionary)) throw noForm('table');
    const scalars = keysOfAny(list, isScalar);
    const others = keysOfAny(list, (value) => !isScalar(value));
    this.#setHeader(scalars);
    list.forEach((element, index) => {
      if (index > 0 && others.length > 0) {
        this.#open(title ?? '', depth);
        this.#setHeader(scalars);
      }
      this.#addRow(scalars.map((key) => (Object.hasOwn(element, key) ? element[key] : '')));
      for (const key of others) if (Object.hasOwn(element, key)) this.add(key, element[key], depth + 1);
    });
  }

  #section(): Section {
    return this.sections.at(-1)!;
  }

  #setHeader(header: readonly string[]): void {
    this.#section().header = header;
  }

  #addRow(cells: readonly unknown[]): void {
    const section = this.#section();
    const columns = section.rows[0]?.length ?? (section.header.length || cells.length);
    if (cells.length !== columns) {
      throw new CliError(exitCodes.other, `Row should have ${columns} elements, instead it has ${cells.length}`);
    }
    section.rows.push(cells.map(str));
  }
}

function isTrue(value: unknown): boolean {
  if (isList(value)) return value.length > 0;
  if (isDictionary(value)) return Object.keys(value).length > 0;
  return Boolean(value instanceof Float ? value.value : value);
}

function keysOfAny(list: readonly Dictionary[], wanted: (value: unknown) => boolean): string[] {
  const keys = list.flatMap((element) => Object.keys(element).filter((key) => wanted(element[key])));
  return [...new Set(keys)].sort(compareText);
}

/** A section of one row under a header, turned to one row for each key. */
function upright(section: Section): Section {
  const [row, ...further] = section.rows;
  if (!row || further.length > 0 || section.header.length === 0) return section;
  return { ...section, header: [], rows: section.header.map((key, index) => [key, row[index] ?? '']) };
}

const cellPadding = 4;

const cellWidths = ({ header, rows }: Section): number[] => {
  const lines = header.length > 0 ? [header, ...rows] : rows;
  return (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ''))));
};

const widest = (sections: readonly Section[]): number =>
  Math.max(
    ...sections.map((section) => {
      const cells = cellWidths(section).reduce((sum, width) => sum + width + cellPadding, 2 + 2 * section.depth);
      return Math.max(displayWidth(section.title) + 2 + 2 * section.depth, cells);
    }),
  );

/** The widths of a section's columns, scaled up to the section's whole width. */
function columnWidths(section: Section, width: number): number[] {
  const natural = cellWidths(section).map((cell) => cell + cellPadding);
  if (natural.length === 0) return [];
  const factor = width / natural.reduce((sum, cell) => sum + cell, 0);
  const scaled = natural.map((cell) => roundHalfEven(factor * cell));
  let excess = scaled.reduce((sum, cell) => sum + cell, 0) - width;
  while (excess !== 0) {
    const step = Math.sign(excess);
    // What is too much is taken from the left, what is missing is added from the right.
    for (let i = 0; i < scaled.length && excess !== 0; i += 1, excess -= step) {
      const at = step > 0 ? i : scaled.length - 1 - i;
      scaled[at] = scaled[at]! - step;
    }
  }
  return scaled;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function renderSection(section: Section, totalWidth: number, color: boolean): string[] {
  const edge = (color ? edgeColor('|') : '|').repeat(section.depth);
  const width = totalWidth - 2 * section.depth;
  const between = color ? reset : '';
  return bodyLines(section, width, color).map((line) => [edge, line, edge].join(between) + between);
}

function bodyLines(section: Section, width: number, color: boolean): string[] {
  const lines = section.title === '' ? [] : [centered(section.title, width, '|')];
  if (section.header.length === 0 && section.rows.length === 0) {
    return section.title === '' ? [] : [...lines, `+${'-'.repeat(width - 2)}+`];
  }
  const widths = columnWidths(section, width);
  if (widths.length === 0) return lines;
  const rule = `${widths.map((cell, index) => (index === 0 ? `+${'-'.repeat(cell - 2)}` : '-'.repeat(cell - 1))).join('+')}+`;
  if (section.header.length > 0) {
    lines.push(rule, section.header.map((key, at) => centered(key, widths[at]!, at === 0 ? '|' : '')).join(''));
  }
  if (section.rows.length === 0) return lines;
  return [...lines, rule, ...section.rows.map((row) => rowLine(row, widths, color)), rule];
}

const rowLine = (row: readonly string[], widths: readonly number[], color: boolean): string =>
  widths.map((width, at) => leftAligned(row[at] ?? '', width, at === 0 ? '|' : '', color)).join('');

function centered(text: string, width: number, leftEdge: string): string {
  const textWidth = displayWidth(text);
  const before = Math.max(0, Math.floor(width / 2) - Math.floor(textWidth / 2) - 1);
  const after = Math.max(0, width - 1 - (leftEdge.length + before + textWidth));
  return `${leftEdge}${' '.repeat(before)}${text}${' '.repeat(after)}|`;
}

function leftAligned(text: string, width: number, leftEdge: string, color: boolean): string {
  const used = displayWidth(text) + leftEdge.length + 1;
  const padding = width >= used + 2 ? 2 : 0;
  const after = Math.max(0, width - used - padding);
  return `${leftEdge}${' '.repeat(padding)}${color ? cellColor(text) : text}${' '.repeat(after)}|`;
}

const reset = '\u001b[0m';
const cellColor = (text: string): string => `\u001b[1m\u001b[34m${text}${reset}`;
const edgeColor = (text: string): string => `\u001b[2m\u001b[33m${text}${reset}`;
