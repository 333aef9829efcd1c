// `--output text`: one line for the scalars of a dictionary, tab-separated and sorted by their keys, then one for each
// element of what it contains, led by the upper-cased key.

import { str } from '../python.ts';
import { type Dictionary, isDictionary, isList, isScalar, noForm, sortedKeys } from './value.ts';

/** The text of a value. Empty lists and dictionaries have none. */
export function formatText(value: unknown): string {
  return lines(value)
    .map((line) => `${line}\n`)
    .join('');
}

function lines(value: unknown, label?: string, columns?: readonly string[]): string[] {
  if (isDictionary(value)) return dictionaryLines(value, label, columns);
  if (isList(value)) return listLines(value, label);
  return [str(value)];
}

function listLines(list: readonly unknown[], label: string | undefined): string[] {
  if (list.some(isDictionary)) {
    if (!list.every(isDictionary)) throw noForm('text');
    const columns = scalarColumns(list);
    return list.flatMap((element) => dictionaryLines(element, label, columns));
  }
  const scalars = list.filter(isScalar);
  return [
    ...(scalars.length > 0 ? scalarLines(scalars, label) : []),
    ...list.filter(isList).flatMap((inner) => listLines(inner, label)),
  ];
}

const scalarLines = (scalars: readonly unknown[], label: string | undefined): string[] =>
  label === undefined
    ? [scalars.map(str).join('\t')]
    : scalars.map((scalar) => `${label.toUpperCase()}\t${str(scalar)}`);

/** The keys that are a scalar in any element: all elements show them in the same place. */
function scalarColumns(list: readonly Dictionary[]): string[] {
  const columns: Dictionary = {};
  for (const element of list) {
    for (const [key, value] of Object.entries(element)) if (isScalar(value)) columns[key] = value;
  }
  return sortedKeys(columns);
}

function dictionaryLines(value: Dictionary, label: string | undefined, columns?: readonly string[]): string[] {
  const keys = sortedKeys(value);
  const shown = columns ?? keys.filter((key) => isScalar(value[key]));
  const scalars = shown.map((key) => (Object.hasOwn(value, key) ? str(value[key]) : ''));
  const line = label === undefined ? scalars : [label.toUpperCase(), ...scalars];
  return [
    ...(scalars.length > 0 ? [line.join('\t')] : []),
    ...keys.filter((key) => !shown.includes(key)).flatMap((key) => lines(value[key], key)),
  ];
}
