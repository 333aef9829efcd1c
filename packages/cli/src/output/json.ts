// `--output json`: four spaces a level, member order as given, non-ASCII as it is, floats with their fraction.

import { Float, formatFloat } from '../python.ts';

/** The text of a value, with its final newline. */
export function formatJson(value: unknown): string {
  return `${write(value, '')}\n`;
}

const step = '    ';

function write(value: unknown, indent: string): string {
  if (value instanceof Float) return formatFloat(value.value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const inner = indent + step;
  if (Array.isArray(value)) {
    return block(
      '[',
      ']',
      value.map((item) => write(item, inner)),
      indent,
    );
  }
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${write(item, inner)}`);
  return block('{', '}', members, indent);
}

function block(open: string, close: string, items: readonly string[], indent: string): string {
  if (items.length === 0) return open + close;
  return `${open}\n${items.map((item) => indent + step + item).join(',\n')}\n${indent}${close}`;
}
