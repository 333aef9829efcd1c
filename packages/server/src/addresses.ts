import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from './config.ts';
import type { Endpoints } from './credentials.ts';
import { StartupError } from './startup-error.ts';

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/**
 * The address that the media sockets bind: that of the HTTP host, which may be given as a name. Of a name that has both,
 * the IPv4 one is taken, which every client can reach.
 */
export async function mediaAddress(host: string): Promise<string> {
  if (isIP(host)) return host;
  try {
    return (await lookup(host, { order: 'ipv4first' })).address;
  } catch {
    throw new StartupError(
      `--host ${host}: no address is known for it; give one of this machine's addresses, or 0.0.0.0 or :: for all`,
    );
  }
}

/** The host that clients are told: the announced one, else the one that is bound, else this machine's first own address. */
function publicHost({ announceIps: [announced], host }: Config): string {
  if (announced !== undefined) return announced;
  if (!isWildcard(host)) return host;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return firstOwn(own, 'IPv4') ?? (host === '::' ? firstOwn(own, 'IPv6') : undefined) ?? '127.0.0.1';
}

/** Link-local addresses are left out: they are good with an interface's name alone. */
function firstOwn(own: readonly NetworkInterfaceInfo[], family: 'IPv4' | 'IPv6'): string | undefined {
  return own.find((one) => one.family === family && !one.internal && !/^fe[89ab]/i.test(one.address))?.address;
}

const inUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** The host that encoders are told: of a public URL, whose name the certificate has too, else that of everything. */
export function encoderHost(config: Config): string {
  if (config.publicUrl === undefined) return publicHost(config);
  return new URL(config.publicUrl).hostname.replace(/^\[(.*)\]$/, '$1');
}

/** TCP and UDP ports that are open. */
export interface OpenPorts {
  http: number;
  /** Of each media worker. */
  media: readonly number[];
  /** Absent: no encoders. */
  ingest?: { rtmp: number; rtmps: number } | undefined;
}

/** The URLs of a server, all but those of encoders without a slash at the end, as clients join them to paths. */
export function publicEndpoints(config: Config, { http: port, media: mediaPorts, ingest }: OpenPorts): Endpoints {
  const host = publicHost(config);
  const ofEncoders = inUrl(encoderHost(config));
  const api = config.publicUrl ?? `http${config.tlsCert === undefined ? '' : 's'}://${inUrl(host)}:${port}`;
  const mediaHosts = config.announceIps.length > 0 ? config.announceIps : [host];
  return {
    api,
    whip: `${api}/whip`,
    events: `${api.replace(/^http/, 'ws')}/events`,
    ...(ingest && {
      rtmp: `rtmp://${ofEncoders}:${ingest.rtmp}/app/`,
      rtmps: `rtmps://${ofEncoders}:${ingest.rtmps}/app/`,
    }),
    region: config.region,
    media: mediaPorts.flatMap((mediaPort) => mediaHosts.map((address) => `udp://${inUrl(address)}:${mediaPort}`)),
  };
}
