import type { KeyObject } from 'node:crypto';

/** One key pair that API calls are signed with. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The secrets of one data folder. */
export interface Secrets {
  /** In the order of the credentials file; at least one. */
  accessKeys: readonly AccessKey[];
  secretOf(accessKeyId: string): string | undefined;
  /** P-384, signs participant tokens with ES384. */
  tokenKey: { privateKey: KeyObject; publicKey: KeyObject };
}

/** What `endpoints.json` tells other programs about the running server. */
export interface Endpoints {
  api: string;
  whip: string;
  events: string;
  /** `udp://address:port` of each media worker. */
  media: readonly string[];
}

/** Reads the secrets of the folder; makes the folder and what is missing in it. */
export function openSecrets(_dataDir: string): Secrets {
  throw new Error('not written');
}

/** Replaces `<dataDir>/endpoints.json` and returns its path. */
export function writeEndpoints(dataDir: string, _endpoints: Endpoints): string {
  return dataDir;
}
