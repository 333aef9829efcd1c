import { randomBytes } from 'node:crypto';

const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Largest multiple of 62 in a byte: bytes from here on would favour the first letters. */
const BIASED_FROM = 248;

/** Length of the id of a resource or participant, in base62 characters. */
export const RESOURCE_ID_LENGTH = 12;
/** Length of the id of a stage session after its `st-`, in base62 characters. */
export const SESSION_ID_LENGTH = 13;

function randomBase62(length: number): string {
  let id = '';
  while (id.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < BIASED_FROM && id.length < length) id += BASE62[byte % 62];
    }
  }
  return id;
}

/** A new id for a resource or participant: 12 base62 characters from the system's random source. */
export function newResourceId(): string {
  return randomBase62(RESOURCE_ID_LENGTH);
}

/** A new id for a stage session: `st-` and 13 base62 characters. */
export function newSessionId(): string {
  return `st-${randomBase62(SESSION_ID_LENGTH)}`;
}

const RESOURCE_TYPES = [
  'stage',
  'composition',
  'encoder-configuration',
  'storage-configuration',
  'ingest-configuration',
  'public-key',
  'channel',
] as const;

/** The kinds of resources that have ARNs. */
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/** The parts of an ARN of service `ivs`. */
export interface Arn {
  region: string;
  account: string;
  type: ResourceType;
  id: string;
}

/** Most characters of an ARN. */
export const MAX_ARN_LENGTH = 128;

/** Writes an ARN: `arn:aws:ivs:<region>:<account>:<type>/<id>`. */
export function formatArn({ region, account, type, id }: Arn): string {
  return `arn:aws:ivs:${region}:${account}:${type}/${id}`;
}

function isResourceType(text: string): text is ResourceType {
  return (RESOURCE_TYPES as readonly string[]).includes(text);
}

/** Reads an ARN; undefined when the text is none of this service. */
export function parseArn(text: string): Arn | undefined {
  if (text.length > MAX_ARN_LENGTH) return undefined;
  const match = /^arn:aws:ivs:([a-z0-9-]+):([0-9]+):([a-z-]+)\/([a-zA-Z0-9-]+)$/.exec(text);
  if (!match) return undefined;
  const [, region = '', account = '', type = '', id = ''] = match;
  return isResourceType(type) ? { region, account, type, id } : undefined;
}
