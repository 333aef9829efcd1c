// What an answer's Link headers say (RFC 8288): where the layers are, and which ICE servers there are.

/** One link: its target and its parameters, `rel` among them. */
export interface Link {
  url: string;
  parameters: Record<string, string>;
}

const oneLink = /<([^>]*)>((?:\s*;\s*[\w-]+=(?:"(?:[^"\\]|\\.)*"|[^\s,;"]+))*)/g;
const oneParameter = /;\s*([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]+))/g;

/** Reads all Link headers of an answer, which a browser joins with commas. */
export function parseLinks(text: string | null): Link[] {
  return [...(text ?? '').matchAll(oneLink)].map(([, url = '', rest = '']) => ({
    url,
    parameters: Object.fromEntries(
      [...rest.matchAll(oneParameter)].map(([, name = '', quoted, plain = '']) => [
        name.toLowerCase(),
        quoted?.replace(/\\(.)/g, '$1') ?? plain,
      ]),
    ),
  }));
}

/** Target of the first link with this relation. */
export const linkTo = (links: readonly Link[], rel: string): string | undefined =>
  links.find(({ parameters }) => parameters.rel === rel)?.url;

/** The ICE servers among the links (RFC 9725 section 4.6). */
export function iceServersOf(links: readonly Link[]): RTCIceServer[] {
  return links
    .filter(({ parameters }) => parameters.rel === 'ice-server')
    .map(({ url, parameters: { username, credential } }) => ({
      urls: url,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }));
}
