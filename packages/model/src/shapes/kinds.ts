// Shapes that come in many variants.
import { integer, string } from '../schema.ts';

/** ARN of one type of resource. */
export function arnOf(type: string) {
  return string({ minLength: 1, maxLength: 128, pattern: `arn:aws:ivs:[a-z0-9-]+:[0-9]+:${type}/[a-zA-Z0-9-]+` });
}

/** ARN of one type of resource, or the empty string for none. */
export function arnOrEmpty(type: string) {
  return string({
    minLength: 0,
    maxLength: 128,
    pattern: `^$|^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${type}/[a-zA-Z0-9-]+$`,
  });
}

/** Page size of a listing. */
export function maxResults(maximum: number) {
  return integer({ minimum: 1, maximum });
}
