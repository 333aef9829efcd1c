import { apiReference } from './markdown.ts';
import { openApi } from './openapi.ts';

/** Every generated file, by its path in the project; JSON is not formatted yet. */
export function generate(): Record<string, string> {
  return {
    'docs/reference/api.md': apiReference(),
    'docs/reference/openapi.json': JSON.stringify(openApi(), null, 2),
  };
}
