import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from './config.ts';
import type { Endpoints } from './credentials.ts';
import { StartupError } from './startup-error.ts';

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** The address that the media sockets bind: that of the HTTP host, which may be given as a name. */
export async function mediaAddress(host: string): Promise<string> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch {
    throw new StartupError(
      `--host ${host}: no IPv4 address is known for it; give one of this machine's addresses, or 0.0.0.0`,
    );
  }
}

/** The host that clients are told: the announced one, else the one that is bound, else this machine's first own address. */
function publicHost(config: Config): string {
  if (config.announceIp !== undefined) return config.announceIp;
  if (!isWildcard(config.host)) return config.host;
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  return own?.address ?? '127.0.0.1';
}

/** The URLs of a server that listens on `port`, without a slash at the end, as clients join them to paths. */
export function publicEndpoints(config: Config, port: number, mediaPorts: readonly number[]): Endpoints {
  const host = publicHost(config);
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const api = config.publicUrl ?? `http${config.tlsCert === undefined ? '' : 's'}://${authority}`;
  return {
    api,
    whip: `${api}/whip`,
    events: `${api.replace(/^http/, 'ws')}/events`,
    region: config.region,
    media: mediaPorts.map((mediaPort) => `udp://${isIPv6(host) ? `[${host}]` : host}:${mediaPort}`),
  };
}
