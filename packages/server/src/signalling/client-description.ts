import type { IncomingHttpHeaders } from 'node:http';
import bowser from 'bowser';
import type { ClientDescription } from '../store/types.ts';

/** What the model's ParticipantClientAttribute admits, and how much of it. */
const notAdmitted = /[^a-zA-Z0-9\-_.,:;\s]/g;
const maxLength = 128;

/** Longest User-Agent that is looked at, in characters. */
const maxUserAgent = 1024;

/** What a client's headers tell about its browser, system and SDK (GetParticipant: browserName, osName, sdkVersion …). */
export function describeClient(headers: IncomingHttpHeaders): ClientDescription {
  const description: ClientDescription = {};
  const set = (key: keyof ClientDescription, value: string | undefined) => {
    const admitted = value?.replace(notAdmitted, '').slice(0, maxLength).trim();
    if (admitted) description[key] = admitted;
  };
  const userAgent = headers['user-agent']?.slice(0, maxUserAgent);
  if (userAgent) {
    const parsed = bowser.parse(userAgent);
    const { name, version } = parsed.engine.name ? parsed.browser : productOf(userAgent);
    set('browserName', name);
    set('browserVersion', version);
    set('osName', parsed.os.name);
    set('osVersion', parsed.os.version);
  }
  set('sdkVersion', single(headers['x-stages-sdk']));
  return description;
}

/** The product of a client that is no browser: "OBS-Studio/31.0 …" or "Mozilla/5.0 (compatible; OBS-Studio/31.0; …)". */
function productOf(userAgent: string): { name?: string; version?: string } {
  const [, name, version] = /^(?:Mozilla\/5\.0 \(compatible; )?([^\s/;]+)(?:\/([\w.]+))?/.exec(userAgent) ?? [];
  return { name, version };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
