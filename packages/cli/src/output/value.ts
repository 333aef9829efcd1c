// What the output forms have in common: values are scalars, lists or dictionaries; dictionaries show sorted keys.

import { CliError, exitCodes } from '../errors.ts';
import { compareText, Float } from '../python.ts';

export type Dictionary = Record<string, unknown>;

export const isList = (value: unknown): value is unknown[] => Array.isArray(value);

export const isDictionary = (value: unknown): value is Dictionary =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);

export const isScalar = (value: unknown): boolean => !isList(value) && !isDictionary(value);

/** Keys in the order of their code points. */
export const sortedKeys = (value: Dictionary): string[] => Object.keys(value).sort(compareText);

/** True for `{}`: an answer without members prints nothing. */
export const isEmptyDictionary = (value: unknown): boolean => isDictionary(value) && Object.keys(value).length === 0;

/** What lists of dictionaries and other things have no form for. */
export const noForm = (form: string): CliError =>
  new CliError(exitCodes.other, `A list that holds both objects and other values has no ${form} form`);
