// How many columns of a terminal a text takes.

import { eastAsianWidthType } from 'get-east-asian-width';

/** Two columns for what East Asian terminals show wide, the ambiguous characters included; one for the others. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += wide.has(eastAsianWidthType(character.codePointAt(0)!)) ? 2 : 1;
  return width;
}

const wide: ReadonlySet<string> = new Set(['fullwidth', 'wide', 'ambiguous']);
