// URLs of the server's buckets that are signed in the page (Signature Version 4 in the query), so that pictures and
// players, which send no headers of ours, may read what the keys may.

/** An access key of the server. */
export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Seconds that a URL is good for: pictures are loaded when they are scrolled to. */
const goodForSeconds = 3_600;
/** Buckets are of no region; whichever is signed for is taken. */
const region = 'us-east-1';

const utf8 = new TextEncoder();

/** The same URL with a signature for GET; `now` is the time of the server's clock, within minutes. */
export async function presign(url: URL, keys: Keys, now: Date): Promise<URL> {
  const amzDate = `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const scope = `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
  const query = [
    ...url.searchParams,
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${keys.accessKeyId}/${scope}`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', String(goodForSeconds)],
    ['X-Amz-SignedHeaders', 'host'],
  ];
  const canonicalQuery = query
    .map(([name = '', value = '']) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const path = url.pathname
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/');
  const canonical = ['GET', path, canonicalQuery, `host:${url.host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const text = ['AWS4-HMAC-SHA256', amzDate, scope, await sha256(canonical)].join('\n');
  const signature = hex(await hmac(await signingKey(keys.secretAccessKey, scope), text));
  return new URL(`${url.origin}${path}?${canonicalQuery}&X-Amz-Signature=${signature}`);
}

async function signingKey(secret: string, scope: string): Promise<ArrayBuffer> {
  let key: ArrayBuffer | Uint8Array<ArrayBuffer> = utf8.encode(`AWS4${secret}`);
  for (const part of scope.split('/')) key = await hmac(key, part);
  return key as ArrayBuffer;
}

async function hmac(key: ArrayBuffer | Uint8Array<ArrayBuffer>, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, utf8.encode(text));
}

const sha256 = async (text: string): Promise<string> => hex(await crypto.subtle.digest('SHA-256', utf8.encode(text)));

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** RFC 3986, as signatures want it. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
