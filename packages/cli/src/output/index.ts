// What a command prints: whole answers as JSON, YAML or a table; page by page as text or a stream of YAML.

import { CliError, exitCodes } from '../errors.ts';
import { formatJson } from './json.ts';
import { type Dictionary, isEmptyDictionary } from './value.ts';

const forms = ['json', 'text', 'table', 'yaml', 'yaml-stream'] as const;
export type OutputForm = (typeof forms)[number];

/** How to show an answer. */
export interface Presentation {
  form: OutputForm;
  /** The compiled `--query`, the identity when there is none. */
  search(value: unknown): unknown;
  /** The title of tables: the operation's name. */
  title: string;
  /** Whether tables are coloured. */
  color: boolean;
  /** Columns of the terminal. */
  terminalWidth: number;
}

/** The pages of a list, members arranged as the model has them; returns the token to go on with. */
export type Pages = AsyncGenerator<Dictionary, string | undefined>;

/** Checks an output form that the configuration names. */
export function outputForm(name: string): OutputForm {
  const form = forms.find((candidate) => candidate === name);
  if (form === undefined) throw new CliError(exitCodes.other, `Unknown output type: ${name}`);
  return form;
}

type Write = (text: string) => void;

/** Writes the answer of one call. */
export async function showAnswer(answer: Dictionary, presentation: Presentation, write: Write): Promise<void> {
  const value = presentation.search(answer);
  const { form } = presentation;
  if (form === 'text') write((await import('./text.ts')).formatText(value));
  else if (form === 'yaml-stream') write(isEmptyDictionary(value) ? '' : (await yaml()).formatYaml([value]));
  else write(await formatWhole(value, presentation));
}

/** Writes a list that comes in pages. */
export async function showPages(
  pages: Pages,
  resultKey: string,
  presentation: Presentation,
  write: Write,
): Promise<void> {
  if (presentation.form === 'text') return showTextPages(pages, resultKey, presentation, write);
  if (presentation.form === 'yaml-stream') {
    const { formatYaml } = await yaml();
    for await (const page of pages) write(formatYaml([presentation.search(page)]));
    return;
  }
  write(await formatWhole(presentation.search(await merge(pages, resultKey)), presentation));
}

const yaml = () => import('./yaml.ts');

async function formatWhole(value: unknown, { form, title, ...style }: Presentation): Promise<string> {
  if (form === 'table') return (await import('./table.ts')).formatTable(title, value, style);
  if (isEmptyDictionary(value)) return '';
  return form === 'yaml' ? (await yaml()).formatYaml(value) : formatJson(value);
}

/** Each page is searched and written by itself; what is left over ends as a page of its own. */
async function showTextPages(pages: Pages, resultKey: string, { search }: Presentation, write: Write): Promise<void> {
  const { formatText } = await import('./text.ts');
  let result = await pages.next();
  for (; !result.done; result = await pages.next()) {
    write(formatText(search({ [resultKey]: result.value[resultKey] ?? null })));
  }
  if (result.value !== undefined) write(formatText(search({ NextToken: { NextToken: result.value } })));
}

/** All pages as one: the items of all, and the token under the AWS CLI's name for it. */
async function merge(pages: Pages, resultKey: string): Promise<Dictionary> {
  let items: unknown[] | undefined;
  let result = await pages.next();
  for (; !result.done; result = await pages.next()) {
    const page = result.value[resultKey];
    if (Array.isArray(page)) items = [...(items ?? []), ...page];
  }
  return {
    ...(items && { [resultKey]: items }),
    ...(result.value !== undefined && { NextToken: result.value }),
  };
}
