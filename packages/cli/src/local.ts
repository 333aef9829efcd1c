// A Footlights that runs on this machine: what it writes to its data folder when it is ready.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '@footlights/model';
import { parseIni } from './ini.ts';

/** Where a running server can be reached, and the key pair it accepts. */
export interface LocalServer {
  api: string;
  region: string;
  credentials: Credentials;
}

const defaultRegion = 'us-west-2';

/** The data folder: FOOTLIGHTS_DATA_DIR or ~/.footlights. */
export function dataFolder(env: NodeJS.ProcessEnv): string {
  return env.FOOTLIGHTS_DATA_DIR || join(env.HOME || homedir(), '.footlights');
}

/** Reads what the server in `folder` wrote; undefined when none has started there. */
export function findLocalServer(folder: string): LocalServer | undefined {
  const endpoints = parseEndpoints(read(join(folder, 'endpoints.json')));
  const credentials = parseCredentials(read(join(folder, 'credentials')));
  return endpoints && credentials && { ...endpoints, credentials };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseEndpoints(text: string | undefined): { api: string; region: string } | undefined {
  try {
    const { api, region } = JSON.parse(text ?? 'null') ?? {};
    return typeof api === 'string' ? { api, region: typeof region === 'string' ? region : defaultRegion } : undefined;
  } catch {
    return undefined;
  }
}

function parseCredentials(text: string | undefined): Credentials | undefined {
  const sections = text === undefined ? undefined : parseIni(text);
  const section = sections?.get('default') ?? sections?.values().next().value;
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = section ?? {};
  return typeof accessKeyId === 'string' && typeof secretAccessKey === 'string'
    ? { accessKeyId, secretAccessKey }
    : undefined;
}
